#include "core/pipeline/control_stream.h"

#include "core/base/sequence.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::uint32_t kHalf = 0x80000000u; // of all numbers

} // namespace

void ControlStream::reset() {
    while (!held_.empty()) remove(held_.size() - 1);
    segments_ = 0;
    finishing_ = told_anew_ = false;
    for (unsigned side = 0; side < 2; ++side) {
        begun_[side] = end_known_[side] = end_told_[side] = dropped_[side] = false;
        peer_heard_[side] = 0;
        next_[side] = 0;
        delivered_[side].clear();
    }
}

void ControlStream::begin(unsigned side, std::uint32_t seq) {
    if (begun_[side]) return;
    begun_[side] = true;
    next_[side] = highest_[side] = forgiven_[side] = acked_[side] = seq;
}

void ControlStream::begin_anew(unsigned side, std::uint32_t seq) {
    for (std::size_t i = held_.size(); i-- > 0;)
        if (held_[i]->side == side) remove(i);
    begun_[side] = dropped_[side] = false;
    delivered_[side].clear();
    begin(side, seq);
}

void ControlStream::answered(unsigned side, Timestamp now, ControlSink& sink) {
    for (std::size_t i = held_.size(); i-- > 0;) {
        HeldSegment& h = *held_[i];
        if (h.side != side || !h.doubtful || h.has_ack)
            continue; // what came behind the SYN may have overtaken its answer
        const auto taken = seq_distance(acked_[side], h.seq);
        if (taken < static_cast<std::int64_t>(h.data.size())) {
            const std::unique_ptr<HeldSegment> cut = remove(i);
            if (taken > 0) deliver(side, cut->seq, cut->bytes().first(static_cast<std::size_t>(taken)), now, sink);
        }
    }
    deliver_ready(now, sink);
}

bool ControlStream::ready(unsigned side, std::uint32_t seq, bool has_ack, std::uint32_t ack) const {
    if (seq_before(next_[side], seq)) return false;
    if (!patient_ || !has_ack || !begun_[side ^ 1]) return true;
    return !seq_before(next_[side ^ 1], ack) || !seq_before(forgiven_[side ^ 1], ack);
}

// All of it came before, or others did in its place.
bool ControlStream::has_come(unsigned side, std::uint32_t seq, std::size_t size) const {
    return !seq_before(next_[side], seq) && next_[side] - seq >= size;
}

// It reaches half the numbers ahead, where ahead is behind: no window is half as large (RFC 7323, 2.3). So all that is
// held compares with what comes next, and with one another.
bool ControlStream::is_too_far(const Segment& s) const {
    const std::uint32_t ahead = s.seq - next_[s.side];
    return ahead <= kHalf && ahead + static_cast<std::uint32_t>(s.data.size()) > kHalf;
}

// Or nobody can tell.
bool ControlStream::has_reached(unsigned side, std::uint32_t upper) const {
    return peer_heard_[side] == 0 || !seq_before(acked_[side], upper);
}

bool ControlStream::ready(const HeldSegment& h) const {
    const auto size = static_cast<std::uint32_t>(h.data.size());
    if (has_come(h.side, h.seq, size)) return true;
    return ready(h.side, h.seq, h.has_ack, h.ack) &&
           ((h.is_sure() || has_reached(h.side, h.seq + size)) && (!h.doubtful || peer_heard_[h.side] != 0));
}

void ControlStream::segment(const Segment& s, Timestamp now, ControlSink& sink) {
    begin(s.side, s.seq);
    if (told_anew_ && !held_.empty()) [[unlikely]]
        deliver_ready(now, sink); // what has been acknowledged since goes before what follows it
    told_anew_ = false;
    if (patient_ && s.seq != next_[s.side] && is_too_far(s)) [[unlikely]]
        return;
    ++segments_;
    const std::uint32_t upper = s.seq + static_cast<std::uint32_t>(s.data.size());
    if (seq_before(highest_[s.side], upper)) highest_[s.side] = upper;
    if (held_.empty()) [[likely]] {
        take(s, now, sink);
    } else {
        for (const Segment& part : new_parts(s)) take(part, now, sink);
    }
    if (patient_ && !held_.empty()) lose_patience(now, sink);
}

void ControlStream::take(const Segment& s, Timestamp now, ControlSink& sink) {
    if (dropped_[s.side] && !patient_) [[unlikely]]
        skip_dropped(s.side, now, sink); // the tracker has seen them, and will tell no hole
    if ((s.doubtful || !ready(s.side, s.seq, s.has_ack, s.ack)) && !has_come(s.side, s.seq, s.data.size())) {
        if (hold(s, now)) return;
        if (s.doubtful || !skip_to(s.side, s.seq, patient_ && s.has_ack, s.ack, now, sink)) {
            dropped_[s.side] = true;
            return;
        }
    }
    deliver(s.side, s.seq, s.data, now, sink);
    if (!held_.empty()) deliver_ready(now, sink);
}

// What of a segment is not held already: who repeats held bytes with other ones does not change them. But what waits
// for nothing goes before what stands at its place and waits for its acknowledgement: no host has taken that so far.
std::vector<ControlStream::Segment> ControlStream::new_parts(const Segment& s) const {
    struct Range { // within the segment
        std::size_t lower;
        std::size_t upper;
    };
    std::vector<Range> known;
    const std::size_t size = s.data.size();
    const bool waits = !ready(s.side, s.seq, s.has_ack, s.ack);
    for (const auto& h : held_) {
        if (h->side != s.side || !h->is_sure() || (!waits && !seq_before(next_[h->side], h->seq))) continue;
        const auto offset = seq_distance(h->seq, s.seq);
        const std::int64_t upper = offset + static_cast<std::int64_t>(h->data.size());
        if (upper <= 0 || offset >= static_cast<std::int64_t>(size)) continue;
        known.push_back(
            {offset < 0 ? 0 : static_cast<std::size_t>(offset), std::min(size, static_cast<std::size_t>(upper))});
    }
    if (known.empty()) return {s};
    std::sort(known.begin(), known.end(), [](const Range& a, const Range& b) { return a.lower < b.lower; });
    known.push_back({size, size});
    std::vector<Segment> parts;
    std::size_t at = 0;
    for (const Range& range : known) {
        if (at < range.lower) {
            Segment part = s;
            part.seq = s.seq + static_cast<std::uint32_t>(at);
            part.data = s.data.subspan(at, range.lower - at);
            parts.push_back(part);
        }
        at = std::max(at, range.upper);
    }
    return parts;
}

// It acknowledges what its peer has not sent yet, by all that was seen: that may be late or lost, or a lie, for which
// no host takes the segment.
bool ControlStream::claims(const Segment& s) const {
    const unsigned other = s.side ^ 1;
    return patient_ && s.has_ack && begun_[other] && seq_before(next_[other], s.ack) &&
           seq_before(forgiven_[other], s.ack);
}

// Its peer has what comes before it, or nobody can tell.
bool ControlStream::is_reachable(unsigned side, std::uint32_t seq) const {
    return !seq_before(next_[side], seq) || peer_heard_[side] == 0 || !seq_before(acked_[side], seq);
}

std::unique_ptr<HeldSegment> ControlStream::remove(std::size_t at) {
    std::unique_ptr<HeldSegment> h = std::move(held_[at]);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    held_bytes_ -= HeldBudget::cost(*h);
    budget_.remove(*h);
    return h;
}

// It will read as lost.
void ControlStream::drop(std::size_t at) {
    events_.count(Event::reassembly_memory);
    dropped_[held_[at]->side] = true;
    remove(at);
}

// Of what nobody has acknowledged, the furthest goes first; it may be the segment itself (false).
bool ControlStream::make_room(const Segment& s) {
    const auto distance = [this](unsigned side, std::uint32_t seq) { return seq - next_[side]; };
    std::size_t furthest = held_.size();
    for (std::size_t i = 0; i < held_.size(); ++i) {
        const HeldSegment& h = *held_[i];
        if (is_reachable(h.side, h.seq)) continue;
        if (furthest == held_.size() || distance(h.side, h.seq) > distance(held_[furthest]->side, held_[furthest]->seq))
            furthest = i;
    }
    if (furthest == held_.size()) return false;
    const HeldSegment& h = *held_[furthest];
    if (!is_reachable(s.side, s.seq) && distance(s.side, s.seq) >= distance(h.side, h.seq)) return false;
    drop(furthest);
    return true;
}

bool ControlStream::hold(const Segment& s, Timestamp now) {
    const std::size_t size = HeldBudget::cost(s.data.size());
    bool room = size <= budget_.limit;
    while (room && (held_.size() == kHeldSegmentsMax || held_bytes_ + size > kHeldBytesMax)) room = make_room(s);
    if (!room) {
        events_.count(Event::reassembly_memory);
        return false;
    }
    while (budget_.used + size > budget_.limit) {
        ControlStream& other = *budget_.oldest->stream;
        std::size_t at = 0;
        while (other.held_[at].get() != budget_.oldest) ++at;
        other.drop(at);
    }
    held_.push_back(std::make_unique<HeldSegment>(
        HeldSegment{.stream = this,
                    .side = s.side,
                    .seq = s.seq,
                    .has_ack = s.has_ack,
                    .ack = s.ack,
                    .doubtful = s.doubtful,
                    .claims = claims(s),
                    .data = std::string(reinterpret_cast<const char*>(s.data.data()), s.data.size()),
                    .arrival = segments_,
                    .heard = peer_heard_[s.side],
                    .time = now}));
    held_bytes_ += size;
    budget_.add(*held_.back());
    return true;
}

void ControlStream::deliver(unsigned side, std::uint32_t seq, std::span<const std::uint8_t> data, Timestamp now,
                            ControlSink& sink) {
    const auto known = static_cast<std::size_t>(next_[side] - seq);
    if (known >= data.size()) return; // all of it came before
    next_[side] = seq + static_cast<std::uint32_t>(data.size());
    remember(side, data.subspan(known));
    sink.bytes(side, data.subspan(known), now);
}

void ControlStream::remember(unsigned side, std::span<const std::uint8_t> data) {
    std::string& kept = delivered_[side];
    if (data.size() >= kComparedMax) {
        kept.clear();
        data = data.last(kComparedMax);
    } else if (kept.size() + data.size() > kComparedMax) {
        kept.erase(0, kept.size() + data.size() - kComparedMax);
    }
    kept.append(reinterpret_cast<const char*>(data.data()), data.size());
}

void ControlStream::take_out(std::size_t at, Timestamp now, ControlSink& sink) {
    const std::unique_ptr<HeldSegment> h = remove(at);
    deliver(h->side, h->seq, h->bytes(), now, sink);
}

// Of those that wait for nothing; what is sure goes first.
std::size_t ControlStream::oldest_ready() const {
    std::size_t unsure = held_.size();
    for (std::size_t i = 0; i < held_.size(); ++i) {
        if (!ready(*held_[i])) continue;
        if (held_[i]->is_sure()) return i;
        if (unsure == held_.size()) unsure = i;
    }
    return unsure;
}

void ControlStream::deliver_ready(Timestamp now, ControlSink& sink) {
    // What came out may let an earlier one out.
    for (std::size_t at = oldest_ready(); at != held_.size(); at = oldest_ready()) take_out(at, now, sink);
    for (unsigned side = 0; side < 2; ++side)
        if (end_known_[side]) tell_end(side, now, sink);
}

void ControlStream::advance_to(unsigned side, std::uint32_t seq, Timestamp now, ControlSink& sink) {
    while (seq_before(next_[side], seq)) {
        const std::size_t best = next_held(side, seq);
        const std::uint32_t upper = best == held_.size() ? seq : held_[best]->seq;
        if (seq_before(next_[side], upper)) {
            const std::uint32_t missing = upper - next_[side];
            next_[side] = upper;
            delivered_[side].clear();
            sink.lost(side, missing, now);
        }
        if (best == held_.size()) continue;
        const HeldSegment& h = *held_[best];
        if (const std::size_t size = size_before_sure(h); size != h.data.size())
            deliver(side, h.seq, h.bytes().first(size), now, sink);
        else
            take_out(best, now, sink);
    }
}

// The held segment of this side that comes next, if it begins before `seq`; at one place, one that is sure.
std::size_t ControlStream::next_held(unsigned side, std::uint32_t seq) const {
    std::size_t best = held_.size();
    const std::uint32_t end = seq - next_[side];
    std::uint32_t ahead = 0;
    for (std::size_t i = 0; i < held_.size(); ++i) {
        const HeldSegment& h = *held_[i];
        if (h.side != side) continue;
        // By distances from what comes next: one that began before it may be half the numbers away from `seq`.
        const std::uint32_t distance = seq_before(next_[side], h.seq) ? h.seq - next_[side] : 0;
        if (distance >= end) continue;
        if (best != held_.size() && distance >= ahead && (distance != ahead || !h.is_sure() || held_[best]->is_sure()))
            continue;
        best = i;
        ahead = distance;
    }
    return best;
}

// So much of the segment, if it is not sure, comes before one that is.
std::size_t ControlStream::size_before_sure(const HeldSegment& h) const {
    std::size_t size = h.data.size();
    if (h.is_sure()) return size;
    const auto known = seq_distance(next_[h.side], h.seq);
    for (const auto& other : held_) {
        const auto offset = seq_distance(other->seq, h.seq);
        if (other->side == h.side && other->is_sure() && offset > known && static_cast<std::size_t>(offset) < size)
            size = static_cast<std::size_t>(offset);
    }
    return size;
}

void ControlStream::give_up(unsigned side, std::uint32_t seq, Timestamp now, ControlSink& sink) {
    if (patient_) return;
    begin(side, seq);
    advance_to(side, seq, now, sink);
    deliver_ready(now, sink);
}

bool ControlStream::force(std::size_t at, Timestamp now, ControlSink& sink) {
    const unsigned side = held_[at]->side;
    const std::uint32_t seq = held_[at]->seq;
    const auto size = static_cast<std::uint32_t>(held_[at]->data.size());
    // What stands at its place, and is not taken by a peer that has spoken since, may be none of the session's: others
    // may yet come for its numbers.
    const bool spoken = peer_heard_[side] != held_[at]->heard;
    if ((!finishing_ || !held_[at]->is_sure()) && spoken && !seq_before(next_[side], seq) &&
        !has_reached(side, seq + size))
        return false;
    const bool acknowledged = seq_before(next_[side], acked_[side]);
    const HeldSegment* const h = held_[at].get();
    if (skip_to(side, seq, h->has_ack, h->ack, now, sink)) {
        const auto is_it = [h](const auto& held) { return held.get() == h; };
        take_out(static_cast<std::size_t>(std::find_if(held_.begin(), held_.end(), is_it) - held_.begin()), now, sink);
    } else if (!acknowledged) {
        return false;
    }
    deliver_ready(now, sink); // a held one may have come out
    return true;
}

bool ControlStream::skip_to(unsigned side, std::uint32_t seq, bool has_ack, std::uint32_t ack, Timestamp now,
                            ControlSink& sink) {
    if (!is_reachable(side, seq)) {
        advance_to(side, acked_[side], now, sink);
        return false;
    }
    const unsigned other = side ^ 1;
    if (has_ack && begun_[other]) {
        // No further than that side has been seen to go: anybody can acknowledge what was never sent.
        const std::uint32_t sent = highest_[other];
        if (seq_before(forgiven_[other], ack)) forgiven_[other] = ack;
        advance_to(other, seq_before(ack, sent) ? ack : sent, now, sink);
    }
    advance_to(side, seq, now, sink);
    return true;
}

// What was dropped will not come again where its peer has it, or where nobody can tell.
void ControlStream::skip_dropped(unsigned side, Timestamp now, ControlSink& sink) {
    const std::uint32_t highest = highest_[side];
    advance_to(side, peer_heard_[side] != 0 && seq_before(acked_[side], highest) ? acked_[side] : highest, now, sink);
    if (!seq_before(next_[side], highest)) dropped_[side] = false;
}

void ControlStream::lose_patience(Timestamp now, ControlSink& sink) {
    for (std::size_t i = 0; i < held_.size();) {
        const HeldSegment& h = *held_[i]; // the younger ones are behind it
        if (segments_ - h.arrival < kPatienceSegments && now - h.time < kPatience) return;
        if ((is_reachable(h.side, h.seq) || seq_before(next_[h.side], acked_[h.side])) && force(i, now, sink))
            i = 0;
        else
            ++i; // its peer has not got so far
    }
}

bool ControlStream::holds(unsigned side) const {
    return std::any_of(held_.begin(), held_.end(), [side](const auto& h) { return h->side == side; });
}

void ControlStream::tell_end(unsigned side, Timestamp now, ControlSink& sink) {
    if (end_told_[side] || holds(side) || dropped_[side]) return;
    end_told_[side] = true;
    sink.ended(side, now);
}

void ControlStream::end(unsigned side, Timestamp now, ControlSink& sink) {
    end_known_[side] = true;
    tell_end(side, now, sink);
}

void ControlStream::finish(Timestamp now, ControlSink& sink) {
    finishing_ = true;
    for (std::size_t i = 0; i < held_.size();) {
        if (force(i, now, sink))
            i = 0;
        else
            ++i;
    }
    while (!held_.empty()) remove(held_.size() - 1);
    for (unsigned side = 0; side < 2; ++side) {
        if (dropped_[side]) skip_dropped(side, now, sink);
        dropped_[side] = false;
        if (end_known_[side]) tell_end(side, now, sink);
    }
}

} // namespace ftpsensor
