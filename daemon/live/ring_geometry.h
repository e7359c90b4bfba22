// The geometry of an AF_PACKET ring (PACKET_RX_RING, TPACKET_V2) as the kernel and DPDK's net_af_packet both take it.
//
// The kernel wants blocks of whole pages and frames that are multiples of 16 bytes and do not cross blocks; the driver
// (22.11 and 24.11) computes a frame's address as index * framesz, so that a block must be filled by frames without a
// rest; and it maps receive and transmit rings of the same size at once, in 32-bit arithmetic: below 2 GiB each. A
// frame that does not fit its slot is cut by the kernel, and the driver does not tell: hence slots for the longest
// frame that comes (longest_frame() of interface.h), and `cut_at`, by which the receive loop recognises such a frame
// and counts it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace ftpsensor {

struct RingGeometry {
    std::uint32_t block_bytes = 0;
    std::uint32_t frame_bytes = 0; // a slot, the kernel's header included
    std::uint32_t frames = 0;      // slots of one queue's ring
    std::uint32_t cut_at = 0;      // longest Ethernet frame that a slot holds, as captured
    std::uint32_t data_room = 0;   // what the driver demands of an mbuf, headroom not included

    std::uint64_t ring_bytes() const { return std::uint64_t{frames} * frame_bytes; }
    // Memory the kernel locks for one queue: the driver maps a transmit ring as large as the other.
    std::uint64_t locked_bytes() const { return 2 * ring_bytes(); }
    std::string device_arguments() const; // "blocksz=…,framesz=…,framecnt=…"
};

// `ring_bytes`: wished for one queue; at least one block is made, at most just below 2 GiB. `snaplen`: longest frame;
// more than 64,958 bytes do not fit an mbuf and are cut there.
RingGeometry ring_geometry(std::uint64_t ring_bytes, std::uint32_t snaplen, std::uint32_t page_bytes);

} // namespace ftpsensor
