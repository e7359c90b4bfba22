// Packet time.
//
// One type for every time in the project: nanoseconds since the Unix epoch, as the capture or the port stamped them.
// Nothing in core/ reads a clock; times come in with the packets. Any thread.
#pragma once

#include <cstdint>

namespace ftpsensor {

using Timestamp = std::int64_t; // nanoseconds since the epoch, UTC
using Duration = std::int64_t;  // nanoseconds

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Duration kMinute = 60 * kSecond;
inline constexpr Duration kHour = 60 * kMinute;

// The time as the reference holds it: a double of seconds with the microseconds added, not a rounded quotient of the
// nanoseconds. Differences of such doubles carry the same last digits as Zeek's `duration`.
constexpr double zeek_seconds(Timestamp t) {
    const Timestamp seconds = t / kSecond;
    const Timestamp micros = t % kSecond / kMicrosecond;
    return static_cast<double>(seconds) + static_cast<double>(micros) / 1e6;
}

} // namespace ftpsensor
