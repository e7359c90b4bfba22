// How the bytes of watched connections grew, packet by packet, until the logger has been told.
//
// An entry of a transfer that is still open says how many bytes had moved by then; the question may come from a worker
// that is behind, so the answer must reach back as far. The last sample of a connection lies in its Chain, so that what
// says little takes no room of others; those before it lie in blocks of a pool. What every worker has passed is not
// asked for any more, but for its last sample. Bounded: `blocks_max`; where none is free, the block that was taken
// first makes room, whosever it is: of all samples its are the likeliest to be asked for no more. Worker's thread only.
#pragma once

#include "core/base/table_memory.h"
#include "core/record/records.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ftpsensor {

class ProgressLog {
public:
    static constexpr std::size_t kSamples = 4;   // a block: small, so that there is one for each watch
    static constexpr std::size_t kTogether = 20; // are told at once
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Chain {
        static constexpr Timestamp kTold = INT64_MIN;
        ProgressSample last{kTold, 0, 0}; // its bytes stay when it has been told
        std::uint32_t head = kNone;       // blocks of what was before it
        std::uint32_t tail = kNone;
    };

    explicit ProgressLog(std::uint32_t blocks_max) : blocks_(std::max(blocks_max, 1u)) {}

    // `settled`: nobody asks for what was before. False: there is no room, nothing was done; see oldest_owner().
    bool add(Chain& chain, std::uint32_t owner, const ProgressSample& sample, Timestamp settled) {
        if (chain.last.time != Chain::kTold && !put_away(chain, owner, settled)) return false;
        chain.last = sample;
        return true;
    }
    // As many as are told at once.
    bool is_full(const Chain& chain) const {
        if (chain.tail == kNone) return false;
        const Block& tail = blocks_[chain.tail];
        const auto before = static_cast<std::uint16_t>(tail.number - blocks_[chain.head].number);
        return before * kSamples + tail.count + 1 >= kTogether;
    }

    // Hands the samples to `f(const ProgressSample& first, std::string_view samples)`, and forgets them.
    template <class F>
    void take(Chain& chain, F&& f) {
        if (chain.last.time == Chain::kTold) return;
        std::size_t count = 0;
        const auto tell = [&] {
            f(together_[0],
              std::string_view(reinterpret_cast<const char*>(together_.data()), count * sizeof(ProgressSample)));
            count = 0;
        };
        for (std::uint32_t at = chain.head; at != kNone; at = blocks_[at].next) {
            const Block& block = blocks_[at];
            if (count + block.count > kTogether) tell();
            std::copy_n(block.samples.begin(), block.count, together_.begin() + count);
            count += block.count;
        }
        if (count == kTogether) tell();
        together_[count++] = chain.last;
        tell();
        release(chain);
    }
    void release(Chain& chain) {
        while (chain.head != kNone) free_head(chain);
        chain.last.time = Chain::kTold;
    }

    // Whose block makes room: by take(), release() or drop_oldest() of its chain.
    std::uint32_t oldest_owner() const { return blocks_[oldest_].owner; }
    // How many samples are lost by that: none where what followed them is settled.
    std::size_t drop_oldest(Chain& chain, Timestamp settled) {
        const Block& block = blocks_[chain.head];
        const std::size_t lost = is_settled(chain, settled) ? 0 : block.count;
        free_head(chain);
        return lost;
    }
    std::size_t blocks_used() const { return used_; }

private:
    struct Block {
        std::array<ProgressSample, kSamples> samples;
        std::uint16_t count = 0;
        std::uint16_t number = 0; // in the chain, one more than of the block before it
        std::uint32_t owner = 0;
        std::uint32_t next = kNone;  // of the chain, or of the free ones
        std::uint32_t newer = kNone; // of all
        std::uint32_t older = kNone;
    };

    // What is in the chain's first block is followed by a settled sample.
    bool is_settled(const Chain& chain, Timestamp settled) const {
        const std::uint32_t next = blocks_[chain.head].next;
        return (next == kNone ? chain.last : blocks_[next].samples[0]).time < settled;
    }
    // The last sample of the chain is about to be followed by another one.
    bool put_away(Chain& chain, std::uint32_t owner, Timestamp settled) {
        if (chain.last.time < settled)
            while (chain.head != kNone) free_head(chain);
        if (chain.tail == kNone || blocks_[chain.tail].count == kSamples) {
            while (chain.head != chain.tail && is_settled(chain, settled)) free_head(chain);
            const std::uint32_t at = allocate(owner);
            if (at == kNone) return false;
            if (chain.tail == kNone) {
                chain.head = at;
            } else {
                blocks_[chain.tail].next = at;
                blocks_[at].number = static_cast<std::uint16_t>(blocks_[chain.tail].number + 1);
            }
            chain.tail = at;
        }
        Block& block = blocks_[chain.tail];
        block.samples[block.count++] = chain.last;
        return true;
    }
    std::uint32_t allocate(std::uint32_t owner) {
        const std::uint32_t at = free_ != kNone ? free_ : blocks_.full() ? kNone : blocks_.add();
        if (at == kNone) return kNone;
        Block& block = blocks_[at];
        if (at == free_) free_ = block.next;
        ++used_;
        block.count = block.number = 0;
        block.owner = owner;
        block.next = block.newer = kNone;
        block.older = newest_;
        (newest_ == kNone ? oldest_ : blocks_[newest_].newer) = at;
        newest_ = at;
        return at;
    }
    void free_head(Chain& chain) {
        const std::uint32_t at = chain.head;
        Block& block = blocks_[at];
        (block.older == kNone ? oldest_ : blocks_[block.older].newer) = block.newer;
        (block.newer == kNone ? newest_ : blocks_[block.newer].older) = block.older;
        chain.head = block.next;
        if (chain.head == kNone) chain.tail = kNone;
        block.next = std::exchange(free_, at);
        --used_;
    }

    ObjectStore<Block> blocks_;
    std::array<ProgressSample, kTogether> together_;
    std::uint32_t free_ = kNone;
    std::uint32_t used_ = 0;
    std::uint32_t oldest_ = kNone; // of all blocks in use, in the order in which they were taken
    std::uint32_t newest_ = kNone;
};

} // namespace ftpsensor
