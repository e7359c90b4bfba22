// When a worker is said to have more than its share.
#include "daemon/live/worker_skew.h"
#include "tests/support/catch.h"

#include <cmath>

using namespace ftpsensor;

namespace {

std::optional<WorkerSkew> skew(std::initializer_list<std::uint64_t> packets) {
    Snapshot change;
    for (const std::uint64_t n : packets) {
        change.workers.emplace_back();
        change.workers.back().packets = n;
    }
    return worker_skew(change);
}

} // namespace

TEST_CASE("the busiest worker and its share, where it has half as many again as the mean") {
    const auto found = skew({10'000, 80'000, 10'000});
    REQUIRE(found);
    CHECK(found->worker == 1);
    CHECK(std::abs(found->share - 0.8) < 1e-9);
    CHECK(skew({24'000, 76'000}));
    CHECK_FALSE(skew({25'000, 75'000}));
    CHECK_FALSE(skew({20'000, 30'000, 25'000}));
}

TEST_CASE("nothing is said of one worker, or of few packets") {
    CHECK_FALSE(skew({1'000'000}));
    CHECK_FALSE(skew({0, 0}));
    CHECK_FALSE(skew({9'999, 0}));
    CHECK(skew({10'000, 0}));
}
