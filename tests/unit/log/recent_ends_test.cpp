// Connections by the ends that they had a short while ago.
#include "core/log/recent_ends.h"
#include "tests/support/catch.h"

#include <deque>
#include <random>
#include <set>
#include <vector>

using namespace ftpsensor;

namespace {

std::vector<std::uint64_t> found(RecentEnds& ends, std::uint64_t key, std::size_t most = SIZE_MAX) {
    std::vector<std::uint64_t> result;
    ends.find(key, [&](const Id96& uid) {
        result.push_back(uid.low);
        return result.size() < most;
    });
    return result;
}

} // namespace

TEST_CASE("an end has its connections, the latest first, until they are forgotten") {
    RecentEnds ends(8);
    ends.push(1, {0, 1}, 100);
    ends.push(2, {0, 1}, 100);
    ends.push(1, {0, 2}, 200);
    ends.push(3, {0, 3}, 300); // of the same list as 1: there are two
    CHECK(found(ends, 1) == std::vector<std::uint64_t>{2, 1});
    CHECK(found(ends, 1, 1) == std::vector<std::uint64_t>{2});
    CHECK(found(ends, 2) == std::vector<std::uint64_t>{1});
    CHECK(found(ends, 5).empty());
    ends.forget_before(200);
    CHECK(found(ends, 1) == std::vector<std::uint64_t>{2});
    CHECK(found(ends, 2).empty());
    CHECK(ends.size() == 2);
    ends.forget_oldest();
    CHECK(found(ends, 1).empty());
    CHECK(found(ends, 3) == std::vector<std::uint64_t>{3});
    ends.forget_before(1000);
    CHECK(ends.size() == 0);
    CHECK(found(ends, 3).empty());
}

TEST_CASE("keys are of the endpoint, and of who connects to it") {
    const auto a = IpAddress::from_v4(10, 0, 0, 1), b = IpAddress::from_v4(10, 0, 0, 2);
    const std::vector<std::uint64_t> keys{RecentEnds::key(a, 20, 1),    RecentEnds::key(a, 21, 1),
                                          RecentEnds::key(b, 20, 1),    RecentEnds::key(a, 20, 2),
                                          RecentEnds::key(a, 20, b, 1), RecentEnds::key(a, 20, a, 1),
                                          RecentEnds::key(b, 20, a, 1), RecentEnds::key(a, 20, b, 2)};
    CHECK(std::set<std::uint64_t>(keys.begin(), keys.end()).size() == keys.size());
    CHECK(RecentEnds::key(a, 20, b, 1) == RecentEnds::key(a, 20, b, 1));
}

TEST_CASE("a full queue goes round, whatever shares a bucket") {
    struct End {
        std::uint64_t key;
        std::uint64_t uid;
        Timestamp opened;
    };
    RecentEnds ends(16);
    std::deque<End> model;
    std::mt19937 random(5);
    for (Timestamp now = 0; now < 20'000; ++now) {
        if (random() % 8 == 0) {
            const Timestamp before = now - static_cast<Timestamp>(random() % 20);
            ends.forget_before(before);
            while (!model.empty() && model.front().opened < before) model.pop_front();
        }
        if (model.size() == 16) {
            ends.forget_oldest();
            model.pop_front();
        }
        const std::uint64_t key = random() % 40;
        ends.push(key, {0, static_cast<std::uint64_t>(now)}, now);
        model.push_back({key, static_cast<std::uint64_t>(now), now});
        REQUIRE(ends.size() == model.size());
        const std::uint64_t wanted = random() % 40;
        std::vector<std::uint64_t> expected;
        for (auto end = model.rbegin(); end != model.rend(); ++end)
            if (end->key == wanted) expected.push_back(end->uid);
        REQUIRE(found(ends, wanted) == expected);
    }
}
