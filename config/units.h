// Sizes and durations as a person writes them: "64MiB", "5min".
//
// Whole numbers, then the unit at once or after one space. Plain functions; any thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ftpsensor {

// what(): what is wrong with a value, as the middle of a sentence: "'5 parsecs' has an unknown unit".
struct BadValue : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline constexpr std::string_view kSizeUnits = "KiB, MiB, GiB, TiB, KB, MB, GB, TB; bytes without one";
inline constexpr std::string_view kDurationUnits = "us, ms, s, min, h, d";

std::uint64_t parse_uint(std::string_view text);   // digits only; throws BadValue
std::uint64_t parse_size(std::string_view text);   // bytes; throws BadValue
Duration parse_duration(std::string_view text);    // throws BadValue
std::string format_size(std::uint64_t bytes);      // in the largest binary unit that is exact: "64MiB", "9KiB", "9217"
std::string format_duration(Duration nanoseconds); // likewise: "5min"; whole microseconds, not negative

} // namespace ftpsensor
