// A number of 48 bits: what a direction of a connection counts, in six bytes (256 TiB, or 10 Gbit/s for two and a half
// days). Larger values lose their high bits. Plain value; any thread.
#pragma once

#include <cstdint>
#include <cstring>

namespace ftpsensor {

class Uint48 {
public:
    Uint48(std::uint64_t value = 0) { // NOLINT: it is a number
        const auto low = static_cast<std::uint32_t>(value);
        const auto high = static_cast<std::uint16_t>(value >> 32);
        std::memcpy(bytes_, &low, sizeof low);
        std::memcpy(bytes_ + sizeof low, &high, sizeof high);
    }
    operator std::uint64_t() const { // NOLINT
        std::uint32_t low;
        std::uint16_t high;
        std::memcpy(&low, bytes_, sizeof low);
        std::memcpy(&high, bytes_ + sizeof low, sizeof high);
        return low | static_cast<std::uint64_t>(high) << 32;
    }
    Uint48& operator+=(std::uint64_t more) { return *this = Uint48(*this + more); }

private:
    alignas(2) unsigned char bytes_[6];
};
static_assert(sizeof(Uint48) == 6);

} // namespace ftpsensor
