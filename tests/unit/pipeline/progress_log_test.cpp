// How the bytes of connections grew, for who asks later.
#include "core/pipeline/progress_log.h"
#include "tests/support/catch.h"

#include <cstring>

using namespace ftpsensor;

namespace {

std::vector<std::uint64_t> take(ProgressLog& log, ProgressLog::Chain& chain) {
    std::vector<std::uint64_t> bytes;
    log.take(chain, [&](const ProgressSample& first, std::string_view text) {
        std::vector<ProgressSample> samples(text.size() / sizeof(ProgressSample));
        std::memcpy(samples.data(), text.data(), text.size());
        CHECK(samples.front().time == first.time);
        for (const auto& s : samples) bytes.push_back(s.bytes);
    });
    return bytes;
}

} // namespace

TEST_CASE("all samples come out in order, once") {
    ProgressLog log(10);
    ProgressLog::Chain chain;
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = 1; i <= 50; ++i) {
        CHECK(log.add(chain, {static_cast<Timestamp>(i), i, i}, INT64_MIN));
        expected.push_back(i);
    }
    CHECK(take(log, chain) == expected);
    CHECK(log.blocks_used() == 0);
    CHECK(take(log, chain).empty());
    CHECK(chain.bytes == 50);
}

TEST_CASE("what is settled is forgotten, but for what it came to") {
    ProgressLog log(10);
    ProgressLog::Chain chain;
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        const auto now = static_cast<Timestamp>(i);
        CHECK(log.add(chain, {now, i, i}, now - 5));
        CHECK(log.blocks_used() <= 3);
    }
    const auto left = take(log, chain);
    CHECK(left.front() <= 995);
    CHECK(left.back() == 1000);
}

TEST_CASE("beyond the bound the last sample is kept up to date") {
    ProgressLog log(1);
    ProgressLog::Chain chain, other;
    for (std::uint64_t i = 1; i <= 20; ++i) CHECK(log.add(chain, {0, i, i}, INT64_MIN));
    CHECK_FALSE(log.add(chain, {0, 21, 21}, INT64_MIN));
    CHECK_FALSE(log.add(other, {0, 22, 22}, INT64_MIN));
    CHECK(take(log, other).empty());
    CHECK(take(log, chain).back() == 21);
    CHECK(log.add(other, {0, 22, 22}, INT64_MIN));
}
