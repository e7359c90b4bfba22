// The mixing step of our table hashes: a multiplication of 64 to 128 bits, both halves folded. Any thread.
#pragma once

#include <cstdint>

namespace ftpsensor {

__extension__ using Uint128 = unsigned __int128;

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    const Uint128 product = static_cast<Uint128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

} // namespace ftpsensor
