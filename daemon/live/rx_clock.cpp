#define ALLOW_EXPERIMENTAL_API // rte_eth_read_clock()
#include "daemon/live/rx_clock.h"

#include <algorithm>
#include <atomic>
#include <ctime>

#include <rte_ethdev.h>

namespace ftpsensor {
namespace {

constexpr Duration kAtOnce = 20 * kMicrosecond;       // clocks that were read within it agree
constexpr int kTries = 5;                             // then the best of them has to do
constexpr Duration kFirstMeasure = 50 * kMillisecond; // long enough for a rate to a few parts in a million

void wait(Duration duration) {
    const timespec length{.tv_sec = 0, .tv_nsec = duration};
    nanosleep(&length, nullptr);
}

Timestamp read_clock(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<Timestamp>(now.tv_sec) * kSecond + now.tv_nsec;
}

// How far CLOCK_REALTIME has ever been ahead of CLOCK_MONOTONIC: a clock that is set back does not take time with it.
std::atomic<Duration> g_ahead{INT64_MIN};

// The port's clock and the host's as of one moment: a thread that was interrupted between them reads again. Empty: the
// port has none.
std::optional<TicksTime> read_both(std::uint16_t port_id) {
    TicksTime best;
    Duration shortest = INT64_MAX;
    for (int i = 0; i < kTries && shortest > kAtOnce; ++i) {
        std::uint64_t ticks = 0;
        const Timestamp before = host_clock();
        if (rte_eth_read_clock(port_id, &ticks) != 0) return std::nullopt;
        const Duration took = host_clock() - before;
        if (took >= shortest) continue;
        shortest = took;
        best = {ticks, before + took / 2};
    }
    return best;
}

std::optional<double> rate_between(const TicksTime& first, const TicksTime& later) {
    const auto passed = static_cast<std::int64_t>(later.ticks - first.ticks); // the clock may wrap
    if (passed <= 0 || later.time <= first.time) return std::nullopt;
    return static_cast<double>(later.time - first.time) / static_cast<double>(passed);
}

} // namespace

Timestamp monotonic_clock() { return read_clock(CLOCK_MONOTONIC); }
Timestamp kernel_clock() { return read_clock(CLOCK_REALTIME); }

Timestamp host_clock() {
    const Timestamp real = kernel_clock();
    const Timestamp monotonic = read_clock(CLOCK_MONOTONIC);
    Duration known = g_ahead.load(std::memory_order_relaxed);
    while (real - monotonic > known &&
           !g_ahead.compare_exchange_weak(known, real - monotonic, std::memory_order_relaxed)) {
    }
    return monotonic + std::max(known, real - monotonic);
}

std::optional<Duration> host_clock_ahead() {
    const Timestamp before = read_clock(CLOCK_MONOTONIC);
    const Timestamp real = kernel_clock();
    if (read_clock(CLOCK_MONOTONIC) - before > kAtOnce) return std::nullopt;
    const Duration most = g_ahead.load(std::memory_order_relaxed);
    return most == INT64_MIN ? 0 : std::max<Duration>(most - (real - before), 0);
}

bool PortClock::is_readable(std::uint16_t port_id) {
    std::uint64_t ticks = 0;
    return rte_eth_read_clock(port_id, &ticks) == 0;
}

bool PortClock::begin(std::uint16_t port_id) {
    const auto reading = read_both(port_id);
    if (reading) first_ = *reading;
    return reading.has_value();
}

TicksTime PortClock::end(std::uint16_t port_id) {
    if (const Duration left = first_.time + kFirstMeasure - host_clock(); left > 0) wait(left);
    TicksTime now = read_both(port_id).value_or(first_);
    if (const auto rate = rate_between(first_, now)) now.ns_per_tick = *rate;
    return now;
}

void RxClock::synchronise(Timestamp host_time) {
    asked_at_ = host_time;
    auto now = read_both(port_id_);
    if (!now) return;
    TicksTime& base = source_.base;
    // A step of the host's clock is not the port's rate: the last good one stays.
    const auto rate = rate_between(base, *now);
    const bool good = rate && *rate > base.ns_per_tick * 0.999 && *rate < base.ns_per_tick * 1.001;
    now->ns_per_tick = good ? *rate : base.ns_per_tick;
    base = *now;
}

} // namespace ftpsensor
