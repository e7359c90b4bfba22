#include "core/conn/shunted.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::uint64_t kRound = std::uint64_t{1} << 32;
constexpr unsigned kWrapsShift = 32;

// How far an estimate may be beyond the truth: retransmissions, frames padded to 60 bytes, longer headers.
std::uint64_t tolerance(const ShuntedSide& s) {
    constexpr std::uint64_t kLeast = 1u << 20;
    constexpr std::uint64_t kShare = 4;
    return std::min<std::uint64_t>(kLeast + s.payload / kShare, kRound / 2 - 1);
}

void set_wraps(std::uint64_t& count_and_wraps, std::uint64_t wraps) {
    count_and_wraps = (count_and_wraps & Endpoint::kCountMask) | wraps << Endpoint::kWrapsShift;
}

// Everything this end sent below `rel` counts as sent and seen.
void set_last(Endpoint& end, std::uint64_t rel) {
    const std::uint64_t number = end.start_seq + rel;
    end.last_seq = static_cast<std::uint32_t>(number);
    set_wraps(end.packets_seq_wraps, number >> kWrapsShift);
    end.delivered_rel = std::max<std::uint64_t>(end.delivered_rel, rel);
    end.trimmed_rel = std::max<std::uint64_t>(end.trimmed_rel, rel);
}

// The same where the number was put too far before.
void set_back(Endpoint& end, std::uint64_t rel) {
    end.delivered_rel = end.trimmed_rel = rel;
    set_last(end, rel);
}

void set_acknowledged(Endpoint& end, std::uint64_t rel) {
    const std::uint64_t number = end.start_seq + rel;
    end.ack_seq = static_cast<std::uint32_t>(number);
    set_wraps(end.ip_bytes_ack_wraps, number >> kWrapsShift);
}

void begin(ShuntedSide& s, const Endpoint& end) {
    if (s.began) return;
    s.began = true;
    s.base_rel = end.last_rel();
}

// The number is told by its low 32 bits alone: it belongs to the round that the port's figures come closest to.
void choose_round(Endpoint& end, const ShuntedSide& s) {
    const std::uint64_t now = end.last_rel();
    const std::uint64_t counted = s.base_rel + s.payload;
    const auto rounds =
        (static_cast<std::int64_t>(counted - now) + static_cast<std::int64_t>(kRound / 2)) >> kWrapsShift;
    if (rounds == 0) return;
    const std::uint64_t more = static_cast<std::uint64_t>(rounds) << kWrapsShift; // or less, modulo 2^64
    if (now + more < s.base_rel) return;
    if (end.acked_rel() + tolerance(s) >= now) set_acknowledged(end, end.acked_rel() + more);
    if (end.fin_seen) end.fin_rel = end.fin_rel + more;
    set_back(end, now + more);
}

bool is_reset(const Connection& c) { return c.end[0].state == TcpState::reset || c.end[1].state == TcpState::reset; }

// Of the port's figures, and of segments that came through beside them.
void move_to_estimate(Endpoint& end, ShuntedSide& s) {
    const std::uint64_t counted = s.base_rel + s.payload;
    if (counted <= end.last_rel()) return;
    set_last(end, counted);
    s.estimated = true;
}

// A segment that does not tell where the stream of its sender stands: `uncounted`, it was received before the rules
// were there (or after they went, or by another port than the one that counts); or it may be sent again.
void move_along(Endpoint& end, ShuntedSide& s, const Layer& segment, bool uncounted) {
    const std::uint32_t ahead = segment.tcp_seq - end.last_seq;
    if (uncounted) s.payload += segment.payload_length;
    if (ahead < kRound / 2)
        set_last(end, end.last_rel() + ahead); // it moves on by its payload when it is processed
    else if (uncounted)
        move_to_estimate(end, s);
}

// So much was counted in seconds that a round may have passed since the last figures.
bool may_have_wrapped(const ShuntedSide& s) { return s.payload >= kRound / 4; }

// Where the stream of the sender stands, told by a segment.
void move_sender(Endpoint& end, ShuntedSide& s, const Layer& segment) {
    const bool is_fin = (segment.tcp_flags & kFin) != 0, is_rst = (segment.tcp_flags & kRst) != 0;
    const std::uint32_t ahead = segment.tcp_seq - end.last_seq;
    const std::uint32_t behind = end.last_seq - segment.tcp_seq;
    const std::uint64_t last = end.last_rel();
    const std::uint64_t least = std::max<std::uint64_t>(s.base_rel, 1);
    if (s.estimated && behind != 0 && behind <= tolerance(s) && last - behind >= least) {
        if (!is_fin && !is_rst) s.seen_rel = last;
        set_back(end, last - behind);
    } else if (ahead < kRound / 2 || (is_fin && may_have_wrapped(s))) {
        if (is_rst && ahead > tolerance(s)) return; // anybody can send one
        set_last(end, last + ahead);
    } else if (!is_fin) { // sent again, or a keep-alive: nothing new
        return;
    }
    s.exact = true;
    s.estimated = false;
}

// What set the stream back may have been sent again: then what follows is ahead of it, and nothing is missing between.
void move_on(Endpoint& end, const ShuntedSide& s, const Layer& segment) {
    const std::uint32_t ahead = segment.tcp_seq - end.last_seq;
    const std::uint64_t last = end.last_rel();
    if (ahead < kRound / 2 && last + ahead <= s.seen_rel) set_last(end, last + ahead);
}

// And that of its peer, by what is acknowledged.
void move_acknowledged(Endpoint& peer, const ShuntedSide& s, const Layer& segment) {
    const std::uint32_t ahead = segment.tcp_ack - peer.last_seq;
    const std::uint64_t last = peer.last_rel();
    if (ahead < kRound / 2) {
        if (ahead != 0 && s.exact && last + ahead > s.seen_rel) return; // beyond its FIN: not believed
        set_last(peer, last + ahead);
        set_acknowledged(peer, last + ahead);
    } else if (const std::uint64_t behind = kRound - ahead; behind <= tolerance(s) && behind < last) {
        if (last - behind > peer.acked_rel()) set_acknowledged(peer, last - behind);
    }
}

} // namespace

void add_counted(Connection& c, Shunted& shunted, unsigned side, std::uint64_t packets, std::uint64_t ip_bytes) {
    Endpoint& end = c.end[side];
    ShuntedSide& s = shunted.side[side];
    begin(s, end);
    s.packets += packets;
    end.packets_seq_wraps += packets;
    end.ip_bytes_ack_wraps += ip_bytes;
    const bool sends_data = s.base_rel > 1; // options make some acknowledgements longer: that is no payload
    const std::uint64_t headers = packets * s.headers;
    if (sends_data && ip_bytes > headers) s.payload += ip_bytes - headers;
    if (s.exact) {
        choose_round(end, s);
        return;
    }
    move_to_estimate(end, s);
}

void catch_up(Connection& c, Shunted& shunted, const Layer& segment, unsigned side) {
    ShuntedSide& s = shunted.side[side];
    begin(s, c.end[side]);
    // Of a connection that is over, what is sent once more need not be followed by what would put it right.
    const bool tells = (segment.tcp_flags & (kFin | kRst)) != 0 || (!shunted.counting && !is_reset(c));
    if (s.exact)
        move_on(c.end[side], s, segment);
    else if (tells)
        move_sender(c.end[side], s, segment);
    else
        move_along(c.end[side], s, segment, shunted.counting);
    if ((segment.tcp_flags & kFin) != 0) s.seen_rel = 0;
    if ((segment.tcp_flags & (kAck | kRst)) != kAck) return;
    ShuntedSide& peer = shunted.side[side ^ 1];
    begin(peer, c.end[side ^ 1]);
    move_acknowledged(c.end[side ^ 1], peer, segment);
}

} // namespace ftpsensor
