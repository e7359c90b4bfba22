// Places for watches: who has one, and who makes room where all are taken.
#include "core/base/endpoint_hash.h"
#include "core/pipeline/data_watches.h"

#include <algorithm>
#include <utility>

namespace ftpsensor {

std::uint32_t DataWatches::allocate() {
    if (free_.empty() && !watches_.full()) return watches_.add();
    while (free_.empty() && silent_count_ != 0) {
        const Reference oldest = silent_[silent_head_];
        silent_head_ = (silent_head_ + 1) % silent_.size();
        --silent_count_;
        give_up_silence(oldest, true);
    }
    if (free_.empty() && !give_up_announced()) return kNone;
    const std::uint32_t at = free_.back();
    free_.pop_back();
    return at;
}

void DataWatches::give_up_silence(const Reference& s, bool for_room) {
    Watch& w = watches_[s.watch];
    if (w.generation != s.generation || w.announced) return;
    if (for_room) events_.count(Event::first_bytes_memory);
    Connection& c = connections_[w.connection];
    c.unwatch();
    release(s.watch);
}

bool DataWatches::give_up_announced() {
    const std::uint32_t at = order_.first_to_go();
    if (at == kNone) return false;
    events_.count(Event::first_bytes_memory);
    Connection& c = connections_[watches_[at].connection];
    tell_progress(c, watches_[at]);
    c.unwatch();
    release(at);
    return true;
}

DataWatches::Rank DataWatches::rank_of(const Connection& c, const Watch& w) {
    if (c.end[0].packets() == 0 || c.end[1].packets() == 0) return kUnanswered;
    return w.stream[0].first.happened() || w.stream[1].first.happened() ? kMoves : kAnswered;
}

// By the endpoint of the side that was announced.
void DataWatches::put_in_order(Connection& c, Watch& w, unsigned announced) {
    const std::uint64_t hash =
        endpoint_hash(c.key.address[announced], c.key.port[announced], options_.conn.hash_secret);
    w.group = static_cast<std::uint16_t>(hash % decltype(order_)::kGroups);
    w.rank = rank_of(c, w);
    order_.add(c.cold().watch, w.group, w.rank, links(0));
}

void DataWatches::rank_again(const Connection& c, Watch& w) {
    if (w.rank >= kMoves) return;
    const Rank rank = rank_of(c, w);
    if (rank == w.rank) return;
    order_.move(c.cold().watch, w.group, w.rank, rank, links(0));
    w.rank = rank;
}

void DataWatches::keep(std::uint32_t at, Watch& w) {
    if (w.rank == kKept) return;
    order_.remove(at, w.group, w.rank, links(0));
    w.rank = kKept;
}

bool DataWatches::keep_first_bytes(std::uint32_t at, HeadBuffer& head, std::uint64_t offset,
                                   std::span<const std::uint8_t> data) {
    Watch& w = watches_[at];
    if (!head.put(offset, data, budget_) && !make_room_for_first_bytes(w, head, offset, data)) return false;
    note_first_bytes(at, w);
    return true;
}

// Announced connections come before those that may yet be; and nobody takes from who has no more than he.
bool DataWatches::make_room_for_first_bytes(const Watch& w, HeadBuffer& head, std::uint64_t offset,
                                            std::span<const std::uint8_t> data) {
    if (!w.announced) return false;
    while (silent_count_ != 0) { // each was opened by a packet, and goes once
        const Reference oldest = silent_[silent_head_];
        silent_head_ = (silent_head_ + 1) % silent_.size();
        --silent_count_;
        give_up_silence(oldest, true);
        if (head.put(offset, data, budget_)) return true;
    }
    const std::uint32_t ours = first_bytes_order_.size_of(w.group) + (w.holds_first_bytes ? 0 : 1);
    while (first_bytes_order_.most() > ours) { // each holds some
        const std::uint32_t at = first_bytes_order_.first_to_go();
        events_.count(Event::first_bytes_memory);
        for (Stream& s : watches_[at].stream)
            if (s.head.holds_bytes()) s.head.drop(budget_);
        note_first_bytes(at, watches_[at]);
        if (head.put(offset, data, budget_)) return true;
    }
    return false;
}

// After each change of what an announced watch holds.
void DataWatches::note_first_bytes(std::uint32_t at, Watch& w) {
    const bool holds = w.announced && (w.stream[0].head.holds_bytes() || w.stream[1].head.holds_bytes());
    if (holds == w.holds_first_bytes) return;
    if (holds)
        first_bytes_order_.add(at, w.group, 0, links(1));
    else
        first_bytes_order_.remove(at, w.group, 0, links(1));
    w.holds_first_bytes = holds;
}

void DataWatches::release_before(Timestamp time) {
    while (silent_count_ != 0) {
        const Reference oldest = silent_[silent_head_];
        const Watch& w = watches_[oldest.watch];
        if (w.generation == oldest.generation && !w.announced && w.opened.time >= time) return;
        silent_head_ = (silent_head_ + 1) % silent_.size();
        --silent_count_;
        give_up_silence(oldest, false);
    }
}

void DataWatches::release(std::uint32_t at) {
    Watch& w = watches_[at];
    if (!w.announced) unlink(at);
    keep(at, w);
    progress_.release(w.progress);
    for (Stream& s : w.stream) s.head.release(budget_);
    note_first_bytes(at, w);
    const std::uint32_t generation = w.generation + 1;
    w = Watch{};
    w.generation = generation;
    free_.push_back(at);
}

// The chain of an endpoint, among those whose keyed hash is the same.
std::uint32_t& DataWatches::head_of(const IpAddress& address, std::uint16_t port) {
    return heads_[endpoint_hash(address, port, options_.conn.hash_secret) % heads_.size()];
}

void DataWatches::link(std::uint32_t at) {
    const ConnKey& key = connections_[watches_[at].connection].key;
    for (unsigned side = 0; side < 2; ++side) {
        std::uint32_t& head = head_of(key.address[side], key.port[side]);
        const std::uint32_t node = 2 * at + side;
        watches_[at].chain[side] = {head, kNone};
        if (head != kNone) link_of(head).previous = node;
        head = node;
    }
}

void DataWatches::unlink(std::uint32_t at) {
    const ConnKey& key = connections_[watches_[at].connection].key;
    for (unsigned side = 0; side < 2; ++side) {
        const Link link = watches_[at].chain[side];
        if (link.previous != kNone)
            link_of(link.previous).next = link.next;
        else
            head_of(key.address[side], key.port[side]) = link.next;
        if (link.next != kNone) link_of(link.next).previous = link.previous;
        watches_[at].chain[side] = {kNone, kNone};
    }
}

} // namespace ftpsensor
