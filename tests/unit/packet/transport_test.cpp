#include "core/packet/transport.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

// The general path, which raw IP takes.
const Layer& one_layer(Decoding& decoding, const std::vector<Header>& headers) {
    REQUIRE(decoding.decode(build(headers), LinkType::raw_ip).layer_count == 1);
    return decoding.last();
}

void check_refused(const Bytes& packet, Event event, std::uint32_t on_wire = 0) {
    Decoding decoding;
    CHECK(decoding.decode(packet, LinkType::raw_ip, on_wire).layer_count == 0);
    CHECK(decoding.count(event) == 1);
}

} // namespace

TEST_CASE("all fields of TCP") {
    Decoding decoding;
    const Layer& layer = one_layer(decoding, {Ipv4{},
                                              Tcp{.source_port = 1,
                                                  .destination_port = 65535,
                                                  .seq = 0xfffffffe,
                                                  .ack = 0x80000001,
                                                  .flags = 0xd2,
                                                  .window = 512,
                                                  .options = {.mss = 1460, .sack_permitted = true, .window_scale = 7}},
                                              Payload{"data"}});
    CHECK(layer.transport == Transport::tcp);
    CHECK(layer.ip_proto == 6);
    CHECK(layer.source_port == 1);
    CHECK(layer.destination_port == 65535);
    CHECK(layer.tcp_seq == 0xfffffffe);
    CHECK(layer.tcp_ack == 0x80000001);
    CHECK(layer.tcp_flags == 0xd2);
    CHECK(layer.tcp_window == 512);
    CHECK(layer.tcp_window_scale == 7);
    CHECK(payload_text(layer) == "data");
    CHECK(layer.l4 + (layer.l4_captured - 4) == layer.payload);
    CHECK(layer.makes_connection);
}

TEST_CASE("window scale of damaged options is none") {
    const auto scale = [](Bytes options, std::uint8_t flags = kTcpSyn) {
        Decoding decoding;
        return one_layer(decoding, {Ipv4{}, Tcp{.flags = flags, .options = {.raw = std::move(options)}}})
            .tcp_window_scale;
    };
    CHECK(scale({3, 3, 9}) == 9);
    CHECK(scale({1, 1, 1, 3, 3, 14}) == 14);
    CHECK(scale({3, 3, 255}) == 127);
    CHECK(scale({3, 3, 9}, 0x10) == -1); // not of a SYN
    CHECK(scale({3, 4, 9, 0}) == -1);
    CHECK(scale({0, 3, 3, 9}) == -1); // behind the end
    CHECK(scale({8, 0, 3, 3, 9}) == -1);
    CHECK(scale({8, 40, 3, 3, 9}) == -1);
    CHECK(scale({1, 1, 1, 3}) == -1);
}

TEST_CASE("a data offset that is wrong leaves a connection without data") {
    Decoding decoding;
    const Layer& small = one_layer(decoding, {Ipv4{}, Tcp{.source_port = 9, .header_words = 4}, Payload{"data"}});
    CHECK(small.bad_header);
    CHECK(small.source_port == 9);
    CHECK(small.payload_length == 0);
    CHECK(decoding.count(Event::bad_TCP_header_len) == 1);
    const Layer& large = one_layer(decoding, {Ipv4{}, Tcp{.header_words = 15}, Payload{"data"}});
    CHECK(large.bad_header);
    CHECK(decoding.count(Event::truncated_header) == 1);
}

TEST_CASE("headers that are not whole make no connection") {
    check_refused(build({Ipv4{.protocol = 6}, Payload{std::string(19, 'x')}}), Event::truncated_header);
    check_refused(build({Ipv4{.protocol = 17}, Payload{std::string(7, 'x')}}), Event::truncated_header);
    check_refused(build({Ipv4{.protocol = 1}, Payload{std::string(7, 'x')}}), Event::truncated_header);
    check_refused(cut(build({Ipv4{}, Tcp{}}), 39), Event::internally_truncated_header, 40);
    check_refused(cut(build({Ipv6{}, Udp{}}), 47), Event::internally_truncated_header, 48);
}

TEST_CASE("UDP lengths are the IP header's, and the field's own beside them") {
    Decoding decoding;
    const Layer& layer = one_layer(decoding, {Ipv6{}, Udp{.length = 5000}, Payload{"eight by"}});
    CHECK(layer.transport == Transport::udp);
    CHECK(layer.payload_length == 8);
    CHECK(layer.udp_length == 5000);
    CHECK(decoding.count(Event::UDP_datagram_length_mismatch) == 1);
}

TEST_CASE("ICMP types that answer each other, and those that nothing answers") {
    const auto ports = [](bool v6, int type, int code) {
        Decoding decoding;
        const Header header = v6 ? Header{Ipv6{}} : Header{Ipv4{}};
        const Layer& layer = one_layer(
            decoding, {header, Icmp{.type = static_cast<std::uint8_t>(type), .code = static_cast<std::uint8_t>(code)}});
        CHECK(layer.transport == Transport::icmp);
        return std::tuple<int, int, bool>(layer.source_port, layer.destination_port, layer.one_way);
    };
    using Ports = std::tuple<int, int, bool>;
    const int pairs4[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
    for (const auto& [request, reply] : pairs4) {
        CHECK(ports(false, request, 3) == Ports(request, reply, false));
        CHECK(ports(false, reply, 3) == Ports(reply, request, false));
    }
    const int pairs6[][2] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};
    for (const auto& [request, reply] : pairs6) {
        CHECK(ports(true, request, 3) == Ports(request, reply, false));
        CHECK(ports(true, reply, 3) == Ports(reply, request, false));
    }
    CHECK(ports(false, 3, 3) == Ports(3, 3, true));
    CHECK(ports(false, 128, 1) == Ports(128, 1, true)); // ICMPv6's numbers mean nothing to ICMP
    CHECK(ports(true, 8, 1) == Ports(8, 1, true));
    CHECK(ports(true, 1, 4) == Ports(1, 4, true));
}

TEST_CASE("other protocols have no ports") {
    Decoding decoding;
    const Layer& layer = one_layer(decoding, {Ipv4{.protocol = 132}, Payload{"chunks"}});
    CHECK(layer.transport == Transport::unknown);
    CHECK(layer.ip_proto == 132);
    CHECK(layer.source_port == 0);
    CHECK(layer.destination_port == 0);
    CHECK(payload_text(layer) == "chunks");
    CHECK(layer.makes_connection);
}

} // namespace ftpsensor::test
