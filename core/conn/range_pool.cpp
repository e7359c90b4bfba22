#include "core/conn/range_pool.h"

#include <algorithm>

namespace ftpsensor {

RangePool::RangePool(std::uint32_t ranges_max) : blocks_max_(std::max(ranges_max / kBlockRanges, 1u)) {
    blocks_.reserve(std::min<std::uint32_t>(blocks_max_, 512));
}

bool RangePool::insert(Owner owner, List& list, std::uint64_t lower, std::uint64_t upper) {
    const Range range = {lower, upper};
    if (list == kEmpty) {
        if (!add_block(list, kEmpty)) return false;
        place(list, 0, range);
        blocks_[list].bytes = upper - lower;
        blocks_[list].owner = owner;
        return true;
    }
    if (this->upper(list) < lower)
        return insert_new(list, blocks_[list].last, blocks_[blocks_[list].last].count, range);
    std::uint32_t before = kEmpty, index = list; // the first block that does not end before it; there is one
    while (blocks_[index].ranges[blocks_[index].count - 1].upper < lower) {
        before = index;
        index = blocks_[index].next;
    }
    Block& block = blocks_[index];
    std::uint32_t at = 0;
    while (block.ranges[at].upper < lower) ++at;
    Range& found = block.ranges[at];
    if (found.lower > upper) {
        // Between two blocks: the one that has room takes it.
        if (at == 0 && before != kEmpty && block.count == kBlockRanges)
            return insert_new(list, before, blocks_[before].count, range);
        return insert_new(list, index, at, range);
    }
    blocks_[list].bytes -= found.upper - found.lower;
    found = {std::min(found.lower, lower), std::max(found.upper, upper)};
    swallow(list, index, at);
    blocks_[list].bytes += found.upper - found.lower;
    return true;
}

// A range that touches none, at its place in a block, or in one of the two that a full block becomes.
bool RangePool::insert_new(List& list, std::uint32_t block, std::uint32_t at, const Range& range) {
    if (blocks_[block].count == kBlockRanges) {
        if (!add_block(list, block)) return false;
        const std::uint32_t behind = blocks_[block].next;
        // At an end of the block the others stay together: who goes one way fills the blocks.
        const std::uint32_t kept = at == 0 || at == kBlockRanges ? at : kBlockRanges / 2;
        Block& from = blocks_[block];
        Block& to = blocks_[behind];
        std::copy(from.ranges + kept, from.ranges + kBlockRanges, to.ranges);
        from.count = kept;
        to.count = kBlockRanges - kept;
        if (at > kept || kept == kBlockRanges) {
            block = behind;
            at -= kept;
        }
    }
    place(block, at, range);
    blocks_[list].bytes += range.upper - range.lower;
    return true;
}

// Joins what the range at `at`, which has grown, reaches now. Its own bytes are the caller's.
void RangePool::swallow(List list, std::uint32_t block, std::uint32_t at) {
    Range& grown = blocks_[block].ranges[at];
    const auto eat = [&](std::uint32_t index, std::uint32_t from) {
        Block& b = blocks_[index];
        std::uint32_t end = from;
        for (; end < b.count && b.ranges[end].lower <= grown.upper; ++end) {
            blocks_[list].bytes -= b.ranges[end].upper - b.ranges[end].lower;
            grown.upper = std::max(grown.upper, b.ranges[end].upper);
        }
        take_away(index, from, end - from);
        return from == b.count; // nothing is left from there on
    };
    if (!eat(block, at + 1)) return;
    while (blocks_[block].next != kEmpty) {
        const std::uint32_t next = blocks_[block].next;
        if (!eat(next, 0)) return;
        blocks_[block].next = blocks_[next].next;
        if (blocks_[list].last == next) blocks_[list].last = block;
        if (--blocks_[list].blocks == 1) become_short(list);
        free_block(next);
    }
}

void RangePool::remove_first(List& list) {
    Block& block = blocks_[list];
    block.bytes -= block.ranges[0].upper - block.ranges[0].lower;
    take_away(list, 0, 1);
    if (block.count != 0) return;
    Order& order = block.blocks > 1 ? long_ : short_;
    const std::uint32_t next = block.next;
    if (next == kEmpty) {
        leave(order, list);
    } else {
        Block& first = blocks_[next];
        first.last = block.last;
        first.blocks = block.blocks - 1;
        first.bytes = block.bytes;
        first.owner = block.owner;
        rename(order, list, next);
        if (first.blocks == 1) become_short(next);
    }
    free_block(list);
    list = next;
}

void RangePool::clear(List& list) {
    if (list != kEmpty) leave(blocks_[list].blocks > 1 ? long_ : short_, list);
    while (list != kEmpty) {
        const std::uint32_t next = blocks_[list].next;
        ranges_used_ -= blocks_[list].count;
        free_block(list);
        list = next;
    }
}

bool RangePool::add_block(List& list, std::uint32_t after) {
    if ((after != kEmpty && blocks_[list].blocks == kBlocksOfListMax) ||
        (blocks_used_ == blocks_max_ && !make_room(list))) {
        ++ranges_lost_;
        return false;
    }
    std::uint32_t index = free_;
    if (index != kEmpty) {
        free_ = blocks_[index].next;
    } else {
        index = static_cast<std::uint32_t>(blocks_.size());
        blocks_.emplace_back();
    }
    ++blocks_used_;
    blocks_[index].count = 0;
    if (after == kEmpty) {
        list = index;
        blocks_[index].next = kEmpty;
        blocks_[index].last = index;
        blocks_[index].blocks = 1;
        blocks_[index].bytes = 0;
        join(short_, index);
        return true;
    }
    blocks_[index].next = blocks_[after].next;
    blocks_[after].next = index;
    if (blocks_[list].last == after) blocks_[list].last = index;
    if (++blocks_[list].blocks == 2) {
        leave(short_, list);
        join(long_, list);
    }
    return true;
}

// Never by the list that asks: its blocks are looked at meanwhile.
bool RangePool::make_room(List asking) {
    List victim = long_.oldest;
    if (victim != kEmpty && victim == asking) victim = blocks_[victim].newer;
    if (victim != kEmpty) {
        Block& first = blocks_[victim];
        for (std::uint32_t index = first.next; index != kEmpty;) {
            const Block& block = blocks_[index];
            const std::uint32_t next = block.next;
            for (std::uint32_t i = 0; i < block.count; ++i)
                first.bytes -= block.ranges[i].upper - block.ranges[i].lower;
            ranges_used_ -= block.count;
            ranges_lost_ += block.count;
            free_block(index);
            index = next;
        }
        first.next = kEmpty;
        first.last = victim;
        first.blocks = 1;
        become_short(victim);
        return true;
    }
    victim = short_.oldest;
    if (asking != kEmpty || victim == kEmpty) return false; // who has something takes nobody's all
    ranges_lost_ += blocks_[victim].count;
    clear(victim);
    return true;
}

void RangePool::join(Order& order, List list) {
    blocks_[list].older = order.newest;
    blocks_[list].newer = kEmpty;
    newer_than(order, order.newest) = list;
    order.newest = list;
}

void RangePool::leave(Order& order, List list) {
    const Block& first = blocks_[list];
    newer_than(order, first.older) = first.newer;
    older_than(order, first.newer) = first.older;
}

void RangePool::become_short(List list) {
    leave(long_, list);
    join(short_, list);
}

// The list's first block is another one now.
void RangePool::rename(Order& order, List list, List renamed) {
    const Block& first = blocks_[list];
    blocks_[renamed].older = first.older;
    blocks_[renamed].newer = first.newer;
    newer_than(order, first.older) = renamed;
    older_than(order, first.newer) = renamed;
}

void RangePool::free_block(std::uint32_t index) {
    blocks_[index].owner = nullptr;
    blocks_[index].next = free_;
    free_ = index;
    --blocks_used_;
}

void RangePool::place(std::uint32_t block, std::uint32_t at, const Range& range) {
    Block& b = blocks_[block];
    std::copy_backward(b.ranges + at, b.ranges + b.count, b.ranges + b.count + 1);
    b.ranges[at] = range;
    ++b.count;
    ++ranges_used_;
}

void RangePool::take_away(std::uint32_t block, std::uint32_t from, std::uint32_t n) {
    Block& b = blocks_[block];
    std::copy(b.ranges + from + n, b.ranges + b.count, b.ranges + from);
    b.count -= n;
    ranges_used_ -= n;
}

} // namespace ftpsensor
