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
    ProgressLog log(13);
    ProgressLog::Chain chain;
    std::vector<std::uint64_t> expected;
    for (const std::uint64_t samples : {1, 4, 5, 19, 20, 21, 40, 41, 50}) {
        CAPTURE(samples);
        expected.clear();
        for (std::uint64_t i = 1; i <= samples; ++i) {
            CHECK(log.add(chain, 0, {static_cast<Timestamp>(i), i, i}, INT64_MIN));
            expected.push_back(i);
        }
        CHECK(take(log, chain) == expected);
        CHECK(log.blocks_used() == 0);
        CHECK(take(log, chain).empty());
        CHECK(chain.last.bytes == samples);
    }
}

TEST_CASE("a sample by itself takes no block") {
    ProgressLog log(1);
    std::vector<ProgressLog::Chain> chains(100);
    for (std::uint32_t i = 0; i < chains.size(); ++i) CHECK(log.add(chains[i], i, {0, i, 1 + i}, INT64_MIN));
    CHECK(log.blocks_used() == 0);
    for (std::uint32_t i = 0; i < chains.size(); ++i) CHECK(take(log, chains[i]) == std::vector<std::uint64_t>{1 + i});
}

TEST_CASE("twenty are told together") {
    ProgressLog log(10);
    ProgressLog::Chain chain;
    for (std::uint64_t i = 1; i <= 20; ++i) {
        CHECK_FALSE(log.is_full(chain));
        CHECK(log.add(chain, 0, {0, i, i}, INT64_MIN));
    }
    CHECK(log.is_full(chain));
    std::size_t times = 0;
    log.take(chain, [&](const ProgressSample&, std::string_view) { ++times; });
    CHECK(times == 1);
    CHECK_FALSE(log.is_full(chain));
}

TEST_CASE("what is settled is forgotten, but for what it came to") {
    ProgressLog log(10);
    ProgressLog::Chain chain;
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        const auto now = static_cast<Timestamp>(i);
        CHECK(log.add(chain, 0, {now, i, i}, now - 5));
        CHECK(log.blocks_used() <= 3); // blocks of four
    }
    const auto left = take(log, chain);
    CHECK(left.front() <= 995);
    CHECK(left.back() == 1000);
}

TEST_CASE("what is before a settled last sample is forgotten at once") {
    ProgressLog log(10);
    ProgressLog::Chain chain;
    for (std::uint64_t i = 1; i <= 10; ++i) CHECK(log.add(chain, 0, {10, i, i}, 10));
    CHECK(log.blocks_used() == 3);
    CHECK(log.add(chain, 0, {20, 11, 11}, 11));
    CHECK(log.blocks_used() == 1);
    CHECK(take(log, chain) == std::vector<std::uint64_t>{10, 11});
}

TEST_CASE("beyond the bound the block that was taken first makes room") {
    ProgressLog log(2);
    ProgressLog::Chain first, second, third;
    for (std::uint64_t i = 1; i <= 3; ++i) CHECK(log.add(first, 1, {1, i, i}, INT64_MIN));
    for (std::uint64_t i = 1; i <= 2; ++i) CHECK(log.add(second, 2, {2, i, i}, INT64_MIN));
    CHECK(log.add(third, 3, {3, 1, 1}, INT64_MIN));
    CHECK_FALSE(log.add(third, 3, {3, 2, 2}, INT64_MIN));
    CHECK(log.oldest_owner() == 1);
    CHECK(log.drop_oldest(first, INT64_MIN) == 2);
    CHECK(log.add(third, 3, {3, 2, 2}, INT64_MIN));
    CHECK(log.oldest_owner() == 2);
    CHECK_FALSE(log.add(first, 1, {4, 4, 4}, INT64_MIN));
    log.release(second);
    CHECK(log.oldest_owner() == 3);
    CHECK(log.add(first, 1, {4, 4, 4}, INT64_MIN));
    CHECK(take(log, first) == std::vector<std::uint64_t>{3, 4}); // what it had come to is still there
    CHECK(take(log, second).empty());
    CHECK(take(log, third) == std::vector<std::uint64_t>{1, 2});
    CHECK(log.blocks_used() == 0);
}

TEST_CASE("a block that makes room is no loss where a settled sample follows it") {
    ProgressLog log(2);
    ProgressLog::Chain chain, other;
    for (std::uint64_t i = 1; i <= 9; ++i) CHECK(log.add(chain, 0, {static_cast<Timestamp>(i), i, i}, INT64_MIN));
    CHECK_FALSE(log.add(chain, 0, {10, 10, 10}, INT64_MIN));
    CHECK(log.add(other, 1, {10, 1, 1}, INT64_MIN));
    CHECK_FALSE(log.add(other, 1, {11, 2, 2}, 5));
    CHECK(log.drop_oldest(chain, 6) == 0); // the fifth, behind the block, is settled
    CHECK(log.drop_oldest(chain, 9) == 4); // the ninth is not
    CHECK(take(log, chain) == std::vector<std::uint64_t>{9});
}

TEST_CASE("a chain may make room for itself") {
    ProgressLog log(1);
    ProgressLog::Chain chain;
    std::size_t lost = 0;
    for (std::uint64_t i = 1; i <= 100; ++i)
        while (!log.add(chain, 0, {0, i, i}, INT64_MIN)) lost += log.drop_oldest(chain, INT64_MIN);
    const auto left = take(log, chain);
    CHECK(lost + left.size() == 100);
    CHECK(left.front() == lost + 1);
    CHECK(left.back() == 100);
}
