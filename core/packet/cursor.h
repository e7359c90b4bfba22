// What is left of a packet while its headers are taken off, and unaligned loads in network byte order.
//
// Internal to core/packet. Plain values that point into the packet; any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace ftpsensor {

static_assert(std::endian::native == std::endian::little, "loads below swap bytes");

inline std::uint16_t load_be16(const std::uint8_t* at) {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}

inline std::uint32_t load_be32(const std::uint8_t* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

inline std::uint64_t load_native64(const std::uint8_t* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

struct Cursor {
    const std::uint8_t* data = nullptr;
    std::uint32_t captured = 0; // bytes at `data`
    std::uint32_t missing = 0;  // bytes of the frame that follow on the wire but are not here

    std::uint64_t on_wire() const { return std::uint64_t{captured} + missing; }

    // `n` <= captured.
    void skip(std::uint32_t n) {
        data += n;
        captured -= n;
    }

    // A header says that only `n` bytes follow; the frame stays as long as it was.
    void keep(std::uint32_t n) {
        if (captured <= n) return;
        missing += captured - n;
        captured = n;
    }
};

} // namespace ftpsensor
