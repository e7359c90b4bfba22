// Packets of several queues in order of time, as far as the order is known.
//
// Two ports that tap one link, a direction each, are read one after the other; a SYN-ACK must not overtake its SYN for
// that. Each queue hands over batches in its own order. Where it may hold more that is earlier than others' packets
// (its batch was full, has been waiting since an earlier poll, or could not be fetched), nothing later than its latest
// packet goes out.
// Plain values without allocation after construction; one worker.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace ftpsensor {

class TimeMerge {
public:
    // A queue's packets that are not handed on yet, by index: next .. count.
    struct Batch {
        std::vector<Timestamp> times;
        std::uint16_t next = 0;
        std::uint16_t count = 0;
        bool more = false;  // the queue may hold packets that belong before others'
        Timestamp last = 0; // latest of `times`, or before what could not be fetched
        bool waits() const { return next < count; }
    };

    TimeMerge(std::size_t queues, std::uint16_t batch_max) : batches_(queues) {
        for (auto& batch : batches_) batch.times.resize(batch_max);
    }

    // Before a poll: a batch that still waits makes the queue's newer packets unknown.
    bool wants_batch(std::size_t queue) {
        auto& batch = batches_[queue];
        if (batch.waits()) batch.more = true;
        return !batch.waits();
    }
    // The queue's new batch: `count` packets, `more` where there are, or may be, others. Times follow by set_time().
    void begin(std::size_t queue, std::uint16_t count, bool more) {
        auto& batch = batches_[queue];
        batch.next = 0;
        batch.count = count;
        batch.more = more;
        batch.last = std::numeric_limits<Timestamp>::min();
    }
    void set_time(std::size_t queue, std::uint16_t index, Timestamp time) {
        auto& batch = batches_[queue];
        batch.times[index] = time;
        if (time > batch.last) batch.last = time;
    }
    // After a begin() without packets: one of `time` is in the queue, but could not be fetched.
    void holds_unfetched(std::size_t queue, Timestamp time) {
        batches_[queue].more = true;
        batches_[queue].last = time - 1;
    }
    void no_more() { // the end: what waits is all there is
        for (auto& batch : batches_) batch.more = false;
    }

    // Up to where the order is known. The queue it comes from is emptied, so that each poll gets on, unless it could
    // not be fetched from.
    Timestamp limit() const {
        Timestamp limit = std::numeric_limits<Timestamp>::max();
        for (const auto& batch : batches_)
            if (batch.more && batch.last < limit) limit = batch.last;
        return limit;
    }

    // The queue with the earliest packet that is not later than `limit`, the first of equal ones; -1: none.
    int earliest(Timestamp limit) const {
        int found = -1;
        Timestamp time = limit;
        for (std::size_t queue = 0; queue < batches_.size(); ++queue) {
            const auto& batch = batches_[queue];
            if (!batch.waits()) continue;
            const Timestamp next = batch.times[batch.next];
            if (next < time || (next == time && found < 0)) {
                found = static_cast<int>(queue);
                time = next;
            }
        }
        return found;
    }

    Batch& batch(std::size_t queue) { return batches_[queue]; }
    std::size_t waiting() const {
        std::size_t n = 0;
        for (const auto& batch : batches_) n += static_cast<std::size_t>(batch.count - batch.next);
        return n;
    }

private:
    std::vector<Batch> batches_;
};

} // namespace ftpsensor
