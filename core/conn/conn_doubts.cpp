// What the tracker does not believe of an FTP session, or of what may yet be one (session_guard.h), and what it
// believes instead.
#include "core/conn/conn_tracker.h"

namespace ftpsensor {

// Counted in the connection, and for nothing else. A SYN is remembered, for there may be an answer.
void ConnTracker::count_decoy(Connection& c, const Layer& layer, unsigned side, Event event) {
    conn_events_.count(c, event);
    count_packet(c, side, layer);
    if ((layer.tcp_flags & (kSyn | kAck | kRst)) != kSyn) return;
    ConnOddities::Side& odd = oddities_.of(c).side[side];
    odd.decoy_syn = layer.tcp_seq;
    odd.decoy_syn_numbers = 1 + layer.payload_length;
}

// Of several SYNs the answer says which was taken: a host that has answered one goes by its numbers. One that answers
// with what is no SYN takes none: it is in the middle of a session, and says where that stands (RFC 5961 4).
void ConnTracker::believe_answer(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    Endpoint& asked = c.end[side ^ 1];
    const bool syn = (layer.tcp_flags & kSyn) != 0;
    if ((layer.tcp_flags & (kAck | kRst)) != kAck) return;
    if (c.end[side].state != TcpState::inactive && !(syn && c.end[side].state == TcpState::partial)) return;
    if (layer.tcp_ack - asked.start_seq <= asked.last_seq - asked.start_seq) return;
    conn_events_.count(c, syn ? Event::bad_SYN_ack : Event::ACK_of_unknown_number);
    renumber(c, side ^ 1, layer.tcp_ack, packet);
}

// Where no SYN was seen, the first segment says where a stream stands; but not against the peer, which may never have
// taken it.
void ConnTracker::doubt_beginning(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    const Endpoint& peer = c.end[side ^ 1];
    if ((layer.tcp_flags & (kAck | kRst)) != kAck || peer.state != TcpState::partial || peer.seq_wraps() != 0) return;
    if (static_cast<std::int32_t>(peer.start_seq - layer.tcp_ack) <= kAheadMax) return;
    conn_events_.count(c, Event::TCP_ack_underflow_or_misorder);
    renumber(c, side ^ 1, layer.tcp_ack, packet);
}

void ConnTracker::renumber(Connection& c, unsigned side, std::uint32_t next, const PacketView& packet) {
    Endpoint& end = c.end[side];
    gaps_.forget(end);
    end.start_seq = end.ack_seq = next - 1;
    end.last_seq = next;
    end.forget_wraps();
    end.delivered_rel = end.trimmed_rel = 1;
    end.fin_seen = end.skip_deliveries = false;
    observer_.renumbered(c, side, packet);
}

} // namespace ftpsensor
