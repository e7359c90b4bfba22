// TimeMerge: packets of several queues in order of time, none ahead of one that may still be in its queue.
#include "daemon/live/time_merge.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>
#include <vector>

using namespace ftpsensor;

namespace {

void give(TimeMerge& merge, std::size_t queue, const std::vector<Timestamp>& times, bool more = false) {
    merge.begin(queue, static_cast<std::uint16_t>(times.size()), more);
    for (std::uint16_t i = 0; i < times.size(); ++i) merge.set_time(queue, i, times[i]);
}

struct Taken {
    int queue;
    Timestamp time;
    friend bool operator==(const Taken&, const Taken&) = default;
};

std::vector<Taken> take(TimeMerge& merge) {
    std::vector<Taken> taken;
    const Timestamp limit = merge.limit();
    for (int queue; (queue = merge.earliest(limit)) >= 0;) {
        auto& batch = merge.batch(static_cast<std::size_t>(queue));
        taken.push_back({queue, batch.times[batch.next++]});
    }
    return taken;
}

} // namespace

TEST_CASE("one queue comes out as it went in") {
    TimeMerge merge(1, 4);
    give(merge, 0, {3, 1, 2, 5}, true); // a port's clock may go back: the order of arrival stays
    CHECK(take(merge) == std::vector<Taken>{{0, 3}, {0, 1}, {0, 2}, {0, 5}});
    CHECK(merge.waiting() == 0);
}

TEST_CASE("a SYN-ACK read first does not overtake its SYN") {
    TimeMerge merge(2, 4);
    give(merge, 0, {20}); // the answers' port
    give(merge, 1, {10, 30});
    CHECK(take(merge) == std::vector<Taken>{{1, 10}, {0, 20}, {1, 30}});
}

TEST_CASE("equal times come in the order of the ports") {
    TimeMerge merge(2, 4);
    give(merge, 0, {7, 7});
    give(merge, 1, {7});
    CHECK(take(merge) == std::vector<Taken>{{0, 7}, {0, 7}, {1, 7}});
}

TEST_CASE("behind a full batch the others wait, and then go on") {
    TimeMerge merge(2, 2);
    give(merge, 0, {10, 20}, true); // there may be a 25 in the queue
    give(merge, 1, {15, 30});
    CHECK(take(merge) == std::vector<Taken>{{0, 10}, {1, 15}, {0, 20}});
    CHECK(merge.waiting() == 1);
    CHECK(merge.wants_batch(0));
    CHECK_FALSE(merge.wants_batch(1));
    give(merge, 0, {25});
    CHECK(take(merge) == std::vector<Taken>{{0, 25}, {1, 30}});
}

TEST_CASE("what waited since an earlier poll does not let newer packets of its own queue be overtaken") {
    TimeMerge merge(2, 2);
    give(merge, 0, {10, 20}, true);
    give(merge, 1, {30});
    take(merge);
    merge.wants_batch(1); // still waiting: a 31 may have come behind it
    give(merge, 0, {40});
    CHECK(take(merge) == std::vector<Taken>{{1, 30}});
    CHECK(merge.waiting() == 1);
    merge.no_more();
    CHECK(take(merge) == std::vector<Taken>{{0, 40}});
}

TEST_CASE("what could not be fetched holds back the others that came later, and is told as not there yet") {
    TimeMerge merge(2, 2);
    give(merge, 0, {});
    merge.holds_unfetched(0, 20);
    give(merge, 1, {10, 20});
    CHECK(merge.limit() == 19);
    CHECK(take(merge) == std::vector<Taken>{{1, 10}});
    CHECK_FALSE(merge.wants_batch(1));
    give(merge, 0, {20});
    CHECK(take(merge) == std::vector<Taken>{{0, 20}, {1, 20}});
    give(merge, 0, {});
    give(merge, 1, {});
    CHECK(merge.limit() > 20);
}

TEST_CASE("random queues come out sorted, whole, and every poll gets on") {
    std::mt19937 random(20260822);
    for (int round = 0; round < 200; ++round) {
        constexpr std::uint16_t batch_max = 8;
        std::vector<std::vector<Timestamp>> queues(3);
        std::vector<std::size_t> read(3, 0);
        std::size_t total = 0;
        for (auto& queue : queues) {
            queue.resize(random() % 50);
            for (auto& time : queue) time = static_cast<Timestamp>(random() % 100);
            std::sort(queue.begin(), queue.end());
            total += queue.size();
        }
        TimeMerge merge(3, batch_max);
        std::vector<Timestamp> out;
        while (out.size() < total) {
            for (std::size_t q = 0; q < 3; ++q) {
                if (!merge.wants_batch(q)) continue;
                const std::size_t n = std::min<std::size_t>(batch_max, queues[q].size() - read[q]);
                const auto from = queues[q].begin() + static_cast<std::ptrdiff_t>(read[q]);
                give(merge, q, {from, from + static_cast<std::ptrdiff_t>(n)}, n == batch_max);
                read[q] += n;
            }
            const auto taken = take(merge);
            REQUIRE_FALSE(taken.empty());
            for (const auto& packet : taken) out.push_back(packet.time);
        }
        REQUIRE(out.size() == total);
        REQUIRE(std::is_sorted(out.begin(), out.end()));
    }
}
