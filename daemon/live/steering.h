// Packets from the worker that received them to the worker that owns their connection (capture.resteer).
//
// Where a port may give the two directions of a connection to two queues, the worker that receives a packet asks for
// its owner, by the same symmetric hash of addresses as `read --workers N` (core/packet/distribution.cpp), and puts it
// into the ring between the two; its own packets, too, so that all sources of a worker are alike. A worker takes from
// its rings in order of time. How far the order is known is told by whoever fills a ring: "what I received until then
// is in the rings". An idle worker's polls say so, too, and time does not go on beyond it. A worker that says nothing
// for kHoldMost holds nobody back any longer, and one of whom a ring that is half full would have to wait, not at all:
// order is worth less than packets. So one worker that the kernel takes from its CPU costs the others none.
//
// A packet buffer belongs to whoever holds it: the ring's receiver frees it. A full ring drops, and counts.
// SteeringRings is made and destroyed by the main thread while no worker runs; a Steering belongs to one worker.
#pragma once

#include "core/base/time.h"
#include "daemon/live/time_merge.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

struct rte_mbuf;
struct rte_ring;

namespace ftpsensor {

struct SteeredPacket { // an element of a ring
    rte_mbuf* mbuf = nullptr;
    Timestamp time = 0;       // as stamped
    Timestamp order = 0;      // the same on the host's clock, but never ahead of the receiver's
    std::uint64_t length = 0; // on the wire
};

class SteeringRings {
public:
    // `packets`: most that wait in one ring.
    SteeringRings(std::uint32_t workers, std::uint32_t packets);
    ~SteeringRings(); // close()
    SteeringRings(const SteeringRings&) = delete;
    SteeringRings& operator=(const SteeringRings&) = delete;

    // No worker runs any more: frees what still waits, which came when its owner had ended, and counts it as dropped.
    void close();

    std::uint32_t workers() const { return workers_; }
    // Since start; any thread.
    std::uint64_t steered(std::uint32_t from, std::uint32_t to) const { return value(way(from, to).steered); }
    std::uint64_t dropped(std::uint32_t from, std::uint32_t to) const { return value(way(from, to).dropped); }
    std::uint32_t waiting(std::uint32_t from, std::uint32_t to) const;

private:
    friend class Steering;

    struct FreeMemory {
        void operator()(rte_ring* ring) const;
    };
    struct Way { // from one worker to one, maybe itself; counters have one writer, who fills the ring
        std::unique_ptr<rte_ring, FreeMemory> ring;
        std::atomic<std::uint64_t> steered{0};
        std::atomic<std::uint64_t> dropped{0};
    };
    struct alignas(64) Through {
        std::atomic<Timestamp> time{INT64_MIN}; // what came until then is in the rings; INT64_MAX: nothing more comes
    };

    static std::uint64_t value(const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    }
    Way& way(std::uint32_t from, std::uint32_t to) { return ways_[std::size_t{from} * workers_ + to]; }
    const Way& way(std::uint32_t from, std::uint32_t to) const { return ways_[std::size_t{from} * workers_ + to]; }

    std::uint32_t workers_;
    std::vector<Way> ways_;
    std::vector<Through> through_;
};

class Steering {
public:
    // `burst`: packets that are moved at a time.
    Steering(SteeringRings& rings, std::uint32_t worker, std::uint16_t burst);
    ~Steering(); // frees what it still holds
    Steering(const Steering&) = delete;
    Steering& operator=(const Steering&) = delete;

    // A packet that this worker received, in order of arrival; `hash` decides its owner.
    void give(const SteeredPacket& packet, std::uint32_t hash);
    // All that was received until `through` has been given; never goes back. It is in the rings now, and said to be.
    void give_out(Timestamp through);
    void end() { give_out(kEnd); } // nothing more comes
    bool all_ended() const;

    // Hands packets that are this worker's own to `f(const SteeredPacket&)`, in order of time, as far as the order is
    // known; what was received kHoldMost before `host_time` is waited for no longer, nor what a crowded ring holds.
    // Returns how many.
    template <class F>
    std::size_t take(Timestamp host_time, F&& f) {
        const Timestamp known =
            std::max({known_through(), std::min(crowded_through(), host_time), host_time - kHoldMost});
        std::size_t taken = 0;
        for (std::size_t round = 0; round < kRoundsMost; ++round) {
            const bool more = refill();
            const std::size_t before = taken;
            const Timestamp limit = std::min(known, merge_.limit());
            for (int source; (source = merge_.earliest(limit)) >= 0; ++taken)
                f(next_of(static_cast<std::size_t>(source)));
            taken_through_ = std::max(taken_through_, limit);
            if (!more || taken == before) break;
        }
        return taken;
    }
    template <class F>
    void take_rest(F&& f) { // all that is there: the end
        while (take(kEnd, f) != 0) {
        }
    }
    // Until when a take() that found nothing had found everything: a worker's time may go on so far.
    Timestamp taken_through() const { return taken_through_; }
    // Packets that came when later ones had been handed on. Any thread.
    std::uint64_t late() const { return late_.load(std::memory_order_relaxed); }

    static constexpr Duration kHoldMost = 100 * kMillisecond;

private:
    static constexpr Timestamp kEnd = INT64_MAX;
    static constexpr std::size_t kRoundsMost = 16; // of batches, before the port is polled again

    Timestamp known_through() const;   // what came until then is in the rings, whoever received it
    Timestamp crowded_through() const; // what came until then is to be taken before a ring is full
    bool refill();                     // true: a ring may hold more
    const SteeredPacket& next_of(std::size_t source);
    void send(std::uint32_t to);

    SteeringRings& rings_;
    const std::uint32_t worker_;
    const std::uint16_t burst_;
    std::vector<std::vector<SteeredPacket>> outgoing_; // by owner, less than a burst each
    std::vector<std::vector<SteeredPacket>> incoming_; // by source, as TimeMerge's batches
    TimeMerge merge_;
    Timestamp taken_through_ = INT64_MIN;
    std::atomic<std::uint64_t> late_{0}; // one writer, the worker
};

} // namespace ftpsensor
