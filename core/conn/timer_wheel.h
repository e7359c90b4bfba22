// When to look at a connection again: a wheel of slots, each a list of connections through their own members.
//
// A connection stands in the slot of the time at which it may be over. It is not moved while packets arrive: when its
// slot is reached, the owner looks at the real deadline and puts it back where that lies further off. So a packet costs
// nothing here, and no sweep over the table is ever needed. Times beyond the wheel's turn wait in its last slot.
// Indices are into the flow table's connections. Worker's thread only.
#pragma once

#include "core/conn/connection.h"

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

    explicit TimerWheel(Connection* connections)
        : connections_(connections), heads_(kSlots, kNone), occupied_(kSlots / 64, 0) {}

    static std::int64_t tick_of(Timestamp t) { return t >> kTickShift; }
    // Everything due before this time has been handed out: the start of the tick that is not yet done.
    Timestamp done_through() const { return next_tick_ << kTickShift; }
    bool started() const { return started_; }
    void start(Timestamp now) {
        next_tick_ = tick_of(now);
        started_ = true;
    }

    void schedule(std::uint32_t index, Timestamp when) {
        std::int64_t tick = tick_of(when);
        if (tick < next_tick_) tick = next_tick_;
        if (tick >= next_tick_ + kSlots) tick = next_tick_ + kSlots - 1;
        const auto slot = static_cast<std::uint32_t>(tick) & (kSlots - 1);
        Connection& c = connections_[index];
        if (c.wheel_slot == slot) return;
        if (c.wheel_slot != kNone) remove(index);
        c.wheel_slot = slot;
        c.wheel_previous = kNone;
        c.wheel_next = heads_[slot];
        if (c.wheel_next != kNone) connections_[c.wheel_next].wheel_previous = index;
        heads_[slot] = index;
        occupied_[slot / 64] |= bit(slot);
        ++size_;
    }

    void remove(std::uint32_t index) {
        Connection& c = connections_[index];
        if (c.wheel_slot == kNone) return;
        if (c.wheel_previous != kNone) {
            connections_[c.wheel_previous].wheel_next = c.wheel_next;
        } else {
            heads_[c.wheel_slot] = c.wheel_next;
            if (c.wheel_next == kNone) occupied_[c.wheel_slot / 64] &= ~bit(c.wheel_slot);
        }
        if (c.wheel_next != kNone) connections_[c.wheel_next].wheel_previous = c.wheel_previous;
        c.wheel_slot = c.wheel_next = c.wheel_previous = kNone;
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
            for (std::uint32_t i = first; i != kNone; i = connections_[i].wheel_next) {
                connections_[i].wheel_slot = kNone;
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

    Connection* connections_;
    std::vector<std::uint32_t> heads_;
    std::vector<std::uint64_t> occupied_; // a bit a slot
    std::int64_t next_tick_ = 0;
    std::size_t size_ = 0;
    bool started_ = false;
};

} // namespace ftpsensor
