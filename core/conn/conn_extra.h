// What few connections have: a history longer than the inline one, and the tunnels they came through.
//
// A pool of blocks with a bound; a connection names its block by index. Worker's thread only.
#pragma once

#include "core/base/ids.h"

#include <array>
#include <cstdint>
#include <vector>

namespace ftpsensor {

struct ConnExtra {
    static constexpr std::size_t kParentsMax = 8;
    std::array<Id96, kParentsMax> parents{}; // uids of the tunnels, in order of appearance
    std::uint8_t parent_count = 0;
    std::array<char, 256> history_more{}; // beyond Connection::kHistoryInline
};

class ConnExtraPool {
public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    explicit ConnExtraPool(std::uint32_t limit) : limit_(limit) {}

    std::uint32_t allocate() { // kNone: the bound is reached
        if (!free_.empty()) {
            const std::uint32_t index = free_.back();
            free_.pop_back();
            blocks_[index] = {};
            return index;
        }
        if (blocks_.size() >= limit_) return kNone;
        blocks_.emplace_back();
        return static_cast<std::uint32_t>(blocks_.size() - 1);
    }
    void release(std::uint32_t index) { free_.push_back(index); }
    ConnExtra& operator[](std::uint32_t index) { return blocks_[index]; }
    const ConnExtra& operator[](std::uint32_t index) const { return blocks_[index]; }

private:
    std::vector<ConnExtra> blocks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t limit_;
};

} // namespace ftpsensor
