// Which bytes of a TCP direction were seen, without keeping them: what missed_bytes and the `g` of the history tell.
//
// Every TCP connection is followed this way; only the few whose content matters keep bytes too (content_stream.h). The
// rules are those of Zeek's TCP_Reassembler: a hole is declared when the peer acknowledges beyond it; data held beyond
// a hole without any acknowledgement (16 KiB), or unacknowledged in all (10 MiB), ends the tracking of that direction.
// Ranges beyond a hole come from a pool with bounds (range_pool.h). One tracker a worker; worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/conn/connection.h"
#include "core/conn/range_pool.h"

#include <cstdint>
#include <vector>

namespace ftpsensor {

// The payload bytes that an end has sent, by its sequence numbers (Zeek's TCP_Endpoint::Size).
std::uint64_t endpoint_size(const Endpoint& end, const Endpoint& peer);

class GapTracker {
public:
    static constexpr std::uint64_t kUnacknowledgedMax = 10u << 20; // bytes; more ends the tracking
    static constexpr std::uint64_t kInitialWindowMax = 16384;      // bytes before anything is acknowledged

    // `ranges_max`: ranges of all connections of the worker together.
    GapTracker(std::uint32_t ranges_max, EventCounters& events);

    struct Gap { // relative sequence numbers
        std::uint64_t seq;
        std::uint64_t size;
    };

    // The peer acknowledged `end` up to `seq`. Holes below it will never be filled: they are appended to gaps(), in
    // order, after it was cleared.
    void acknowledged(Endpoint& end, std::uint64_t seq, bool partial_connection);
    // `size` bytes were seen at `seq`. True where they are new to the reassembly.
    bool data(Endpoint& end, const Endpoint& peer, std::uint64_t seq, std::uint64_t size);
    // Something that was sent is not yet delivered, or not yet acknowledged by the peer (Zeek's DataPending).
    bool pending(const Endpoint& end, const Endpoint& peer) const;
    void forget(Endpoint& end) { // gives its ranges back
        renew(end);
        pool_.clear(end.ranges);
    }

    const std::vector<Gap>& gaps() const { return gaps_; }
    // Of all connections: payload that was captured, retransmissions included, and holes that count as missed.
    void count_payload(std::uint64_t bytes) { payload_bytes_ += bytes; }
    void count_missed(std::uint64_t bytes) { missed_bytes_ += bytes; }
    std::uint64_t payload_bytes() const { return payload_bytes_; }
    std::uint64_t missed_bytes() const { return missed_bytes_; }
    std::uint32_t ranges_used() const { return pool_.ranges_used(); }

private:
    static constexpr std::uint64_t kAboveHoleWithoutAcksMax = 16384;

    // Ranges that have made room are none.
    void renew(Endpoint& end) const { end.ranges = list_of(end); }
    RangePool::List list_of(const Endpoint& end) const {
        return end.ranges == Endpoint::kNoRange || pool_.owns(&end, end.ranges) ? end.ranges : Endpoint::kNoRange;
    }
    void insert(Endpoint& end, std::uint64_t lower, std::uint64_t upper);
    void absorb(Endpoint& end);
    void undelivered(Endpoint& end, std::uint64_t up_to, bool partial_connection);
    void stop(Endpoint& end, Event why);
    std::uint64_t highest(const Endpoint& end) const { // upper end of the last range, or what is delivered
        return list_of(end) == Endpoint::kNoRange ? std::uint64_t{end.delivered_rel} : pool_.upper(end.ranges);
    }
    std::uint64_t held(const Endpoint& end) const; // bytes that Zeek would hold
    bool has_blocks(const Endpoint& end) const { return highest(end) > end.trimmed_rel; }

    RangePool pool_;
    std::vector<Gap> gaps_;
    std::uint64_t payload_bytes_ = 0;
    std::uint64_t missed_bytes_ = 0;
    EventCounters& events_;
};

} // namespace ftpsensor
