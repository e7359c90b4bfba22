// The ends of connections that began a short while ago, by a key: what an announcement looks for that came late.
//
// A queue of at most `limit`, a power of two from 4; each end is also in the list of its key's bucket, from the latest
// back. Who is oldest in the queue is oldest in its list, so that neither needs a search. Strangers choose what keys
// are made of: they are keyed hashes of 64 bits. One thread.
#pragma once

#include "core/base/endpoint_hash.h"
#include "core/base/ids.h"
#include "core/base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace ftpsensor {

class RecentEnds {
public:
    explicit RecentEnds(std::uint32_t limit)
        : mask_(limit - 1), ends_(std::make_unique_for_overwrite<std::byte[]>(limit * sizeof(End))),
          lists_(limit / kEndsOfList) {}

    // The key of an endpoint, and of an endpoint together with who connects to it.
    static std::uint64_t key(const IpAddress& address, std::uint16_t port, std::uint64_t secret) {
        return endpoint_hash(address, port, secret);
    }
    static std::uint64_t key(const IpAddress& address, std::uint16_t port, const IpAddress& peer,
                             std::uint64_t secret) {
        return endpoint_hash(peer, 0, endpoint_hash(address, port, secret));
    }

    std::uint32_t size() const { return tail_ - head_; }
    // Of connection `uid`, which began at `opened`. There is room.
    void push(std::uint64_t key, const Id96& uid, Timestamp opened) {
        if (head_ == tail_) head_ = tail_ = 0; // memory that was just used
        List& list = list_of(key);
        new (place(tail_)) End{key, list.last, uid, opened};
        ++list.count;
        list.last = tail_++;
    }
    // Takes out those from before `time`, up to the first in the queue that is not.
    void forget_before(Timestamp time) {
        while (head_ != tail_ && end(head_).opened < time) forget_oldest();
    }
    void forget_oldest() { --list_of(end(head_++).key).count; }
    // Calls f(uid) for each connection with this key, the latest first, until it says that it has seen enough (false).
    template <class F>
    void find(std::uint64_t key, F&& f) {
        const List& list = list_of(key);
        std::uint32_t at = list.last;
        for (std::uint32_t n = list.count; n != 0; --n, at = end(at).previous)
            if (end(at).key == key && !f(end(at).uid)) return;
    }

private:
    struct End {
        std::uint64_t key;
        std::uint32_t previous; // in its list; of the oldest, it says nothing
        Id96 uid;
        Timestamp opened;
    };
    struct List {
        std::uint32_t count = 0, last = 0;
    };
    static constexpr std::size_t kEndsOfList = 4; // in a full queue: few lists, so that few pages are touched

    std::byte* place(std::uint32_t at) const { return ends_.get() + std::size_t{at & mask_} * sizeof(End); }
    End& end(std::uint32_t at) const { return *std::launder(reinterpret_cast<End*>(place(at))); }
    List& list_of(std::uint64_t key) { return lists_[key & (lists_.size() - 1)]; }

    std::uint32_t mask_;
    std::unique_ptr<std::byte[]> ends_; // touched as far as it is used
    std::vector<List> lists_;
    std::uint32_t head_ = 0; // of the queue
    std::uint32_t tail_ = 0;
};

} // namespace ftpsensor
