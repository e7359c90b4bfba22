#include "daemon/live/packet_ring.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <linux/if_packet.h>
#include <sys/mman.h>

namespace ftpsensor {
namespace {

PacketRing::Slot read_slot(const tpacket2_hdr& header) {
    return {Timestamp{header.tp_sec} * kSecond + header.tp_nsec, header.tp_len, header.tp_snaplen};
}

// The kernel writes the status last.
bool holds_packet(const tpacket2_hdr& header) {
    return (__atomic_load_n(&header.tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

} // namespace

RingMapping::RingMapping(int socket, const RingGeometry& ring) : size_(ring.locked_bytes()) {
    memory_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, socket, 0);
    if (memory_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mapping an AF_PACKET ring");
}

RingMapping::~RingMapping() { munmap(memory_, size_); }

PacketRing::PacketRing(const std::uint8_t* memory, const RingGeometry& ring, std::uint16_t look_max)
    : memory_(memory), frames_(ring.frames), frame_bytes_(ring.frame_bytes),
      slots_(std::min<std::uint32_t>(look_max, ring.frames)) {}

std::uint16_t PacketRing::look(std::uint16_t max) {
    const auto limit = std::min<std::size_t>(max, slots_.size());
    std::uint32_t at = next_;
    std::uint16_t found = 0;
    while (found < limit) {
        const auto* slot = static_cast<const tpacket2_hdr*>(header(at));
        if (!holds_packet(*slot)) break;
        slots_[found++] = read_slot(*slot);
        if (++at == frames_) at = 0;
    }
    return found;
}

void PacketRing::look_back(std::uint16_t packets) {
    std::uint32_t at = next_;
    for (std::uint16_t i = 0; i < packets; ++i) {
        slots_[i] = read_slot(*static_cast<const tpacket2_hdr*>(header(at)));
        if (++at == frames_) at = 0;
    }
}

std::uint32_t PacketRing::waiting_until(Timestamp time) const {
    std::uint32_t found = 0;
    for (std::uint32_t at = next_; found < frames_; ++found) {
        const auto& slot = *static_cast<const tpacket2_hdr*>(header(at));
        if (!holds_packet(slot) || read_slot(slot).time > time) break;
        if (++at == frames_) at = 0;
    }
    return found;
}

} // namespace ftpsensor
