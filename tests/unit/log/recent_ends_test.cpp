// Connections by the ends that they had a short while ago.
#include "core/log/recent_ends.h"
#include "tests/support/catch.h"

#include <deque>
#include <random>
#include <vector>

using namespace ftpsensor;

namespace {

std::vector<std::uint64_t> found(RecentEnds& ends, const IpAddress& address, std::uint16_t port) {
    std::vector<std::uint64_t> result;
    ends.find(address, port, [&](const Id96& uid) { result.push_back(uid.low); });
    return result;
}

} // namespace

TEST_CASE("an end has its connections in the order in which they came, until they are forgotten") {
    RecentEnds ends(8, 1);
    const auto a = IpAddress::from_v4(10, 0, 0, 1), b = IpAddress::from_v4(10, 0, 0, 2);
    ends.push(a, 20, {0, 1}, 100);
    ends.push(b, 20, {0, 1}, 100);
    ends.push(a, 20, {0, 2}, 200);
    ends.push(a, 21, {0, 3}, 300);
    CHECK(found(ends, a, 20) == std::vector<std::uint64_t>{1, 2});
    CHECK(found(ends, b, 20) == std::vector<std::uint64_t>{1});
    CHECK(found(ends, b, 21).empty());
    ends.forget_before(200);
    CHECK(found(ends, a, 20) == std::vector<std::uint64_t>{2});
    CHECK(found(ends, b, 20).empty());
    CHECK(ends.size() == 2);
    ends.forget_before(1000);
    CHECK(ends.size() == 0);
    CHECK(found(ends, a, 21).empty());
}

TEST_CASE("a full queue goes round, whatever shares a bucket") {
    struct End {
        std::uint16_t port;
        std::uint64_t uid;
        Timestamp opened;
    };
    RecentEnds ends(16, 1);
    std::deque<End> model;
    const auto address = IpAddress::from_v4(10, 0, 0, 1);
    std::mt19937 random(5);
    for (Timestamp now = 0; now < 20'000; ++now) {
        if (model.size() == 16 || random() % 8 == 0) {
            const Timestamp before = now - static_cast<Timestamp>(random() % 20);
            ends.forget_before(before);
            while (!model.empty() && model.front().opened < before) model.pop_front();
        }
        if (model.size() < 16) {
            const auto port = static_cast<std::uint16_t>(random() % 40);
            ends.push(address, port, {0, static_cast<std::uint64_t>(now)}, now);
            model.push_back({port, static_cast<std::uint64_t>(now), now});
        }
        REQUIRE(ends.size() == model.size());
        const auto port = static_cast<std::uint16_t>(random() % 40);
        std::vector<std::uint64_t> expected;
        for (const End& end : model)
            if (end.port == port) expected.push_back(end.uid);
        REQUIRE(found(ends, address, port) == expected);
    }
}
