// Every attack of tests/support/attacks.h against a small pipeline: its bound is reached and counted, memory does not
// grow with its length, and sessions that have nothing to do with it are logged as though it were not there. The last
// case, which takes minutes, is run by its name: the bounds of the default configuration, and what goes beyond those.
#include "tests/support/attack_run.h"
#include "tests/support/catch.h"

#include <map>
#include <string_view>

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

void check(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets, std::size_t growth_max) {
    CAPTURE(attack.name);
    const AttackResult result = run_attack(attack, options, packets);
    CHECK(result.innocent_sessions == 20);
    CHECK(result.expected == 20 * 8); // three connections, two times PASV and RETR, DELE each
    CAPTURE(result.first_harmed);
    CHECK(result.harmed == 0);
    if (attack.counter) {
        CAPTURE(event_name(*attack.counter));
        CHECK(result.counted > 0);
    }
    if (kMemoryIsOurs) CHECK(result.rss_end < result.rss_half + growth_max);
}

} // namespace

TEST_CASE("exhaustion: bounded, counted, and nobody else is harmed") {
    for (const Attack& attack : attacks(kConnections))
        check(attack, exposed_pipeline(kConnections), kPackets, kGrowthMax);
}

// Which endpoints share a group of watches is another thing with each start.
TEST_CASE("exhaustion: nobody else is harmed, whatever the secret of the hashes is") {
    for (const Attack& attack : attacks(kConnections))
        if (attack.name.find("announced endpoint") != std::string::npos)
            for (std::uint64_t secret = 1; secret <= 5; ++secret) {
                CAPTURE(secret);
                check(attack, exposed_pipeline(kConnections, secret * 0x9e3779b97f4a7c15), kPackets / 2, kGrowthMax);
            }
}

TEST_CASE("exhaustion at full size", "[.]") {
    constexpr std::uint32_t kFullTable = 1u << 20;
    constexpr std::size_t kFullGrowthMax = 48u << 20; // lines of 100,000 sessions, a byte longer each minute
    const std::map<std::string_view, std::uint64_t> packets = {
        {"SYN flood", 50'000'000},                               // of as many addresses
        {"10 times the table in whole connections", 31'500'000}, // 10.5 million
        {"sessions that send a byte a minute", 16'300'000},      // 131,072 of them, two hours
        {"announcements", 2'100'000},                            // a million
    };
    std::size_t found = 0;
    for (const Attack& attack : attacks(kFullTable)) {
        const auto wanted = packets.find(attack.name);
        if (wanted == packets.end()) continue;
        check(attack, exposed_pipeline(kFullTable), wanted->second, kFullGrowthMax);
        ++found;
    }
    CHECK(found == packets.size());
}
