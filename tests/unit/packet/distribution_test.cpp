// distribution_hash() of core/packet/decode.h.
#include "core/packet/decode.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

std::uint32_t hash(const Bytes& packet, LinkType link = LinkType::ethernet) {
    PacketView view;
    view.data = packet.data();
    view.captured = view.length = static_cast<std::uint32_t>(packet.size());
    view.link = link;
    return distribution_hash(view);
}

const IpAddress kA = IpAddress::from_v4(10, 1, 2, 3);
const IpAddress kB = IpAddress::from_v4(192, 168, 4, 5);
const Ipv4 kForth = {.source = kA, .destination = kB};
const Ipv4 kBack = {.source = kB, .destination = kA};

} // namespace

TEST_CASE("both directions and all ports agree, in whatever they are wrapped") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    CHECK(expected != 0);
    CHECK(hash(build({Ethernet{}, kBack, Udp{.source_port = 9}})) == expected);
    CHECK(hash(build({Ethernet{}, Vlan{}, Vlan{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Mpls{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Pppoe{}, kForth, Tcp{}})) == expected);
    CHECK(hash(build({LinuxCooked{}, kForth, Tcp{}}), LinkType::linux_cooked) == expected);
    CHECK(hash(build({kForth, Ipv4{}, Tcp{}}), LinkType::raw_ip) == expected); // the outermost addresses
    CHECK(hash(build({Ipv6{}, Tcp{}}), LinkType::raw_ip) ==
          hash(build({Ipv6{.source = ip("2001:db8::2"), .destination = ip("2001:db8::1")}, Tcp{}}), LinkType::raw_ip));
}

TEST_CASE("fragments of a datagram agree with it") {
    const Payload payload = {std::string(200, 'x')};
    for (const Header& header : {Header{kForth}, Header{Ipv6{}}}) {
        const std::uint32_t expected = hash(build({Ethernet{}, header, Udp{}, payload}));
        for (const Bytes& fragment : build_fragments({Ethernet{}, header, Udp{}, payload}, 64)) {
            CHECK(hash(fragment) == expected);
        }
    }
}

TEST_CASE("damaged packets have a hash, and those without IP have 0") {
    const Bytes packet = build({Ethernet{}, kForth, Tcp{}});
    CHECK(hash(cut(packet, 34)) == hash(packet));
    CHECK(hash(cut(packet, 33)) == 0);
    CHECK(hash({}) == 0);
    CHECK(hash(build({Ethernet{.ether_type = 0x0806}, Payload{std::string(40, 'x')}})) == 0);
    CHECK(hash(build({Ethernet{}, Ipv4{.source = kA, .destination = kB, .header_words = 3, .total_length = 9}})) ==
          hash(packet));
}

TEST_CASE("addresses that differ little are spread over the workers") {
    for (const unsigned workers : {2u, 3u, 8u}) {
        std::vector<unsigned> load(workers);
        for (std::uint8_t i = 0; i < 250; ++i) {
            for (std::uint8_t j = 0; j < 8; ++j) {
                const Ipv4 header = {.source = IpAddress::from_v4(10, 0, 0, i),
                                     .destination = IpAddress::from_v4(10, 0, 1, j)};
                ++load[hash(build({Ethernet{}, header, Tcp{}})) % workers];
            }
        }
        for (const unsigned packets : load) {
            CHECK(packets > 2000 / workers * 3 / 4);
            CHECK(packets < 2000 / workers * 5 / 4);
        }
    }
}

} // namespace ftpsensor::test
