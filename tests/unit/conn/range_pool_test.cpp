// Lists of ranges, against a set of numbers; and their bounds.
#include "core/conn/range_pool.h"
#include "tests/support/catch.h"

#include <algorithm>
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

// Of copies: the pool and the list stay as they are.
Ranges ranges_in(RangePool pool, RangePool::List list) { return drained(pool, list); }

std::uint32_t blocks_in(RangePool pool, RangePool::List list) {
    const std::uint32_t all = pool.blocks_used();
    pool.clear(list);
    return all - pool.blocks_used();
}

// Lists in a pool that is too small for them, beside sets of numbers that have room: what is lost, and whose it was.
class Crowd {
public:
    static constexpr unsigned kLists = 8;

    explicit Crowd(std::uint32_t blocks) : blocks_(blocks), pool_(blocks * RangePool::kBlockRanges) {}

    void insert(unsigned which, std::uint64_t lower, std::uint64_t upper) {
        const bool was_full = pool_.blocks_used() == blocks_;
        const std::uint64_t lost = pool_.ranges_lost();
        const Ranges before = ranges_in(pool_, lists_[which]);
        const bool kept = pool_.insert(&lists_[which], lists_[which], lower, upper);
        const std::uint64_t now_lost = pool_.ranges_lost() - lost;
        if (now_lost != 0) REQUIRE(was_full);
        if (!kept) {
            REQUIRE(now_lost == 1);
            REQUIRE(ranges_in(pool_, lists_[which]) == before);
            REQUIRE(victim_for(which) == kLists);
            ++refused;
            return;
        }
        if (now_lost != 0) loses(victim_for(which), now_lost);
        for (std::uint64_t n = lower; n < upper; ++n) numbers_[which].insert(n);
        look_at(which);
    }

    void remove_first(unsigned which) {
        RangePool::List& list = lists_[which];
        if (list == RangePool::kEmpty) return;
        for (std::uint64_t n = pool_.first(list).lower; n < pool_.first(list).upper; ++n) numbers_[which].erase(n);
        pool_.remove_first(list);
        look_at(which);
    }

    void clear(unsigned which) {
        pool_.clear(lists_[which]);
        REQUIRE(lists_[which] == RangePool::kEmpty);
        numbers_[which].clear();
        look_at(which);
    }

    void check() const {
        std::size_t ranges = 0;
        std::uint32_t blocks = 0;
        for (unsigned i = 0; i < kLists; ++i) {
            const Ranges all = ranges_of(numbers_[i]);
            REQUIRE(ranges_in(pool_, lists_[i]) == all);
            REQUIRE(pool_.bytes(lists_[i]) == numbers_[i].size());
            if (!all.empty()) REQUIRE(pool_.upper(lists_[i]) == all.back().second);
            ranges += all.size();
            blocks += blocks_in(pool_, lists_[i]);
        }
        REQUIRE(pool_.ranges_used() == ranges);
        REQUIRE(pool_.blocks_used() == blocks);
        REQUIRE(blocks <= blocks_);
    }

    unsigned refused = 0;
    unsigned made_room = 0;
    unsigned went_whole = 0;

private:
    // Of the lists of more than one block, the one that has had for longest, and that does not ask; where there is none
    // and a list begins, the oldest of the others; kLists: none.
    unsigned victim_for(unsigned asking) const {
        const auto found = std::find_if(long_.begin(), long_.end(), [&](unsigned which) { return which != asking; });
        if (found != long_.end()) return *found;
        return numbers_[asking].empty() && !short_.empty() ? short_.front() : kLists;
    }
    void loses(unsigned victim, std::uint64_t lost) {
        REQUIRE(victim != kLists);
        if (std::find(short_.begin(), short_.end(), victim) != short_.end()) {
            REQUIRE(lost == ranges_of(numbers_[victim]).size());
            REQUIRE_FALSE(pool_.owns(&lists_[victim], lists_[victim]));
            lists_[victim] = RangePool::kEmpty;
            numbers_[victim].clear();
            look_at(victim);
            ++went_whole;
            return;
        }
        const Ranges before = ranges_of(numbers_[victim]), now = ranges_in(pool_, lists_[victim]);
        REQUIRE(now.size() + lost == before.size());
        REQUIRE(std::equal(now.begin(), now.end(), before.begin())); // the first ones stay
        REQUIRE(blocks_in(pool_, lists_[victim]) == 1);
        numbers_[victim].erase(numbers_[victim].lower_bound(now.back().second), numbers_[victim].end());
        look_at(victim);
        ++made_room;
    }
    void look_at(unsigned which) {
        const std::uint32_t blocks = blocks_in(pool_, lists_[which]);
        for (auto* order : {&long_, &short_}) {
            const auto found = std::find(order->begin(), order->end(), which);
            const bool belongs = order == &long_ ? blocks > 1 : blocks == 1;
            if (belongs && found == order->end()) order->push_back(which);
            if (!belongs && found != order->end()) order->erase(found);
        }
        if (blocks != 0) REQUIRE(pool_.owns(&lists_[which], lists_[which]));
    }

    std::uint32_t blocks_;
    RangePool pool_;
    std::vector<RangePool::List> lists_ = std::vector<RangePool::List>(kLists, RangePool::kEmpty);
    std::set<std::uint64_t> numbers_[kLists];
    std::vector<unsigned> long_, short_; // in the order in which they became it
};

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
                REQUIRE(pool.insert(&list, list, lower, upper));
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
            if (!pool.insert(&list, list, 10 * at, 10 * at + 1)) break;
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
            if (pool.insert(&list, list, 10 * at, 10 * at + 1))
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
    CHECK(pool.insert(&lists[0], lists[0], 1, 2));
    CHECK(pool.insert(&lists[1], lists[1], 1, 2));
    CHECK(pool.insert(&lists[0], lists[0], 5, 6)); // its block has room
    CHECK(pool.insert(&lists[2], lists[2], 1, 2)); // the oldest goes
    CHECK(pool.ranges_lost() == 2);
    CHECK_FALSE(pool.owns(&lists[0], lists[0]));
    CHECK(pool.owns(&lists[1], lists[1]));
    pool.clear(lists[1]);
    lists[0] = RangePool::kEmpty;
    CHECK(pool.insert(&lists[0], lists[0], 1, 2));
    CHECK(pool.ranges_lost() == 2);
}

TEST_CASE("where no block is left, the list that has been long for longest keeps its first block alone") {
    std::mt19937 random(11);
    unsigned refused = 0, made_room = 0, went_whole = 0;
    for (unsigned round = 0; round < 60; ++round) {
        Crowd crowd(round % 4 == 0 ? 3 : 6 + round % 5); // fewer than lists, or more
        const unsigned lists = 2 + round % (Crowd::kLists - 1);
        const std::uint64_t space = 100 + random() % 900, longest = 1 + random() % 4;
        for (unsigned step = 0; step < 300; ++step) {
            const unsigned which = static_cast<unsigned>(random() % lists);
            const auto what = random() % 60;
            if (what == 0) {
                crowd.clear(which);
            } else if (what < 4) { // whole blocks of it, some of the times
                for (auto n = random() % 20; n != 0; --n) crowd.remove_first(which);
            } else {
                const std::uint64_t lower = random() % space, size = what < 6 ? space : longest;
                crowd.insert(which, lower, lower + 1 + random() % size);
            }
            crowd.check();
        }
        refused += crowd.refused;
        made_room += crowd.made_room;
        went_whole += crowd.went_whole;
    }
    CHECK(refused > 100); // both ends of a full pool were seen
    CHECK(made_room > 400);
    CHECK(went_whole > 20);
}

TEST_CASE(
    "a list of one block makes no room for one that has some, and who has all others does not take from himself") {
    constexpr std::uint32_t kBlocks = 8;
    RangePool pool(kBlocks * RangePool::kBlockRanges);
    RangePool::List one = RangePool::kEmpty, greedy = RangePool::kEmpty, third = RangePool::kEmpty;
    CHECK(pool.insert(&one, one, 5, 6));
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < 100; ++i)
        if (pool.insert(&greedy, greedy, 10 * i, 10 * i + 1)) ++kept;
    CHECK(kept == (kBlocks - 1) * RangePool::kBlockRanges);
    CHECK(pool.ranges_lost() == 100 - kept);
    CHECK(pool.insert(&third, third, 5, 6));
    CHECK(ranges_in(pool, one) == Ranges{{5, 6}});
    CHECK(pool.bytes(greedy) == RangePool::kBlockRanges); // and the handle is as good as it was
    CHECK(pool.upper(greedy) == 10 * (RangePool::kBlockRanges - 1) + 1);
    CHECK(pool.insert(&greedy, greedy, 10'000, 10'001));
    CHECK(pool.blocks_used() == 4);
}
