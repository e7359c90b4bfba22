// The decoder as a whole: the fast path against the general one, and packets cut at every byte.
#include "core/packet/decode.h"
#include "core/packet/distribution.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

#include <random>

namespace ftpsensor::test {
namespace {

std::vector<Bytes> all_kinds() {
    const Payload data = {"some data"};
    std::vector<Bytes> packets = {
        build({Ethernet{}, Ipv4{}, Tcp{.flags = 2, .options = {.mss = 1460, .window_scale = 7}}, data}),
        build({Ethernet{}, Vlan{}, Ipv4{}, Udp{}, data}),
        build({Ethernet{}, Ipv6{}, Tcp{}, data}),
        build({Ethernet{}, Vlan{}, Ipv6{}, Udp{}, data}),
        build({Ethernet{}, Ipv4{.options = Bytes(8, 1)}, Icmp{}, data}),
        build({Ethernet{}, Vlan{.tpid = 0x88a8}, Vlan{}, Mpls{}, Mpls{}, Ipv4{}, Tcp{}, data}),
        build({Ethernet{}, Pppoe{}, Ipv6{}, Ipv6Extension{.kind = 0}, Ipv6Extension{.kind = 60}, Udp{}, data}),
        build({Ethernet{}, Ipv6{}, Ipv6Fragment{}, Ipv6Extension{.kind = 60}, Tcp{}, data}),
        build({Ethernet{}, Ipv4{}, Gre{.with_checksum = true, .key = 1}, Ethernet{}, Ipv6{}, Udp{}, data}),
        build({Ethernet{}, Ipv4{}, Ipv6{}, Ipv4{}, Tcp{}, data}),
        build({Ethernet{}, Ipv4{}, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}, Vlan{}, Ipv4{}, Tcp{}, data}),
        build({Ethernet{}, Ipv6{}, Udp{.destination_port = 6081}, Geneve{.options = Bytes(8, 0)}, Ipv6{}, Tcp{}}),
        build({Ethernet{}, Ipv4{.protocol = 132}, data}),
        build({Ethernet{.ether_type = 17}, raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0}), data}),
    };
    const std::vector<Bytes> fragments =
        build_fragments({Ethernet{}, Ipv4{}, Udp{}, Payload{std::string(99, 'x')}}, 64);
    packets.insert(packets.end(), fragments.begin(), fragments.end());
    return packets;
}

void check_within(const Decoding& decoding) {
    const DecodedPacket& out = decoding.out();
    REQUIRE(out.layer_count <= out.layers.size());
    for (std::size_t i = 0; i < out.layer_count; ++i) {
        const Layer& layer = out.layers[i];
        REQUIRE((layer.carried_by == TunnelKind::none) == (i == 0));
        REQUIRE(layer.payload_captured <= layer.payload_length);
        REQUIRE(layer.payload >= layer.l4);
        REQUIRE(layer.payload + layer.payload_captured <= layer.l4 + layer.l4_captured);
        const std::string all(reinterpret_cast<const char*>(layer.l4), layer.l4_captured); // reads every byte
        REQUIRE(all.size() == layer.l4_captured);
    }
}

bool same(const Layer& a, const Layer& b) {
    return a.source == b.source && a.destination == b.destination && a.source_port == b.source_port &&
           a.destination_port == b.destination_port && a.ip_proto == b.ip_proto && a.transport == b.transport &&
           a.carried_by == b.carried_by && a.makes_connection == b.makes_connection && a.one_way == b.one_way &&
           a.bad_l4_checksum == b.bad_l4_checksum && a.bad_header == b.bad_header && a.ip_length == b.ip_length &&
           a.l4_captured == b.l4_captured && a.payload - a.l4 == b.payload - b.l4 &&
           a.payload_length == b.payload_length && a.payload_captured == b.payload_captured && a.tcp_seq == b.tcp_seq &&
           a.tcp_ack == b.tcp_ack && a.tcp_window == b.tcp_window && a.tcp_flags == b.tcp_flags &&
           a.tcp_window_scale == b.tcp_window_scale && a.udp_length == b.udp_length;
}

// All that was counted, but what only a look at checksums counts, or leaves out.
std::uint64_t count_but_sums(const Decoding& decoding) {
    std::uint64_t count = decoding.count_all();
    for (const Event event : {Event::bad_IP_checksum, Event::bad_TCP_checksum, Event::bad_UDP_checksum,
                              Event::bad_ICMP_checksum, Event::bad_MH_checksum, Event::UDP_datagram_length_mismatch})
        count -= decoding.count(event);
    return count;
}

} // namespace

TEST_CASE("a packet cut at every byte is read no further") {
    for (const Bytes& packet : all_kinds()) {
        Distribution distribution(1);
        for (const bool known_longer : {false, true}) {
            for (const ChecksumPolicy policy : {ChecksumPolicy::ignore, ChecksumPolicy::mark}) {
                Decoding decoding({.checksums = policy});
                for (std::size_t size = 0; size <= packet.size(); ++size) {
                    const auto on_wire = static_cast<std::uint32_t>(known_longer ? packet.size() : 0);
                    decoding.decode(cut(packet, size), LinkType::ethernet, on_wire);
                    check_within(decoding);
                    distribution.hash(decoding.view());
                }
            }
        }
    }
}

TEST_CASE("any bytes as any link type are read no further") {
    std::mt19937 random(11);
    Distribution distribution(1);
    Decoding decoding({.fragment_bytes_max = 16 * 1024, .fragment_datagrams_max = 8});
    for (int round = 0; round < 20000; ++round) {
        Bytes packet(random() % 120);
        for (auto& byte : packet) byte = static_cast<std::uint8_t>(random());
        if (!packet.empty() && random() % 2 == 0) packet[0] = random() % 2 == 0 ? 0x45 : 0x60;
        const auto link = static_cast<LinkType>(random() % (static_cast<unsigned>(LinkType::unknown) + 1));
        decoding.decode(packet, link, random() % 2 == 0 ? 2000 : 0);
        check_within(decoding);
        distribution.hash(decoding.view());
    }
}

// Where checksums are looked at, the general path reads what the fast one would.
TEST_CASE("the fast path says what the general one says") {
    std::mt19937 random(3);
    const Tcp syn = {.flags = 2, .options = {.mss = 1460, .window_scale = 7}};
    const Payload data = {"some data"};
    std::vector<Bytes> plain;
    for (const bool tagged : {false, true}) {
        for (const Header& ip : {Header{Ipv4{}}, Header{Ipv6{}}}) {
            for (const Header& transport : {Header{Tcp{}}, Header{syn}, Header{Udp{}}}) {
                std::vector<Header> headers = {Ethernet{.minimum_size = random() % 2 == 0 ? 60u : 0u}};
                if (tagged) headers.emplace_back(Vlan{});
                headers.insert(headers.end(), {ip, transport, data});
                plain.push_back(build(headers));
            }
        }
    }
    plain.push_back(build({Ethernet{.minimum_size = 60}, Ipv4{}, Tcp{}})); // nothing but padding behind it
    plain.push_back(build({Ethernet{}, Vlan{}, Ipv4{}, Tcp{}}));
    Decoding fast;
    Decoding general({.checksums = ChecksumPolicy::mark});
    std::size_t tagged = 0;
    std::size_t decoded = 0;
    for (int round = 0; round < 40000; ++round) {
        Bytes frame = plain[random() % plain.size()];
        for (auto changes = random() % 4; changes > 0; --changes) {
            frame[12 + random() % (frame.size() - 12)] = static_cast<std::uint8_t>(random());
        }
        if (random() % 4 == 0) frame.resize(random() % (frame.size() + 1));
        const auto longer = static_cast<std::uint32_t>(random() % 3 == 0 ? random() % 100 : 0);
        const auto size = static_cast<std::uint32_t>(frame.size());

        fast.decode(frame, LinkType::ethernet, size + longer);
        general.decode(frame, LinkType::ethernet, size + longer);
        CAPTURE(round);
        REQUIRE(fast.out().layer_count == general.out().layer_count);
        for (std::size_t i = 0; i < fast.out().layer_count; ++i) {
            Layer of_general = general.out().layers[i];
            of_general.bad_l4_checksum = false;
            REQUIRE(same(fast.out().layers[i], of_general));
        }
        if (fast.out().layer_count == 1 && !fast.out().borrowed) {
            REQUIRE(fast.last().l4 - fast.view().data == general.last().l4 - general.view().data);
        }
        REQUIRE(count_but_sums(fast) == count_but_sums(general));
        decoded += fast.out().layer_count;
        tagged += fast.out().layer_count != 0 && frame[12] == 0x81 && frame[13] == 0;
    }
    CHECK(decoded > 20000);
    CHECK(tagged > 10000);
}

TEST_CASE("a layer holds nothing of the packet before it") {
    Decoding decoding;
    const Bytes udp = build({Ethernet{}, Ipv4{}, Udp{}, Payload{"x"}});
    Decoding fresh;
    fresh.decode(udp);
    for (const Bytes& packet : all_kinds()) {
        decoding.decode(packet);
        decoding.decode(udp);
        REQUIRE(decoding.out().layer_count == 1);
        CHECK(same(decoding.last(), fresh.last()));
    }
}

} // namespace ftpsensor::test
