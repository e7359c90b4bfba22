// Packets of a capture to several workers: by the hash of their addresses, in order, in blocks.
//
// Each worker has a bounded ring of blocks. Where one is full, the reader waits for it. So that nobody waits for a
// worker that has nothing to do, the reader publishes its time with every round of blocks and before it waits: a worker
// whose ring is empty takes that time as its own. One reader thread; one thread a worker.
//
// One worker needs no thread and no ring: it works in the reader's, on packets whose headers the reader has just
// fetched into that processor's cache.
#pragma once

#include "core/packet/distribution.h"
#include "core/packet/packet_view.h"
#include "daemon/offline/mapped_file.h"
#include "daemon/offline/test_delays.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace ftpsensor {

class Distributor {
public:
    explicit Distributor(std::size_t workers);
    // One worker, which `work` is, called by put() and end(). take() and done() are nobody's then.
    explicit Distributor(std::function<void(std::span<const PacketView>)> work);

    // Reader: a packet to its worker. What its bytes lie in is owned until the worker has done with them; without
    // `memory` they are copied.
    void put(const PacketView& packet, const std::shared_ptr<const MappedFile>& memory = nullptr);
    void end(); // reader: no more packets

    struct Block {
        static constexpr std::size_t kPackets = 512;
        static constexpr std::size_t kBytes = 512u << 10; // more than the largest packet
        std::vector<PacketView> packets;
        std::unique_ptr<std::uint8_t[]> bytes = std::make_unique_for_overwrite<std::uint8_t[]>(kBytes);
        std::size_t used = 0;
        std::shared_ptr<const MappedFile> memory; // of the packets whose bytes are not in `bytes`
    };
    // Worker: waits for something to do, a millisecond at most. A block, which goes back by done(); or none and a time
    // that everything before has been given out, maybe the same as before; or none and end().
    struct Work {
        std::unique_ptr<Block> block;
        Timestamp time = INT64_MIN;
        bool ended = false;
    };
    Work take(std::size_t worker);
    void done(std::size_t worker, std::unique_ptr<Block> block);

private:
    static constexpr std::size_t kRingBlocks = 8;
    static constexpr std::uint64_t kPublishEvery = 4096; // packets

    struct Ring {
        std::mutex mutex;
        std::condition_variable filled;
        std::condition_variable emptied;
        std::deque<std::unique_ptr<Block>> blocks;
        std::vector<std::unique_ptr<Block>> spare;
        Timestamp taken_time = INT64_MIN; // the last published time that the worker was told
        std::unique_ptr<Block> filling;   // reader's own
    };
    static void empty(Block& block);
    void push(Ring& ring);
    void publish();

    // A fixed secret: the same capture gives the same logs.
    Distribution distribution_{0x9e3779b97f4a7c15};
    std::vector<std::unique_ptr<Ring>> rings_;
    std::atomic<Timestamp> time_{INT64_MIN};
    std::atomic<bool> ended_{false};
    Timestamp now_ = INT64_MIN; // of the last packet put
    std::uint64_t since_publish_ = 0;
    std::uint64_t publish_every_ = kPublishEvery;
    TestDelays delays_; // reader's own
    std::function<void(std::span<const PacketView>)> work_;
};

} // namespace ftpsensor
