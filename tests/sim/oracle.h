// What the logs of a world have to say, held against the truth.
//
// Never: an entry that names a connection of another command, or a connection that names another session. Always, where
// the capture let it be known: the right one, its bytes as of the entry, whether it was whole. Where something was lost
// on the way to the sensor what is said may be less, never wrong. One thread.
#pragma once

#include "tests/sim/world.h"

#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor::test {

struct OracleCounts {
    std::uint64_t entries = 0;  // of commands that moved a file
    std::uint64_t matches = 0;  // that had to be there, and were
    std::uint64_t complete = 0; // said to be whole, and were
};

// `may_miss`: records came late, so that what is said may be less, and a connection to an endpoint that was
// announced several times may be given to another one of these. Returns what is wrong, a line each.
std::vector<std::string> check_extended(const World& world, std::string_view logs, bool may_miss, OracleCounts& counts);
std::vector<std::string> check_strict(const World& world, std::string_view logs);

} // namespace ftpsensor::test
