// What a connection's record says of it.
#include "core/conn/conn_tracker.h"

namespace ftpsensor {

void ConnTracker::fill_record(const Connection& c, ConnRecord& r, std::string& text) const {
    text.clear();
    const Endpoint& orig = c.orig();
    const Endpoint& resp = c.resp();
    const ConnCold& cold = c.cold();
    r.start = cold.start;
    r.first_seq = cold.first_seq;
    r.ordinal = cold.ordinal;
    r.last = c.last;
    r.id = c.id();
    r.proto = c.proto;
    r.ip_proto = c.key.ip_proto;
    r.services = c.services;
    r.watched = c.watched;
    r.shunted = c.shunted;
    r.missed_bytes = missed_bytes(c);
    r.orig_pkts = orig.packets();
    r.orig_ip_bytes = orig.ip_bytes();
    r.resp_pkts = resp.packets();
    r.resp_ip_bytes = resp.ip_bytes();
    if (c.proto == Transport::tcp) {
        r.state = tcp_.state(c);
        r.orig_bytes = endpoint_size(orig, resp);
        r.resp_bytes = endpoint_size(resp, orig);
    } else {
        r.orig_bytes = orig.payload_bytes();
        r.resp_bytes = resp.payload_bytes();
        r.state = ConnState::OTH;
        if (c.proto == Transport::udp && orig.active)
            r.state = resp.active ? ConnState::SF : ConnState::S0;
        else if (c.proto == Transport::udp && resp.active)
            r.state = ConnState::SHR;
    }
    r.history_size = c.history_size;
    for (std::size_t i = 0; i < c.history_size; ++i) {
        if (i < ConnRecord::kHistoryInline)
            r.history[i] = history_.at(c, i);
        else
            text.push_back(history_.at(c, i));
    }
    r.tunnel_parents = 0;
    if (cold.extra == Connection::kNone) return;
    const ConnExtra& extra = extras_[cold.extra];
    r.tunnel_parents = extra.parent_count;
    text.append(reinterpret_cast<const char*>(extra.parents.data()), extra.parent_count * sizeof(Id96));
}

} // namespace ftpsensor
