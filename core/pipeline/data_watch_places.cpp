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
    if (free_.empty() && !give_up_waiting()) return kNone;
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

bool DataWatches::give_up_waiting() {
    if (waiting_.total == 0) return false;
    if (waiting_.size[waiting_.most] <= waiting_.known / 2) {
        const auto most = std::max_element(waiting_.size.begin(), waiting_.size.end());
        waiting_.most = static_cast<std::size_t>(most - waiting_.size.begin());
        waiting_.known = *most;
    }
    const auto& order = waiting_.order[waiting_.most];
    const std::uint32_t at = order[kUnanswered].oldest != kNone ? order[kUnanswered].oldest : order[kAnswered].oldest;
    events_.count(Event::first_bytes_memory);
    connections_[watches_[at].connection].unwatch();
    release(at);
    return true;
}

void DataWatches::wait(std::uint32_t at, Waiting how) {
    Watch& w = watches_[at];
    wait_no_more(w);
    w.waiting = how;
    ++waiting_.total;
    if (++waiting_.size[w.bucket] > waiting_.known) {
        waiting_.most = w.bucket;
        waiting_.known = waiting_.size[w.bucket];
    }
    Order& order = waiting_.order[w.bucket][how];
    w.chain[0] = {kNone, order.newest};
    (order.newest == kNone ? order.oldest : watches_[order.newest].chain[0].next) = at;
    order.newest = at;
}

void DataWatches::wait_no_more(Watch& w) {
    if (w.waiting == kMoves) return;
    --waiting_.total;
    --waiting_.size[w.bucket];
    Order& order = waiting_.order[w.bucket][w.waiting];
    const Link link = std::exchange(w.chain[0], Link{});
    (link.previous == kNone ? order.oldest : watches_[link.previous].chain[0].next) = link.next;
    (link.next == kNone ? order.newest : watches_[link.next].chain[0].previous) = link.previous;
    w.waiting = kMoves;
}

// Announced connections come before those that may yet be.
bool DataWatches::keep_first_bytes(const Watch& w, HeadBuffer& head, std::uint64_t offset,
                                   std::span<const std::uint8_t> data) {
    if (head.put(offset, data, budget_)) return true;
    if (!w.announced) return false;
    while (silent_count_ != 0) { // each was opened by a packet, and goes once
        const Reference oldest = silent_[silent_head_];
        silent_head_ = (silent_head_ + 1) % silent_.size();
        --silent_count_;
        give_up_silence(oldest, true);
        if (head.put(offset, data, budget_)) return true;
    }
    return false;
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
    wait_no_more(w);
    progress_.release(w.progress);
    for (Stream& s : w.stream) s.head.release(budget_);
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
