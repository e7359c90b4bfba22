// The ends of connections that began a short while ago, by endpoint: what an announcement looks for that came late.
//
// A queue of at most `limit`, a power of two from 4; each end is also in the list of its hash's bucket. Who is oldest
// in the queue is oldest in its list, so that neither needs a search. Strangers choose endpoints: the hash is keyed.
// One thread.
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
    RecentEnds(std::uint32_t limit, std::uint64_t secret)
        : mask_(limit - 1), secret_(secret), ends_(std::make_unique_for_overwrite<std::byte[]>(limit * sizeof(End))),
          lists_(limit / kEndsOfList) {}

    std::uint32_t size() const { return tail_ - head_; }
    // Of connection `uid`, which began at `opened`. There is room.
    void push(const IpAddress& address, std::uint16_t port, const Id96& uid, Timestamp opened) {
        if (head_ == tail_) head_ = tail_ = 0; // memory that was just used
        List& list = list_of(address, port);
        new (place(tail_)) End{address, port, 0, uid, opened};
        if (list.count++ == 0)
            list.first = tail_;
        else
            end(list.last).next = tail_;
        list.last = tail_++;
    }
    // Takes out those from before `time`, up to the first in the queue that is not.
    void forget_before(Timestamp time) {
        for (; head_ != tail_ && end(head_).opened < time; ++head_) {
            List& list = list_of(end(head_).address, end(head_).port);
            list.first = end(head_).next;
            --list.count;
        }
    }
    // Calls f(uid) for each connection that has this end, in order.
    template <class F>
    void find(const IpAddress& address, std::uint16_t port, F&& f) {
        const List& list = list_of(address, port);
        std::uint32_t at = list.first;
        for (std::uint32_t n = list.count; n != 0; --n, at = end(at).next)
            if (end(at).port == port && end(at).address == address) f(end(at).uid);
    }

private:
    struct End {
        IpAddress address;
        std::uint16_t port;
        std::uint32_t next; // in its list
        Id96 uid;
        Timestamp opened;
    };
    struct List {
        std::uint32_t count = 0, first = 0, last = 0;
    };
    static constexpr std::size_t kEndsOfList = 4; // in a full queue: few lists, so that few pages are touched

    std::byte* place(std::uint32_t at) const { return ends_.get() + std::size_t{at & mask_} * sizeof(End); }
    End& end(std::uint32_t at) const { return *std::launder(reinterpret_cast<End*>(place(at))); }
    List& list_of(const IpAddress& address, std::uint16_t port) {
        return lists_[endpoint_hash(address, port, secret_) & (lists_.size() - 1)];
    }

    std::uint32_t mask_;
    std::uint64_t secret_;
    std::unique_ptr<std::byte[]> ends_; // touched as far as it is used
    std::vector<List> lists_;
    std::uint32_t head_ = 0; // of the queue
    std::uint32_t tail_ = 0;
};

} // namespace ftpsensor
