// AF_XDP: packets of a network interface taken by an XDP program before the kernel makes its own of them
// (Documentation/networking/af_xdp.rst, DPDK's net_af_xdp).
//
// Faster than AF_PACKET, and with its limits: a frame must fit a page, packets are stamped when they are fetched, the
// interface is of no other use meanwhile, and only queues that have a socket are seen: so there is one for each.
// Reads of the machine and pure functions; main thread.
#pragma once

#include "daemon/live/interface.h"
#include "daemon/live/note.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

// What lets a unit's process have such a port: "by systemctl edit UNIT: [Service] ...". The unit that the package
// installs keeps it from all three, until it is told.
std::string allow_af_xdp(const std::string& unit);

// Longest frame, bytes. The kernel's chunk is at most a page; DPDK has 320 bytes of it for its own headers, the kernel
// keeps XDP_PACKET_HEADROOM (256) free.
inline constexpr std::uint32_t kAfXdpFrameMax = 3456;
// Of a packet buffer, for its object in the pool (128 bytes of mbuf, a header of 64) to be such a chunk: 63 cache
// lines.
inline constexpr std::uint32_t kAfXdpDataRoom = 3840;
inline constexpr std::string_view kAfXdpDriver = "net_af_xdp"; // also where it was given as a vdev
inline constexpr std::uint16_t kAfXdpDescriptors = 2048;       // of a queue; the driver fills as many more in advance

struct AfXdpState {
    int error = 0;                       // of socket(AF_XDP): 0, EAFNOSUPPORT (not in this kernel), EPERM
    std::uint32_t queues = 1;            // that the interface receives on
    std::uint32_t served = 1;            // of these, what net_af_xdp can open: it counts "combined" channels, else one
    std::vector<std::uint8_t> rss_key{}; // of the card's Toeplitz hash; empty: not told
};

AfXdpState inspect_af_xdp(const std::string& name);

// Why it cannot work, or not see everything, with the remedy.
void check_af_xdp(const std::string& name, const InterfaceState& interface, const AfXdpState& state,
                  std::uint32_t workers, Notes& notes);

// "iface=eth1,start_queue=0,queue_count=2"
std::string af_xdp_arguments(const std::string& name, std::uint32_t queues);

} // namespace ftpsensor
