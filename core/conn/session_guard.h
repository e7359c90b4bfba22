// What no host takes of a TCP session, and what must therefore not end it or hide what follows.
//
// Who wants to be unseen sends what the sensor believes and the other end does not: a SYN, a RST, a FIN, an
// acknowledgement of numbers that are not the session's. A host ignores each of them or answers with a challenge (RFC
// 9293 3.10.7, RFC 5961 3 to 5), and so does this, for sessions of FTP and what may yet show to be one. Zeek believes
// them: only where ConnOptions::wary_of_decoys. Internal to core/conn; worker's thread.
#pragma once

#include "core/base/events.h"
#include "core/conn/conn_oddities.h"
#include "core/conn/connection.h"
#include "core/packet/packet_view.h"

#include <optional>

namespace ftpsensor {

// Farther ahead than any end of a control connection is of what was seen of it, what was lost on the tap included;
// bytes. bytes.
constexpr std::int32_t kAheadMax = 1 << 16;

// The number that the peer of `end` expects next: behind what came without a hole.
inline std::uint32_t number_due(const Connection& c, const Endpoint& end) {
    if (c.calm) return end.last_seq; // there is no hole
    if (end.skip_deliveries) return end.ack_seq;
    return end.start_seq + static_cast<std::uint32_t>(std::uint64_t{end.delivered_rel});
}

// A FIN at a number at which, or behind which, bytes came, or farther ahead than a host takes it. (What only its peer's
// acknowledgement tells of may be the FIN itself, that was captured late.)
inline bool is_out_of_reach(const Endpoint& end, const Layer& layer, std::uint32_t due) {
    const std::uint32_t fin = layer.tcp_seq + layer.payload_length;
    const auto ahead = static_cast<std::int32_t>(fin - due);
    return ahead > kAheadMax || (ahead < 0 && static_cast<std::int32_t>(end.last_seq - fin) > 0);
}

// What is decoys' in a segment of the end `side` of a session (Connection::in_session). None: it may be believed.
inline std::optional<Event> decoy_in_session(const Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& end = c.end[side];
    const Endpoint& peer = c.end[side ^ 1];
    const std::uint8_t flags = layer.tcp_flags;
    const std::uint32_t due = number_due(c, end);
    const bool fin_is_due = !c.calm && end.fin_seen && end.fin_rel == end.delivered_rel + 1;
    if ((flags & kRst) != 0) {
        // One number alone (RFC 5961 3.2); behind a FIN some hosts send its own. What is acknowledged and was never
        // seen may be forged, and where no bytes are followed, nothing is known.
        const bool is_due = layer.tcp_seq == due || (fin_is_due && layer.tcp_seq == due + 1);
        const bool is_sent = static_cast<std::int32_t>(end.last_seq - layer.tcp_seq) >= 0;
        if (is_due && is_sent && !end.skip_deliveries) return std::nullopt;
        return Event::RST_of_unknown_number;
    }
    if ((flags & kSyn) != 0) {
        // An answer to what was asked before the session, or another one as long as the client has taken none.
        const bool answers = (flags & kAck) != 0 && side != c.orig_side;
        const bool is_asked = layer.tcp_ack - peer.start_seq - 1 < peer.last_seq - peer.start_seq;
        if (answers && (peer.state == TcpState::syn_sent || (is_asked && end.ack_seq == end.start_seq)))
            return std::nullopt;
        return Event::SYN_inside_connection;
    }
    if ((flags & kAck) == 0) return Event::segment_without_ACK;
    const bool from_start = peer.state != TcpState::partial && peer.seq_wraps() == 0;
    if (static_cast<std::int32_t>(layer.tcp_ack - peer.last_seq) > kAheadMax ||
        (from_start && peer.last_seq - peer.start_seq < 1u << 31 &&
         static_cast<std::int32_t>(layer.tcp_ack - peer.start_seq) <= 0))
        return Event::ACK_of_unknown_number;
    if ((flags & kFin) != 0 && is_out_of_reach(end, layer, due)) return Event::FIN_of_unknown_number;
    return std::nullopt;
}

// The same where a SYN has not been answered, as far as we saw: a host that asks listens to what acknowledges its SYN,
// and goes on from there.
inline std::optional<Event> decoy_before_answer(const Connection& c, const Layer& layer, unsigned side) {
    const Endpoint& asked = c.orig();
    const std::uint8_t flags = layer.tcp_flags;
    if ((flags & kSyn) != 0) return std::nullopt;
    if ((flags & kRst) != 0) {
        const bool is_believed = side == c.orig_side ? layer.tcp_seq == asked.last_seq
                                                     : (flags & kAck) != 0 && layer.tcp_ack - asked.start_seq - 1 <
                                                                                  asked.last_seq - asked.start_seq;
        if (!is_believed) return Event::RST_of_unknown_number;
    } else if ((flags & kFin) != 0 && side == c.orig_side && is_out_of_reach(asked, layer, asked.start_seq + 1))
        return Event::FIN_of_unknown_number;
    else if ((flags & kAck) == 0 && layer.payload_length != 0)
        return Event::segment_without_ACK;
    return std::nullopt;
}

// The end `side` answers a SYN that came in the middle of the session: it has forgotten the session, and another
// connection begins. Other SYN-ACKs are decoys.
inline bool is_answered_anew(const ConnOddities* odd, const Connection& c, const Layer& layer, unsigned side) {
    if ((layer.tcp_flags & (kSyn | kAck | kRst)) != (kSyn | kAck) || odd == nullptr) return false;
    const ConnOddities::Side& asked = odd->side[side ^ 1];
    return asked.decoy_syn_numbers != 0 && layer.tcp_ack - asked.decoy_syn - 1 < asked.decoy_syn_numbers &&
           layer.tcp_seq != c.end[side].start_seq;
}

} // namespace ftpsensor
