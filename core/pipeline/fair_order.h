// Who makes room where all places are taken: of the group that has most, one of the lowest rank, and of these the
// oldest.
//
// So who takes many places takes them from himself. Groups are numbers, which strangers must not be able to choose (a
// keyed hash), below kGroups; those whose numbers are the same are one group. Of groups that have as many, the one that
// has had so many for longest. The places are the owner's: each has two links, which `link_of(place)` tells (`.next`,
// `.previous`). Each call takes the same time, however many there are. Worker's thread only.
#pragma once

#include "core/base/table_memory.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace ftpsensor {

template <std::size_t kRanks>
class FairOrder {
public:
    static constexpr std::size_t kGroups = 32'768;
    static constexpr std::uint32_t kNone = 0xffffffff;

    explicit FairOrder(std::uint32_t places_max) : groups_(kGroups), of_size_(std::size_t{places_max} + 1, kNone) {}

    template <class LinkOf>
    void add(std::uint32_t place, std::uint16_t group, std::size_t rank, LinkOf&& link_of) {
        Group& g = groups_[group];
        if (g.size == 0)
            g = Group{};
        else
            leave(group);
        ++g.size;
        join(group);
        most_ = std::max(most_, g.size);
        append(g.order[rank], place, link_of);
    }
    // Of the same group.
    template <class LinkOf>
    void move(std::uint32_t place, std::uint16_t group, std::size_t from, std::size_t to, LinkOf&& link_of) {
        take_out(groups_[group].order[from], place, link_of);
        append(groups_[group].order[to], place, link_of);
    }
    template <class LinkOf>
    void remove(std::uint32_t place, std::uint16_t group, std::size_t rank, LinkOf&& link_of) {
        Group& g = groups_[group];
        take_out(g.order[rank], place, link_of);
        leave(group);
        if (--g.size != 0) join(group);
        if (of_size_[most_] == kNone) --most_; // it was the only one of so many
    }
    std::uint32_t most() const { return most_; } // places of a group
    std::uint32_t size_of(std::uint16_t group) const { return groups_[group].size; }
    // kNone: there is none.
    std::uint32_t first_to_go() const {
        if (most_ == 0) return kNone;
        for (const Order& order : groups_[of_size_[most_]].order)
            if (order.oldest != kNone) return order.oldest;
        return kNone;
    }

private:
    struct Order {
        std::uint32_t oldest = kNone;
        std::uint32_t newest = kNone;
    };
    struct Group {
        std::uint32_t size = 0;     // all else counts only where that is not 0
        std::uint32_t next = 0;     // among those of the same size: a ring
        std::uint32_t previous = 0; // of the first one, the last
        std::array<Order, kRanks> order{};
    };

    template <class LinkOf>
    static void append(Order& order, std::uint32_t place, LinkOf&& link_of) {
        auto& link = link_of(place);
        link.next = kNone;
        link.previous = order.newest;
        (order.newest == kNone ? order.oldest : link_of(order.newest).next) = place;
        order.newest = place;
    }
    template <class LinkOf>
    static void take_out(Order& order, std::uint32_t place, LinkOf&& link_of) {
        auto& link = link_of(place);
        (link.previous == kNone ? order.oldest : link_of(link.previous).next) = link.next;
        (link.next == kNone ? order.newest : link_of(link.next).previous) = link.previous;
        link.next = link.previous = kNone;
    }
    void join(std::uint32_t group) { // as the last of its size
        Group& g = groups_[group];
        std::uint32_t& first = of_size_[g.size];
        if (first == kNone) {
            first = g.next = g.previous = group;
            return;
        }
        g.next = first;
        g.previous = std::exchange(groups_[first].previous, group);
        groups_[g.previous].next = group;
    }
    void leave(std::uint32_t group) {
        const Group& g = groups_[group];
        std::uint32_t& first = of_size_[g.size];
        if (g.next == group) {
            first = kNone;
            return;
        }
        groups_[g.next].previous = g.previous;
        groups_[g.previous].next = g.next;
        if (first == group) first = g.next;
    }

    ZeroedArray<Group> groups_;
    std::vector<std::uint32_t> of_size_; // the first group of each size
    std::uint32_t most_ = 0;             // the largest size
};

} // namespace ftpsensor
