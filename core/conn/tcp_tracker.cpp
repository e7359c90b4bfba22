#include "core/conn/tcp_step.h"

#include <algorithm>
#include <cctype>

namespace ftpsensor {

namespace {

// Sequence numbers further apart than this are not believed of a SYN, a RST or an acknowledgement of 0.
constexpr std::int32_t kTooFar = 1 << 20;

std::int32_t seq_delta(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

bool is_clean(const Endpoint& end) {
    return end.state == TcpState::established ||
           (end.state == TcpState::closed && end.previous == TcpState::established);
}

void set_sequence(Endpoint& end, std::uint32_t start, std::uint32_t last) {
    end.start_seq = start;
    end.ack_seq = start;
    end.last_seq = last;
}

// The number relative to the start of the stream, with the wrap of 32 bits taken into account.
std::uint64_t relative_seq(const Endpoint& end, std::uint32_t seq, std::uint32_t last, std::uint32_t wraps,
                           bool& underflow) {
    const std::int32_t delta = seq_delta(seq, last);
    if (delta < 0 && wraps != 0 && seq > last) --wraps; // of the round before
    if (delta > 0 && seq < last) ++wraps;               // the first of the next round
    if (wraps != 0) return end.relative(seq, wraps);
    const std::int32_t from_start = seq_delta(seq, end.start_seq);
    if (from_start < 0) underflow = true;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(from_start));
}

} // namespace

void flip_roles(Connection& c, const History& history) {
    c.orig_side ^= 1;
    const bool orig_first_seen = c.orig_first_seen; // bits, which std::swap does not take
    c.orig_first_seen = c.resp_first_seen;
    c.resp_first_seen = orig_first_seen;
    c.partial = false;
    history.add(c, '^');
}

void TcpTracker::open(Connection& c) const {
    c.inactivity = Inactivity::handshake;
    // A segment that is left out (a bad header) sets no state; such a connection goes at the first look.
    c.deadline_kind = Deadline::expire;
    c.cold().deadline = c.seen + TcpTimeouts::kSynTimeout + TcpTimeouts::kSessionTimer;
}

bool TcpTracker::is_reuse(const Connection& c, const Layer& segment, Timestamp time) const {
    // A SYN whose options end beyond the packet is believed; one without room for a header is not.
    constexpr std::uint8_t kLeastDataOffset = 5;
    if (segment.l4[12] >> 4 < kLeastDataOffset || !(segment.tcp_flags & kSyn)) return false;
    const Endpoint& orig = c.orig();
    const Endpoint& resp = c.resp();
    const Endpoint* starter = &orig;
    if (segment.tcp_flags & kAck) {
        if (orig.state != TcpState::inactive) return false; // not a half connection
        starter = &resp;
    }
    const bool reset = orig.state == TcpState::reset || resp.state == TcpState::reset;
    if (!orig.did_close && !resp.did_close) {
        if (segment.tcp_seq == starter->start_seq) return false;
        // A SYN and a SYN-ACK that changed places on the way to us.
        if (!(segment.tcp_flags & kAck) && starter->state == TcpState::syn_ack_sent &&
            resp.state == TcpState::inactive && segment.tcp_seq == resp.start_seq)
            return false;
        events_.count(c, starter->state == TcpState::syn_sent ? Event::SYN_seq_jump : Event::active_connection_reuse);
        return true;
    }
    const bool still_active =
        (orig.state != TcpState::inactive && !orig.did_close) || (resp.state != TcpState::inactive && !resp.did_close);
    if (still_active && !reset)
        events_.count(c, Event::active_connection_reuse);
    else if (time - c.last < TcpTimeouts::kLinger && !reset)
        events_.count(c, Event::premature_connection_reuse);
    return true;
}

void TcpTracker::process(Connection& c, const Layer& segment, unsigned side, const PacketView& packet,
                         TcpOutcome& out) {
    const bool from_orig = side == c.orig_side;
    const std::uint8_t was_orig = c.orig_side;
    const std::uint8_t flags = segment.tcp_flags & (kFin | kSyn | kRst | kAck | kUrg);
    std::uint32_t numbers = (flags & kRst) ? 0 : segment.payload_length; // data in a RST is not part of the stream
    if (flags & kSyn) ++numbers;
    if (flags & kFin) ++numbers;
    Step s{.segment = segment,
           .side = side,
           .from_orig = from_orig,
           .flags = flags,
           .length = segment.payload_length,
           .end_seq = segment.tcp_seq + numbers,
           .now = packet.now};
    Endpoint& end = c.end[side];

    if (from_orig && !c.orig_first_seen)
        c.partial = !s.has(kSyn) || s.has(kAck);
    else if (!from_orig && !c.resp_first_seen && !c.partial)
        c.partial = !s.has(kSyn);

    init_end(c, end, s);
    bool underflow = false;
    s.rel_seq = relative_seq(end, segment.tcp_seq, end.last_seq, end.seq_wraps(), underflow);
    if (underflow && !s.has(kRst)) events_.count(c, Event::TCP_seq_underflow_or_misorder);
    update_history(c, s);
    zero_window(c, s);
    if (!c.end[0].did_close || !c.end[1].did_close) {
        c.last = packet.time;
        c.seen = packet.now;
    }

    if (s.has(kSyn)) count_odd_syn(c, s);
    if (s.has(kFin)) {
        end.fin_seen = true;
        end.fin_rel = s.rel_seq + numbers;
    }
    if (s.has(kAck)) acknowledge(c, s);
    update_last_seq(c, s);
    update_state(c, s);
    if (s.has(kAck)) {
        // After the change of state: a hole that shows at the very end of a connection is not reliable, and not told.
        gaps_.acknowledged(c.end[side ^ 1], s.rel_ack, c.partial);
        out.has_gaps = !gaps_.gaps().empty();
        if (out.has_gaps) [[unlikely]]
            apply_gaps(c, side ^ 1);
        check_end_of_stream(c, side ^ 1, out);
    }
    // The first packet of each role was seen (a flip may just have exchanged them).
    if (side == c.orig_side)
        c.orig_first_seen = true;
    else
        c.resp_first_seen = true;

    if (s.length > 0 && !s.has(kRst) && !underflow) take_payload(c, s, out);
    check_end_of_stream(c, side, out);
    if (s.do_close) closed(c, side);
    out.flipped = c.orig_side != was_orig;
}

void TcpTracker::count_odd_syn(const Connection& c, const Step& s) const {
    constexpr int kWindowScaleMax = 14; // RFC 7323 2.3
    if (s.has(kRst)) events_.count(c, Event::TCP_christmas);
    if (s.has(kUrg)) events_.count(c, Event::baroque_SYN);
    if (s.length > 0) events_.count(c, Event::SYN_with_data);
    if (s.segment.tcp_window_scale > kWindowScaleMax) events_.count(c, Event::TCP_scale_range);
}

void TcpTracker::take_payload(Connection& c, const Step& s, TcpOutcome& out) const {
    if (s.segment.payload_captured < s.length) {
        events_.count(c, Event::truncated_tcp_payload);
        return;
    }
    out.has_payload = true;
    out.data_rel = s.has(kSyn) ? s.rel_seq + 1 : s.rel_seq;
    out.has_data = gaps_.data(c.end[s.side], c.end[s.side ^ 1], out.data_rel, s.length);
}

void TcpTracker::init_end(Connection& c, Endpoint& end, const Step& s) const {
    const std::uint32_t seq = s.segment.tcp_seq;
    switch (end.state) {
    case TcpState::inactive:
        // Without a SYN the numbering starts as though there had been one, so that the first byte is 1 either way.
        if (s.has(kSyn))
            set_sequence(end, seq, s.end_seq);
        else
            set_sequence(end, seq - 1, seq); // the first packet is not a retransmission
        break;
    case TcpState::syn_sent:
    case TcpState::syn_ack_sent:
        if (s.has(kSyn) && seq != end.start_seq) {
            events_.count(c, Event::SYN_seq_jump);
            set_sequence(end, seq, s.end_seq);
        }
        break;
    case TcpState::established:
    case TcpState::partial:
        if (s.has(kSyn)) {
            if (endpoint_size(end, c.end[s.side ^ 1]) > 0) events_.count(c, Event::SYN_inside_connection);
            if (seq != end.start_seq) events_.count(c, Event::SYN_seq_jump);
            set_sequence(end, seq, s.end_seq); // perhaps it was never established, and this SYN will do it
        }
        break;
    case TcpState::reset:
        // The RST that set the numbers may have been forged: a SYN knows better.
        if (s.has(kSyn) && end.previous == TcpState::inactive) set_sequence(end, seq, s.end_seq);
        break;
    case TcpState::closed: break;
    }
}

bool TcpTracker::check_history(Connection& c, unsigned side, unsigned mask, char letter) const {
    if ((letter == 'A' || letter == 'D') && history_.is(c, 'H')) [[unlikely]] {
        // It began with a SYN-ACK. Those keep their roles while they may be a stealth scan, whose SYN-ACK is the
        // originator's; traffic that gets somewhere says it was no scan, and that the SYN was missed.
        flip_roles(c, history_);
        history_.replace(c, "^h");
        c.orig_first_seen = true;
    }
    if (side != c.orig_side) {
        mask <<= kHistoryResponderShift;
        letter = static_cast<char>(std::tolower(letter));
    }
    return history_.check(c, mask, letter);
}

void TcpTracker::add_letter(Connection& c, unsigned side, char letter) const {
    history_.add(c, side == c.orig_side ? letter : static_cast<char>(std::tolower(letter)));
}

void TcpTracker::update_history(Connection& c, Step& s) const {
    const std::uint8_t control = s.flags & (kSyn | kFin | kRst);
    const auto rel = static_cast<std::uint32_t>(s.rel_seq);
    switch (control) {
    case 0:
        if (s.length != 0)
            check_history(c, s.side, kHistoryData, 'D');
        else if (s.has(kAck))
            check_history(c, s.side, kHistoryAck, 'A');
        break;
    case kSyn: {
        const char letter = s.has(kAck) ? 'H' : 'S';
        const bool again = check_history(c, s.side, kHistorySyn, letter);
        if (c.odd == Connection::kNone && rel == 0) break; // as a first SYN is numbered
        std::uint32_t& last = oddities_.of(c).side[s.side].last_syn;
        if (again && rel != last) add_letter(c, s.side, letter);
        last = rel;
        break;
    }
    case kFin: // its number stands at the end of the data in the packet
        if (check_history(c, s.side, kHistoryFin, 'F') && !same_fin(c, s, rel + s.length)) add_letter(c, s.side, 'F');
        if (c.odd != Connection::kNone) oddities_.of(c).side[s.side].has_last_fin = false; // fin_rel will say it
        break;
    case kRst: {
        const bool again = check_history(c, s.side, kHistoryRst, 'R');
        std::uint32_t& last = oddities_.of(c).side[s.side].last_rst;
        if (again && rel != last) add_letter(c, s.side, 'R');
        last = rel;
        break;
    }
    default:
        if (s.has(kFin)) keep_last_fin(c, s);
        if (s.has(kFin) && s.has(kRst))
            check_history(c, s.side, kHistoryFinRst, 'I');
        else
            check_history(c, s.side, kHistoryMultiFlag, 'Q');
    }
}

// The last packet whose one flag was FIN had this number. It is that before fin_rel, unless a FIN with other flags came
// since.
bool TcpTracker::same_fin(const Connection& c, const Step& s, std::uint32_t fin) const {
    const ConnOddities* odd = oddities_.find(c);
    if (odd != nullptr && odd->side[s.side].has_last_fin) return odd->side[s.side].last_fin == fin;
    return static_cast<std::uint32_t>(c.end[s.side].fin_rel) - 1 == fin;
}

// A FIN with other flags is about to change fin_rel.
void TcpTracker::keep_last_fin(Connection& c, const Step& s) const {
    ConnOddities::Side& odd = oddities_.of(c).side[s.side];
    if (odd.has_last_fin) return;
    odd.last_fin = c.end[s.side].fin_seen ? static_cast<std::uint32_t>(c.end[s.side].fin_rel) - 1 : 0;
    odd.has_last_fin = true;
}

// A window of zero is worth a letter, but not with or after a RST, nor once the peer has nothing more to send.
void TcpTracker::zero_window(Connection& c, const Step& s) const {
    if (s.segment.tcp_window != 0 || s.has(kRst)) return;
    if (c.end[s.side ^ 1].state == TcpState::closed || c.end[s.side].state == TcpState::reset) return;
    history_.add_scaled(c, s.side == c.orig_side ? 'W' : 'w', oddities_.of(c).side[s.side].zero_windows);
}

void TcpTracker::init_peer(Endpoint& end, Endpoint& peer, const Step& s) const {
    if (!(s.flags & (kSyn | kFin | kRst)) &&
        (end.state == TcpState::syn_sent || end.state == TcpState::syn_ack_sent || end.state == TcpState::established))
        events_.counters().count(Event::possible_split_routing); // acknowledges data of an end that never spoke
    set_sequence(peer, s.segment.tcp_ack - 1, s.segment.tcp_ack - 1);
}

void TcpTracker::acknowledge(Connection& c, Step& s) const {
    Endpoint& end = c.end[s.side];
    Endpoint& peer = c.end[s.side ^ 1];
    const std::uint32_t ack = s.segment.tcp_ack;
    if (peer.state == TcpState::inactive) {
        s.rel_ack = 1;
        init_peer(end, peer, s);
        return;
    }
    bool underflow = false;
    s.rel_ack = relative_seq(peer, ack, peer.ack_seq, peer.ack_wraps(), underflow);
    if (underflow) {
        s.rel_ack = 0;
        events_.count(c, Event::TCP_ack_underflow_or_misorder);
        return;
    }
    if (s.has(kRst)) return; // not to be believed
    const std::int32_t delta = seq_delta(ack, peer.ack_seq);
    // An acknowledgement of 0 far ahead is a broken one, not a long connection that happens to be there.
    if (delta <= 0 || (ack == 0 && delta > kTooFar)) return;
    if (ack < peer.ack_seq) peer.ack_seq_wraps();
    peer.ack_seq = ack;
}

void TcpTracker::update_last_seq(Connection& c, Step& s) const {
    Endpoint& end = c.end[s.side];
    s.delta_last = seq_delta(s.end_seq, end.last_seq);
    const auto advance = [&] {
        if (s.end_seq < end.last_seq) end.last_seq_wraps();
        end.last_seq = s.end_seq;
    };
    if ((s.flags & (kSyn | kRst)) && (s.delta_last > kTooFar || s.delta_last < -kTooFar)) return;
    if (s.has(kFin) && end.last_seq == end.start_seq + 1) {
        advance(); // of more than 2 GiB only the SYN and the FIN were seen: believe the FIN
        return;
    }
    if (end.state == TcpState::reset) return;
    if (s.delta_last > 0)
        advance();
    else if (s.length > 0)
        history_.add_scaled(c, s.side == c.orig_side ? 'T' : 't', oddities_.of(c).side[s.side].retransmissions);
}

void TcpTracker::apply_gaps(Connection& c, unsigned side) const {
    // In other states holes are false alarms: numbers of RSTs, packets before the capture.
    if (!is_clean(c.end[side]) || !is_clean(c.end[side ^ 1])) return;
    ConnOddities& odd = oddities_.of(c);
    for (const auto& gap : gaps_.gaps()) {
        history_.add_scaled(c, side == c.orig_side ? 'G' : 'g', odd.side[side].gaps);
        odd.missed_bytes += gap.size;
        gaps_.count_missed(gap.size);
    }
}

void TcpTracker::check_end_of_stream(Connection& c, unsigned side, TcpOutcome& out) const {
    Endpoint& end = c.end[side];
    if (end.did_eof) return;
    if (!end.fin_seen && end.state != TcpState::closed && end.state != TcpState::reset) return;
    const Endpoint& peer = c.end[side ^ 1];
    if (gaps_.pending(end, peer)) return;
    end.did_eof = true;
    out.ended[side] = true;
    if (c.close_deferred) {
        closed(c, side);
        c.close_deferred = false;
    }
}

// The end has closed, as far as the segments tell; it counts once everything it sent is there.
void TcpTracker::closed(Connection& c, unsigned side) const {
    Endpoint& end = c.end[side];
    const Endpoint& peer = c.end[side ^ 1];
    if (gaps_.pending(end, peer)) {
        c.close_deferred = true;
        return;
    }
    c.close_deferred = false;
    if (end.did_close) return;
    end.did_close = true;
    if (end.state == TcpState::reset || peer.did_close || peer.state == TcpState::inactive) {
        c.deadline_kind = Deadline::closing;
        const bool reset = end.state == TcpState::reset || peer.state == TcpState::reset;
        c.cold().deadline = c.seen + (reset ? timeouts_.reset_delay : timeouts_.close_delay);
        return;
    }
    if (c.deadline_kind == Deadline::closing) return;
    ConnCold& cold = c.cold();
    if (end.previous != TcpState::inactive)
        cold.half_close_phase =
            static_cast<std::uint32_t>((c.seen - cold.start) % TcpTimeouts::kSessionTimer / kMicrosecond);
    arm_expire(c);
}

// Zeek's ExpireTimer looks each tcp_session_timer, and there may be two of it: from the start of the connection, and
// from when its first end closed.
void TcpTracker::arm_expire(Connection& c) const {
    const Timestamp after = c.seen + TcpTimeouts::kLinger;
    const auto first_look_after = [after](Timestamp first) {
        const Duration looks = after < first ? 0 : (after - first) / TcpTimeouts::kSessionTimer + 1;
        return first + looks * TcpTimeouts::kSessionTimer;
    };
    ConnCold& cold = c.cold();
    c.deadline_kind = Deadline::expire;
    cold.deadline = first_look_after(cold.start + TcpTimeouts::kSynTimeout);
    if (cold.half_close_phase != Connection::kNone)
        cold.deadline = std::min(cold.deadline, first_look_after(cold.start + cold.half_close_phase * kMicrosecond));
}

bool TcpTracker::deadline_reached(Connection& c) const {
    const Endpoint& orig = c.orig();
    const Endpoint& resp = c.resp();
    switch (c.deadline_kind) {
    case Deadline::closing: return true;
    case Deadline::attempt:
        if (c.active && (orig.state == TcpState::syn_sent || orig.state == TcpState::syn_ack_sent) &&
            resp.state == TcpState::inactive)
            return true;
        break;
    case Deadline::expire: {
        const bool nothing = orig.state == TcpState::inactive && resp.state == TcpState::inactive;
        const bool half =
            (orig.did_close || resp.did_close) &&
            ((orig.did_close && resp.did_close) || orig.state == TcpState::reset || resp.state == TcpState::reset ||
             orig.state == TcpState::inactive || resp.state == TcpState::inactive);
        if (!c.active || (!nothing && !half)) break;
        if (c.seen + TcpTimeouts::kLinger < c.cold().deadline) return true;
        arm_expire(c);
        return false;
    }
    case Deadline::none: break;
    }
    c.deadline_kind = Deadline::none;
    return false;
}

} // namespace ftpsensor
