#include "daemon/offline/distributor.h"

#include <chrono>
#include <cstring>

namespace ftpsensor {

namespace {
constexpr auto kIdle = std::chrono::milliseconds(1);
} // namespace

Distributor::Distributor(std::size_t workers) : delays_(workers) {
    publish_every_ = delays_.piece(kPublishEvery);
    for (std::size_t i = 0; i < workers; ++i) {
        rings_.push_back(std::make_unique<Ring>());
        for (std::size_t b = 0; b < kRingBlocks; ++b) rings_.back()->spare.push_back(std::make_unique<Block>());
        rings_.back()->filling = std::make_unique<Block>();
    }
}

Distributor::Distributor(std::function<void(std::span<const PacketView>)> work) : delays_(0), work_(std::move(work)) {
    rings_.push_back(std::make_unique<Ring>());
    rings_.back()->filling = std::make_unique<Block>();
}

void Distributor::put(const PacketView& packet, const std::shared_ptr<const MappedFile>& memory) {
    const std::size_t worker = rings_.size() == 1 ? 0 : distribution_.hash(packet) % rings_.size();
    Ring& ring = *rings_[worker];
    const std::size_t copied = memory ? 0 : packet.captured;
    if (ring.filling->packets.size() == Block::kPackets || ring.filling->used + copied > Block::kBytes ||
        (ring.filling->memory && memory && ring.filling->memory != memory))
        push(ring);
    Block& block = *ring.filling;
    block.packets.push_back(packet);
    if (memory) {
        if (!block.memory) block.memory = memory;
    } else {
        PacketView& copy = block.packets.back();
        copy.data = block.bytes.get() + block.used;
        copy.captured = static_cast<std::uint32_t>(std::min<std::size_t>(packet.captured, Block::kBytes));
        std::memcpy(block.bytes.get() + block.used, packet.data, copy.captured);
        block.used += copy.captured;
    }
    now_ = packet.now;
    if (++since_publish_ >= publish_every_) publish();
}

void Distributor::empty(Block& block) {
    block.packets.clear();
    block.used = 0;
    block.memory.reset();
}

// Hands the block being filled to its worker; waits while the worker's ring is full.
void Distributor::push(Ring& ring) {
    if (ring.filling->packets.empty()) return;
    if (work_) {
        work_(ring.filling->packets);
        empty(*ring.filling);
        return;
    }
    std::unique_lock lock(ring.mutex);
    if (ring.spare.empty()) {
        // The others must not wait for us meanwhile: what they have to do, and the time, are theirs to see.
        lock.unlock();
        for (auto& other : rings_) {
            if (other.get() == &ring || other->filling->packets.empty()) continue;
            const std::unique_lock other_lock(other->mutex);
            if (other->spare.empty()) continue; // full, too: it has enough to do
            other->blocks.push_back(std::move(other->filling));
            other->filling = std::move(other->spare.back());
            other->spare.pop_back();
            other->filled.notify_one();
        }
        lock.lock();
        ring.emptied.wait(lock, [&] { return !ring.spare.empty(); });
    }
    ring.blocks.push_back(std::move(ring.filling));
    ring.filling = std::move(ring.spare.back());
    ring.spare.pop_back();
    ring.filled.notify_one();
}

void Distributor::publish() {
    since_publish_ = 0;
    delays_.pause();
    publish_every_ = delays_.piece(kPublishEvery);
    for (auto& ring : rings_) push(*ring);
    delays_.pause();
    time_.store(now_, std::memory_order_release);
    for (auto& ring : rings_) {
        const std::lock_guard lock(ring->mutex);
        ring->filled.notify_one();
    }
}

void Distributor::end() {
    publish();
    ended_.store(true, std::memory_order_release);
    for (auto& ring : rings_) {
        const std::lock_guard lock(ring->mutex);
        ring->filled.notify_one();
    }
}

Distributor::Work Distributor::take(std::size_t worker) {
    Ring& ring = *rings_[worker];
    std::unique_lock lock(ring.mutex);
    for (;;) {
        // The time first: what was given out before it was published is in the ring then.
        const bool ended = ended_.load(std::memory_order_acquire);
        const Timestamp time = time_.load(std::memory_order_acquire);
        if (!ring.blocks.empty()) {
            Work work{std::move(ring.blocks.front()), INT64_MIN, false};
            ring.blocks.pop_front();
            return work;
        }
        if (time != ring.taken_time) {
            ring.taken_time = time;
            return {nullptr, time, false};
        }
        if (ended) return {nullptr, time, true};
        // Other workers may wait for this one to read what they announced.
        if (ring.filled.wait_for(lock, kIdle) == std::cv_status::timeout) return {nullptr, time, false};
    }
}

void Distributor::done(std::size_t worker, std::unique_ptr<Block> block) {
    empty(*block);
    Ring& ring = *rings_[worker];
    const std::lock_guard lock(ring.mutex);
    ring.spare.push_back(std::move(block));
    ring.emptied.notify_one();
}

} // namespace ftpsensor
