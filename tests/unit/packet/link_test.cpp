#include "core/packet/link.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

const std::vector<Header> kInside = {Ipv4{}, Udp{.source_port = 1111, .destination_port = 2222}, Payload{"inside"}};

Bytes with(std::vector<Header> link, const std::vector<Header>& inside = kInside) {
    link.insert(link.end(), inside.begin(), inside.end());
    return build(link);
}

void check_inside(Decoding& decoding, const Bytes& packet, LinkType link = LinkType::ethernet) {
    REQUIRE(decoding.decode(packet, link).layer_count == 1);
    CHECK(decoding.last().source_port == 1111);
    CHECK(payload_text(decoding.last()) == "inside");
    CHECK(decoding.count_all() == 0);
}

void check_stopped(const Bytes& packet, Event event, LinkType link = LinkType::ethernet) {
    Decoding decoding;
    CHECK(decoding.decode(packet, link).layer_count == 0);
    CHECK(decoding.count(event) == 1);
    CHECK(decoding.count_all() == 1);
}

} // namespace

TEST_CASE("each link type leads to the IP packet") {
    Decoding decoding;
    check_inside(decoding, with({Ethernet{}}));
    check_inside(decoding, with({}), LinkType::raw_ip);
    check_inside(decoding, with({LinuxCooked{}}), LinkType::linux_cooked);
    check_inside(decoding, with({LinuxCooked2{}}), LinkType::linux_cooked2);
    check_inside(decoding, with({Ppp{}}), LinkType::ppp);
    check_inside(decoding, with({Ppp{.hdlc_framing = true}}), LinkType::ppp);
    check_inside(decoding, with({Ppp{.hdlc_framing = true}}), LinkType::ppp_serial);
    check_inside(decoding, with({Pppoe{}}), LinkType::pppoe);
    check_inside(decoding, with({Payload{std::string(21, 'x')}}), LinkType::fddi);
    check_inside(decoding, with({}), LinkType::unknown); // as Zeek: IP, where it may be
}

TEST_CASE("loopback takes every system's AF_INET6 in either byte order") {
    const std::vector<Header> v6 = {Ipv6{}, Udp{.source_port = 1111}, Payload{"inside"}};
    for (const std::uint32_t family : {10u, 24u, 28u, 30u}) {
        for (const bool network_order : {false, true}) {
            Decoding decoding;
            const Bytes packet = with({Loopback{.network_byte_order = network_order, .family = family}}, v6);
            check_inside(decoding, packet, network_order ? LinkType::loop_network : LinkType::null_host);
        }
    }
    check_stopped(with({Loopback{.family = 7}}), Event::unknown_ethertype, LinkType::null_host);
}

TEST_CASE("tags of every kind are taken off, in any order") {
    Decoding decoding;
    check_inside(decoding, with({Ethernet{}, Vlan{}}));
    check_inside(decoding, with({Ethernet{}, Vlan{.tpid = 0x88a8}, Vlan{}}));
    check_inside(decoding, with({Ethernet{}, Vlan{.tpid = 0x9100}, Vlan{.tpid = 0x9100}, Vlan{}}));
    check_inside(decoding, with({Ethernet{}, Mpls{}}));
    check_inside(decoding, with({Ethernet{}, Mpls{}, Mpls{}, Mpls{}}));
    check_inside(decoding, with({Ethernet{}, Vlan{}, Mpls{}}));
    check_inside(decoding, with({Ethernet{}, Pppoe{}}));
    check_inside(decoding, with({Ethernet{}, Vlan{.tpid = 0x88a8}, Vlan{}, Pppoe{}}));
    check_inside(decoding, with({LinuxCooked{}, Vlan{}}), LinkType::linux_cooked);
}

TEST_CASE("wireless LAN: data with SNAP, of all shapes") {
    const Payload addresses = {std::string(22, 'a')};
    const Payload snap = raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0});
    Decoding decoding;
    const auto check = [&decoding](const std::vector<Header>& link) {
        check_inside(decoding, with(link), LinkType::ieee802_11);
    };
    check({raw({0x08, 0}), addresses, snap});
    check({raw({0x08, 3}), addresses, Payload{"sixth!"}, snap}); // from one distribution system to another
    check({raw({0x88, 1}), addresses, raw({0, 0}), snap});       // quality of service
    Bytes aggregate = with({raw({0x88, 1}), addresses, raw({0x80, 0}), Payload{"of both ends"}, raw({0, 42}), snap});
    REQUIRE(aggregate.size() == 24 + 2 + 14 + 42);
    check_inside(decoding, aggregate, LinkType::ieee802_11);

    CHECK_FALSE(decoding.out().borrowed);
    CHECK_FALSE(decoding.more());
}

namespace {

// A frame of an aggregate: a UDP packet from that port, or, without one, an 802.2 frame of another kind.
Bytes subframe(std::uint16_t port, std::uint32_t payload) {
    const std::string text(payload, 'x');
    const Bytes inside = port != 0 ? build({raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0}), Ipv4{},
                                            Udp{.source_port = port, .destination_port = 2000}, Payload{text}})
                                   : build({raw({0x42, 0x42, 3, 0, 0, 0, 8, 0}), Payload{text}});
    const auto size = static_cast<int>(inside.size());
    Bytes all = build({Payload{"of both ends"}, raw({size >> 8, size & 255})});
    all.insert(all.end(), inside.begin(), inside.end());
    return all;
}

Bytes aggregate_of(const std::vector<Bytes>& frames) {
    Bytes all = build({raw({0x88, 1}), Payload{std::string(22, 'a')}, raw({0x80, 0})});
    const std::size_t header = all.size();
    for (const Bytes& frame : frames) {
        while ((all.size() - header) % 4 != 0) all.push_back(0);
        all.insert(all.end(), frame.begin(), frame.end());
    }
    return all;
}

// The ports that frames of an aggregate come from; 0: none could be read.
std::vector<int> ports_of(Decoding& decoding, const Bytes& packet, LinkType link) {
    std::vector<int> ports;
    const DecodedPacket& out = decoding.decode(packet, link);
    const auto add = [&] { ports.push_back(out.layer_count == 0 ? 0 : out.layers[out.layer_count - 1u].source_port); };
    add();
    if (out.borrowed)
        while (decoding.more()) add();
    return ports;
}

using Ports = std::vector<int>;

} // namespace

TEST_CASE("wireless LAN: the frames of an aggregate come out one after another") {
    for (const std::uint32_t payload : {40u, 41u, 42u, 43u}) {
        Decoding decoding;
        const Bytes all = aggregate_of({subframe(1, payload), subframe(2, 3), subframe(3, payload), subframe(4, 0)});
        CHECK(ports_of(decoding, all, LinkType::ieee802_11) == Ports{1, 2, 3, 4});
        CHECK(decoding.count_all() == 0);
        for (std::size_t size = 0; size < all.size(); ++size) ports_of(decoding, cut(all, size), LinkType::ieee802_11);
    }
    Decoding decoding;
    // What is no IP stops nothing; what is cut does.
    Bytes odd = aggregate_of({subframe(0, 40), subframe(2, 3), subframe(0, 10), subframe(4, 1), subframe(5, 40)});
    CHECK(ports_of(decoding, odd, LinkType::ieee802_11) == Ports{0, 2, 0, 4, 5});
    odd.pop_back();
    CHECK(ports_of(decoding, odd, LinkType::ieee802_11) == Ports{0, 2, 0, 4, 0});
    // Not asked for, they are forgotten.
    decoding.decode(odd, LinkType::ieee802_11);
    decoding.decode(build({Ipv4{}, Udp{}}), LinkType::raw_ip);
    CHECK_FALSE(decoding.more());
}

TEST_CASE("wireless LAN: an aggregate in a tunnel has the tunnel's layers, told once; one in another comes first") {
    const auto gre = [](const Bytes& inside) {
        Bytes all = build({Ipv4{.protocol = 47}, raw({0, 0, 0x90, 0})});
        all.insert(all.end(), inside.begin(), inside.end());
        all[2] = static_cast<std::uint8_t>(all.size() >> 8);
        all[3] = static_cast<std::uint8_t>(all.size());
        return all;
    };
    Decoding decoding;
    decoding.decode(gre(aggregate_of({subframe(1, 3), subframe(2, 3)})), LinkType::raw_ip);
    REQUIRE(decoding.out().layer_count == 2);
    CHECK(decoding.out().told == 0);
    REQUIRE(decoding.more());
    REQUIRE(decoding.out().layer_count == 2);
    CHECK(decoding.out().told == 1);
    CHECK(decoding.last().source_port == 2);
    CHECK(decoding.last().carried_by == TunnelKind::gre);
    CHECK_FALSE(decoding.out().layers[0].makes_connection);
    CHECK_FALSE(decoding.more());
    CHECK(decoding.out().told == 0);

    const auto carrying = [&gre](const Bytes& inside) {
        const Bytes packet = gre(inside);
        Bytes all = build({Payload{"of both ends"}, raw({0, static_cast<int>(packet.size() + 8)}),
                           raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0})});
        all.insert(all.end(), packet.begin(), packet.end());
        return all;
    };
    const Bytes inner = aggregate_of({subframe(2, 3), subframe(3, 3), subframe(4, 3)});
    const Bytes both = aggregate_of({subframe(1, 3), carrying(inner), subframe(5, 3)});
    CHECK(ports_of(decoding, both, LinkType::ieee802_11) == Ports{1, 2, 3, 4, 5});
}

TEST_CASE("wireless LAN: what carries nothing, or hides it") {
    const Payload addresses = {std::string(22, 'a')};
    const auto check = [&addresses](int control, int flags, Event event) {
        const Payload snap = raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0});
        check_stopped(with({raw({control, flags}), addresses, snap}), event, LinkType::ieee802_11);
    };
    check(0x80, 0, Event::unknown_ethertype);    // a beacon
    check(0x48, 0, Event::unknown_ethertype);    // no data in it
    check(0x88, 0x40, Event::unknown_ethertype); // encrypted
    check(0x08, 3, Event::unknown_ethertype);    // the fourth address is missing: no SNAP there
    for (std::size_t size = 0; size < 32; ++size)
        check_stopped(cut(with({raw({0x08, 0}), addresses, raw({0xaa, 0xaa, 3, 0, 0, 0, 8, 0})}), size),
                      size <= 24 ? Event::truncated_802_11_header : Event::truncated_802_11_llc_header,
                      LinkType::ieee802_11);
}

TEST_CASE("radiotap and netfilter logs are taken off") {
    const Payload wireless = {std::string("\x08\0", 2) + std::string(22, 'a') + "\xaa\xaa\3" + std::string(3, 0) +
                              "\x08" + std::string(1, 0)};
    Decoding decoding;
    check_inside(decoding, with({raw({0, 0, 6, 0, 9, 9}), wireless}), LinkType::radiotap);
    check_stopped(with({raw({0, 0, 255, 255}), wireless}), Event::truncated_radiotap_header, LinkType::radiotap);
    check_stopped(bytes("\1"), Event::truncated_radiotap_header, LinkType::radiotap);

    const Payload header = raw({2, 0, 0, 0});
    const Payload prefix = raw({5, 0, 10, 0, 'x', 0, 0, 0}); // of 5 bytes, padded to 8
    check_inside(decoding, with({header, prefix, raw({4, 0, 9, 0})}), LinkType::nflog);
    check_stopped(with({raw({7, 0, 0, 0}), raw({4, 0, 9, 0})}), Event::unknown_ethertype, LinkType::nflog);
    check_stopped(with({raw({2, 1, 0, 0}), raw({4, 0, 9, 0})}), Event::unknown_nflog_version, LinkType::nflog);
    check_stopped(with({header, raw({3, 0, 10, 0})}), Event::nflog_bad_tlv_len, LinkType::nflog);
    check_stopped(with({header, raw({255, 255, 10, 0})}), Event::nflog_bad_tlv_len, LinkType::nflog);
    check_stopped(build({header, prefix}), Event::nflog_no_pcap_payload, LinkType::nflog);
}

TEST_CASE("a stripped tag changes nothing") {
    Decoding decoding;
    const Bytes packet = with({Ethernet{}});
    PacketView view;
    view.data = packet.data();
    view.captured = view.length = static_cast<std::uint32_t>(packet.size());
    view.vlan_stripped = true;
    view.vlan_tci = 7;
    EventCounters events;
    Decoder decoder({}, events);
    DecodedPacket out;
    decoder.decode(view, out);
    REQUIRE(out.layer_count == 1);
    CHECK(payload_text(out.layers[0]) == "inside");
}

TEST_CASE("802.3 with SNAP carries IP, within its length; 802.2 and IPX do not") {
    const Bytes ip_packet = build(kInside);
    const auto frame = [&](std::initializer_list<int> llc, std::size_t padding) {
        Bytes bytes =
            build({Ethernet{.ether_type = static_cast<std::uint16_t>(llc.size() + ip_packet.size())}, raw(llc)});
        bytes.insert(bytes.end(), ip_packet.begin(), ip_packet.end());
        bytes.resize(bytes.size() + padding, 0xee);
        return bytes;
    };
    Decoding decoding;
    check_inside(decoding, frame({0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 0));
    check_inside(decoding, frame({0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 20));
    check_inside(decoding, frame({0xaa, 0xaa, 0, 0, 0, 0, 0, 8, 0}, 0));               // a control field of two bytes
    check_stopped(frame({0xaa, 0xaa, 3, 0, 0, 9, 8, 0}, 0), Event::unknown_ethertype); // another organisation
    check_stopped(frame({0x42, 0x42, 3}, 0), Event::unknown_ethertype);
    check_stopped(frame({0xff, 0xff, 3}, 0), Event::unknown_ethertype);
    check_stopped(with({Ethernet{.ether_type = 1501}}), Event::undefined_ether_type); // neither length nor type
    check_stopped(with({Ethernet{}, Vlan{.ether_type = 1535}}), Event::undefined_vlan_protocol);
}

TEST_CASE("provider backbone, VN-Tag and FabricPath headers are taken off") {
    Decoding decoding;
    const Bytes frame = with({Ethernet{}});
    Bytes backbone = build({Ethernet{.ether_type = 0x88e7}, raw({0, 0, 0, 1})});
    backbone.insert(backbone.end(), frame.begin(), frame.end());
    check_inside(decoding, backbone);
    Bytes tagged = build({Ethernet{.ether_type = 0x8926}, raw({0, 0, 0, 0, 0x81, 0, 0, 1, 8, 0})});
    tagged.insert(tagged.end(), frame.begin() + 14, frame.end());
    check_inside(decoding, tagged);
    Bytes fabric = build({Ethernet{.ether_type = 0x8903}, raw({0, 1})});
    fabric.insert(fabric.end(), frame.begin(), frame.end());
    check_inside(decoding, fabric);
}

TEST_CASE("a PPPoE length cuts trailing bytes off") {
    Bytes packet = build({Ethernet{}, Pppoe{}, Ipv4{.total_length = 0}, Udp{}, Payload{"inside"}});
    packet.resize(packet.size() + 9, 0xee);
    Decoding decoding;
    REQUIRE(decoding.decode(packet).layer_count == 1);
    CHECK(payload_text(decoding.last()) == "inside");
}

TEST_CASE("what is not IP is counted and gives nothing") {
    check_stopped(with({Ethernet{.ether_type = 0x0806}}), Event::arp);
    check_stopped(with({Ethernet{}, Vlan{.ether_type = 0x8035}}), Event::arp);
    check_stopped(with({Ethernet{.ether_type = 0x88cc}}), Event::unknown_ethertype);
    check_stopped(with({Ppp{.protocol = 0xc021}}), Event::unknown_ethertype, LinkType::ppp);
    check_stopped(bytes("?"), Event::unknown_link_type, LinkType::unknown);
    check_stopped({}, Event::empty_packet, LinkType::raw_ip);
    check_stopped({}, Event::truncated_ethernet_frame);
}

TEST_CASE("tags and labels without end are given up") {
    std::vector<Header> tags = {Ethernet{}};
    tags.insert(tags.end(), kMaxLinkHeaders + 1, Vlan{});
    check_stopped(with(tags), Event::max_packet_analyzer_depth_exceeded);
    tags.resize(kMaxLinkHeaders - 1);
    Decoding decoding;
    check_inside(decoding, with(tags));

    std::vector<Header> labels = {Ethernet{}};
    labels.insert(labels.end(), kMaxMplsLabels + 1, Mpls{});
    check_stopped(with(labels), Event::max_packet_analyzer_depth_exceeded);
    labels.resize(kMaxMplsLabels + 1);
    Decoding other;
    check_inside(other, with(labels));
}

} // namespace ftpsensor::test
