// Addresses and networks as text.
#include "core/base/ip_address.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

TEST_CASE("addresses read and write as they are usual") {
    for (const char* text : {"10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4"})
        CHECK(IpAddress::parse(text)->to_string() == text);
    for (const char* text : {"", "10.0.0", "10.0.0.256", "g::1", "10.0.0.1/8", "1:2:3:4:5:6:7:8:9"})
        CHECK_FALSE(IpAddress::parse(text).has_value());
}

TEST_CASE("an IPv4 address is the IPv4-mapped IPv6 address") {
    CHECK(IpAddress::parse("::ffff:10.0.0.1") == IpAddress::parse("10.0.0.1"));
    CHECK(IpAddress::parse("10.0.0.1")->is_v4());
    CHECK_FALSE(IpAddress::parse("::1")->is_v4());
}

TEST_CASE("a network holds what its prefix says") {
    const auto ten = IpNetwork::parse("10.0.0.0/8");
    REQUIRE(ten);
    CHECK(ten->contains(*IpAddress::parse("10.255.255.255")));
    CHECK_FALSE(ten->contains(*IpAddress::parse("11.0.0.0")));
    const auto carrier = IpNetwork::parse("100.64.0.0/10");
    REQUIRE(carrier);
    CHECK(carrier->contains(*IpAddress::parse("100.127.255.255")));
    CHECK_FALSE(carrier->contains(*IpAddress::parse("100.128.0.0")));
    const auto six = IpNetwork::parse("fe80::/10");
    REQUIRE(six);
    CHECK(six->contains(*IpAddress::parse("febf::1")));
    CHECK_FALSE(six->contains(*IpAddress::parse("fec0::1")));
    CHECK(IpNetwork::parse("192.168.1.1")->to_string() == "192.168.1.1/32");
}

TEST_CASE("what is no network is refused") {
    for (const char* text : {"10.0.0.0/33", "10.0.0.1/8", "fe80::/129", "10.0.0.0/", "10.0.0.0/x", "/8"})
        CHECK_FALSE(IpNetwork::parse(text).has_value());
}
