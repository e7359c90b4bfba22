// What few connections have: a history longer than the inline one, and the tunnels they came through.
//
// A pool of blocks with a bound; a connection names its block by index. Worker's thread only.
#pragma once

#include "core/base/ids.h"
#include "core/base/table_memory.h"

#include <array>
#include <cstdint>

namespace ftpsensor {

struct ConnExtra {
    static constexpr std::size_t kParentsMax = 8;
    std::array<Id96, kParentsMax> parents{}; // uids of the tunnels, in order of appearance
    std::uint8_t parent_count = 0;
    std::uint8_t tunnel_changes = 0;
    std::uint64_t encapsulation = 0;      // hash of the tunnels it came through last
    std::array<char, 256> history_more{}; // beyond Connection::kHistoryInline
};

using ConnExtraPool = BlockPool<ConnExtra>;

} // namespace ftpsensor
