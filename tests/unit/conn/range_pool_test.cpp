// Lists of ranges, against a set of numbers; and their bounds.
#include "core/conn/range_pool.h"
#include "tests/support/catch.h"

#include <random>
#include <set>

using namespace ftpsensor;

namespace {

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Ranges drained(RangePool& pool, RangePool::List& list) {
    Ranges all;
    while (list != RangePool::kEmpty) {
        all.emplace_back(pool.first(list).lower, pool.first(list).upper);
        pool.remove_first(list);
    }
    return all;
}

Ranges ranges_of(const std::set<std::uint64_t>& numbers) {
    Ranges all;
    for (const std::uint64_t n : numbers) {
        if (!all.empty() && all.back().second == n)
            ++all.back().second;
        else
            all.emplace_back(n, n + 1);
    }
    return all;
}

} // namespace

TEST_CASE("lists hold what a set of numbers holds, in whatever order it comes") {
    std::mt19937 random(7);
    for (unsigned round = 0; round < 300; ++round) {
        RangePool pool(4096);
        RangePool::List lists[2] = {RangePool::kEmpty, RangePool::kEmpty};
        std::set<std::uint64_t> numbers[2];
        const std::uint64_t space = 50 + random() % 900, longest = 1 + random() % 12;
        for (unsigned step = 0; step < 300; ++step) {
            const auto which = random() % 2;
            RangePool::List& list = lists[which];
            if (random() % 8 == 0 && list != RangePool::kEmpty) {
                for (std::uint64_t n = pool.first(list).lower; n < pool.first(list).upper; ++n) numbers[which].erase(n);
                pool.remove_first(list);
            } else {
                const std::uint64_t lower = random() % space, upper = lower + 1 + random() % longest;
                REQUIRE(pool.insert(list, lower, upper));
                for (std::uint64_t n = lower; n < upper; ++n) numbers[which].insert(n);
            }
            REQUIRE(pool.bytes(list) == numbers[which].size());
            if (list != RangePool::kEmpty) REQUIRE(pool.upper(list) == *numbers[which].rbegin() + 1);
        }
        for (const unsigned which : {0u, 1u}) REQUIRE(drained(pool, lists[which]) == ranges_of(numbers[which]));
        REQUIRE(pool.ranges_used() == 0);
        REQUIRE(pool.blocks_used() == 0);
    }
}

TEST_CASE("places in between leave blocks half full, no emptier") {
    for (const std::uint64_t stride : {2u, 3u, 7u, 400u, 501u, 999u}) {
        CAPTURE(stride);
        RangePool pool(1u << 16);
        RangePool::List list = RangePool::kEmpty;
        std::uint64_t kept = 0, at = 0;
        for (; kept < 1000; ++kept) {
            at = (at + stride) % 1009;
            if (!pool.insert(list, 10 * at, 10 * at + 1)) break;
        }
        CHECK(kept >= RangePool::kBlocksOfListMax * RangePool::kBlockRanges / 2);
        pool.clear(list);
    }
}

TEST_CASE("a list is as long as 32 blocks, upwards, downwards or inside out") {
    for (const int order : {0, 1, 2}) {
        CAPTURE(order);
        RangePool pool(1u << 16);
        RangePool::List list = RangePool::kEmpty;
        unsigned kept = 0;
        for (std::uint64_t i = 0; i < 1000; ++i) {
            const std::uint64_t at = order == 0 ? i : order == 1 ? 1000 - i : i % 2 == 0 ? 500 + i : 500 - i;
            const auto bytes = pool.bytes(list);
            if (pool.insert(list, 10 * at, 10 * at + 1))
                ++kept;
            else
                REQUIRE(pool.bytes(list) == bytes);
        }
        CHECK(pool.blocks_used() == RangePool::kBlocksOfListMax);
        CHECK(kept == pool.ranges_used());
        CHECK(kept == RangePool::kBlocksOfListMax * RangePool::kBlockRanges); // one way fills the blocks
        pool.clear(list);
        CHECK(pool.ranges_used() == 0);
        CHECK(pool.blocks_used() == 0);
    }
}

TEST_CASE("all lists together have a bound, and what one gives back another takes") {
    RangePool pool(2 * RangePool::kBlockRanges);
    RangePool::List lists[3] = {RangePool::kEmpty, RangePool::kEmpty, RangePool::kEmpty};
    CHECK(pool.insert(lists[0], 1, 2));
    CHECK(pool.insert(lists[1], 1, 2));
    CHECK_FALSE(pool.insert(lists[2], 1, 2));
    CHECK(lists[2] == RangePool::kEmpty);
    CHECK(pool.insert(lists[0], 5, 6)); // its block has room
    pool.clear(lists[1]);
    CHECK(pool.insert(lists[2], 1, 2));
}
