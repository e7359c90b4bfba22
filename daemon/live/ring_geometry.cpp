#include "daemon/live/ring_geometry.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

namespace ftpsensor {
namespace {

constexpr std::uint32_t align_up(std::uint32_t value, std::uint32_t step) { return (value + step - 1) / step * step; }

// Where the kernel's tpacket_rcv() puts an Ethernet frame in its slot: the network header is aligned behind the slot's
// own header and at least 16 bytes, the link header stands before it.
constexpr std::uint32_t kFrameOffset =
    align_up(static_cast<std::uint32_t>(TPACKET2_HDRLEN) + 16, TPACKET_ALIGNMENT) - ETH_HLEN;

constexpr std::uint32_t kSlotStep = 512;            // slots in steps of it share blocks with few bytes left over
constexpr std::uint32_t kSlotMax = 127 * kSlotStep; // an mbuf's data room is 16 bits wide
constexpr std::uint32_t kBlockMax = 1u << 20;       // larger ones rarely come as contiguous memory
constexpr std::uint64_t kRingMax = (1ull << 31) - 1;

} // namespace

std::string RingGeometry::device_arguments() const {
    return fmt::format("blocksz={},framesz={},framecnt={}", block_bytes, frame_bytes, frames);
}

RingGeometry ring_geometry(std::uint64_t ring_bytes, std::uint32_t snaplen, std::uint32_t page_bytes) {
    RingGeometry ring;
    ring.frame_bytes = std::min(align_up(snaplen + kFrameOffset, kSlotStep), kSlotMax);
    const std::uint32_t smallest_block = std::lcm(ring.frame_bytes, page_bytes);
    const std::uint64_t wanted = std::min(ring_bytes, kRingMax);
    const auto block_limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(kBlockMax, wanted));
    ring.block_bytes = std::max(block_limit / smallest_block, 1u) * smallest_block;
    const auto blocks = static_cast<std::uint32_t>(std::max<std::uint64_t>(wanted / ring.block_bytes, 1));
    ring.frames = blocks * (ring.block_bytes / ring.frame_bytes);
    ring.cut_at = ring.frame_bytes - kFrameOffset;
    ring.data_room = ring.frame_bytes -
                     (static_cast<std::uint32_t>(TPACKET2_HDRLEN) - static_cast<std::uint32_t>(sizeof(sockaddr_ll)));
    return ring;
}

} // namespace ftpsensor
