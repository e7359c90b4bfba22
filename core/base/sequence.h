// Sequence numbers of TCP, which wrap (RFC 9293, 3.4).
#pragma once

#include <cstdint>

namespace ftpsensor {

// How far `to` lies ahead of `from`, less than half the numbers; behind: negative. Half of them away: the least value.
constexpr std::int32_t seq_distance(std::uint32_t to, std::uint32_t from) {
    return static_cast<std::int32_t>(to - from);
}

// Half the numbers away: neither is before the other.
constexpr bool seq_before(std::uint32_t a, std::uint32_t b) { return seq_distance(b, a) > 0; }

} // namespace ftpsensor
