// Sorted lists of ranges that do not touch, as GapTracker keeps them beyond holes: many lists, most of them empty or of
// one range, out of one bounded pool.
//
// A list is a row of blocks of kBlockRanges, known by its first one. Its length in blocks has a bound, so that a look
// for a place costs a bounded number of steps, whoever chooses the places; a range behind all others, which is where
// they mostly come, is appended without a look.
//
// Where no block is left, of the lists of more than one block the one that has been as long for longest makes room: it
// keeps its first block, which is how its owner knows it, and loses the others. So whoever fills the pool with long
// lists takes from himself, and a list of one block, which is all that a few segments out of order need, loses nothing.
// Only where all blocks are lists of their own does a list that wants one fail. One thread.
#pragma once

#include <cstdint>
#include <vector>

namespace ftpsensor {

class RangePool {
public:
    using List = std::uint32_t;
    static constexpr List kEmpty = 0xffffffff;
    static constexpr std::uint32_t kBlockRanges = 8;
    static constexpr std::uint32_t kBlocksOfListMax = 32;

    struct Range {
        std::uint64_t lower;
        std::uint64_t upper; // the first number behind it
    };

    // `ranges_max`: of all lists together, were all blocks full.
    explicit RangePool(std::uint32_t ranges_max);

    // Joined with those that it touches. Another list may make room for it. False: a bound was reached, and both are as
    // they were.
    bool insert(List& list, std::uint64_t lower, std::uint64_t upper);
    const Range& first(List list) const { return blocks_[list].ranges[0]; } // of one that is not empty
    void remove_first(List& list);
    void clear(List& list);

    std::uint64_t upper(List list) const { // the end of the last range of a list that is not empty
        const Block& last = blocks_[blocks_[list].last];
        return last.ranges[last.count - 1].upper;
    }
    std::uint64_t bytes(List list) const { return list == kEmpty ? 0 : blocks_[list].bytes; }
    std::uint32_t ranges_used() const { return ranges_used_; }
    std::uint32_t blocks_used() const { return blocks_used_; }
    std::uint64_t ranges_lost() const { return ranges_lost_; } // that made room, or found none; ever

private:
    struct Block {
        std::uint32_t next = kEmpty;
        std::uint32_t count = 0; // of its ranges; never 0 in a list
        // Of the whole list; only in its first block.
        std::uint32_t last = kEmpty;
        std::uint32_t blocks = 0;
        std::uint64_t bytes = 0;
        List older = kEmpty; // where it has more than one block: those that have had for longer, and not for as long
        List newer = kEmpty;
        Range ranges[kBlockRanges];
    };

    bool add_block(List& list, std::uint32_t after); // kEmpty: as the first of an empty list
    bool make_room(List asking);
    void join_long(List list);
    void leave_long(List list);
    void rename_long(List list, List renamed);
    List& newer_than(List list) { return list == kEmpty ? oldest_ : blocks_[list].newer; }
    List& older_than(List list) { return list == kEmpty ? newest_ : blocks_[list].older; }
    void free_block(std::uint32_t index);
    void place(std::uint32_t block, std::uint32_t at, const Range& range);
    void take_away(std::uint32_t block, std::uint32_t from, std::uint32_t n);
    bool insert_new(List& list, std::uint32_t block, std::uint32_t at, const Range& range);
    void swallow(List list, std::uint32_t block, std::uint32_t at);

    std::vector<Block> blocks_;
    std::uint32_t free_ = kEmpty;
    List oldest_ = kEmpty; // of the lists of more than one block
    List newest_ = kEmpty;
    std::uint32_t ranges_used_ = 0;
    std::uint32_t blocks_used_ = 0;
    std::uint32_t blocks_max_;
    std::uint64_t ranges_lost_ = 0;
};

} // namespace ftpsensor
