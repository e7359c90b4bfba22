// Every attack of tests/support/attacks.h against a small pipeline: its bound is reached and counted, memory does not
// grow with its length, and sessions that have nothing to do with it are logged as though it were not there.
#include "tests/support/attack_run.h"
#include "tests/support/catch.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOurs = false; // a sanitizer keeps what was freed
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMemoryIsOurs = false;
#else
constexpr bool kMemoryIsOurs = true;
#endif
#else
constexpr bool kMemoryIsOurs = true;
#endif

constexpr std::uint32_t kConnections = 4096;
constexpr std::uint64_t kPackets = 60'000;
constexpr std::size_t kGrowthMax = 3u << 20; // of the allocator, not of the attack

} // namespace

TEST_CASE("exhaustion: bounded, counted, and nobody else is harmed") {
    for (const Attack& attack : attacks(kConnections)) {
        CAPTURE(attack.name);
        const AttackResult result = run_attack(attack, exposed_pipeline(kConnections), kPackets);
        CHECK(result.innocent_sessions == 20);
        CAPTURE(result.first_harmed);
        CHECK(result.harmed == 0);
        if (attack.counter) {
            CAPTURE(event_name(*attack.counter));
            CHECK(result.counted > 0);
        }
        if (kMemoryIsOurs) CHECK(result.rss_end < result.rss_half + kGrowthMax);
    }
}
