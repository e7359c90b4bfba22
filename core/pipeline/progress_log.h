// How the bytes of watched connections grew, packet by packet, until the logger has been told.
//
// An entry of a transfer that is still open says how many bytes had moved by then; the question may come from a worker
// that is behind, so the answer must reach back as far. Samples lie in blocks of a pool, a chain for each connection.
// What every worker has passed is not asked for any more, but for its last sample. Bounded: `blocks_max`; where none is
// free the last sample takes the place of the one before it. Worker's thread only.
#pragma once

#include "core/base/table_memory.h"
#include "core/record/records.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ftpsensor {

class ProgressLog {
public:
    static constexpr std::size_t kSamples = 20; // a block
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Chain {
        std::uint32_t head = kNone;
        std::uint32_t tail = kNone;
        std::uint64_t bytes = 0; // of the last sample
        bool empty() const { return head == kNone; }
    };

    explicit ProgressLog(std::uint32_t blocks_max) : blocks_(blocks_max) {}

    // `settled`: nobody asks for what was before. False: there was no room, and an older sample was overwritten.
    bool add(Chain& chain, const ProgressSample& sample, Timestamp settled) {
        chain.bytes = sample.bytes;
        if (chain.tail == kNone || blocks_[chain.tail].count == kSamples) {
            trim(chain, settled);
            const std::uint32_t at = allocate();
            if (at == kNone) {
                if (chain.tail != kNone) blocks_[chain.tail].samples[kSamples - 1] = sample;
                return false;
            }
            (chain.tail == kNone ? chain.head : blocks_[chain.tail].next) = at;
            chain.tail = at;
        }
        Block& block = blocks_[chain.tail];
        block.samples[block.count++] = sample;
        return true;
    }
    bool is_full(const Chain& chain) const { return !chain.empty() && blocks_[chain.tail].count == kSamples; }

    // Hands each block to `f(const ProgressSample& first, std::string_view samples)`, and forgets it.
    template <class F>
    void take(Chain& chain, F&& f) {
        for (std::uint32_t at = chain.head; at != kNone; at = blocks_[at].next) {
            const Block& block = blocks_[at];
            f(block.samples[0], std::string_view(reinterpret_cast<const char*>(block.samples.data()),
                                                 block.count * sizeof(ProgressSample)));
        }
        release(chain);
    }
    void release(Chain& chain) {
        while (chain.head != kNone) chain.head = free_block(chain.head);
        chain.tail = kNone;
    }
    std::size_t blocks_used() const { return blocks_.size() - free_.size(); }

private:
    struct Block {
        std::array<ProgressSample, kSamples> samples;
        std::uint32_t count = 0;
        std::uint32_t next = kNone;
    };

    std::uint32_t allocate() {
        std::uint32_t at;
        if (!free_.empty()) {
            at = free_.back();
            free_.pop_back();
        } else if (!blocks_.full())
            at = blocks_.add();
        else
            return kNone;
        blocks_[at].count = 0;
        blocks_[at].next = kNone;
        return at;
    }
    std::uint32_t free_block(std::uint32_t at) {
        free_.push_back(at);
        return blocks_[at].next;
    }
    // A block whose last sample is settled, and followed by a settled one, is not asked for.
    void trim(Chain& chain, Timestamp settled) {
        while (chain.head != chain.tail && blocks_[blocks_[chain.head].next].samples[0].time < settled)
            chain.head = free_block(chain.head);
    }

    ObjectStore<Block> blocks_;
    std::vector<std::uint32_t> free_;
};

} // namespace ftpsensor
