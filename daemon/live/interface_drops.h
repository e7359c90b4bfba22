// What an interface lost before any socket saw it, by rtnl_link_stats.
//
// rx_missed_errors and rx_fifo_errors are the card's: its ring was full. rx_dropped is of two kinds that cannot be told
// apart: what virtio or the kernel's queue had no room for, and what nobody but a packet socket took (frames with two
// VLAN tags, or with PPPoE or MPLS in one), which was received all the same: unclaimed. Main thread.
#pragma once

#include <cstdint>

namespace ftpsensor {

// What a counter of 32 bits went on by: it may have wrapped, or begun anew (a driver's that was reset).
std::uint64_t counter_growth(std::uint32_t before, std::uint32_t now);

struct InterfaceCounters { // of 32 bits each
    std::uint32_t missed = 0;
    std::uint32_t fifo = 0;
    std::uint32_t dropped = 0;
};

class InterfaceDrops {
public:
    explicit InterfaceDrops(unsigned interface_index); // counts from now on
    void poll();                                       // at least once in four thousand million packets
    void add(const InterfaceCounters& now);            // what poll() reads
    std::uint64_t lost() const { return lost_; }       // packets
    std::uint64_t unclaimed() const { return unclaimed_; }

private:
    unsigned index_;
    InterfaceCounters last_;
    std::uint64_t lost_ = 0;
    std::uint64_t unclaimed_ = 0;
};

} // namespace ftpsensor
