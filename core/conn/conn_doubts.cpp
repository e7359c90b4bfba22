// What the tracker does not believe of an FTP session, or of what may yet be one (session_guard.h), and what it
// believes instead.
#include "core/conn/conn_tracker.h"

#include <algorithm>

namespace ftpsensor {

namespace {
// What a host takes of it (RFC 9293 3.10.7.4: "trimmed"); Zeek leaves it out.
Layer behind_beginning(const Endpoint& end, const Layer& layer) {
    Layer rest = layer;
    const std::uint32_t before = end.start_seq + 1 - layer.tcp_seq;
    const std::uint32_t captured = std::min(before, layer.payload_captured);
    rest.tcp_seq += before;
    rest.payload += captured;
    rest.payload_captured -= captured;
    rest.payload_length -= before;
    return rest;
}

// Bytes of it came, and were acknowledged.
bool has_spoken(const Endpoint& end) { return end.last_rel() > 1 && end.acked_rel() > 1; }
} // namespace

// The segment begins another connection in the place of this one.
bool ConnTracker::is_another(Connection& c, const Layer& layer, unsigned side, Timestamp time) {
    const bool syn = (layer.tcp_flags & kSyn) != 0;
    if (!options_.wary_of_decoys || c.content == ContentUse::none) return syn && tcp_.is_reuse(c, layer, time);
    if (layer.doubtful) return false;
    if (c.in_session()) {
        const ConnOddities* odd = oddities_.find(c);
        if (odd != nullptr && odd->guard.is_waiting() && begins_anew(odd->guard, c, layer, side)) {
            remember_former(c, 0b11);
            return true;
        }
    }
    if (!syn || (layer.tcp_flags & kRst) != 0 || decoy(c, layer, side)) return false;
    // Both ask at once, or the one that was asked asks back: it is one connection (RFC 9293 3.5).
    if (c.awaits_answer() && side != c.orig_side && (layer.tcp_flags & kAck) == 0) return false;
    if (!tcp_.is_reuse(c, layer, time)) return false;
    const ConnOddities* odd = oddities_.find(c);
    if (odd != nullptr && !c.one_sided())
        if (const auto sides = odd->guard.has_reset[0] | odd->guard.has_reset[1] << 1; sides != 0)
            remember_former(c, static_cast<unsigned>(sides));
    return true;
}

void ConnTracker::process_warily(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet) {
    Connection& c = table_[index];
    if (reaches_back(c.end[side], layer)) [[unlikely]] {
        conn_events_.count(c, Event::TCP_seq_underflow_or_misorder);
        const Layer rest = behind_beginning(c.end[side], layer);
        if (rest.doubtful && c.content != ContentUse::none) return process_doubtful(index, rest, side, packet);
        process_segment(index, rest, side, packet);
    } else if (layer.doubtful && c.content != ContentUse::none) [[unlikely]]
        process_doubtful(index, layer, side, packet);
    else
        process_segment(index, layer, side, packet);
}

// Out of fragments that many hosts throw away: its bytes wait until they are acknowledged, and nothing begins or ends.
void ConnTracker::process_doubtful(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet) {
    Connection& c = table_[index];
    conn_events_.count(c, Event::segment_of_doubtful_fragments);
    if ((layer.tcp_flags & (kSyn | kRst)) != 0) return count_packet(c, side, layer);
    Layer bytes = layer;
    bytes.tcp_flags = static_cast<std::uint8_t>(bytes.tcp_flags & ~kFin);
    process_segment(index, bytes, side, packet);
}

// Counted in the connection, and for nothing else. What may be of another handshake is remembered.
void ConnTracker::count_decoy(Connection& c, const Layer& layer, unsigned side, Event event) {
    conn_events_.count(c, event);
    count_packet(c, side, layer);
    // The session's own one, sent again, is of no other.
    if ((layer.tcp_flags & (kSyn | kRst)) != kSyn || layer.tcp_seq == c.end[side].start_seq) return;
    leave_calm(c); // each of the next segments may tell which of the two it is
    SessionGuard& guard = oddities_.of(c).guard;
    if ((layer.tcp_flags & kAck) == 0) {
        guard.syn = layer.tcp_seq;
        guard.syn_numbers = 1 + layer.payload_length;
        guard.syn_side = static_cast<std::uint8_t>(side);
    } else {
        guard.syn_ack = layer.tcp_seq;
        guard.syn_ack_acks = layer.tcp_ack;
        guard.syn_ack_side = static_cast<std::uint8_t>(side);
        guard.has_syn_ack = true;
    }
}

// A segment says which of two handshakes, or of two sessions, is the true one.
void ConnTracker::mind_handshakes(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    SessionGuard& guard = oddities_.of(c).guard;
    if (guard.has_former) {
        if (packet.now >= guard.former_until && has_spoken(c.end[0]) && has_spoken(c.end[1]))
            guard.has_former = false;
        else if (is_of_former(guard, layer, side))
            return_to_former(c, guard, layer, side, packet);
    }
    if (!guard.is_waiting() || !c.in_session()) return;
    if (takes_other_answer(guard, c, layer, side)) {
        const std::uint32_t taken = guard.syn_ack;
        guard.syn_ack = c.resp().start_seq;
        renumber(c, c.orig_side ^ 1u, taken + 1, packet);
    } else if ((side == c.orig_side || !has_other_answer(guard, c)) && is_of_session(c, layer, side))
        guard.forget_handshake(); // the client's word settles which answer it took
}

// The originator refuses the answer that took another SYN than its last: it was none, and the SYN is still asked.
bool ConnTracker::is_refused(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    if ((layer.tcp_flags & kRst) == 0 || side != c.orig_side) return false;
    SessionGuard& guard = oddities_.of(c).guard;
    Endpoint& end = c.end[side];
    if (!guard.has_asked || end.last_seq != end.start_seq + 1 || layer.tcp_seq != end.last_seq) return false;
    if (c.end[side ^ 1].acked_rel() != 0) return false; // it has taken it
    guard.has_asked = false;
    leave_calm(c);
    // Unless it takes the answer all the same: the RST was none.
    guard.has_former = guard.former_established = true;
    guard.former_sides = static_cast<std::uint8_t>(1u << side);
    guard.former[side] = end.last_seq;
    guard.former[side ^ 1] = number_due(c, c.end[side ^ 1]);
    guard.former_doubted[0] = guard.former_doubted[1] = 0;
    guard.former_until = 0;
    renumber(c, side, guard.asked_syn + 1, packet);
    end.state = TcpState::syn_sent;
    c.end[side ^ 1].state = TcpState::inactive;
    return true;
}

// The session before this one goes on: who began another knew no more than its addresses and ports.
void ConnTracker::return_to_former(Connection& c, SessionGuard& guard, const Layer& layer, unsigned side,
                                   const PacketView& packet) {
    guard.has_former = guard.has_reset[0] = guard.has_reset[1] = false;
    guard.has_doubted[0] = guard.has_doubted[1] = false;
    guard.forget_handshake();
    leave_calm(c);
    const std::uint32_t acknowledged = layer.tcp_ack - guard.former[side ^ 1];
    guard.former[side] = layer.tcp_seq;
    if (static_cast<std::int32_t>(acknowledged) > 0) guard.former[side ^ 1] = layer.tcp_ack;
    for (unsigned s = 0; s < 2; ++s) {
        renumber(c, s, guard.former[s], packet);
        c.end[s].state = c.end[s].previous = guard.former_established ? TcpState::established : TcpState::partial;
        c.end[s].did_close = false;
    }
    c.partial = !guard.former_established;
    c.deadline_kind = Deadline::none;
}

// Where the session stands, by what its ends say of one another.
void ConnTracker::be_wary(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    if (side != c.orig_side && c.orig().has_asked()) believe_answer(c, layer, side, packet);
    if (c.partial) doubt_beginning(c, layer, side, packet);
    if ((layer.tcp_flags & kSyn) != 0 && c.end[side].state != TcpState::inactive)
        doubt_before_syn(c, layer, side, packet);
    // Its acknowledgement was captured before it: it is not a byte.
    Endpoint& end = c.end[side];
    const std::uint32_t fin = layer.tcp_seq + layer.payload_length;
    if ((layer.tcp_flags & (kFin | kSyn | kRst)) == kFin && !end.fin_seen && end.delivered_rel > 1 &&
        number_due(c, end) == fin + 1 && static_cast<std::int32_t>(end.last_seq - fin) <= 0)
        end.delivered_rel = end.delivered_rel - 1;
}

// Nobody sends bytes before its SYN, and nobody takes them. Nor a FIN, or a SYN-ACK.
void ConnTracker::doubt_before_syn(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    Endpoint& end = c.end[side];
    Endpoint& peer = c.end[side ^ 1];
    const unsigned flags = layer.tcp_flags & (kSyn | kAck | kRst);
    const bool closed = end.state == TcpState::closed && end.previous == TcpState::partial;
    if (flags == kSyn && (end.state == TcpState::partial || closed)) {
        renumber(c, side, layer.tcp_seq + 1, packet);
        end.state = TcpState::partial;
    } else if (flags == kSyn && end.state == TcpState::syn_ack_sent && peer.state == TcpState::inactive) {
        end.state = TcpState::syn_sent;
    } else if (flags == (kSyn | kAck) && end.state == TcpState::partial && peer.state == TcpState::syn_sent &&
               layer.tcp_seq != end.start_seq && end.ack_seq == end.start_seq &&
               layer.tcp_ack - peer.start_seq - 1 < peer.last_seq - peer.start_seq) {
        renumber(c, side, layer.tcp_seq + 1, packet);
        end.state = TcpState::inactive; // its answer begins it
        c.partial = false;
    }
}

// Of several SYNs the answer says which was taken: a host that has answered one goes by its numbers.
void ConnTracker::believe_answer(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    Endpoint& asked = c.end[side ^ 1];
    if ((layer.tcp_flags & (kSyn | kAck | kRst)) != (kSyn | kAck)) return;
    if (c.end[side].state != TcpState::inactive && c.end[side].state != TcpState::partial) return;
    if (layer.tcp_ack - asked.start_seq <= asked.last_seq - asked.start_seq) return;
    conn_events_.count(c, Event::bad_SYN_ack);
    SessionGuard& guard = oddities_.of(c).guard;
    if (!guard.has_asked) guard.asked_syn = asked.start_seq;
    guard.has_asked = true;
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
