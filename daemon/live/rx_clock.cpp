#define ALLOW_EXPERIMENTAL_API // rte_eth_read_clock()
#include "daemon/live/rx_clock.h"

#include <algorithm>
#include <atomic>
#include <ctime>

#include <rte_ethdev.h>

namespace ftpsensor {
namespace {

constexpr Duration kAtOnce = 20 * kMicrosecond;       // clocks that were read within it agree
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

} // namespace

Timestamp host_clock() {
    const Timestamp real = read_clock(CLOCK_REALTIME);
    const Timestamp monotonic = read_clock(CLOCK_MONOTONIC);
    Duration known = g_ahead.load(std::memory_order_relaxed);
    while (real - monotonic > known &&
           !g_ahead.compare_exchange_weak(known, real - monotonic, std::memory_order_relaxed)) {
    }
    return monotonic + std::max(known, real - monotonic);
}

std::optional<Duration> host_clock_ahead() {
    const Timestamp before = read_clock(CLOCK_MONOTONIC);
    const Timestamp real = read_clock(CLOCK_REALTIME);
    if (read_clock(CLOCK_MONOTONIC) - before > kAtOnce) return std::nullopt;
    const Duration most = g_ahead.load(std::memory_order_relaxed);
    return most == INT64_MIN ? 0 : std::max<Duration>(most - (real - before), 0);
}

bool port_clock_readable(std::uint16_t port_id) {
    std::uint64_t ticks = 0;
    return rte_eth_read_clock(port_id, &ticks) == 0;
}

RxClock::RxClock(const StampSource& source, std::uint16_t port_id) : source_(source), port_id_(port_id) {
    if (source_.unit != StampUnit::ticks) return;
    synchronise();
    wait(kFirstMeasure);
    synchronise();
}

void RxClock::synchronise() {
    std::uint64_t ticks = 0;
    if (rte_eth_read_clock(port_id_, &ticks) != 0) return;
    const Timestamp time = host_clock();
    const auto passed = static_cast<std::int64_t>(ticks - base_ticks_);
    // A step of the host's clock is not the port's rate: the last good one stays.
    if (synced_at_ != 0 && passed > 0 && time > base_time_) {
        const double rate = static_cast<double>(time - base_time_) / static_cast<double>(passed);
        const bool first = ns_per_tick_ == 1.0;
        if (first || (rate > ns_per_tick_ * 0.999 && rate < ns_per_tick_ * 1.001)) ns_per_tick_ = rate;
    }
    base_ticks_ = ticks;
    base_time_ = time;
    synced_at_ = time;
}

} // namespace ftpsensor
