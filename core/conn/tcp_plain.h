// The TCP segments that nearly all traffic consists of, in a straight line: the next bytes, or an acknowledgement, of
// an established connection in which nothing is odd. Whether somebody reads its bytes does not matter here.
//
// It does what TcpTracker::process() would do with such a segment, several times faster, and gives way to it wherever a
// rule would have to be looked up; tests/unit/conn/tcp_plain_test.cpp holds the two against each other. Internal to
// core/conn; worker's thread.
#pragma once

#include "core/conn/connection.h"
#include "core/conn/gap_tracker.h"
#include "core/conn/history.h"

namespace ftpsensor {

// Both ends are open, and nothing is odd: neither the attempt nor ExpireTimer could end such a connection, whatever
// comes later.
inline bool is_quiet(const Connection& c) {
    const auto quiet = [](const Endpoint& e) {
        return (e.state == TcpState::established || e.state == TcpState::partial) && !e.did_close && !e.fin_seen &&
               !e.skip_deliveries && e.ranges == Endpoint::kNoRange && e.packets() != 0;
    };
    return c.orig_first_seen && c.resp_first_seen && !c.close_deferred && quiet(c.end[0]) && quiet(c.end[1]);
}

// The reference takes numbers past 2 GiB from the start for older ones, until they have wrapped once.
inline bool is_beyond_half(const Endpoint& e, std::uint32_t seq) {
    return static_cast<std::int32_t>(seq - e.start_seq) < 0 && e.seq_wraps() == 0;
}

// As far as `seq`, so much may be sent before anything is acknowledged: beyond it other rules hold (GapTracker::data).
// True also for what is acknowledged, unless numbers wrapped onto the first ones: then the general path decides.
inline bool is_acknowledged_or_little(const Endpoint& e, std::uint32_t seq) {
    return e.ack_seq - e.start_seq > 1 || seq - e.start_seq <= 1 + GapTracker::kInitialWindowMax;
}

// In a quiet connection: all that this end sent was seen, none of it is acknowledged that was not, and no number wraps
// in between.
inline bool is_whole(const Endpoint& e) {
    return !is_beyond_half(e, e.last_seq) && e.delivered_rel == e.last_rel() && e.trimmed_rel == e.acked_rel() &&
           e.ack_seq <= e.last_seq && e.seq_wraps() == e.ack_wraps() && is_acknowledged_or_little(e, e.last_seq);
}

// To be called after each segment that was not plain. A calm connection is one in which all this holds; a plain segment
// leaves it so, and moves delivered_rel and trimmed_rel along with last_seq and ack_seq without writing them.
inline void note_calm(Connection& c) {
    const bool quiet = is_quiet(c);
    if (quiet) c.deadline_kind = Deadline::none;
    c.calm = quiet && !c.has_encapsulation && is_whole(c.end[0]) && is_whole(c.end[1]);
}

// Before anything else looks at the connection's reassembly.
inline void leave_calm(Connection& c) {
    if (!c.calm) return;
    c.calm = false;
    for (Endpoint& e : c.end) {
        e.delivered_rel = e.last_rel();
        e.trimmed_rel = e.acked_rel();
    }
}

// g++ computes the place of an end anew for each use of it, out of its index; not where it can't see through.
template <class T>
inline T* kept_in_register(T* pointer) {
    asm("" : "+r"(pointer));
    return pointer;
}

// False: not such a segment, and nothing was changed. The connection is calm and not yet over, and the segment came
// through no tunnel.
[[gnu::always_inline]] inline bool take_plain(Connection& c, const Layer& segment, unsigned side,
                                              const PacketView& packet) {
    constexpr std::uint8_t kMeaningful = kFin | kSyn | kRst | kAck | kUrg;
    Endpoint& end = *kept_in_register(&c.end[side]);
    Endpoint& peer = *kept_in_register(&c.end[side ^ 1]);
    const std::uint32_t length = segment.payload_length;
    const std::uint32_t end_seq = segment.tcp_seq + length;

    // The next bytes, all of them captured, in numbers that do not wrap; acknowledged is what was seen.
    if ((segment.tcp_flags & kMeaningful) != kAck || segment.tcp_window == 0 || segment.tcp_seq != end.last_seq ||
        segment.payload_captured < length || end_seq < segment.tcp_seq ||
        segment.tcp_ack - peer.ack_seq > peer.last_seq - peer.ack_seq)
        return false;
    if (is_beyond_half(end, end_seq)) return false;
    if (length != 0 &&
        (end_seq - end.ack_seq > GapTracker::kUnacknowledgedMax || !is_acknowledged_or_little(end, end_seq)))
        return false;
    const unsigned letter = unsigned{length != 0 ? kHistoryData : kHistoryAck}
                            << (side == c.orig_side ? 0 : kHistoryResponderShift);
    if ((c.history_seen & letter) == 0) [[unlikely]] {
        // After a lone SYN-ACK it may turn the roles.
        if (c.history_size < 2 || c.history_size >= Connection::kHistoryInline) return false;
        const bool orig = side == c.orig_side;
        History::add_first(c, letter, length != 0 ? (orig ? 'D' : 'd') : (orig ? 'A' : 'a'));
    }

    c.last = packet.time;
    c.seen = packet.now;
    end.last_seq = end_seq;
    end.count_packet(segment.ip_length);
    peer.ack_seq = segment.tcp_ack;
    return true;
}

} // namespace ftpsensor
