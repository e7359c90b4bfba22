#include "core/packet/tunnel.h"
#include "tests/support/catch.h"
#include "tests/unit/packet/decoding.h"

namespace ftpsensor::test {
namespace {

const std::vector<Header> kInner = {Ipv4{.source = ip("192.168.0.1"), .destination = ip("192.168.0.2")},
                                    Tcp{.source_port = 1234}, Payload{"inside"}};
const std::vector<Header> kInner6 = {Ipv6{}, Tcp{.source_port = 1234}, Payload{"inside"}};

std::vector<Header> join(std::vector<Header> outer, const std::vector<Header>& inner) {
    outer.insert(outer.end(), inner.begin(), inner.end());
    return outer;
}

void check_opened(const std::vector<Header>& headers, TunnelKind kind, std::size_t layers = 2) {
    Decoding decoding;
    const DecodedPacket& out = decoding.decode(build(headers), LinkType::raw_ip);
    REQUIRE(out.layer_count == layers);
    const Layer& inner = decoding.last();
    CHECK(inner.carried_by == kind);
    CHECK(inner.source_port == 1234);
    CHECK(payload_text(inner) == "inside");
    CHECK(inner.makes_connection);
    const bool over_udp = out.layers[layers - 2].transport == Transport::udp;
    CHECK(out.layers[layers - 2].makes_connection == over_udp);
    CHECK(decoding.count_all() == 0);
}

// The outer packet stands alone, and `event` says why.
void check_closed(const Bytes& packet, Event event, std::uint32_t on_wire = 0) {
    Decoding decoding;
    REQUIRE(decoding.decode(packet, LinkType::raw_ip, on_wire).layer_count == 1);
    CHECK(decoding.last().carried_by == TunnelKind::none);
    CHECK(decoding.count(event) == 1);
    CHECK(decoding.count_all() == 1);
}

} // namespace

TEST_CASE("IP in IP of all four kinds") {
    check_opened(join({Ipv4{}}, kInner), TunnelKind::ip_in_ip);
    check_opened(join({Ipv4{}}, kInner6), TunnelKind::ip_in_ip);
    check_opened(join({Ipv6{}}, kInner), TunnelKind::ip_in_ip);
    check_opened(join({Ipv6{}}, kInner6), TunnelKind::ip_in_ip);
}

TEST_CASE("an inner packet that does not fill the outer one is none") {
    const Bytes inner = build(kInner);
    check_closed(build({Ipv4{.protocol = 4}, Payload{std::string(inner.begin(), inner.end()) + "more"}}),
                 Event::inner_IP_payload_length_mismatch);
    check_closed(build(join({Ipv4{.protocol = 41}}, kInner)), Event::invalid_inner_IP_version);
    const Bytes packet = build(join({Ipv4{}}, kInner));
    check_closed(cut(packet, packet.size() - 1), Event::truncated_inner_IP, static_cast<std::uint32_t>(packet.size()));
}

TEST_CASE("GRE with every field, and what it carries") {
    check_opened(join({Ipv4{}, Gre{}}, kInner), TunnelKind::gre);
    check_opened(join({Ipv6{}, Gre{}}, kInner6), TunnelKind::gre);
    check_opened(join({Ipv4{}, Gre{.with_checksum = true, .key = 5, .sequence = 6}}, kInner), TunnelKind::gre);
    check_opened(join({Ipv4{}, Gre{}, Ethernet{}, Vlan{}}, kInner), TunnelKind::gre);
    check_opened(join({Ipv4{}, Udp{.destination_port = 4754}, Gre{}}, kInner), TunnelKind::gre);
    const Payload wireless = {std::string("\x08\0", 2) + std::string(22, 'a') + "\xaa\xaa\3" + std::string(3, 0) +
                              "\x08" + std::string(1, 0)};
    check_opened(join({Ipv4{}, Gre{.protocol = 0x8200}, wireless}, kInner), TunnelKind::gre);
}

TEST_CASE("ERSPAN of the three types") {
    const auto mirrored = [](const Gre& gre, std::initializer_list<int> header) {
        Payload frame = raw(header);
        const Bytes bytes = build(join({Ethernet{}}, kInner));
        frame.data.append(bytes.begin(), bytes.end());
        return std::vector<Header>{Ipv4{}, gre, frame};
    };
    check_opened(mirrored({.protocol = 0x88be}, {}), TunnelKind::gre);
    check_opened(mirrored({.sequence = 1, .protocol = 0x88be}, {0x10, 0, 0, 0, 0, 0, 0, 0}), TunnelKind::gre);
    check_opened(mirrored({.sequence = 1, .protocol = 0x22eb}, {0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
                 TunnelKind::gre);
    check_opened(
        mirrored({.sequence = 1, .protocol = 0x22eb}, {0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}),
        TunnelKind::gre);
    check_closed(build({Ipv4{}, Gre{.protocol = 0x22eb}, Payload{"too short"}}), Event::truncated_GRE);
    check_closed(build({Ipv4{}, Gre{.protocol = 0x88be}, Payload{"too short"}}), Event::truncated_GRE);
}

TEST_CASE("PPTP carries IP in PPP") {
    const Gre pptp = {.key = 5, .sequence = 1, .acknowledgment = 1, .version = 1, .protocol = 0x880b};
    check_opened(join({Ipv4{}, pptp, raw({0xff, 3, 0, 0x21})}, kInner), TunnelKind::gre);
    check_opened(join({Ipv4{}, pptp, raw({0xff, 3, 0, 0x57})}, kInner6), TunnelKind::gre);
    check_closed(build({Ipv4{}, pptp, raw({0xff, 3, 0xc0, 0x21})}), Event::non_ip_packet_in_encap);
    check_closed(build({Ipv4{}, pptp}), Event::truncated_GRE); // an acknowledgement alone
    check_closed(build({Ipv4{}, Gre{.version = 1, .protocol = 0x0800}, Payload{"x"}}), Event::egre_protocol_type);
}

TEST_CASE("GRE that stays closed keeps its parent") {
    check_closed(build(join({Ipv4{}, Gre{.version = 2}}, kInner)), Event::unknown_gre_version);
    check_closed(build(join({Ipv4{}, Gre{.flags_and_version = 0x4000}}, kInner)), Event::gre_routing);
    check_closed(build(join({Ipv4{}, Gre{.flags_and_version = 0x0008}}, kInner)), Event::unknown_gre_flags);
    check_closed(build({Ipv4{.protocol = 47}, Payload{"abc"}}), Event::truncated_GRE);
    check_closed(build({Ipv4{}, Gre{.protocol = 0x8200}, Payload{"802.11"}}), Event::truncated_802_11_header);
    check_closed(build({Ipv4{}, Gre{.protocol = 0x9000}}), Event::truncated_GRE);
    check_closed(build({Ipv4{}, Gre{.protocol = 0x6558}, Payload{"too short"}}), Event::truncated_GRE);
    check_closed(build({Ipv4{}, Gre{}, Payload{"... no IP packet, but of enough bytes"}}), Event::unknown_ip_version);
}

TEST_CASE("VXLAN and Geneve, told by the responder's port") {
    const Udp vxlan = {.destination_port = kVxlanPort};
    const Udp geneve = {.destination_port = kGenevePort};
    check_opened(join({Ipv4{}, vxlan, Vxlan{}, Ethernet{}}, kInner), TunnelKind::vxlan);
    check_opened(join({Ipv6{}, vxlan, Vxlan{}, Ethernet{}, Vlan{}}, kInner6), TunnelKind::vxlan);
    check_opened(join({Ipv4{}, Udp{.source_port = kVxlanPort}, Vxlan{}, Ethernet{}}, kInner), TunnelKind::vxlan);
    check_opened(join({Ipv4{}, geneve, Geneve{}, Ethernet{}}, kInner), TunnelKind::geneve);
    check_opened(join({Ipv4{}, geneve, Geneve{.options = Bytes(8, 0)}, Ethernet{}}, kInner), TunnelKind::geneve);
    check_opened(join({Ipv4{}, geneve, Geneve{}}, kInner), TunnelKind::geneve);
    check_opened(join({Ipv4{}, geneve, Geneve{}}, kInner6), TunnelKind::geneve);
}

TEST_CASE("VXLAN and Geneve that stay closed keep the outer packet") {
    const Udp vxlan = {.destination_port = kVxlanPort};
    const Udp geneve = {.destination_port = kGenevePort};
    check_closed(build(join({Ipv4{}, vxlan, Vxlan{.flags = 0}, Ethernet{}}, kInner)), Event::bad_vxlan_header);
    check_closed(build({Ipv4{}, vxlan, Vxlan{}}), Event::vxlan_empty_packet);
    check_closed(build({Ipv4{}, geneve, Geneve{}}), Event::geneve_empty_packet);
    check_closed(build({Ipv4{}, vxlan, Payload{"short"}}), Event::bad_vxlan_header);
    check_closed(build({Ipv4{}, vxlan, Vxlan{}, Payload{"no frame"}}), Event::truncated_ethernet_frame);
    check_closed(build({Ipv4{}, vxlan, Vxlan{}, Ethernet{.ether_type = 0x0806}, Payload{"who has"}}), Event::arp);
    check_closed(build(join({Ipv4{}, geneve, Geneve{.version = 1}}, kInner)), Event::geneve_invalid_version);
    check_closed(build({Ipv4{}, geneve, Geneve{.option_words = 63}, Payload{"x"}}), Event::bad_geneve_header);
    check_closed(build({Ipv4{}, geneve, Geneve{.protocol = 0x0806}, Payload{"x"}}), Event::arp);
    check_closed(build({Ipv4{}, geneve, Geneve{.protocol = 0x1234}, Payload{"x"}}), Event::unknown_ethertype);
}

TEST_CASE("Teredo, with and without what may stand before the packet") {
    const Udp server = {.destination_port = kTeredoPort};
    const Payload origin = raw({0, 0, 1, 2, 3, 4, 5, 6});
    const Payload authentication = raw({0, 1, 2, 3, 'i', 'd', 'k', 'e', 'y', 0, 0, 0, 0, 0, 0, 0, 0, 0});
    check_opened(join({Ipv4{}, server}, kInner6), TunnelKind::teredo);
    check_opened(join({Ipv4{}, Udp{.source_port = kTeredoPort}}, kInner6), TunnelKind::teredo);
    check_opened(join({Ipv4{}, server, origin}, kInner6), TunnelKind::teredo);
    check_opened(join({Ipv4{}, server, authentication}, kInner6), TunnelKind::teredo);
    check_opened(join({Ipv4{}, server, authentication, origin}, kInner6), TunnelKind::teredo);
    check_closed(build(join({Ipv4{}, server, origin, authentication}, kInner6)), Event::bad_teredo_header);
    check_closed(build(join({Ipv4{}, server, origin, origin}, kInner6)), Event::bad_teredo_header);
    check_closed(build(join({Ipv4{}, server}, kInner)), Event::bad_teredo_header); // IPv4
    check_closed(build({Ipv4{}, server, Payload{"x"}}), Event::bad_teredo_header);
    check_closed(build({Ipv4{}, server, raw({0, 1, 200, 200})}), Event::bad_teredo_header);
    check_closed(build({Ipv4{}, server, Ipv6{.payload_length = 9}, Tcp{}}), Event::bad_teredo_header);
}

TEST_CASE("Teredo on other ports is told by its addresses, or by what stands before the packet") {
    const std::vector<Header> inner = {Ipv6{.source = ip("2001::1")}, Tcp{.source_port = 1234}, Payload{"inside"}};
    const std::vector<Header> answer = {Ipv6{.destination = ip("2001::1")}, Tcp{.source_port = 1234},
                                        Payload{"inside"}};
    const Payload origin = raw({0, 0, 1, 2, 3, 4, 5, 6});
    const Payload authentication = raw({0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    check_opened(join({Ipv4{}, Udp{}}, inner), TunnelKind::teredo);
    check_opened(join({Ipv4{}, Udp{}}, answer), TunnelKind::teredo);
    check_opened(join({Ipv4{}, Udp{}, origin}, kInner6), TunnelKind::teredo);
    check_opened(join({Ipv4{}, Udp{}, authentication, origin}, kInner6), TunnelKind::teredo);
    Decoding decoding;
    CHECK(decoding.decode(build(join({Ipv4{}, Udp{}}, kInner6)), LinkType::raw_ip).layer_count == 1);
    CHECK(decoding.decode(build(join({Ipv4{}, Udp{}, authentication}, kInner6)), LinkType::raw_ip).layer_count == 1);
    CHECK(decoding.count_all() == 0);
    for (std::size_t size = 28; size < 28 + 68; ++size) // no read beyond what is there
        decoding.decode(cut(build(join({Ipv4{}, Udp{}, authentication, origin}, kInner6)), size), LinkType::raw_ip);
}

TEST_CASE("AYIYA, told by its port or by its signature") {
    const auto header = [](int operation, int next) {
        Payload p = raw({0x10, 0x52, operation, next, 0, 0, 0, 0});
        p.data += std::string(2 + 20, 's'); // an identity of 2 bytes, a signature of 20
        return p;
    };
    const Udp broker = {.destination_port = kAyiyaPort};
    check_opened(join({Ipv4{}, broker, header(0x11, 41)}, kInner6), TunnelKind::ayiya);
    check_opened(join({Ipv4{}, broker, header(0x11, 4)}, kInner), TunnelKind::ayiya);
    check_opened(join({Ipv4{}, Udp{}, header(0x11, 41)}, kInner6), TunnelKind::ayiya);
    check_closed(build(join({Ipv4{}, broker, header(0x11, 59)}, kInner6)), Event::unknown_ethertype);
    check_closed(build({Ipv4{}, broker, Payload{"short"}}), Event::bad_ayiya_header);
    check_closed(build({Ipv4{}, broker, raw({0xf0, 0x52, 0x11, 41, 0, 0, 0, 0})}), Event::bad_ayiya_header);
    check_closed(build({Ipv4{}, broker, header(0x11, 41)}), Event::ayiya_empty_packet);
    Decoding decoding;
    CHECK(decoding.decode(build({Ipv4{}, broker, header(0x10, 59)}), LinkType::raw_ip).layer_count == 1);
    CHECK(decoding.count_all() == 0); // a heartbeat
}

TEST_CASE("GTPv1 carries users' packets") {
    const Udp user = {.destination_port = kGtpUserPort};
    const Payload plain = raw({0x30, 255, 0, 0, 0, 0, 0, 1});
    const Payload numbered = raw({0x32, 255, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0});
    const Payload extended = raw({0x34, 255, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0x85, 1, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0});
    check_opened(join({Ipv4{}, user, plain}, kInner), TunnelKind::gtp);
    check_opened(join({Ipv4{}, user, plain}, kInner6), TunnelKind::gtp);
    check_opened(join({Ipv4{}, user, numbered}, kInner), TunnelKind::gtp);
    check_opened(join({Ipv4{}, user, extended}, kInner6), TunnelKind::gtp);
    check_opened(join({Ipv4{}, Udp{.destination_port = kGtpControlPort}, plain}, kInner), TunnelKind::gtp);
    check_closed(build(join({Ipv4{}, user, raw({0x50, 255, 0, 0, 0, 0, 0, 1})}, kInner)), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, Payload{"short"}}), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, raw({0x34, 255, 0, 0, 0, 0, 0, 1, 0, 7})}), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, raw({0x34, 255, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 0})}), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, raw({0x34, 255, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 9})}), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, plain}), Event::bad_gtp_header);
    check_closed(build({Ipv4{}, user, plain, Payload{"something else than a packet"}}), Event::bad_gtp_header);
    Decoding decoding;
    const auto closed = [&](const Payload& header) {
        return decoding.decode(build(join({Ipv4{}, user, header}, kInner)), LinkType::raw_ip).layer_count == 1;
    };
    CHECK(closed(raw({0x20, 255, 0, 0, 0, 0, 0, 1}))); // GTP'
    CHECK(closed(raw({0x30, 1, 0, 0, 0, 0, 0, 1})));   // an echo
    CHECK(decoding.count_all() == 0);
}

TEST_CASE("GTP is not carried in GTP") {
    const Udp user = {.destination_port = kGtpUserPort};
    const Payload header = raw({0x30, 255, 0, 0, 0, 0, 0, 1});
    Decoding decoding;
    const Bytes packet = build(join({Ipv4{}, user, header, Ipv4{}, user, header}, kInner));
    CHECK(decoding.decode(packet, LinkType::raw_ip).layer_count == 2);
    CHECK(decoding.count(Event::bad_gtp_header) == 1);
}

TEST_CASE("why a tunnel over UDP stays closed is told where the connection has to know") {
    Decoding decoding;
    const Udp vxlan = {.destination_port = kVxlanPort};
    const auto end = [&](const std::vector<Header>& headers) {
        return decoding.decode(build(headers), LinkType::raw_ip).tunnel_end;
    };
    CHECK(end(join({Ipv4{}, vxlan, Vxlan{.flags = 0}, Ethernet{}}, kInner)) == TunnelEnd::refused);
    CHECK(decoding.out().refused == TunnelKind::vxlan);
    CHECK(end(join({Ipv4{}, vxlan, Vxlan{}, Ethernet{}}, kInner)) == TunnelEnd::none);
    CHECK(end({Ipv4{}, vxlan, Vxlan{}}) == TunnelEnd::none);
    CHECK(end(join({Ipv4{}, Udp{.destination_port = kGenevePort}, Geneve{.version = 1}}, kInner)) == TunnelEnd::none);
    std::vector<Header> deep(kMaxTunnelDepth, Header{Ipv4{}});
    deep.insert(deep.end(), {Ipv4{}, vxlan, Vxlan{}, Ethernet{}});
    CHECK(end(join(deep, kInner)) == TunnelEnd::too_deep);
    CHECK(decoding.out().refused == TunnelKind::vxlan);
    CHECK(end({Ipv4{}, Tcp{}}) == TunnelEnd::none);
}

TEST_CASE("what the capture cut off is missing from the packet inside of UDP") {
    const Bytes packet = build({Ipv4{}, Udp{.destination_port = kVxlanPort}, Vxlan{}, Ethernet{}, Ipv4{},
                                Tcp{.source_port = 1234}, Payload{std::string(500, 'x')}});
    Decoding decoding;
    REQUIRE(
        decoding.decode(cut(packet, 150), LinkType::raw_ip, static_cast<std::uint32_t>(packet.size())).layer_count ==
        2);
    CHECK(decoding.last().payload_length == 500);
    CHECK(decoding.last().payload_captured == 150 - (packet.size() - 500));
}

TEST_CASE("tunnels are opened to a depth, and what is beyond is left") {
    std::vector<Header> headers(kMaxTunnelDepth, Header{Ipv4{}});
    check_opened(join(headers, kInner), TunnelKind::ip_in_ip, kMaxTunnelDepth + 1);
    headers.emplace_back(Ipv4{});
    Decoding decoding;
    CHECK(decoding.decode(build(join(headers, kInner)), LinkType::raw_ip).layer_count == kMaxTunnelDepth + 1);
    CHECK(decoding.count(Event::exceeded_tunnel_max_depth) == 1);
    CHECK_FALSE(decoding.last().makes_connection);
}

TEST_CASE("fragments outside and inside of a tunnel are put together beside each other") {
    Decoding decoding;
    std::size_t opened = 0;
    for (const Bytes& inner :
         build_fragments({Ipv4{.id = 9}, Udp{.source_port = 1234}, Payload{std::string(900, 'x')}}, 400)) {
        const std::string bytes(inner.begin(), inner.end());
        for (const Bytes& outer : build_fragments({Ipv6{}, Gre{.protocol = 0x0800}, Payload{bytes}}, 200)) {
            if (decoding.decode(outer, LinkType::raw_ip).layer_count == 2) ++opened;
        }
    }
    REQUIRE(opened == 1);
    CHECK(payload_text(decoding.last()) == std::string(900, 'x'));
    CHECK_FALSE(decoding.out().layers[0].makes_connection);
    CHECK(decoding.out().layers[0].l4[2] == 0x08); // the outer datagram is still there
}

} // namespace ftpsensor::test
