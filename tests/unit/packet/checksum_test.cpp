#include "core/packet/checksum.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

struct Kind {
    std::vector<Header> good;
    std::vector<Header> bad;
    Event event;
};

std::vector<Kind> kinds() {
    const Payload odd = {"an odd number of bytes!"};
    std::vector<Kind> all;
    for (const Header& header : {Header{Ipv4{}}, Header{Ipv6{}}}) {
        all.push_back({{header, Tcp{}, odd}, {header, Tcp{.checksum = 0x1234}, odd}, Event::bad_TCP_checksum});
        all.push_back({{header, Udp{}, odd}, {header, Udp{.checksum = 0x1234}, odd}, Event::bad_UDP_checksum});
        all.push_back({{header, Icmp{}, odd}, {header, Icmp{.checksum = 0x1234}, odd}, Event::bad_ICMP_checksum});
    }
    return all;
}

} // namespace

TEST_CASE("one's complement sums of any length") {
    // RFC 1071 3: the words 0001 f203 f4f5 f6f7 sum up to ddf2, so that 220d completes them.
    const std::uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7, 0x22, 0x0d};
    CHECK(ipv4_header_checksum_is_valid(data, sizeof data));
    CHECK_FALSE(ipv4_header_checksum_is_valid(data, sizeof data - 1));
    const std::uint8_t odd[] = {0x12, 0x34, 0xed, 0xcb, 0x00};
    CHECK(icmp_checksum_is_valid(odd, 5));
    CHECK(icmp_checksum_is_valid(odd, 4));
    CHECK_FALSE(icmp_checksum_is_valid(odd, 3));
}

TEST_CASE("wrong transport checksums are marked and counted") {
    for (const ChecksumPolicy policy : {ChecksumPolicy::verify, ChecksumPolicy::mark}) {
        for (const Kind& kind : kinds()) {
            Decoding decoding({.checksums = policy});
            REQUIRE(decoding.decode(build(kind.good), LinkType::raw_ip).layer_count == 1);
            CHECK_FALSE(decoding.last().bad_l4_checksum);
            CHECK(decoding.count_all() == 0);
            REQUIRE(decoding.decode(build(kind.bad), LinkType::raw_ip).layer_count == 1);
            CHECK(decoding.last().bad_l4_checksum);
            CHECK(decoding.count(kind.event) == 1);
        }
    }
}

TEST_CASE("nothing is computed where it need not be, or can not") {
    for (const Kind& kind : kinds()) {
        Decoding ignoring;
        ignoring.decode(build(kind.bad), LinkType::raw_ip);
        CHECK_FALSE(ignoring.last().bad_l4_checksum);

        Decoding trusting({.checksums = ChecksumPolicy::verify});
        trusting.checksum_known_good = true;
        trusting.decode(build(kind.bad), LinkType::raw_ip);
        CHECK_FALSE(trusting.last().bad_l4_checksum);

        const Bytes packet = build(kind.bad);
        Decoding truncated({.checksums = ChecksumPolicy::verify});
        truncated.decode(cut(packet, packet.size() - 1), LinkType::raw_ip, static_cast<std::uint32_t>(packet.size()));
        CHECK_FALSE(truncated.last().bad_l4_checksum);
    }
}

TEST_CASE("a UDP checksum of 0 is none over IPv4 and wrong over IPv6, but for VXLAN") {
    const auto bad = [](const std::vector<Header>& headers) {
        Decoding decoding({.checksums = ChecksumPolicy::verify});
        decoding.decode(build(headers), LinkType::raw_ip);
        return decoding.out().layers[0].bad_l4_checksum;
    };
    const Payload payload = {std::string(40, '\0')};
    CHECK_FALSE(bad({Ipv4{}, Udp{.checksum = 0}, payload}));
    CHECK(bad({Ipv6{}, Udp{.checksum = 0}, payload}));
    CHECK_FALSE(bad({Ipv6{}, Udp{.destination_port = 4789, .checksum = 0}, Vxlan{}, payload}));
}

TEST_CASE("a wrong IPv4 header checksum gives no layer, but where it is only marked") {
    const Bytes packet = build({Ipv4{.checksum = 0x1234}, Udp{}, Payload{"x"}});
    Decoding verifying({.checksums = ChecksumPolicy::verify});
    CHECK(verifying.decode(packet, LinkType::raw_ip).layer_count == 0);
    CHECK(verifying.count(Event::bad_IP_checksum) == 1);
    Decoding marking({.checksums = ChecksumPolicy::mark});
    CHECK(marking.decode(packet, LinkType::raw_ip).layer_count == 1);
    CHECK(marking.count(Event::bad_IP_checksum) == 1);
    Decoding ignoring;
    CHECK(ignoring.decode(packet, LinkType::raw_ip).layer_count == 1);
}

TEST_CASE("pseudo-headers hold the final destination and the home address") {
    Bytes routing = {0, 1, 0, 0, 0, 0};
    Bytes home = {1, 0, 201, 16};
    const IpAddress last = ip("2001:db8::99");
    routing.insert(routing.end(), last.bytes.begin(), last.bytes.end());
    home.insert(home.end(), last.bytes.begin(), last.bytes.end());
    Decoding decoding({.checksums = ChecksumPolicy::verify});
    decoding.decode(build({Ipv6{.checksum_destination = last}, Ipv6Extension{.kind = 43, .body = routing}, Tcp{}}),
                    LinkType::raw_ip);
    CHECK_FALSE(decoding.last().bad_l4_checksum);
    decoding.decode(build({Ipv6{.checksum_source = last}, Ipv6Extension{.kind = 60, .body = home}, Udp{}}),
                    LinkType::raw_ip);
    CHECK_FALSE(decoding.last().bad_l4_checksum);
}

TEST_CASE("a mobility header's checksum is looked at") {
    Decoding decoding({.checksums = ChecksumPolicy::verify});
    decoding.decode(build({Ipv6{}, Ipv6Extension{.kind = 135, .body = Bytes(6, 1), .next_header = 59}}),
                    LinkType::raw_ip);
    CHECK(decoding.count(Event::bad_MH_checksum) == 1);
}

TEST_CASE("a tunnel over UDP with a wrong checksum is closed under verify, and what the port knows ends outside") {
    const std::vector<Header> tunnel = {Ipv4{},  Udp{.destination_port = 4789, .checksum = 0x1234},
                                        Vxlan{}, Ethernet{},
                                        Ipv4{},  Tcp{.checksum = 0x1234}};
    Decoding verifying({.checksums = ChecksumPolicy::verify});
    CHECK(verifying.decode(build(tunnel), LinkType::raw_ip).layer_count == 1);
    Decoding marking({.checksums = ChecksumPolicy::mark});
    CHECK(marking.decode(build(tunnel), LinkType::raw_ip).layer_count == 2);
    Decoding trusting({.checksums = ChecksumPolicy::verify});
    trusting.checksum_known_good = true;
    REQUIRE(trusting.decode(build(tunnel), LinkType::raw_ip).layer_count == 2);
    CHECK_FALSE(trusting.out().layers[0].bad_l4_checksum);
    CHECK(trusting.out().layers[1].bad_l4_checksum);
}

TEST_CASE("a reassembled datagram is summed up whole, whatever the port knows of its fragments") {
    Decoding decoding({.checksums = ChecksumPolicy::verify});
    decoding.checksum_known_good = true;
    std::size_t layers = 0;
    for (const Bytes& fragment :
         build_fragments({Ipv4{}, Udp{.checksum = 0x1234}, Payload{std::string(100, 'x')}}, 64)) {
        layers += decoding.decode(fragment, LinkType::raw_ip).layer_count;
    }
    REQUIRE(layers == 1);
    CHECK(decoding.last().bad_l4_checksum);
}

} // namespace ftpsensor::test
