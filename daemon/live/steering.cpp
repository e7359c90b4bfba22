#include "daemon/live/steering.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

// The language's own acquire and release in the ring's inline functions: the same instructions on x86, and a race
// detector understands them.
#ifndef RTE_USE_C11_MEM_MODEL
#define RTE_USE_C11_MEM_MODEL
#endif

#include <fmt/format.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace ftpsensor {
namespace {

constexpr unsigned kElement = sizeof(SteeredPacket);
static_assert(kElement % 4 == 0); // what rings take

// One writer: no read-modify-write on the bus.
void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

void free_packets(const SteeredPacket* packets, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) rte_pktmbuf_free(packets[i].mbuf);
}

// In memory of our own: EAL's zones are few, and there is a ring for each pair of workers. Pages are touched when used.
rte_ring* make_ring(std::uint32_t from, std::uint32_t to, std::uint32_t packets) {
    const unsigned slots = rte_align32pow2(packets + 1);
    // What rte_ring_get_memsize_elem() gives, which DPDK 24.11 does not declare for C++ to link with.
    const std::size_t bytes =
        RTE_ALIGN_CEIL(sizeof(rte_ring) + std::size_t{slots} * kElement, std::size_t{RTE_CACHE_LINE_SIZE});
    void* memory = std::aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    auto* ring = static_cast<rte_ring*>(memory);
    const std::string name = fmt::format("steer_{}_{}", from, to);
    if (rte_ring_init(ring, name.c_str(), packets, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ) != 0) {
        std::free(memory);
        throw std::bad_alloc();
    }
    return ring;
}

} // namespace

void SteeringRings::FreeMemory::operator()(rte_ring* ring) const { std::free(ring); }

SteeringRings::SteeringRings(std::uint32_t workers, std::uint32_t packets)
    : workers_(workers), ways_(std::size_t{workers} * workers), through_(workers) {
    for (std::uint32_t from = 0; from < workers; ++from)
        for (std::uint32_t to = 0; to < workers; ++to) way(from, to).ring.reset(make_ring(from, to, packets));
}

SteeringRings::~SteeringRings() { close(); }

void SteeringRings::close() {
    std::array<SteeredPacket, 64> left;
    for (Way& way : ways_) {
        while (const unsigned n =
                   rte_ring_sc_dequeue_burst_elem(way.ring.get(), left.data(), kElement, left.size(), nullptr)) {
            free_packets(left.data(), n);
            add_to(way.dropped, n);
        }
    }
}

std::uint32_t SteeringRings::waiting(std::uint32_t from, std::uint32_t to) const {
    return rte_ring_count(way(from, to).ring.get());
}

Steering::Steering(SteeringRings& rings, std::uint32_t worker, std::uint16_t burst)
    : rings_(rings), worker_(worker), burst_(burst), outgoing_(rings.workers()), incoming_(rings.workers()),
      merge_(rings.workers(), burst) {
    for (auto& packets : outgoing_) packets.reserve(burst);
    for (auto& packets : incoming_) packets.resize(burst);
}

Steering::~Steering() {
    for (const auto& packets : outgoing_) free_packets(packets.data(), packets.size());
    for (std::size_t source = 0; source < incoming_.size(); ++source) {
        const auto& batch = merge_.batch(source);
        if (batch.waits())
            free_packets(incoming_[source].data() + batch.next, static_cast<std::size_t>(batch.count - batch.next));
    }
}

void Steering::give(const SteeredPacket& packet, std::uint32_t hash) {
    const std::uint32_t to = hash % rings_.workers();
    outgoing_[to].push_back(packet);
    if (outgoing_[to].size() == burst_) send(to);
}

void Steering::send(std::uint32_t to) {
    auto& packets = outgoing_[to];
    auto& way = rings_.way(worker_, to);
    const auto count = static_cast<unsigned>(packets.size());
    const unsigned sent = rte_ring_sp_enqueue_burst_elem(way.ring.get(), packets.data(), kElement, count, nullptr);
    if (to != worker_) add_to(way.steered, sent);
    if (sent < count) {
        add_to(way.dropped, count - sent);
        free_packets(packets.data() + sent, count - sent);
    }
    packets.clear();
}

void Steering::give_out(Timestamp through) {
    for (std::uint32_t to = 0; to < rings_.workers(); ++to)
        if (!outgoing_[to].empty()) send(to);
    auto& told = rings_.through_[worker_].time;
    if (through > told.load(std::memory_order_relaxed)) told.store(through, std::memory_order_release);
}

bool Steering::all_ended() const { return known_through() == kEnd; }

Timestamp Steering::known_through() const {
    Timestamp known = kEnd;
    for (const auto& through : rings_.through_) known = std::min(known, through.time.load(std::memory_order_acquire));
    return known;
}

// A ring that is filled faster than the slowest worker tells how far it is would be full before kHoldMost is over:
// 4,096 packets are 4 ms of a million a second. What its own receiver has told of it is enough then.
Timestamp Steering::crowded_through() const {
    Timestamp through = INT64_MIN;
    if (merge_.waiting() == 0) return through; // nothing was held back
    for (std::uint32_t from = 0; from < rings_.workers(); ++from) {
        const rte_ring* const ring = rings_.way(from, worker_).ring.get();
        if (rte_ring_count(ring) >= rte_ring_get_capacity(ring) / 2)
            through = std::max(through, rings_.through_[from].time.load(std::memory_order_acquire));
    }
    return through;
}

bool Steering::refill() {
    bool more = false;
    for (std::size_t source = 0; source < incoming_.size(); ++source) {
        if (!merge_.wants_batch(source)) { // what it held back may go now, and then there may be more
            more = true;
            continue;
        }
        auto& packets = incoming_[source];
        rte_ring* const ring = rings_.way(static_cast<std::uint32_t>(source), worker_).ring.get();
        const unsigned count = rte_ring_sc_dequeue_burst_elem(ring, packets.data(), kElement, burst_, nullptr);
        merge_.begin(source, static_cast<std::uint16_t>(count), count == burst_);
        for (unsigned i = 0; i < count; ++i) merge_.set_time(source, static_cast<std::uint16_t>(i), packets[i].order);
        more = more || count == burst_;
    }
    return more;
}

const SteeredPacket& Steering::next_of(std::size_t source) {
    auto& batch = merge_.batch(source);
    const SteeredPacket& packet = incoming_[source][batch.next++];
    if (packet.order < taken_through_) add_to(late_, 1);
    return packet;
}

} // namespace ftpsensor
