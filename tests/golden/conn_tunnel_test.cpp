// conn.log of what tunnels carry: parents, and which packets of a tunnel's connection are opened.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

const Header kOuter = Ipv4{};
const Header kBack = Ipv4{.source = ip("10.0.0.2"), .destination = ip("10.0.0.1")};
const Udp kQuestion = {.source_port = 5000, .destination_port = 4000};
const Logs::Where kInside = {{"id.orig_p", "5000"}};

Payload raw(std::initializer_list<int> values) {
    Payload payload;
    for (const int value : values) payload.data.push_back(static_cast<char>(value));
    return payload;
}

void add(Trace& trace, std::vector<Header> headers) {
    headers.insert(headers.begin(), Ethernet{});
    headers.insert(headers.end(), {kQuestion, Payload{"x"}});
    trace.add(headers);
}

// What is inside has the connection to `port` as its parent.
void check_parent(const Trace& trace, std::string_view port) {
    const Logs logs = read(trace);
    CHECK(logs.entry("conn", kInside)["tunnel_parents"] == logs.entry("conn", {{"id.resp_p", port}})["uid"]);
}

} // namespace

TEST_CASE("Teredo: opened on its port, and its connection is the parent") {
    Trace trace;
    add(trace, {kOuter, Udp{.destination_port = 3544}, Ipv6{}});
    check_parent(trace, "3544");
}

TEST_CASE("Teredo: on another port by its addresses") {
    Trace trace;
    add(trace, {kOuter, Udp{.destination_port = 50001}, Ipv6{.source = ip("2001::1")}});
    check_parent(trace, "50001");
}

TEST_CASE("AYIYA: opened, and its connection is the parent") {
    Trace trace;
    const Payload header = {std::string("\0\0\x11\x29", 4) + std::string(5, 'x')};
    add(trace, {kOuter, Udp{.destination_port = 5072}, header, Ipv6{}});
    check_parent(trace, "5072");
}

TEST_CASE("GTP: users' packets are opened, and the tunnel's connection is the parent") {
    Trace trace;
    add(trace,
        {kOuter, Udp{.source_port = 2152, .destination_port = 2152}, raw({0x30, 255, 0, 41, 0, 0, 0, 1}), Ipv4{}});
    check_parent(trace, "2152");
}

TEST_CASE("GTP: what is no user packet is refused one by one") {
    Trace trace;
    const Udp gtp = {.source_port = 2152, .destination_port = 2152};
    trace.add({Ethernet{}, kOuter, gtp, Payload{"no GTP at all"}});
    add(trace, {kOuter, gtp, raw({0x30, 255, 0, 41, 0, 0, 0, 1}), Ipv4{}});
    CHECK(read(trace).entries("conn", kInside).size() == 1);
}

TEST_CASE("VXLAN: a connection that was none once is not opened again") {
    Trace trace;
    const Udp vxlan = {.source_port = 50000, .destination_port = 4789};
    add(trace, {kOuter, vxlan, Vxlan{}, Ethernet{}, Ipv4{.source = ip("192.168.0.1")}});
    add(trace, {kOuter, vxlan, Vxlan{.flags = 0}, Ethernet{}, Ipv4{.source = ip("192.168.0.2")}});
    add(trace, {kOuter, vxlan, Vxlan{}, Ethernet{}, Ipv4{.source = ip("192.168.0.3")}});
    add(trace, {kOuter, Udp{.source_port = 50001, .destination_port = 4789}, Vxlan{}, Ethernet{},
                Ipv4{.source = ip("192.168.0.4")}});
    const Logs logs = read(trace);
    CHECK(logs.entries("conn", {{"id.orig_h", "192.168.0.1"}}).size() == 1);
    CHECK(logs.entries("conn", {{"id.orig_h", "192.168.0.2"}}).empty());
    CHECK(logs.entries("conn", {{"id.orig_h", "192.168.0.3"}}).empty());
    CHECK(logs.entries("conn", {{"id.orig_h", "192.168.0.4"}}).size() == 1);
    CHECK(logs.show("conn", "orig_pkts", {{"id.orig_p", "50000"}}) == "3");
}

TEST_CASE("GRE over UDP: its parent is the pair of addresses, not the connection") {
    Trace trace;
    for (const std::uint16_t port : {std::uint16_t{50000}, std::uint16_t{50001}})
        add(trace, {kOuter, Udp{.source_port = port, .destination_port = 4754}, Gre{}, Ipv4{}});
    const Logs logs = read(trace, {.workers = 1}); // a worker takes the outer packet's connection
    const std::string parents = logs.entry("conn", kInside)["tunnel_parents"];
    CHECK(parents.find(',') == std::string::npos);
    CHECK(logs.entries("conn", {{"uid", parents}}).empty());
    CHECK(logs.show("conn", "history", kInside) == "D");
}

TEST_CASE("IP in IP, GRE: a connection is whole, whichever tunnels its packets take, and none") {
    const Ipv4 forth = {.source = ip("10.0.0.1"), .destination = ip("10.0.0.2")};
    for (std::uint8_t router = 1; router < 9; ++router) { // some three of which would go to another worker
        const Ipv4 tunnel = {.source = ip("192.0.2.100"), .destination = IpAddress::from_v4(192, 0, 2, router)};
        Trace trace;
        trace.add({Ethernet{}, tunnel, forth, kQuestion, Payload{"one"}});
        trace.add({Ethernet{}, kBack, Udp{.source_port = 4000, .destination_port = 5000}, Payload{"two"}});
        trace.add({Ethernet{}, tunnel, Gre{}, forth, kQuestion, Payload{"three"}});
        CHECK(read(trace).show("conn", "orig_bytes resp_bytes") == "8 3");
    }
}

TEST_CASE("tunnels: too deep, and the history says so") {
    Trace trace;
    std::vector<Header> headers;
    for (int depth = 0; depth < 6; ++depth) {
        headers.insert(headers.end(), {Ipv4{.source = IpAddress::from_v4(10, 1, 0, static_cast<std::uint8_t>(depth))},
                                       Udp{.source_port = 50000, .destination_port = 4789}, Vxlan{}, Ethernet{}});
    }
    headers.push_back(Ipv4{});
    add(trace, headers);
    const Logs logs = read(trace);
    CHECK(logs.entries("conn").size() == 5);
    CHECK(logs.show("conn", "history", {{"id.orig_h", "10.1.0.4"}}) == "DX");
    CHECK(logs.show("conn", "history", {{"id.orig_h", "10.1.0.3"}}) == "D");
    CHECK(logs.count(Event::exceeded_tunnel_max_depth) == 1);
}

TEST_CASE("wireless LAN: a session as from any other link") {
    Trace trace;
    const Payload frame = {std::string("\x08\0", 2) + std::string(22, 'a') + "\xaa\xaa\3" + std::string(3, 0) + "\x08" +
                           std::string(1, 0)};
    TcpTalk(trace, {.below = {frame}}).open().client("x").close();
    CHECK(read(trace, {.link = LinkType::ieee802_11}).show("conn", "history") == "ShADaFf");
}

namespace {

std::string bytes_of(const std::vector<Header>& headers) {
    const Bytes bytes = build(headers);
    return {bytes.begin(), bytes.end()};
}

// The frames of an A-MSDU, each with one UDP packet of the question.
Payload aggregate_of(const std::vector<std::string>& texts) {
    std::string all = std::string("\x88\x01", 2) + std::string(22, 'a') + std::string("\x80\0", 2);
    const std::size_t header = all.size();
    for (const std::string& text : texts) {
        all.resize(all.size() + (header - all.size()) % 4);
        const std::string packet =
            std::string("\xaa\xaa\3\0\0\0\x08\0", 8) + bytes_of({Ipv4{}, kQuestion, Payload{text}});
        all += "of both ends" + std::string(1, 0) + static_cast<char>(packet.size()) + packet;
    }
    return {all};
}

} // namespace

TEST_CASE("wireless LAN: each frame of an aggregate counts, what carries them once") {
    const Payload frames = aggregate_of({"one", "three", "seven"});
    Trace bare;
    bare.add({frames});
    CHECK(read(bare, {.link = LinkType::ieee802_11}).show("conn", "history orig_pkts orig_ip_bytes") == "D 3 97");

    Trace tunneled; // Aruba's GRE, also over UDP (RFC 8086), whose packets are a connection
    const Payload gre = raw({0, 0, 0x90, 0});
    tunneled.add({Ethernet{}, Ipv4{.protocol = 47}, gre, frames});
    tunneled.add({Ethernet{}, kOuter, Udp{.destination_port = 4754}, gre, frames});
    const Logs logs = read(tunneled);
    CHECK(logs.show("conn", "orig_pkts orig_bytes", kInside) == "6 26");
    CHECK(logs.show("conn", "orig_pkts", {{"id.resp_p", "4754"}}) == "1");
}
