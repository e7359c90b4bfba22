// What the originators of connections on any port have said so far, while nobody has answered.
//
// Nearly every connection comes through here, and is over with it as soon as the responder's first bytes are no
// greeting of FTP. So it is small: the bytes in their order, in chains of short blocks, and nothing else. What is out
// of order or comes again, and what the responder does not refuse at once, belongs to a ControlStream and the detector
// instead (control_sessions.h). Bounded by `blocks_max`; at the bound a connection that has been here for long makes
// room (a clock: who came since the hand passed stays). Worker's thread only.
#pragma once

#include "core/base/table_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

namespace ftpsensor {

class OpeningWords {
public:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint32_t kBytesMax = 4096; // of a chain; its owner sees to it

    // Room for at least the longest chain.
    explicit OpeningWords(std::uint32_t blocks_max) : blocks_(std::max(blocks_max, blocks_of(kBytesMax))) {}

    // A chain of its own for `connection`, whose `side` speaks; there is room for it.
    std::uint32_t open(std::uint32_t connection, unsigned side) {
        const std::uint32_t at = allocate(connection);
        blocks_[at].side = static_cast<std::uint8_t>(side);
        ++count_;
        return at;
    }
    // For `data` more bytes in a chain of `size`, none yet at 0.
    bool has_room(std::uint32_t size, std::uint32_t data) const {
        return blocks_of(size + data) - blocks_of(size) <= blocks_.limit() - blocks_.used();
    }
    // Another segment; there is room for it.
    void append(std::uint32_t chain, std::span<const std::uint8_t> data) {
        Block& head = blocks_[chain];
        ++head.segments;
        std::uint32_t at = chain;
        while (blocks_[at].next != kNone) at = blocks_[at].next;
        while (!data.empty()) {
            const std::uint32_t used = head.size % kBytes;
            if (used == 0 && head.size != 0) at = blocks_[at].next = allocate(head.connection);
            const std::size_t n = std::min<std::size_t>(data.size(), kBytes - used);
            std::memcpy(blocks_[at].bytes + used, data.data(), n);
            head.size = static_cast<std::uint16_t>(head.size + n);
            data = data.subspan(n);
        }
    }
    void release(std::uint32_t chain) {
        --count_;
        while (chain != kNone) {
            const std::uint32_t next = blocks_[chain].next;
            blocks_[chain].used = false;
            blocks_.release(chain);
            chain = next;
        }
    }
    std::uint32_t size(std::uint32_t chain) const { return blocks_[chain].size; } // bytes
    unsigned side(std::uint32_t chain) const { return blocks_[chain].side; }
    unsigned segments(std::uint32_t chain) const { return blocks_[chain].segments; }
    void copy(std::uint32_t chain, std::uint8_t* to) const { // size() bytes
        std::uint32_t left = blocks_[chain].size;
        for (; left != 0; chain = blocks_[chain].next) {
            const std::uint32_t n = std::min<std::uint32_t>(left, kBytes);
            std::memcpy(to, blocks_[chain].bytes, n);
            to += n;
            left -= n;
        }
    }

    [[gnu::always_inline]] void prefetch(std::uint32_t chain) const { __builtin_prefetch(&blocks_[chain], 1); }

    // The connection that should make room, where there is none left.
    std::uint32_t oldest() {
        constexpr unsigned kLooks = 16; // a constant cost; then it is the next one, young or not
        for (unsigned looks = 1;; ++looks) {
            hand_ = hand_ + 1 < blocks_.fresh() ? hand_ + 1 : 0;
            Block& block = blocks_[hand_];
            if (block.used && (!block.young || looks >= kLooks)) return block.connection;
            block.young = false;
        }
    }
    std::uint32_t count() const { return count_; } // chains
    std::uint32_t blocks_used() const { return blocks_.used(); }

private:
    static constexpr std::uint32_t kBytes = 240;
    struct Block { // four cache lines; the first of a chain tells of all of it
        std::uint32_t next = kNone;
        std::uint32_t connection = kNone;
        std::uint16_t size = 0;
        std::uint8_t segments = 0;
        std::uint8_t side = 0;
        bool used : 1 = true;
        bool young : 1 = true; // the hand has not passed since it was taken
        std::uint8_t bytes[kBytes];
    };

    std::uint32_t allocate(std::uint32_t connection) {
        const std::uint32_t at = blocks_.allocate();
        blocks_[at].connection = connection;
        return at;
    }

    static std::uint32_t blocks_of(std::uint32_t bytes) { return (bytes + kBytes - 1) / kBytes; }

    BlockPool<Block> blocks_;
    std::uint32_t hand_ = 0;
    std::uint32_t count_ = 0;
};

} // namespace ftpsensor
