// RSS: the key that makes Toeplitz hashing symmetric, and the fields asked for.
#include "daemon/live/rss.h"
#include "tests/support/catch.h"

#include <array>

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
}
