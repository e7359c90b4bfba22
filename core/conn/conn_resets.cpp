// RSTs that were believed, and that the session shows to have been none: what is taken back, and how the session is
// known again where another connection took its place meanwhile (session_guard.h).
#include "core/base/sequence.h"
#include "core/conn/conn_tracker.h"

#include <algorithm>

namespace ftpsensor {

namespace {

bool is_near(std::uint32_t a, std::uint32_t b) { return a - b + kAheadMax <= 2u * kAheadMax; }

} // namespace

// A host that took the RST has forgotten the session. One that acknowledges more than was sent before it has not, and
// neither has the end that sent that.
void ConnTracker::mind_reset(Connection& c, const Layer& layer, unsigned side) {
    SessionGuard& guard = oddities_.of(c).guard;
    const unsigned other = side ^ 1;
    if (!guard.has_reset[other] || (layer.tcp_flags & (kAck | kRst)) != kAck) return;
    const std::int32_t beyond = seq_distance(layer.tcp_ack, guard.reset_at[other]);
    if (beyond <= 0 || beyond > kAheadMax) return;
    Endpoint& peer = c.end[side];
    if (peer.state != TcpState::inactive && !is_near(layer.tcp_seq, number_due(c, peer))) return;

    Endpoint& end = c.end[other];
    guard.has_reset[other] = false;
    conn_events_.count(c, Event::RST_of_unknown_number);
    const bool half_closed = end.previous == TcpState::closed;
    if (half_closed)
        end.state = TcpState::closed;
    else if (end.previous == TcpState::partial || (end.previous == TcpState::syn_sent && !peer.packets()))
        end.state = end.previous;
    else
        end.state = TcpState::established;
    end.previous = end.state == TcpState::syn_sent ? TcpState::inactive : TcpState::established;
    if (peer.state == TcpState::syn_sent) peer.state = TcpState::established; // it acknowledges the answer
    end.did_close = half_closed;
    if (const std::uint32_t due = number_due(c, end); seq_distance(due, end.last_seq) > 0) { // it stood still
        if (due < end.last_seq) end.last_seq_wraps();
        end.last_seq = due;
    }
    c.active = true;
    c.close_deferred = false;
    c.deadline_kind = Deadline::none;
}

// What is acknowledged beyond which number shows that nobody has taken the RST.
void ConnTracker::note_reset(Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& end = c.end[side];
    SessionGuard& guard = oddities_.of(c).guard;
    const bool spoke_first = end.previous == TcpState::inactive; // a SYN tells its numbers
    if (guard.has_reset[side] && !(spoke_first && (layer.tcp_flags & kSyn) != 0)) return;
    guard.has_reset[side] = true;
    std::uint32_t& at = guard.reset_at[side];
    at = number_due(c, end);
    if (spoke_first)
        at = end.start_seq;
    else if (end.previous == TcpState::syn_sent && at != end.start_seq + 1)
        at = end.start_seq; // behind bytes that nobody has answered: the answer to the SYN is enough
    else if (end.fin_seen && seq_distance(end.start_seq + static_cast<std::uint32_t>(end.fin_rel), at) > 0)
        at = end.start_seq + static_cast<std::uint32_t>(end.fin_rel);
    if (!spoke_first && at != end.start_seq && seq_distance(layer.tcp_seq, at) > 0 && is_near(layer.tcp_seq, at))
        at = layer.tcp_seq;
}

// Bytes that the peer may refuse: they acknowledge what it has not sent as far as was seen, or answer nothing.
void ConnTracker::note_doubted(Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& end = c.end[side];
    const std::uint32_t upper = layer.tcp_seq + layer.payload_length;
    if (end.skip_deliveries && is_near(upper, end.ack_seq)) {
        SessionGuard& guard = oddities_.of(c).guard;
        if (!guard.has_sent[side] || seq_distance(upper, guard.sent_to[side]) > 0) guard.sent_to[side] = upper;
        guard.has_sent[side] = true;
    }
    std::uint32_t from = layer.tcp_seq;
    if ((layer.tcp_flags & kSyn) != 0) {
        ++from;
    } else if (c.in_session()) {
        const bool ahead = (layer.tcp_flags & kAck) != 0 && seq_distance(layer.tcp_ack, c.end[side ^ 1].last_seq) > 0;
        if (!layer.doubtful && !ahead) return;
        if (seq_distance(upper, end.ack_seq) <= 0) return; // it has them
    } else if (!c.awaits_answer() || side != c.orig_side) {
        return;
    }
    SessionGuard& guard = oddities_.of(c).guard;
    const bool waits = guard.has_doubted[side] && seq_distance(guard.doubted_from[side], end.ack_seq) >= 0;
    guard.doubted_from[side] =
        waits && seq_distance(from, guard.doubted_from[side]) > 0 ? guard.doubted_from[side] : from;
    guard.has_doubted[side] = true;
}

// The numbers that are due in the session, by which the segments of `sides` (a bit each) tell that it goes on.
void ConnTracker::remember_former(const Connection& c, unsigned sides) {
    const ConnOddities* odd = oddities_.find(c);
    succeeds_.has_former = true;
    succeeds_.former_established = false;
    succeeds_.former_sides = static_cast<std::uint8_t>(sides);
    for (unsigned side = 0; side < 2; ++side) {
        const Endpoint& end = c.end[side];
        const std::uint32_t due = succeeds_.former[side] = number_due(c, end);
        succeeds_.former_doubted[side] = 0;
        if (odd == nullptr || !odd->guard.has_doubted[side]) continue;
        const std::int32_t doubted = seq_distance(due, odd->guard.doubted_from[side]);
        if (doubted > 0 && doubted <= kAheadMax && seq_distance(odd->guard.doubted_from[side], end.ack_seq) >= 0)
            succeeds_.former_doubted[side] = static_cast<std::uint32_t>(doubted);
    }
}

// Its number is what was due. What it acknowledges may be of a little before, or of what was not seen.
bool ConnTracker::is_of_former(const SessionGuard& guard, const Layer& layer, unsigned side) {
    return (guard.former_sides >> side & 1) != 0 && (layer.tcp_flags & (kSyn | kAck | kRst)) == kAck &&
           guard.former[side] - layer.tcp_seq <= guard.former_doubted[side] &&
           is_near(layer.tcp_ack, guard.former[side ^ 1]);
}

} // namespace ftpsensor
