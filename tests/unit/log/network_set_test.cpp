// The same answer as asking each network by itself.
#include "core/log/network_set.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <random>

using namespace ftpsensor;

namespace {

IpAddress random_address(std::mt19937& random) {
    // Few different bytes, so that many addresses are in the networks.
    std::uint8_t bytes[16];
    for (std::uint8_t& byte : bytes) byte = random() % 3 == 0 ? 0x80 : random() % 2 == 0 ? 0x0a : 0;
    return random() % 2 == 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes);
}

IpNetwork random_network(std::mt19937& random) {
    IpNetwork network{random_address(random), 0};
    const unsigned least = network.base.is_v4() && random() % 4 != 0 ? 96 : 0;
    network.prefix_bits = static_cast<std::uint8_t>(least + random() % (129 - least));
    for (unsigned bit = network.prefix_bits; bit < 128; ++bit)
        network.base.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
    return network;
}

} // namespace

TEST_CASE("in one of them, or in none") {
    const NetworkSet set(
        {*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("fd00::/8"), *IpNetwork::parse("192.0.2.7")});
    CHECK(set.contains(*IpAddress::parse("10.255.0.1")));
    CHECK_FALSE(set.contains(*IpAddress::parse("11.0.0.1")));
    CHECK(set.contains(*IpAddress::parse("192.0.2.7")));
    CHECK_FALSE(set.contains(*IpAddress::parse("192.0.2.6")));
    CHECK(set.contains(*IpAddress::parse("fdff::1")));
    CHECK_FALSE(set.contains(*IpAddress::parse("fe80::1")));
    CHECK(NetworkSet({}).empty());
    CHECK_FALSE(NetworkSet({}).contains(*IpAddress::parse("10.0.0.1")));
    CHECK(NetworkSet({*IpNetwork::parse("0.0.0.0/0")}).contains(*IpAddress::parse("1.2.3.4")));
    CHECK_FALSE(NetworkSet({*IpNetwork::parse("0.0.0.0/0")}).contains(*IpAddress::parse("::1")));
    CHECK(NetworkSet({*IpNetwork::parse("::/0")}).contains(*IpAddress::parse("1.2.3.4")));
}

TEST_CASE("as each network says by itself") {
    std::mt19937 random(1);
    unsigned inside = 0;
    for (int round = 0; round < 300; ++round) {
        std::vector<IpNetwork> networks(random() % 12);
        for (IpNetwork& network : networks) network = random_network(random);
        const NetworkSet set(networks);
        for (int i = 0; i < 50; ++i) {
            const IpAddress address = random_address(random);
            const bool expected = std::any_of(networks.begin(), networks.end(),
                                              [&](const IpNetwork& network) { return network.contains(address); });
            inside += expected;
            REQUIRE(set.contains(address) == expected);
        }
    }
    CHECK(inside > 1000);
    CHECK(inside < 14'000);
}
