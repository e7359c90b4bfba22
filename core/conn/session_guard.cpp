#include "core/conn/session_guard.h"

#include "core/base/sequence.h"

namespace ftpsensor {

namespace {

bool is_far(std::uint32_t number, const Connection& c, const Endpoint& end) {
    const auto apart = [number](std::uint32_t own) {
        return seq_distance(number, own) > kAheadMax || seq_distance(own, number) > kAheadMax;
    };
    return apart(end.last_seq) && apart(number_due(c, end));
}

// A FIN at a number at which, or behind which, bytes came. (What only its peer's acknowledgement tells of may be the
// FIN itself, that was captured late.)
bool is_among_bytes(const Connection& c, const Endpoint& end, const Layer& layer) {
    const std::uint32_t fin = layer.tcp_seq + layer.payload_length;
    return seq_distance(fin, number_due(c, end)) < 0 && seq_distance(end.last_seq, fin) > 0;
}

bool is_due_rst(const Connection& c, const SessionGuard* guard, unsigned side, std::uint32_t seq) {
    const Endpoint& end = c.end[side];
    if (end.skip_deliveries) // no bytes are followed: what is known is that nothing is in flight
        return seq == end.ack_seq && guard != nullptr && guard->has_sent[side] &&
               seq_distance(guard->sent_to[side], end.ack_seq) <= 0;
    // A keep-alive is all that was seen of it, and counts as a byte of before the beginning.
    if (end.state == TcpState::partial && end.delivered_rel == 1 && end.ack_seq == end.last_seq + 1 &&
        seq == end.ack_seq)
        return true;
    // One number alone (RFC 5961 3.2); behind a FIN some hosts send its own. What is acknowledged and was never seen
    // may be forged.
    const std::uint32_t due = number_due(c, end);
    const bool fin_is_due = !c.calm && end.fin_seen && end.fin_rel == end.delivered_rel + 1;
    return (seq == due || (fin_is_due && seq == due + 1)) && seq_distance(end.last_seq, seq) >= 0;
}

// Behind bytes that the peer may have refused: then it is at another number.
bool is_behind_doubted(const SessionGuard* guard, const Endpoint& end, unsigned side, std::uint32_t seq) {
    return guard != nullptr && guard->has_doubted[side] && seq_distance(seq, guard->doubted_from[side]) > 0 &&
           seq_distance(seq, end.ack_seq) > 0;
}

// Of the numbers of a SYN that began at `syn`.
bool acknowledges(const Layer& layer, std::uint32_t syn, std::uint32_t numbers) {
    return layer.tcp_ack - syn - 1 < numbers;
}

bool has_said_nothing(const Endpoint& end) { return end.last_seq == end.start_seq + 1 && end.delivered_rel == 1; }

} // namespace

std::uint32_t number_due(const Connection& c, const Endpoint& end) {
    if (c.calm) return end.last_seq; // there is no hole
    if (end.skip_deliveries) return end.ack_seq;
    return end.start_seq + static_cast<std::uint32_t>(std::uint64_t{end.delivered_rel});
}

std::optional<Event> decoy_in_session(const Connection& c, const SessionGuard* guard, const Layer& layer,
                                      unsigned side) {
    const Endpoint& end = c.end[side];
    const Endpoint& peer = c.end[side ^ 1];
    const std::uint8_t flags = layer.tcp_flags;
    if ((flags & kRst) != 0) {
        if (is_due_rst(c, guard, side, layer.tcp_seq) && !is_behind_doubted(guard, end, side, layer.tcp_seq))
            return std::nullopt;
        return Event::RST_of_unknown_number;
    }
    if ((flags & kSyn) != 0) { // but for an answer to what was asked before the session
        if ((flags & kAck) != 0 && side != c.orig_side && peer.state == TcpState::syn_sent) return std::nullopt;
        return Event::SYN_inside_connection;
    }
    if ((flags & kAck) == 0) return Event::segment_without_ACK;
    // Nothing is sent but what acknowledges the peer's SYN.
    if (peer.state != TcpState::partial && peer.seq_wraps() == 0 && peer.last_seq - peer.start_seq < 1u << 31 &&
        seq_distance(layer.tcp_ack, peer.start_seq) <= 0 && is_far(layer.tcp_ack, c, peer))
        return Event::ACK_of_unknown_number;
    // Where the other end has closed, a FIN may be the late one of a short connection out of order; one that is false
    // ends nothing there either (Endpoint::has_doubtful_fin).
    if ((flags & kFin) != 0 && c.is_open() && is_among_bytes(c, end, layer)) return Event::FIN_of_unknown_number;
    return std::nullopt;
}

std::optional<Event> decoy_before_answer(const Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& asked = c.orig();
    const std::uint8_t flags = layer.tcp_flags;
    const bool by_asked = side == c.orig_side;
    if ((flags & kRst) != 0) {
        const std::uint32_t due = number_due(c, asked); // last_seq may be of bytes far ahead
        const bool is_believed =
            by_asked ? layer.tcp_seq == due
                     : (flags & kAck) != 0 && acknowledges(layer, asked.start_seq, due - asked.start_seq);
        if (!is_believed) return Event::RST_of_unknown_number;
        return std::nullopt;
    }
    if ((flags & kSyn) != 0) return std::nullopt;
    if ((flags & kAck) == 0 && ((flags & kFin) != 0 || layer.payload_length != 0)) return Event::segment_without_ACK;
    if (!by_asked &&
        (seq_distance(layer.tcp_ack, asked.start_seq) <= 0 || seq_distance(layer.tcp_ack, asked.last_seq) > kAheadMax))
        return Event::ACK_of_unknown_number;
    if (by_asked && (flags & kFin) != 0 &&
        (seq_distance(layer.tcp_seq, asked.start_seq) <= 0 || seq_distance(layer.tcp_seq, asked.last_seq) > kAheadMax))
        return Event::FIN_of_unknown_number;
    return std::nullopt;
}

bool acknowledges_too_much(const Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& peer = c.end[side ^ 1];
    if ((layer.tcp_flags & (kAck | kRst | kSyn)) != kAck) return false;
    return seq_distance(layer.tcp_ack, peer.last_seq) > kAheadMax &&
           seq_distance(layer.tcp_ack, peer.ack_seq) > kAheadMax;
}

bool is_of_session(const Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& peer = c.end[side ^ 1];
    return (layer.tcp_flags & (kAck | kRst | kSyn)) == kAck && layer.tcp_seq == number_due(c, c.end[side]) &&
           layer.tcp_ack - peer.ack_seq <= peer.last_seq - peer.ack_seq;
}

bool has_other_answer(const SessionGuard& guard, const Connection& c) {
    const Endpoint& asked = c.orig();
    return guard.has_syn_ack && guard.syn_ack_side != c.orig_side && has_said_nothing(c.resp()) &&
           guard.syn_ack_acks - asked.start_seq - 1 < asked.last_seq - asked.start_seq;
}

bool begins_anew(const SessionGuard& guard, const Connection& c, const Layer& layer, unsigned side) {
    const std::uint8_t flags = layer.tcp_flags & (kSyn | kAck | kRst);
    const Endpoint& end = c.end[side];
    const bool asked = guard.syn_numbers != 0 && guard.syn_side != side;
    const bool answered = guard.has_syn_ack && guard.syn_ack_side != side;
    if (flags == (kSyn | kAck))
        return asked && acknowledges(layer, guard.syn, guard.syn_numbers) && layer.tcp_seq != end.start_seq;
    if (flags == kSyn) // the answer overtook it
        return answered && guard.syn_ack_acks - layer.tcp_seq - 1 <= layer.payload_length &&
               layer.tcp_seq != end.start_seq;
    if (flags != kAck || is_of_session(c, layer, side)) return false;
    const bool far = is_far(layer.tcp_ack, c, c.end[side ^ 1]);
    if (answered && layer.tcp_seq == guard.syn_ack_acks && layer.tcp_ack == guard.syn_ack + 1) // the SYN was lost
        return !has_other_answer(guard, c) && (far || is_far(layer.tcp_seq, c, end));
    return asked && far && layer.tcp_ack - guard.syn - 1 < static_cast<std::uint32_t>(kAheadMax); // the answer was lost
}

bool takes_other_answer(const SessionGuard& guard, const Connection& c, const Layer& layer, unsigned side) {
    if ((layer.tcp_flags & (kSyn | kAck | kRst)) != kAck || !has_other_answer(guard, c)) return false;
    if (side == c.orig_side) return layer.tcp_ack == guard.syn_ack + 1 && layer.tcp_seq == number_due(c, c.end[side]);
    return layer.payload_length != 0 && layer.tcp_seq == guard.syn_ack + 1;
}

} // namespace ftpsensor
