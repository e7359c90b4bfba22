// RSS: the key that makes Toeplitz hashing symmetric, and the fields asked for.
#include "daemon/live/ask_ports.h"
#include "daemon/live/rss.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <array>
#include <string>

#include <rte_ethdev.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

// The Toeplitz hash as ports compute it: for each set bit of the input, the 32 bits of the key at its place.
std::uint32_t toeplitz(const std::vector<std::uint8_t>& key, const std::array<std::uint8_t, 12>& input) {
    std::uint32_t hash = 0;
    for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
        if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0) continue;
        std::uint32_t window = 0;
        for (std::size_t k = bit; k < bit + 32; ++k) window = window << 1 | (key[k / 8] >> (7 - k % 8) & 1u);
        hash ^= window;
    }
    return hash;
}

} // namespace

TEST_CASE("both directions of a connection have one hash") {
    const auto key = symmetric_rss_key(40);
    REQUIRE(key.size() == 40);
    const std::array<std::uint8_t, 12> there{192, 168, 4, 76, 196, 216, 2, 24, 0xd0, 0x84, 0, 21};
    const std::array<std::uint8_t, 12> back{196, 216, 2, 24, 192, 168, 4, 76, 0, 21, 0xd0, 0x84};
    CHECK(toeplitz(key, there) == toeplitz(key, back));
    std::array<std::uint8_t, 12> other = there;
    other[9] ^= 1;
    CHECK(toeplitz(key, there) != toeplitz(key, other));
}

TEST_CASE("ports are hashed only where asked for, and nothing that the port cannot do") {
    const std::uint64_t all = ~std::uint64_t{0};
    const std::uint64_t addresses = rss_hash_fields(ConfigRss::addresses, all);
    const std::uint64_t ports = rss_hash_fields(ConfigRss::ports, all);
    CHECK(addresses != 0);
    CHECK((ports & addresses) == addresses);
    CHECK(ports != addresses);
    CHECK(rss_hash_fields(ConfigRss::automatic, all) == addresses);
    CHECK(rss_hash_fields(ConfigRss::ports, addresses) == addresses);
    CHECK(rss_hash_fields(ConfigRss::ports, 0) == 0);
    CHECK_FALSE(hashes_ports(addresses));
    CHECK(hashes_ports(ports));
    CHECK(spreads_tcp(addresses));
}

// Else such packets have no hash, and all of them go to the first queue.
TEST_CASE("a card that cannot hash the addresses of TCP and UDP alone is asked for their ports, too") {
    constexpr std::uint64_t over_ipv4 = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP;
    constexpr std::uint64_t over_ipv6 = RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;
    constexpr std::uint64_t fragments = RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
    for (const ConfigRss rss : {ConfigRss::automatic, ConfigRss::addresses, ConfigRss::ports}) {
        const std::uint64_t i40e = rss_hash_fields(rss, over_ipv4 | over_ipv6 | fragments | RTE_ETH_RSS_L2_PAYLOAD);
        CHECK(i40e == (over_ipv4 | over_ipv6 | fragments));
        CHECK(spreads_tcp(i40e));
        CHECK(rss_hash_fields(rss, over_ipv4) == over_ipv4); // as ENA
    }
    CHECK(rss_hash_fields(ConfigRss::addresses, RTE_ETH_RSS_IPV4 | over_ipv4 | over_ipv6) ==
          (RTE_ETH_RSS_IPV4 | over_ipv6)); // of one that can for IPv4
    CHECK_FALSE(spreads_tcp(fragments));
}

TEST_CASE("what is asked for and taken is told as a person types it") {
    CHECK(rss_key_text(symmetric_rss_key(4)) == "6d:5a:6d:5a");
    const std::uint64_t all = ~std::uint64_t{0};
    CHECK(rss_fields_text(rss_hash_fields(ConfigRss::addresses, all)).starts_with("addresses (hash fields 0x"));
    CHECK(rss_fields_text(rss_hash_fields(ConfigRss::ports, all))
              .starts_with("addresses, TCP ports, UDP ports, SCTP ports ("));
    CHECK(rss_fields_text(RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP)
              .starts_with("addresses of fragments and of other protocols, TCP ports ("));
    CHECK(rss_fields_text(0).starts_with("nothing"));
}

TEST_CASE("packets go to their owners where a port parts them, or two ports spread in two ways") {
    Config config;
    config.workers.count = 2;
    config.capture.resteer = ConfigResteer::automatic;
    const PortSpread good{"a", PortKind::physical, 2, ""}, bad{"b", PortKind::interface, 2, "why"};
    const PortSpread fewer{"c", PortKind::physical, 1, ""}, other{"d", PortKind::virtual_device, 2, ""};
    const PortSpread small{"e", PortKind::physical, 2, "", "ixgbe, 128 entries"};
    const PortSpread large{"f", PortKind::physical, 2, "", "i40e, 512 entries"};
    CHECK(resteer_reason(config, {good}).empty());
    CHECK(resteer_reason(config, {good, good}).empty());
    CHECK(resteer_reason(config, {good, bad}) == "b: why");
    CHECK(resteer_reason(config, {good, fewer}) == "c: spreads otherwise than a");
    CHECK(resteer_reason(config, {good, other}) == "d: spreads otherwise than a");
    CHECK(resteer_reason(config, {small, small}).empty());
    CHECK(resteer_reason(config, {small, large}) == "f: spreads otherwise than e"); // of the same hash, another queue
    config.capture.resteer = ConfigResteer::on;
    CHECK(resteer_reason(config, {good}) == "on");
    config.workers.count = 1;
    CHECK(resteer_reason(config, {bad}).empty());
    config.workers.count = 2;
    config.capture.resteer = ConfigResteer::off;
    CHECK(resteer_reason(config, {bad}).empty());
}

// net_null has queues and a key, like a card; it takes a key only once it is configured.
TEST_CASE("check asks a port what it took") {
    Config config;
    config.workers.count = 2;
    config.eal.memory = 64u << 20;
    config.eal.hugepages = ConfigHugepages::off;
    config.capture.ports.push_back({.interface = "", .pci = "", .vdev = "net_null7"});
    CHECK(wants_to_ask(config));
    Notes notes;
    const auto spreads = ask_ports(config, plan_eal(config, {}, allowed_cpus(), getpid()), notes);
    REQUIRE(spreads.size() == 1);
    CHECK(spreads[0].queues == 2);
    CHECK(spreads[0].parts.empty());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].text.starts_with("net_null7: RSS took the symmetric key (6d:5a:6d:5a...), over addresses"));
    config.workers.count = 1;
    CHECK_FALSE(wants_to_ask(config));
}
