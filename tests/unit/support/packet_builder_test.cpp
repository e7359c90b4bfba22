// The builder is what other tests stand on: its packets are checked here against bytes of published examples, and by a
// checksum computed another way.
#include "tests/support/catch.h"
#include "tests/support/packet_builder.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

unsigned u16_at(const Bytes& packet, std::size_t offset) { return packet.at(offset) * 256u + packet.at(offset + 1); }

Bytes slice(const Bytes& packet, std::size_t begin, std::size_t size) {
    const auto from = packet.begin() + static_cast<std::ptrdiff_t>(begin);
    return Bytes(from, from + static_cast<std::ptrdiff_t>(size));
}

Bytes join(const Bytes& a, const Bytes& b) {
    Bytes both = a;
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

// A correct packet's words, checksum included, add up to a multiple of 65535 (RFC 1071 read as arithmetic modulo
// 2^16 - 1). Takes the bytes as one long number, which shares nothing with the builder's folding of carries.
bool checksum_holds(Bytes data) {
    if (data.size() % 2 != 0) data.push_back(0);
    std::uint32_t remainder = 0;
    for (const std::uint8_t byte : data) remainder = (remainder * 256 + byte) % 65535;
    return remainder == 0;
}

// The pseudo-header of IPv4 (RFC 9293 3.1): addresses, zero, protocol, length.
Bytes with_v4_pseudo_header(const Bytes& packet, std::size_t ip_offset, std::uint8_t protocol) {
    const std::size_t transport = ip_offset + 4u * (packet.at(ip_offset) & 0xf);
    const std::size_t length = packet.size() - transport;
    Bytes pseudo = slice(packet, ip_offset + 12, 8);
    for (const std::size_t value : {std::size_t{0}, std::size_t{protocol}, length / 256, length % 256}) {
        pseudo.push_back(static_cast<std::uint8_t>(value));
    }
    return join(pseudo, slice(packet, transport, length));
}

// The pseudo-header of IPv6 (RFC 8200 8.1): addresses, length, zero, next header. No extension headers.
Bytes with_v6_pseudo_header(const Bytes& packet, std::size_t ip_offset, std::uint8_t protocol) {
    const std::size_t length = packet.size() - ip_offset - 40;
    Bytes pseudo = slice(packet, ip_offset + 8, 32);
    for (const std::size_t value : {std::size_t{0}, std::size_t{0}, length / 256, length % 256, std::size_t{0},
                                    std::size_t{0}, std::size_t{0}, std::size_t{protocol}}) {
        pseudo.push_back(static_cast<std::uint8_t>(value));
    }
    return join(pseudo, slice(packet, ip_offset + 40, length));
}

} // namespace

TEST_CASE("the Internet checksum of RFC 1071's example") {
    CHECK(internet_checksum(Bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}) == 0x220d);
    CHECK(internet_checksum(Bytes{0x01}) == 0xfeff); // an odd byte is the high half of its word
}

TEST_CASE("an IPv4 header, byte for byte") {
    const Bytes packet = build({Ipv4{.source = ip("192.168.0.1"),
                                     .destination = ip("192.168.0.199"),
                                     .id = 0,
                                     .dont_fragment = true,
                                     .protocol = 17},
                                Payload{std::string(95, 'x')}});
    const Bytes expected = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                            0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
    CHECK(slice(packet, 0, 20) == expected);
}

TEST_CASE("TCP over IPv4: lengths, offsets and checksums") {
    for (const std::string text : {"", "odd", "even"}) {
        const Bytes packet =
            build({Ethernet{}, Ipv4{.options = {7, 3, 4}},
                   Tcp{.flags = kFlagSyn, .options = {.mss = 1460, .window_scale = 7}}, Payload{text}});
        CHECK(u16_at(packet, 12) == 0x0800);
        CHECK(packet.at(14) == 0x46); // 20 + 4 bytes of options
        CHECK(u16_at(packet, 16) == packet.size() - 14);
        CHECK(packet.at(14 + 24 + 12) == 0x70); // 20 + 8 bytes of options
        CHECK(checksum_holds(slice(packet, 14, 24)));
        CHECK(checksum_holds(with_v4_pseudo_header(packet, 14, 6)));
    }
}

TEST_CASE("TCP options as Linux orders them") {
    const Bytes packet =
        build({Tcp{.options = {.mss = 1460, .sack_permitted = true, .timestamps = {{1, 2}}, .window_scale = 7}}});
    const Bytes expected = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7};
    CHECK(slice(packet, 20, packet.size() - 20) == expected);
}

TEST_CASE("UDP over IPv6 and ICMPv6 carry a pseudo-header's checksum") {
    const Bytes udp = build({Ethernet{}, Ipv6{}, Udp{}, Payload{"hello"}});
    CHECK(u16_at(udp, 12) == 0x86dd);
    CHECK(u16_at(udp, 14 + 4) == 8 + 5);
    CHECK(udp.at(14 + 6) == 17);
    CHECK(checksum_holds(with_v6_pseudo_header(udp, 14, 17)));

    const Bytes icmp = build({Ipv6{}, Icmp{.type = 128}, Payload{"ping"}});
    CHECK(icmp.at(6) == 58);
    CHECK(checksum_holds(with_v6_pseudo_header(icmp, 0, 58)));
}

TEST_CASE("ICMP over IPv4 has no pseudo-header") {
    const Bytes packet = build({Ipv4{}, Icmp{}, Payload{"ping"}});
    CHECK(packet.at(9) == 1);
    CHECK(checksum_holds(slice(packet, 20, packet.size() - 20)));
}

TEST_CASE("a UDP checksum that comes out as zero is sent as ffff") {
    const Ipv4 header{};
    const unsigned before = u16_at(build({header, Udp{.source_port = 1}, Payload{std::string(2, '\0')}}), 20 + 6);
    const std::string filler = {static_cast<char>(before >> 8), static_cast<char>(before & 0xff)};
    CHECK(u16_at(build({header, Udp{.source_port = 1}, Payload{filler}}), 20 + 6) == 0xffff);
}

TEST_CASE("every layer announces the next") {
    SECTION("QinQ and MPLS") {
        const Bytes packet = build({Ethernet{}, Vlan{.id = 100, .priority = 5, .tpid = 0x88a8}, Vlan{.id = 7},
                                    Mpls{.label = 3}, Mpls{.label = 4}, Ipv4{}, Udp{}});
        CHECK(u16_at(packet, 12) == 0x88a8);
        CHECK(u16_at(packet, 14) == (5u << 13 | 100));
        CHECK(u16_at(packet, 16) == 0x8100);
        CHECK(u16_at(packet, 20) == 0x8847);
        CHECK(slice(packet, 22, 4) == Bytes{0, 0, 0x30, 64}); // label 3, not the bottom of the stack ...
        CHECK(slice(packet, 26, 4) == Bytes{0, 0, 0x41, 64}); // ... which label 4 is
    }
    SECTION("PPPoE") {
        const Bytes packet = build({Ethernet{}, Pppoe{.session = 9}, Ipv6{}, Udp{}});
        CHECK(u16_at(packet, 12) == 0x8864);
        CHECK(u16_at(packet, 18) == 2 + 40 + 8);
        CHECK(u16_at(packet, 20) == 0x0057);
    }
    SECTION("Linux cooked, loopback") {
        CHECK(u16_at(build({LinuxCooked{}, Ipv4{}}), 14) == 0x0800);
        CHECK(u16_at(build({LinuxCooked2{}, Ipv6{}}), 0) == 0x86dd);
        CHECK(build({LinuxCooked{}, Payload{}}).size() == 16);
        CHECK(build({LinuxCooked2{}, Payload{}}).size() == 20);
        CHECK(slice(build({Loopback{}, Ipv4{}}), 0, 4) == Bytes{2, 0, 0, 0});
        CHECK(slice(build({Loopback{.network_byte_order = true}, Ipv6{}}), 0, 4) == Bytes{0, 0, 0, 30});
    }
    SECTION("tunnels") {
        CHECK(build({Ipv4{}, Ipv6{}, Tcp{}}).at(9) == 41);
        const Bytes gre = build({Ipv4{}, Gre{.with_checksum = true, .key = 5}, Ipv4{}, Udp{}, Payload{"x"}});
        CHECK(gre.at(9) == 47);
        CHECK(slice(gre, 20, 4) == Bytes{0xa0, 0x00, 0x08, 0x00});
        CHECK(checksum_holds(slice(gre, 20, gre.size() - 20)));
        CHECK(slice(build({Vxlan{.vni = 0x123456}}), 0, 8) == Bytes{8, 0, 0, 0, 0x12, 0x34, 0x56, 0});
        const Bytes geneve = build({Geneve{.options = {1, 2, 3, 4, 5}}, Ethernet{}});
        CHECK(slice(geneve, 0, 4) == Bytes{2, 0, 0x65, 0x58}); // two words of options
    }
    SECTION("IPv6 extension headers") {
        const Bytes packet = build({Ipv6{}, Ipv6Extension{.kind = 0}, Ipv6Extension{.kind = 43, .body = Bytes(14)},
                                    Ipv6Extension{.kind = 51, .body = Bytes(10)}, Tcp{}});
        CHECK(packet.at(6) == 0);
        CHECK(slice(packet, 40, 2) == Bytes{43, 0});
        CHECK(slice(packet, 48, 2) == Bytes{51, 1});
        CHECK(slice(packet, 64, 2) == Bytes{6, 2}); // AH counts words less two: 16 bytes are 2
    }
}

TEST_CASE("the transport's checksum belongs to the nearest IP header") {
    const Bytes packet = build({Ipv4{}, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{},
                                Ipv4{.source = ip("172.16.0.1")}, Tcp{}, Payload{"inside"}});
    const std::size_t inner = 20 + 8 + 8 + 14;
    CHECK(checksum_holds(with_v4_pseudo_header(packet, inner, 6)));
    CHECK(checksum_holds(with_v4_pseudo_header(packet, 0, 17)));
}

TEST_CASE("a field can be wrong alone") {
    const Bytes good = build({Ipv4{}, Tcp{}, Payload{"data"}});
    const Bytes bad = build({Ipv4{.checksum = 0xdead}, Tcp{.header_words = 15}, Payload{"data"}});
    CHECK(u16_at(bad, 10) == 0xdead);
    CHECK(bad.at(32) == 0xf0);
    CHECK(bad.size() == good.size());
    CHECK(u16_at(build({Ipv4{.total_length = 9}}), 2) == 9);
    CHECK(u16_at(build({Udp{.length = 3}, Payload{"longer"}}), 4) == 3);
    CHECK(u16_at(build({Ipv4{}, Udp{.checksum = 0}}), 26) == 0);
}

TEST_CASE("fragments hold the datagram between them") {
    const std::string text = "a datagram of some length, cut into fragments";
    const Bytes whole = build({Ipv4{.id = 77}, Udp{}, Payload{text}});
    const auto fragments = build_fragments({Ethernet{}, Ipv4{.id = 77}, Udp{}, Payload{text}}, 16);
    REQUIRE(fragments.size() == (8 + text.size() + 15) / 16);
    Bytes together;
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        const unsigned more = i + 1 < fragments.size() ? 0x2000u : 0u;
        CHECK(u16_at(fragments[i], 14 + 6) == (more | i * 2));
        CHECK(fragments[i].at(14 + 9) == 17);
        CHECK(checksum_holds(slice(fragments[i], 14, 20)));
        together = join(together, slice(fragments[i], 34, fragments[i].size() - 34));
    }
    CHECK(together == slice(whole, 20, whole.size() - 20));

    const auto v6 = build_fragments({Ipv6{}, Tcp{}, Payload{text}}, 24, 0xabcdef01);
    REQUIRE(v6.size() == 3);
    CHECK(v6[1].at(6) == 44);
    CHECK(slice(v6[1], 40, 8) == Bytes{6, 0, 0, 25, 0xab, 0xcd, 0xef, 0x01}); // offset 24, more to come
    CHECK_THROWS_AS(build_fragments({Ipv4{}, Udp{}}, 12), std::invalid_argument);
}
