// Sorted lists of ranges that do not touch, as GapTracker keeps them beyond holes: many lists, most of them empty or of
// one range, out of one bounded pool.
//
// A list is a row of blocks of kBlockRanges, known by its first one. Its length in blocks has a bound, so that a look
// for a place costs a bounded number of steps, whoever chooses the places; a range behind all others, which is where
// they mostly come, is appended without a look.
//
// Where no block is left, of the lists of more than one block the one that has been as long for longest makes room: it
// keeps its first block and loses the others. So whoever fills the pool with long lists takes from himself, and a list
// of one block, which is all that a few segments out of order need, loses nothing. Where no list has more, and another
// one begins, the oldest goes whole: segments that trade places are soon together again, holes that nobody fills
// stay. Its owner finds out by owns(). One thread.
#pragma once

#include <cstdint>
#include <vector>

namespace ftpsensor {

class RangePool {
public:
    using List = std::uint32_t;
    using Owner = const void*; // compared alone; it has one list at a time
    static constexpr List kEmpty = 0xffffffff;
    static constexpr std::uint32_t kBlockRanges = 8;
    static constexpr std::uint32_t kBlocksOfListMax = 32;

    struct Range {
        std::uint64_t lower;
        std::uint64_t upper; // the first number behind it
    };

    // `ranges_max`: of all lists together, were all blocks full.
    explicit RangePool(std::uint32_t ranges_max);

    // Whether `list`, which is not empty, is still what `owner` knows. To be asked before it is used otherwise.
    bool owns(Owner owner, List list) const { return blocks_[list].owner == owner; }
    // Joined with those that it touches. Another list may make room for it. False: a bound was reached, and it is as it
    // was.
    bool insert(Owner owner, List& list, std::uint64_t lower, std::uint64_t upper);
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
        Owner owner = nullptr; // of no other block
        List older = kEmpty;   // of the lists that have one block, or of those that have more, for longer
        List newer = kEmpty;   // or not for as long
        Range ranges[kBlockRanges];
    };

    bool add_block(List& list, std::uint32_t after); // kEmpty: as the first of an empty list
    struct Order {
        List oldest = kEmpty;
        List newest = kEmpty;
    };
    bool make_room(List asking);
    void join(Order& order, List list);
    void leave(Order& order, List list);
    void rename(Order& order, List list, List renamed);
    List& newer_than(Order& order, List list) { return list == kEmpty ? order.oldest : blocks_[list].newer; }
    List& older_than(Order& order, List list) { return list == kEmpty ? order.newest : blocks_[list].older; }
    void become_short(List list);
    void free_block(std::uint32_t index);
    void place(std::uint32_t block, std::uint32_t at, const Range& range);
    void take_away(std::uint32_t block, std::uint32_t from, std::uint32_t n);
    bool insert_new(List& list, std::uint32_t block, std::uint32_t at, const Range& range);
    void swallow(List list, std::uint32_t block, std::uint32_t at);

    std::vector<Block> blocks_;
    std::uint32_t free_ = kEmpty;
    Order short_; // the lists of one block
    Order long_;
    std::uint32_t ranges_used_ = 0;
    std::uint32_t blocks_used_ = 0;
    std::uint32_t blocks_max_;
    std::uint64_t ranges_lost_ = 0;
};

} // namespace ftpsensor
