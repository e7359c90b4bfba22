#include "core/packet/distribution.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

std::uint32_t hash(Distribution& distribution, const Bytes& packet, LinkType link = LinkType::ethernet,
                   Timestamp time = 0) {
    PacketView view;
    view.time = time;
    view.data = packet.data();
    view.captured = view.length = static_cast<std::uint32_t>(packet.size());
    view.link = link;
    return distribution.hash(view);
}

// Where nothing is remembered.
std::uint32_t hash(const Bytes& packet, LinkType link = LinkType::ethernet) {
    Distribution distribution(1);
    return hash(distribution, packet, link);
}

const IpAddress kA = IpAddress::from_v4(10, 1, 2, 3);
const IpAddress kB = IpAddress::from_v4(192, 168, 4, 5);
const Ipv4 kForth = {.source = kA, .destination = kB};
const Ipv4 kBack = {.source = kB, .destination = kA};

Payload inner_packet(const Ipv4& header = kForth) {
    const Bytes bytes = build({header, Tcp{}, Payload{std::string(600, 'x')}});
    return {std::string(bytes.begin(), bytes.end())};
}

} // namespace

TEST_CASE("both directions and all ports agree, in whatever they are wrapped") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    CHECK(expected != 0);
    CHECK(hash(build({Ethernet{}, kBack, Udp{.source_port = 9}})) == expected);
    CHECK(hash(build({Ethernet{}, Vlan{}, Vlan{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Mpls{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Pppoe{}, kForth, Tcp{}})) == expected);
    CHECK(hash(build({LinuxCooked{}, kForth, Tcp{}}), LinkType::linux_cooked) == expected);
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

TEST_CASE("in GRE and IP in IP the inner addresses decide, as outside of them") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    CHECK(hash(build({Ethernet{}, Ipv4{}, kForth, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv6{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv4{}, Gre{}, kForth, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv4{}, Gre{.key = 7, .sequence = 1}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv6{}, Gre{}, Ipv4{}, kBack, Tcp{}})) == expected); // one in another
    CHECK(hash(build({Ethernet{}, Ipv4{}, Gre{.protocol = 0x6558}, Ethernet{}, Vlan{}, kForth, Tcp{}})) == expected);
}

TEST_CASE("a tunnel over UDP is a connection, and goes with all that it carries by its own addresses") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Udp{}}));
    const Ipv4 other = {.source = IpAddress::from_v4(1, 2, 3, 4), .destination = IpAddress::from_v4(5, 6, 7, 8)};
    CHECK(hash(build({Ethernet{}, kForth, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}, other, Tcp{}})) ==
          expected);
    CHECK(hash(build({Ethernet{}, other, Gre{}, kBack, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}, Ipv4{},
                      Tcp{}})) == expected);
}

TEST_CASE("a tunnel that can not be opened goes by its own addresses") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    CHECK(hash(build({Ethernet{}, kForth, Gre{.version = 3}, kBack, Tcp{}})) == expected);
    CHECK(hash(cut(build({Ethernet{}, kForth, Gre{}, Ipv4{}, Tcp{}}), 14 + 20 + 2)) == expected);
    CHECK(hash(cut(build({Ethernet{}, kForth, Ipv4{}, Tcp{}}), 14 + 20 + 19)) == expected);
}

TEST_CASE("what follows a tunnel's packet in its frame is opened where the decoder opens it") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    // A length of nothing behind the header: the frame tells.
    for (const std::uint16_t total : {std::uint16_t{0}, std::uint16_t{20}})
        CHECK(hash(build({Ethernet{}, Ipv4{.total_length = total}, Gre{}, kBack, Tcp{}})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv6{.payload_length = std::uint16_t{0}}, Gre{}, kBack, Tcp{}})) == expected);
    // PPTP's packets must end where the outer ones do, which may be before the frame does.
    const Bytes inner =
        build({Gre{.version = 1, .protocol = 0x880b}, Payload{std::string("\xff\x03\x00\x21", 4)}, kBack, Tcp{}});
    const auto length = static_cast<std::uint16_t>(inner.size());
    const Payload padded = {std::string(inner.begin(), inner.end()) + "padding"};
    CHECK(hash(build({Ethernet{}, Ipv4{.protocol = 47, .total_length = static_cast<std::uint16_t>(20 + length)},
                      padded})) == expected);
    CHECK(hash(build({Ethernet{}, Ipv6{.next_header = 47, .payload_length = length}, padded})) == expected);
}

TEST_CASE("fragments of a tunnel's packet go where its first fragment's inner addresses say") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    for (const Header& outer : {Header{Ipv4{}}, Header{Ipv6{}}}) {
        Distribution distribution(1);
        const auto fragments = build_fragments({Ethernet{}, outer, Gre{.protocol = 0x0800}, inner_packet()}, 128);
        REQUIRE(fragments.size() > 3);
        for (const Bytes& fragment : fragments) CHECK(hash(distribution, fragment) == expected);
        // Where another one comes first, nobody knows; they stay together all the same.
        Distribution other(1);
        const std::uint32_t first = hash(other, fragments.back());
        CHECK(first == hash(build({Ethernet{}, outer, Tcp{}})));
        for (const Bytes& fragment : fragments) CHECK(hash(other, fragment) == first);
    }
}

TEST_CASE("an atomic fragment of a tunnel goes where its inner addresses say, whatever came with its id") {
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    Distribution distribution(1);
    const Header rest = Ipv6Fragment{.offset = 8, .next_header = 47};
    CHECK(hash(distribution, build({Ethernet{}, Ipv6{}, rest, Payload{"the end of another"}})) != expected);
    CHECK(hash(distribution, build({Ethernet{}, Ipv6{}, Ipv6Fragment{}, Gre{}, kForth, Tcp{}})) == expected);
    CHECK(hash(distribution, build({Ethernet{}, Ipv6{}, Ipv6Fragment{}, Ipv6Extension{.kind = 60}, kBack, Tcp{}})) ==
          expected);
}

TEST_CASE("a tunnel's id that comes again is another packet's") {
    const Ipv4 other = {.source = IpAddress::from_v4(1, 2, 3, 4), .destination = IpAddress::from_v4(5, 6, 7, 8)};
    const auto fragments_of = [](const Ipv4& header) {
        return build_fragments({Ethernet{}, Ipv4{}, Gre{.protocol = 0x0800}, inner_packet(header)}, 128);
    };
    const std::uint32_t expected = hash(build({Ethernet{}, other, Tcp{}}));
    Distribution soon(1); // its first fragment tells
    for (const Bytes& fragment : fragments_of(kForth)) hash(soon, fragment);
    for (const Bytes& fragment : fragments_of(other)) CHECK(hash(soon, fragment) == expected);
    Distribution later(1); // one that another fragment decided, long ago
    hash(later, fragments_of(kForth).back());
    for (const Bytes& fragment : fragments_of(other))
        CHECK(hash(later, fragment, LinkType::ethernet, kMinute) == expected);
}

TEST_CASE("datagrams of tunnels that are never whole take no more memory, and others their place") {
    Distribution distribution(1);
    const auto fragments_of = [&](std::uint16_t id) {
        return build_fragments({Ethernet{}, Ipv4{.id = id}, Gre{.protocol = 0x0800}, inner_packet()}, 128);
    };
    const std::uint32_t expected = hash(build({Ethernet{}, kForth, Tcp{}}));
    for (unsigned id = 0; id < 60'000; ++id)
        REQUIRE(hash(distribution, fragments_of(static_cast<std::uint16_t>(id)).front()) == expected);
    for (const Bytes& fragment : fragments_of(60'000)) CHECK(hash(distribution, fragment) == expected);
    // Long forgotten.
    CHECK(hash(distribution, fragments_of(1).back()) == hash(build({Ethernet{}, Ipv4{}, Tcp{}})));
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
