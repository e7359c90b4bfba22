// RxClock on a port's clock that is played: it counts the host's nanoseconds, from another day on and at its own rate.
#define ALLOW_EXPERIMENTAL_API // rte_eth_read_clock()
#include "daemon/live/rx_clock.h"
#include "tests/support/catch.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include <rte_ethdev.h>

using namespace ftpsensor;

namespace {

constexpr std::uint64_t kTicksFrom = 77'000'000'000;
constexpr std::uint64_t kTicksPerNs = 3;
constexpr Duration kInterruption = 40 * kMillisecond;
constexpr Duration kBusyMachine = 10 * kMillisecond; // more than that is an interruption that was not noticed

struct PlayedClock {
    bool there = true;
    int readings = 0;
    int interrupted = 0; // so many of the next readings: the thread loses its processor between the two clocks
} played;

std::uint64_t ticks_of(Timestamp time) { return kTicksFrom + static_cast<std::uint64_t>(time) * kTicksPerNs; }

void sleep_for(Duration duration) { std::this_thread::sleep_for(std::chrono::nanoseconds(duration)); }

StampSource source_with(const TicksTime& base) {
    return {StampUnit::ticks, static_cast<int>(offsetof(rte_mbuf, dynfield1)), 1, base};
}

TicksTime measured() {
    PortClock clock;
    REQUIRE(clock.begin(0));
    return clock.end(0);
}

bool about_right(double ns_per_tick) { return std::abs(ns_per_tick * kTicksPerNs - 1) < 0.05; }

// By how much the clock's time of a packet that is stamped now is beside the host's.
Duration error_of(const RxClock& clock) {
    const Timestamp now = host_clock();
    rte_mbuf mbuf{};
    mbuf.ol_flags = 1;
    *RTE_MBUF_DYNFIELD(&mbuf, offsetof(rte_mbuf, dynfield1), rte_mbuf_timestamp_t*) = ticks_of(now);
    return std::abs(clock.time_of(mbuf, 0) - now);
}

} // namespace

extern "C" int rte_eth_read_clock(std::uint16_t, std::uint64_t* clock) {
    ++played.readings;
    if (!played.there) return -ENOTSUP;
    *clock = ticks_of(host_clock());
    if (played.interrupted == 0) return 0;
    --played.interrupted;
    sleep_for(kInterruption);
    return 0;
}

TEST_CASE("a port's clock is measured once; to make the clocks of its workers takes no time and no reading") {
    played = {};
    const StampSource source = source_with(measured());
    played.readings = 0;
    for (int worker = 0; worker < 8; ++worker) {
        RxClock clock(source, 0);
        clock.follow(source.base.time + kSecond - 1);
        CHECK(error_of(clock) < kBusyMachine);
    }
    CHECK(played.readings == 0);
}

TEST_CASE("several ports are measured at the same time") {
    played = {};
    std::array<PortClock, 8> clocks;
    for (auto& clock : clocks) REQUIRE(clock.begin(0));
    sleep_for(60 * kMillisecond);
    const Timestamp began = host_clock();
    for (auto& clock : clocks) CHECK(about_right(clock.end(0).ns_per_tick));
    CHECK(host_clock() - began < 50 * kMillisecond); // one after the other would take 400
}

TEST_CASE("a reading that was interrupted is read again") {
    played = {.interrupted = 2};
    SECTION("when the rate is measured") {
        const TicksTime base = measured();
        CHECK(about_right(base.ns_per_tick));
        CHECK(error_of(RxClock(source_with(base), 0)) < kBusyMachine);
    }
    SECTION("when a worker follows") {
        RxClock clock(source_with({ticks_of(host_clock()), host_clock(), 1.0 / kTicksPerNs}), 0);
        clock.follow(host_clock() + kSecond);
        CHECK(error_of(clock) < kBusyMachine);
    }
    CHECK(played.interrupted == 0);
}

TEST_CASE("a clock whose every reading is interrupted is read a few times, no more") {
    played = {.interrupted = 100};
    RxClock clock(source_with({ticks_of(host_clock()), host_clock(), 1.0 / kTicksPerNs}), 0);
    clock.follow(host_clock() + kSecond);
    CHECK(played.readings == 5);
}

TEST_CASE(
    "a port whose clock can't be read has none; a worker whose reading fails goes on, and asks in a second again") {
    played = {.there = false};
    PortClock none;
    CHECK_FALSE(none.begin(0));
    const Timestamp now = host_clock();
    RxClock clock(source_with({ticks_of(now), now, 1.0 / kTicksPerNs}), 0);
    played.readings = 0;
    clock.follow(now + kSecond);
    clock.follow(now + kSecond + 1);
    CHECK(played.readings == 1);
    CHECK(error_of(clock) < kBusyMachine);
}
