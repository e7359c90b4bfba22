// Traffic for benchmarks: Ethernet frames of TCP connections over IPv4, in memory, in the order in which a port would
// hand them over.
//
// Frames lie one after the other at a fixed stride, as in a port's pool. A flow is a number; its endpoints follow from
// it. Writing frames is not what is measured: batches are written first and run after. One thread.
#pragma once

#include "core/base/table_memory.h"
#include "core/base/time.h"
#include "core/packet/packet_view.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace ftpsensor::bench {

class FrameBatch {
public:
    // Room for `frames` frames of at most `frame_bytes` each.
    FrameBatch(std::size_t frames, std::size_t frame_bytes);

    void clear() { size_ = 0; }
    bool full() const { return size_ == lengths_.size(); }
    std::size_t size() const { return size_; }

    struct Tcp {
        std::uint32_t flow = 0;
        std::uint16_t server_port = 443;
        bool from_client = true;
        std::uint32_t seq = 0;
        std::uint32_t ack = 0;
        std::uint8_t flags = 0x10;
        std::uint32_t payload = 0; // bytes of zeros, or as `text` has
        std::string_view text = {};
    };
    // At least 60 bytes long, as a port hands over a frame of 64 without its checksum.
    void add(const Tcp& segment);

    void view(std::size_t i, Timestamp time, PacketView& out) const {
        out.data = bytes_ + i * stride_;
        out.captured = lengths_[i];
        out.length = lengths_[i];
        out.time = time;
        out.now = time;
    }

private:
    std::size_t stride_;
    std::size_t size_ = 0;
    std::vector<std::uint16_t> lengths_;
    TableMemory memory_; // on huge pages, as a port's buffers
    std::uint8_t* bytes_;
};

// Numbers that look random and are the same each time (splitmix64).
class Sequence {
public:
    explicit Sequence(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>((next() >> 32) * limit >> 32); }

private:
    std::uint64_t state_;
};

} // namespace ftpsensor::bench
