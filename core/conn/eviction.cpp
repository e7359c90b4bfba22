// Which connection makes room where the table is full.
#include "core/conn/conn_tracker.h"

#include <algorithm>

namespace ftpsensor {

// Who makes room. Where connections whose peer was never heard have half of the table, it is one of them: a flood of
// what nobody answers drives out itself. Else one that was not heard for long.
std::uint32_t ConnTracker::choose_for_eviction() {
    if (2 * std::uint64_t{one_sided_} < table_.size()) return longest_silent();
    // The nearest to its end; next_look() keeps those whose peer was never heard near. One that was heard since it was
    // put there has its end further off, and it is another one's turn. Each packet can do that to one connection, so
    // the looks come to one a packet or less.
    constexpr int kLooksMax = 64;
    std::uint32_t index = wheel_.nearest();
    for (int i = 0; i < kLooksMax; ++i) {
        Connection& c = table_[index];
        if (c.deadline_kind == Deadline::attempt) tcp_.deadline_reached(c); // forgotten where it was answered
        const std::uint16_t slot = c.cold().wheel_slot;
        wheel_.schedule(index, c.one_sided() ? std::min(next_look(c), c.seen + kOneSidedLook) : next_look(c));
        if (c.cold().wheel_slot == slot) break;
        index = wheel_.nearest();
    }
    return index;
}

// Of the next few in the table's own order, which nobody outside knows, the one that was silent for longest; a session
// only where nothing else is there.
std::uint32_t ConnTracker::longest_silent() {
    constexpr int kCandidates = 16;
    std::uint32_t best = FlowTable::kNone;
    const auto goes_later = [](const Connection& a, const Connection& b) {
        const bool a_talks = a.content == ContentUse::control, b_talks = b.content == ContentUse::control;
        return a_talks != b_talks ? a_talks : a.seen > b.seen;
    };
    for (int looks = 0; looks < kCandidates || best == FlowTable::kNone; ++looks) {
        eviction_hand_ = eviction_hand_ + 1 < table_.capacity() ? eviction_hand_ + 1 : 0;
        const std::uint32_t index = FlowTable::index_of(eviction_hand_);
        if (!table_[index].in_use) continue;
        if (best == FlowTable::kNone || goes_later(table_[best], table_[index])) best = index;
    }
    return best;
}

// What is over makes room first: a burst may last for seconds where packets are few.
void ConnTracker::make_room(const PacketView& packet) {
    advance(packet.now);
    if (table_.size() < table_.capacity()) return;
    const std::uint32_t index = choose_for_eviction();
    conn_events_.count(table_[index], Event::connection_evicted);
    remove(index, packet.now, packet.number);
}

} // namespace ftpsensor
