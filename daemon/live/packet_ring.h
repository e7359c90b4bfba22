// The kernel's AF_PACKET ring itself, read beside DPDK's driver: when each packet came, and how long it was on the
// wire.
//
// net_af_packet copies a packet out of its slot and forgets the slot's header. In DPDK 22.11 the kernel's timestamp is
// lost with it, and each worker would stamp its packets with the time it got round to them: after a wake-up of its own
// length, so that a data connection could seem to close after the reply that says so. Its true length is lost in 24.11
// too, and a frame that did not fit looks like a short one. So the ring is mapped a second time, read-only (packet(7),
// PACKET_RX_RING, TPACKET_V2): look() reads the headers of the next slots before the driver empties them, advance()
// follows the driver, which takes slots strictly in order. matches() tells if the two should ever fall out of step.
//
// A PacketRing belongs to the worker of its queue; before the workers start, to the main thread.
#pragma once

#include "core/base/time.h"
#include "daemon/live/ring_geometry.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ftpsensor {

class RingMapping { // of a socket's receive and transmit rings, which the kernel maps only together
public:
    RingMapping(int socket, const RingGeometry& ring); // throws std::system_error
    ~RingMapping();
    RingMapping(const RingMapping&) = delete;
    RingMapping& operator=(const RingMapping&) = delete;
    const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(memory_); }

private:
    void* memory_;
    std::size_t size_;
};

class PacketRing {
public:
    struct Slot {
        Timestamp time = 0;         // the kernel's, nanoseconds since the epoch
        std::uint32_t length = 0;   // on the wire, without a tag that the kernel took off
        std::uint32_t captured = 0; // in the slot; less than `length`: cut
    };

    // `memory`: the ring, valid as long as this. `look_max`: most slots of one look().
    PacketRing(const std::uint8_t* memory, const RingGeometry& ring, std::uint16_t look_max);

    // Reads the headers of the next slots that hold packets, at most `max` of them; returns how many.
    std::uint16_t look(std::uint16_t max);
    // The headers of `packets` slots that the driver emptied just now, at most look_max: they stay until the kernel
    // comes round, which it cannot have where the last look() found nothing.
    void look_back(std::uint16_t packets);
    const Slot& slot(std::uint16_t i) const { return slots_[i]; } // of the last of the two
    // Whether the i-th packet that the driver then delivered can be that of slot i; a tag put back makes it longer.
    bool matches(std::uint16_t i, std::uint32_t packet_length) const {
        return packet_length == slots_[i].captured || packet_length == slots_[i].captured + kTagBytes;
    }
    // How many packets lie in the ring that came until `time`: its next slots. Reads up to all of their headers.
    std::uint32_t waiting_until(Timestamp time) const;
    void advance(std::uint32_t packets) { next_ = (next_ + packets) % frames_; } // the driver delivered so many

private:
    static constexpr std::uint32_t kTagBytes = 4;

    const void* header(std::uint32_t at) const { return memory_ + std::size_t{at} * frame_bytes_; }

    const std::uint8_t* memory_;
    std::uint32_t frames_;
    std::uint32_t frame_bytes_;
    std::uint32_t next_ = 0; // slot
    std::vector<Slot> slots_;
};

} // namespace ftpsensor
