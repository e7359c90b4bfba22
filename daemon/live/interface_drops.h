// What an interface lost before any socket saw it: in the card's own ring, or in the kernel's queue behind it.
//
// By rtnl_link_stats (netdevice statistics): rx_missed_errors and rx_fifo_errors, and rx_dropped, where virtio and the
// kernel's backlog count. Nothing else is counted there as long as a socket takes all packets of a promiscuous
// interface. Main thread.
#pragma once

#include <cstdint>

namespace ftpsensor {

// What a counter of 32 bits went on by: it may have wrapped, or begun anew (a driver's that was reset).
std::uint64_t counter_growth(std::uint32_t before, std::uint32_t now);

class InterfaceDrops {
public:
    // Counts from now on. `with_dropped`: rx_dropped, too; not of AF_XDP, where veth counts what XDP's ring refuses.
    InterfaceDrops(unsigned interface_index, bool with_dropped);
    std::uint64_t poll(); // packets so far; at least once in four thousand million of them

private:
    struct Counters {
        std::uint32_t missed = 0;
        std::uint32_t fifo = 0;
        std::uint32_t dropped = 0;
    };
    bool read(Counters& counters) const; // false: there is no such interface

    unsigned index_;
    bool with_dropped_;
    Counters last_;
    std::uint64_t total_ = 0;
};

} // namespace ftpsensor
