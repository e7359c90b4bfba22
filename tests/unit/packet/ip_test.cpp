#include "core/packet/ip.h"
#include "core/packet/ipv6_extensions.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

// Nothing comes of the packet, and `event` says why.
void check_refused(const Bytes& packet, Event event, std::uint32_t on_wire = 0) {
    Decoding decoding;
    CHECK(decoding.decode(packet, LinkType::raw_ip, on_wire).layer_count == 0);
    CHECK(decoding.count(event) == 1);
    CHECK(decoding.count_all() == 1);
}

Bytes routing_body(int type, int segments_left, std::string_view address) {
    Bytes body = {static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(segments_left), 0, 0, 0, 0};
    const IpAddress parsed = ip(address);
    body.insert(body.end(), parsed.bytes.begin(), parsed.bytes.end());
    return body;
}

} // namespace

TEST_CASE("IPv4 options are skipped, padding is not payload") {
    Bytes packet = build({Ethernet{}, Ipv4{.options = Bytes(12, 1)}, Udp{}, Payload{"four"}});
    packet.resize(packet.size() + 10, 0xee);
    Decoding decoding;
    REQUIRE(decoding.decode(packet).layer_count == 1);
    CHECK(decoding.last().ip_length == 32 + 8 + 4);
    CHECK(decoding.last().payload_length == 4);
    CHECK(payload_text(decoding.last()) == "four");
}

TEST_CASE("IPv4 headers that contradict themselves") {
    const std::vector<Header> udp = {Ipv4{}, Udp{}, Payload{"payload"}};
    check_refused(build({Ipv4{.version = 5}, Udp{}}), Event::unknown_ip_version);
    check_refused(build({Ipv4{.header_words = 4}, Udp{}}), Event::IPv4_min_header_size);
    check_refused(build({Ipv4{.header_words = 15, .total_length = 40}, Udp{}, Payload{std::string(60, 'x')}}),
                  Event::invalid_IP_header_size);
    check_refused(build({Ipv4{.total_length = 100}, Udp{}}), Event::truncated_IP_len);
    check_refused(cut(build({Ipv4{.options = Bytes(40, 1)}, Udp{}}), 30), Event::internally_truncated_header, 68);
    check_refused(cut(build(udp), 19), Event::truncated_IP);
}

TEST_CASE("a total length of 0 means what is there, but where checksums are verified") {
    const Bytes packet = build({Ipv4{.total_length = 0}, Tcp{}, Payload{"offloaded"}});
    Decoding decoding;
    REQUIRE(decoding.decode(packet, LinkType::raw_ip).layer_count == 1);
    CHECK(payload_text(decoding.last()) == "offloaded");
    CHECK(decoding.last().payload_length == 9);
    CHECK(decoding.last().ip_length == 0);
    CHECK(decoding.count(Event::ip_hdr_len_zero) == 1);
    Decoding verifying({.checksums = ChecksumPolicy::verify});
    CHECK(verifying.decode(packet, LinkType::raw_ip).layer_count == 0);
}

TEST_CASE("a cut capture keeps the headers' lengths") {
    for (const bool v6 : {false, true}) {
        const Header header = v6 ? Header{Ipv6{}} : Header{Ipv4{}};
        const Bytes packet = build({Ethernet{}, header, Tcp{}, Payload{std::string(500, 'x')}});
        const auto on_wire = static_cast<std::uint32_t>(packet.size());
        Decoding decoding;
        REQUIRE(decoding.decode(cut(packet, 96), LinkType::ethernet, on_wire).layer_count == 1);
        const std::uint32_t headers = 14 + (v6 ? 40 : 20) + 20;
        CHECK(decoding.last().payload_length == 500);
        CHECK(decoding.last().payload_captured == 96 - headers);
        CHECK(decoding.last().ip_length == on_wire - 14);
        CHECK(decoding.count_all() == 0);
    }
}

TEST_CASE("IPv6 extension headers are walked to the transport") {
    Decoding decoding;
    REQUIRE(decoding
                .decode(build({Ethernet{}, Ipv6{}, Ipv6Extension{.kind = 0}, Ipv6Extension{.kind = 60},
                               Ipv6Extension{.kind = 51, .body = Bytes(12, 0)}, Tcp{.source_port = 7}, Payload{"hi"}}))
                .layer_count == 1);
    CHECK(decoding.last().transport == Transport::tcp);
    CHECK(decoding.last().source_port == 7);
    CHECK(payload_text(decoding.last()) == "hi");
    CHECK(decoding.last().ip_length == decoding.view().captured - 14);
}

TEST_CASE("the final destination of a routing header counts while segments are left") {
    const auto destination = [](int type, int left) {
        Decoding decoding;
        decoding.decode(
            build({Ipv6{}, Ipv6Extension{.kind = 43, .body = routing_body(type, left, "2001:db8::99")}, Udp{}}),
            LinkType::raw_ip);
        return decoding.last().destination.to_string();
    };
    CHECK(destination(0, 1) == "2001:db8::99");
    CHECK(destination(2, 1) == "2001:db8::99");
    CHECK(destination(0, 0) == "2001:db8::2");
    CHECK(destination(2, 0) == "2001:db8::2");
    CHECK(destination(4, 1) == "2001:db8::2"); // segment routing: Zeek does not know it
}

TEST_CASE("the Home Address option is the source") {
    Bytes option = {1, 0, 201, 16};
    const IpAddress home = ip("2001:db8::77");
    option.insert(option.end(), home.bytes.begin(), home.bytes.end());
    Decoding decoding;
    REQUIRE(decoding.decode(build({Ipv6{}, Ipv6Extension{.kind = 60, .body = option}, Udp{}}), LinkType::raw_ip)
                .layer_count == 1);
    CHECK(decoding.last().source == home);
    option[3] = 15; // of a wrong length it is none
    decoding.decode(build({Ipv6{}, Ipv6Extension{.kind = 60, .body = option}, Udp{}}), LinkType::raw_ip);
    CHECK(decoding.last().source == ip("2001:db8::1"));
}

TEST_CASE("IPv6 headers that end in no transport") {
    check_refused(build({Ipv6{.next_header = 59}}), Event::ipv6_no_next);
    check_refused(build({Ipv4{.protocol = 59}, Payload{"x"}}), Event::ipv6_no_next);
    check_refused(build({Ipv6{.next_header = 50}, Payload{"an encrypted payload"}}), Event::esp_packet);
    check_refused(build({Ipv6{.payload_length = 100}, Udp{}}), Event::truncated_IP_len);
    check_refused(build({Ipv6{.payload_length = 4}, Ipv6Extension{.kind = 0}, Udp{}}), Event::invalid_IP_header_size);
    check_refused(cut(build({Ipv6{}, Udp{}}), 39), Event::truncated_IP, 48);
    Decoding decoding; // mobility messages are none of ours, and nothing odd
    CHECK(
        decoding.decode(build({Ipv6{}, Ipv6Extension{.kind = 135, .next_header = 59}}), LinkType::raw_ip).layer_count ==
        0);
    CHECK(decoding.count_all() == 0);
}

TEST_CASE("an extension header that is cut off is taken for the protocol, as by Zeek") {
    const Bytes packet = build({Ipv6{}, Ipv6Extension{.kind = 0, .length = 9}, Udp{}});
    Decoding decoding;
    REQUIRE(decoding.decode(packet, LinkType::raw_ip).layer_count == 1);
    CHECK(decoding.last().transport == Transport::unknown);
    CHECK(decoding.last().ip_proto == 0);
}

TEST_CASE("chains of extension headers end with the packet alone") {
    for (const std::size_t count : {33u, 180u, 8000u}) {
        std::vector<Header> headers = {Ipv6{}};
        headers.insert(headers.end(), count, Ipv6Extension{.kind = 60});
        headers.emplace_back(Udp{});
        Decoding decoding;
        REQUIRE(decoding.decode(build(headers), LinkType::raw_ip).layer_count == 1);
        CHECK(decoding.last().transport == Transport::udp);
    }
}

} // namespace ftpsensor::test
