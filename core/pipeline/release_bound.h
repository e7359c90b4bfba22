// The time before which everything that workers have to tell has been queued: what the logger may release.
//
// Every worker's watermark has passed it, and every worker has read the announcements made before it, so that what it
// had to add because of them has been queued too. The order of the reads is the proof: marks, then the number of
// announcements, then who has read them; then the caller drains the queues. Live, a worker that is behind holds the
// others back for `hold` of packet time at most, whatever it is that it has not done. Logger thread only.
#pragma once

#include "core/pipeline/worker.h"

#include <algorithm>
#include <optional>

namespace ftpsensor {

class ReleaseBound {
public:
    // `shared` outlives it. Without `hold` the logger waits as long as it takes.
    ReleaseBound(const SharedState& shared, std::optional<Duration> hold) : shared_(shared), hold_(hold) {}

    // Never goes back. Drain the queues after it, then release what is due before it.
    Timestamp next() {
        if (pending_ == released_) {
            pending_ = std::max(shared_.lowest_watermark(), released_);
            announcements_ = shared_.board.appended();
        }
        if (all_have_read()) released_ = pending_;
        if (const Timestamp forced = through_hold(); forced > released_) released_ = forced;
        if (pending_ < released_) pending_ = released_;
        return released_;
    }
    Timestamp released() const { return released_; }
    void set_hold(Duration hold) { hold_ = hold; } // live

private:
    bool all_have_read() const {
        for (std::size_t i = 0; i < shared_.watermarks.size(); ++i) {
            const bool finished = shared_.watermarks[i].time.load(std::memory_order_acquire) == INT64_MAX;
            if (!finished && shared_.board.read_by(i) < announcements_) return false;
        }
        return true;
    }
    // What the fastest worker is ahead of by the hold is waited for no longer.
    Timestamp through_hold() const {
        if (!hold_) return INT64_MIN;
        Timestamp highest = INT64_MIN;
        for (const auto& w : shared_.watermarks) {
            const Timestamp time = w.time.load(std::memory_order_acquire);
            if (time != INT64_MAX) highest = std::max(highest, time);
        }
        return highest == INT64_MIN ? INT64_MIN : highest - *hold_;
    }

    const SharedState& shared_;
    std::optional<Duration> hold_;
    Timestamp released_ = INT64_MIN;
    Timestamp pending_ = INT64_MIN; // whose announcements not all workers have read yet
    std::uint64_t announcements_ = 0;
};

} // namespace ftpsensor
