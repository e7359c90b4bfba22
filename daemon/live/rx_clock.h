// When a packet arrived: the port's timestamp where there is one, else the host's clock, read once a burst.
//
// DPDK leaves the unit of a timestamp to the driver: net_af_packet (24.11) writes nanoseconds since the epoch, net_pcap
// microseconds, a network card the ticks of its own clock, which are put on the host's time by reading both clocks:
// once a port before its workers start, as it takes 50 ms to know the rate, then by each worker, each second, as they
// drift. An RxClock belongs to one worker, a PortClock to the main thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <optional>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

namespace ftpsensor {

enum class StampUnit : std::uint8_t {
    none,         // the host's clock
    nanoseconds,  // since the epoch
    microseconds, // since the epoch
    ticks,        // of the port's clock
};

struct TicksTime { // what a port's clock stood at, and when; its rate
    std::uint64_t ticks = 0;
    Timestamp time = 0; // the host's
    double ns_per_tick = 1.0;
};

struct StampSource { // of one port; plain, shared by its queues
    StampUnit unit = StampUnit::none;
    int field_offset = -1;        // of the timestamp in an mbuf
    std::uint64_t valid_flag = 0; // in ol_flags of an mbuf that has one
    TicksTime base;               // for `ticks`
};

Timestamp monotonic_clock(); // CLOCK_MONOTONIC: for how long something took. Any thread
Timestamp kernel_clock();    // CLOCK_REALTIME, by which the kernel stamps. Any thread
Timestamp host_clock();      // CLOCK_REALTIME, but that it never goes back. Any thread
// How far it is ahead of the kernel's clock since that was set back (at boot it often is); 0: it was not. Empty: this
// thread was interrupted meanwhile. Any thread.
std::optional<Duration> host_clock_ahead();

class RxClock {
public:
    RxClock(const StampSource& source, std::uint16_t port_id)
        : source_(source), port_id_(port_id), asked_at_(source.base.time) {}

    // At most once a second, from the worker's poll: follows the port's clock.
    void follow(Timestamp host_time) {
        if (source_.unit == StampUnit::ticks && host_time - asked_at_ >= kSecond) synchronise(host_time);
    }

    // `host_time`: the host's clock at this poll.
    Timestamp time_of(const rte_mbuf& mbuf, Timestamp host_time) const {
        if (source_.unit == StampUnit::none || (mbuf.ol_flags & source_.valid_flag) == 0) return host_time;
        const auto stamp = *RTE_MBUF_DYNFIELD(&mbuf, source_.field_offset, const rte_mbuf_timestamp_t*);
        if (source_.unit == StampUnit::nanoseconds) return static_cast<Timestamp>(stamp);
        if (source_.unit == StampUnit::microseconds) return static_cast<Timestamp>(stamp) * kMicrosecond;
        const TicksTime& base = source_.base;
        const auto ticks = static_cast<std::int64_t>(stamp - base.ticks); // the clock may wrap
        return base.time + static_cast<Timestamp>(static_cast<double>(ticks) * base.ns_per_tick);
    }

    bool stamps() const { return source_.unit != StampUnit::none; }
    // By CLOCK_REALTIME, which may have been set back, and not by host_clock().
    bool stamps_real_time() const {
        return source_.unit == StampUnit::nanoseconds || source_.unit == StampUnit::microseconds;
    }

private:
    void synchronise(Timestamp host_time);

    StampSource source_;
    std::uint16_t port_id_;
    Timestamp asked_at_;
};

// The rate of a port's clock, between begin() and end(), which waits for what is missing to 50 ms.
class PortClock {
public:
    static bool is_readable(std::uint16_t port_id);
    bool begin(std::uint16_t port_id); // false: it can't be read, which `ticks` needs
    TicksTime end(std::uint16_t port_id);

private:
    TicksTime first_;
};

} // namespace ftpsensor
