// When to look at a connection again: a wheel of slots, each a list of connections through their own members.
//
// A connection stands in the slot of the time at which it may be over. It is not moved while packets arrive: when its
// slot is reached, the owner looks at the real deadline and puts it back where that lies further off. So a packet costs
// nothing here, and no sweep over the table is ever needed. Times beyond the wheel's turn wait in its last slot.
// Indices are those of the flow table, which holds the links (ConnCold). Worker's thread only.
#pragma once

#include "core/conn/flow_table.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace ftpsensor {

class TimerWheel {
public:
    static constexpr int kTickShift = 24;             // a tick is 2^24 ns = 16.8 ms
    static constexpr std::uint32_t kSlots = 1u << 15; // a turn is 550 s
    static constexpr std::uint32_t kNone = Connection::kNone;
    static constexpr Duration kHorizon = static_cast<Duration>(kSlots / 2) << kTickShift;

    explicit TimerWheel(FlowTable& table) : table_(table), heads_(kSlots, kNone), occupied_(kSlots / 64, 0) {}

    static std::int64_t tick_of(Timestamp t) { return t >> kTickShift; }
    // Everything due before this time has been handed out: the start of the tick that is not yet done.
    Timestamp done_through() const { return next_tick_ << kTickShift; }
    bool started() const { return started_; }
    void start(Timestamp now) {
        next_tick_ = tick_of(now);
        started_ = true;
    }

    void schedule(std::uint32_t index, Timestamp when) {
        const auto slot = static_cast<std::uint32_t>(tick_in_wheel(when)) & (kSlots - 1);
        ConnCold& c = table_.cold(index);
        if (c.wheel_slot == slot) return;
        if (c.wheel_slot != ConnCold::kNoSlot) remove(index);
        c.wheel_slot = static_cast<std::uint16_t>(slot);
        c.wheel_previous = kNone;
        c.wheel_next = heads_[slot];
        if (c.wheel_next != kNone) table_.cold(c.wheel_next).wheel_previous = index;
        heads_[slot] = index;
        occupied_[slot / 64] |= bit(slot);
        ++size_;
    }

    // As schedule(), but a connection that is looked at earlier already stays where it is: its owner puts it back then.
    // Most connections are over before that look, and are moved once instead of at each change of their state.
    void no_later_than(std::uint32_t index, Timestamp when) {
        if (table_.cold(index).wheel_slot == ConnCold::kNoSlot || tick_in_wheel(when) < tick_of_slot(index))
            schedule(index, when);
    }

    void remove(std::uint32_t index) {
        ConnCold& c = table_.cold(index);
        if (c.wheel_slot == ConnCold::kNoSlot) return;
        if (c.wheel_previous != kNone) {
            table_.cold(c.wheel_previous).wheel_next = c.wheel_next;
        } else {
            heads_[c.wheel_slot] = c.wheel_next;
            if (c.wheel_next == kNone) occupied_[c.wheel_slot / 64] &= ~bit(c.wheel_slot);
        }
        if (c.wheel_next != kNone) table_.cold(c.wheel_next).wheel_previous = c.wheel_previous;
        c.wheel_slot = ConnCold::kNoSlot;
        c.wheel_next = c.wheel_previous = kNone;
        --size_;
    }

    // Takes out the connections of each tick that is wholly before `now`, oldest tick first, and hands them over tick
    // by tick: f(first index of a list through wheel_next, end of the tick). The handler may schedule(). Empty ticks
    // cost next to nothing, however many there are.
    template <class F>
    void advance(Timestamp now, F&& f) {
        const std::int64_t target = tick_of(now);
        while (next_tick_ < target) {
            if (size_ == 0) {
                next_tick_ = target;
                return;
            }
            const std::int64_t tick = next_occupied(std::min<std::int64_t>(target, next_tick_ + kSlots));
            next_tick_ = tick;
            if (tick >= target) break;
            const auto slot = static_cast<std::uint32_t>(tick) & (kSlots - 1);
            const std::uint32_t first = heads_[slot];
            heads_[slot] = kNone;
            occupied_[slot / 64] &= ~bit(slot);
            ++next_tick_;
            if (first == kNone) continue; // a whole turn without one
            for (std::uint32_t i = first; i != kNone; i = table_.cold(i).wheel_next) {
                table_.cold(i).wheel_slot = ConnCold::kNoSlot;
                --size_;
            }
            f(first, next_tick_ << kTickShift);
        }
    }

    // A connection of the nearest occupied slot: the one whose end is closest. kNone: the wheel is empty.
    std::uint32_t nearest() const {
        if (size_ == 0) return kNone;
        return heads_[static_cast<std::uint32_t>(next_occupied(next_tick_ + kSlots)) & (kSlots - 1)];
    }
    std::size_t size() const { return size_; }

private:
    static constexpr std::uint64_t bit(std::uint32_t slot) { return std::uint64_t{1} << (slot % 64); }

    std::int64_t tick_in_wheel(Timestamp when) const { // within the turn
        return std::clamp(tick_of(when), next_tick_, next_tick_ + kSlots - 1);
    }
    std::int64_t tick_of_slot(std::uint32_t index) const { // the tick in which it waits
        const auto ahead = (table_.cold(index).wheel_slot - static_cast<std::uint32_t>(next_tick_)) & (kSlots - 1);
        return next_tick_ + ahead;
    }

    // The first tick from next_tick_ on whose slot holds something, or `limit` (at most a turn away).
    std::int64_t next_occupied(std::int64_t limit) const {
        std::int64_t tick = next_tick_;
        while (tick < limit) {
            const auto slot = static_cast<std::uint32_t>(tick) & (kSlots - 1);
            const std::uint64_t word = occupied_[slot / 64] >> (slot % 64);
            if (word != 0) return std::min<std::int64_t>(tick + std::countr_zero(word), limit);
            tick += 64 - slot % 64;
        }
        return limit;
    }

    FlowTable& table_;
    std::vector<std::uint32_t> heads_;
    std::vector<std::uint64_t> occupied_; // a bit a slot
    std::int64_t next_tick_ = 0;
    std::size_t size_ = 0;
    bool started_ = false;
};

} // namespace ftpsensor
