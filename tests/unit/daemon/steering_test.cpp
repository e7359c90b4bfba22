// Packets between workers: to their owners, in order of time, none twice, none lost in silence. Packet buffers come
// from a small pool, so that one that is not freed shows.
#include "daemon/live/eal.h"
#include "daemon/live/steering.h"
#include "tests/support/catch.h"

#include <atomic>
#include <random>
#include <string>
#include <thread>

#include <rte_mbuf.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

constexpr std::uint16_t kBurst = 16;
constexpr unsigned kMbufs = 8191;

rte_mempool* pool() {
    static const EalPlan plan = [] {
        Config config;
        config.eal.memory = 64u << 20;
        config.eal.hugepages = ConfigHugepages::off;
        return plan_eal(config, {}, allowed_cpus(), getpid());
    }();
    static const Eal eal(plan);
    static rte_mempool* const made = rte_pktmbuf_pool_create("steering", kMbufs, 0, 0, 256, SOCKET_ID_ANY);
    REQUIRE(made != nullptr);
    return made;
}

SteeredPacket packet(Timestamp time, std::uint64_t length = 60) {
    SteeredPacket p{rte_pktmbuf_alloc(pool()), time, time, length};
    REQUIRE(p.mbuf != nullptr);
    return p;
}

// What a worker takes, by its times; the buffers are freed.
std::vector<Timestamp> take(Steering& worker, Timestamp host_time) {
    std::vector<Timestamp> times;
    worker.take(host_time, [&](const SteeredPacket& p) {
        times.push_back(p.time);
        rte_pktmbuf_free(p.mbuf);
    });
    return times;
}

struct Two {
    explicit Two(std::uint32_t packets = 256) : rings(2, packets) {}
    SteeringRings rings;
    Steering first{rings, 0, kBurst};
    Steering second{rings, 1, kBurst};
};

using Times = std::vector<Timestamp>;
constexpr Timestamp kNow = 1000 * kSecond;

} // namespace

TEST_CASE("a packet goes to the worker of its hash, and a worker's own come back to it") {
    pool();
    Two two;
    two.first.give(packet(kNow + 1), 0);
    two.first.give(packet(kNow + 2), 1);
    two.second.give(packet(kNow + 3), 1);
    two.first.give_out(kNow + 10);
    two.second.give_out(kNow + 10);
    CHECK(take(two.first, kNow) == Times{kNow + 1});
    CHECK(take(two.second, kNow) == Times{kNow + 2, kNow + 3});
    CHECK(two.rings.steered(0, 1) == 1);
    CHECK(two.rings.steered(0, 0) == 0); // it was its own
    CHECK(two.rings.steered(1, 0) == 0);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}

TEST_CASE("what one worker received waits until the others have told how far they are") {
    Two two;
    two.first.give(packet(kNow + 5), 0); // a SYN-ACK
    two.first.give_out(kNow + 8);
    CHECK(take(two.first, kNow).empty()); // the second worker has said nothing yet
    two.second.give(packet(kNow + 3), 0); // its SYN
    two.second.give_out(kNow + 4);
    CHECK(take(two.first, kNow) == Times{kNow + 3});
    CHECK(two.first.taken_through() == kNow + 4); // and so far its time may go on
    two.second.give_out(kNow + 6);
    CHECK(take(two.first, kNow) == Times{kNow + 5});
    CHECK(two.first.late() == 0);
}

TEST_CASE(
    "a worker that says nothing is waited for no longer than the hold; what it brings then is late, and counted") {
    Two two;
    two.first.give(packet(kNow), 0);
    two.first.give_out(kNow);
    CHECK(take(two.first, kNow + Steering::kHoldMost - 1).empty());
    CHECK(take(two.first, kNow + Steering::kHoldMost) == Times{kNow});
    two.second.give(packet(kNow - 1), 0);
    two.second.give_out(kNow);
    CHECK(take(two.first, kNow + Steering::kHoldMost) == Times{kNow - 1});
    CHECK(two.first.late() == 1);
}

TEST_CASE("a ring that is half full waits for no worker that says nothing; what that one brings then is late") {
    constexpr int kRing = 64, kRounds = 100;
    Two two(kRing);
    std::size_t taken = 0;
    Timestamp time = kNow;
    for (int round = 0; round < kRounds; ++round) { // all of it long before the hold is over
        for (int i = 0; i < kBurst; ++i) two.first.give(packet(++time), 0);
        two.first.give_out(time);
        for (const Timestamp t : take(two.first, time)) CHECK(t == kNow + static_cast<Timestamp>(++taken));
    }
    CHECK(two.rings.dropped(0, 0) == 0);
    CHECK(taken >= kRounds * kBurst - kRing);
    CHECK(taken < kRounds * kBurst); // what is within half of a ring goes on waiting
    CHECK(two.first.taken_through() < time);
    CHECK(two.first.late() == 0);
    two.second.give(packet(kNow), 0);
    two.second.give_out(time);
    CHECK(take(two.first, time).size() == kRounds * kBurst - taken + 1);
    CHECK(two.first.late() == 1);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}

TEST_CASE("a crowded ring is taken as far as its own receiver has told") {
    constexpr int kRing = 64;
    Two two(kRing);
    for (int i = 1; i <= kRing; ++i) two.first.give(packet(kNow + i), 1);
    two.first.give_out(kNow + 40);               // a packet of before the rest may yet come
    CHECK(take(two.second, kNow + 100).empty()); // is in a batch only now
    CHECK(take(two.second, kNow + 100).size() == 40);
    CHECK(two.second.taken_through() == kNow + 40);
    two.first.end();
    two.second.end();
    CHECK(take(two.second, kNow + 100).size() == kRing - 40);
}

TEST_CASE("a full ring drops, counts, and gives the buffers back") {
    Two two(64);
    for (int i = 0; i < 100; ++i) two.first.give(packet(kNow + i), 1);
    two.first.give_out(kNow + 100);
    CHECK(two.rings.steered(0, 1) == 64);
    CHECK(two.rings.dropped(0, 1) == 36);
    CHECK(two.rings.waiting(0, 1) == 64);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs - 64);
    two.second.give_out(kNow + 100);
    CHECK(take(two.second, kNow).size() == 64);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}

TEST_CASE("what is left at the end is freed, wherever it waits") {
    {
        Two two;
        for (int i = 0; i < 3 * kBurst; ++i) two.first.give(packet(kNow + i), 1);
        two.first.give_out(kNow + 3 * kBurst); // in the ring
        two.first.give(packet(kNow + 100), 1); // not yet
        two.second.give_out(kNow + 1);
        CHECK(take(two.second, kNow).size() == 2); // others wait in a batch
    }
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}

TEST_CASE("what comes when its owner has ended is counted as lost") {
    Two two;
    two.second.end();
    for (int i = 0; i < 20; ++i) two.first.give(packet(kNow + i), 1);
    two.first.end();
    CHECK(two.rings.waiting(0, 1) == 20);
    two.rings.close();
    CHECK(two.rings.waiting(0, 1) == 0);
    CHECK(two.rings.dropped(0, 1) == 20);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}

TEST_CASE("a worker that has ended holds nobody back, and the rest is taken") {
    Two two;
    for (int i = 0; i < 100; ++i) two.first.give(packet(kNow + i), 1);
    two.first.end();
    CHECK_FALSE(two.second.all_ended());
    two.second.end();
    CHECK(two.second.all_ended());
    std::size_t taken = 0;
    two.second.take_rest([&](const SteeredPacket& p) {
        ++taken;
        rte_pktmbuf_free(p.mbuf);
    });
    CHECK(taken == 100);
}

// Each worker receives packets of rising times and hands them to owners at random; each owner's come in order.
TEST_CASE("several threads at once: everything arrives once, in order of time") {
    constexpr std::uint32_t kWorkers = 4;
    constexpr std::uint64_t kPackets = 20'000;
    SteeringRings rings(kWorkers, 256);
    std::atomic<Timestamp> clock{kNow}; // a time for each packet of all
    std::atomic<std::uint64_t> given{0}, taken{0}, late{0};
    std::atomic<bool> in_order{true};
    rte_mempool* const mbufs = pool(); // whose assertions are not for threads
    const auto work = [&](std::uint32_t number) {
        Steering steering(rings, number, kBurst);
        std::mt19937 dice(number);
        Timestamp last = 0;
        const auto keep = [&](const SteeredPacket& p) {
            if (p.order < last) in_order = false;
            last = p.order;
            taken.fetch_add(1);
            rte_pktmbuf_free(p.mbuf);
        };
        for (std::uint64_t i = 0; i < kPackets;) {
            for (auto n = dice() % 40; n != 0 && i < kPackets; --n) {
                rte_mbuf* const mbuf = rte_pktmbuf_alloc(mbufs);
                if (mbuf == nullptr) break;
                const Timestamp time = clock.fetch_add(1);
                steering.give({mbuf, time, time, 60}, static_cast<std::uint32_t>(dice()));
                given.fetch_add(1);
                ++i;
            }
            steering.give_out(clock.load() - 1); // what this worker gets from now on is later
            // The hold plays no part. Who waits for the others lets them run: processors may be fewer.
            if (steering.take(kNow, keep) == 0) std::this_thread::yield();
        }
        steering.end();
        while (!steering.all_ended())
            if (steering.take(kNow, keep) == 0) std::this_thread::yield();
        steering.take_rest(keep);
        late.fetch_add(steering.late());
    };
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < kWorkers; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
    std::uint64_t dropped = 0;
    for (std::uint32_t from = 0; from < kWorkers; ++from)
        for (std::uint32_t to = 0; to < kWorkers; ++to) dropped += rings.dropped(from, to);
    CHECK(given == kWorkers * kPackets);
    CHECK(taken + dropped == given);
    CHECK(in_order);
    CHECK(late == 0);
    CHECK(rte_mempool_avail_count(pool()) == kMbufs);
}
