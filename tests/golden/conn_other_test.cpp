// conn.log of what is not TCP: UDP, ICMP, other protocols, tunnels, fragments; checksums; local networks.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

Header v4(std::string_view source, std::string_view destination) {
    return Ipv4{.source = ip(source), .destination = ip(destination)};
}
const Header kThere = v4("10.0.0.1", "10.0.0.2");
const Header kBack = v4("10.0.0.2", "10.0.0.1");

void icmp(Trace& trace, const Header& addresses, std::uint8_t type, std::uint8_t code = 0) {
    trace.add({Ethernet{}, addresses, Icmp{.type = type, .code = code}, Payload{"data"}});
}

} // namespace

TEST_CASE("UDP: question and answer") {
    Trace trace;
    trace.add({Ethernet{}, kThere, Udp{.source_port = 5000, .destination_port = 4000}, Payload{"who"}});
    trace.add({Ethernet{}, kBack, Udp{.source_port = 4000, .destination_port = 5000}, Payload{"me"}});
    CHECK(read(trace).show("conn", "proto conn_state history orig_bytes resp_bytes orig_ip_bytes ip_proto") ==
          "udp SF Dd 3 2 31 17");
}

TEST_CASE("UDP: a question without an answer") {
    Trace trace;
    for (int i = 0; i < 3; ++i)
        trace.add({Ethernet{}, kThere, Udp{.source_port = 5000, .destination_port = 4000}, Payload{"who"}});
    CHECK(read(trace).show("conn", "conn_state history orig_bytes resp_bytes orig_pkts") == "S0 D 9 0 3");
}

TEST_CASE("UDP: bytes by its own header's length") {
    Trace trace;
    for (int i = 0; i < 2; ++i)
        trace.add(
            {Ethernet{}, kThere, Udp{.source_port = 5000, .destination_port = 4000, .length = 100}, Payload{"x"}});
    CHECK(read(trace).show("conn", "orig_bytes orig_ip_bytes") == "184 58");
}

TEST_CASE("UDP: a length shorter than the header is taken off, and below zero the end never spoke") {
    const auto say = [](std::initializer_list<int> lengths) {
        Trace trace;
        for (const int length : lengths)
            trace.add({Ethernet{}, kThere,
                       Udp{.source_port = 5000, .destination_port = 4000, .length = static_cast<std::uint16_t>(length)},
                       Payload{"x"}});
        return read(trace).show("conn", "conn_state history orig_bytes orig_pkts");
    };
    CHECK(say({28, 3}) == "S0 D 15 2");
    CHECK(say({3, 3}) == "OTH D 0 2");
    CHECK(say({3, 28}) == "S0 D 20 2");
    CHECK(say({9, 3}) == "OTH D 0 2");
}

TEST_CASE("ICMP: echo and its reply are one connection, with their types as ports") {
    Trace trace;
    icmp(trace, kThere, 8);
    icmp(trace, kBack, 0);
    CHECK(read(trace).show("conn", "proto id.orig_p id.resp_p conn_state orig_bytes resp_bytes history") ==
          "icmp 8 0 OTH 4 4 -");
}

TEST_CASE("ICMP: a reply first") {
    Trace trace;
    icmp(trace, kBack, 0);
    icmp(trace, kThere, 8);
    CHECK(read(trace).show("conn", "id.orig_h id.orig_p id.resp_p") == "10.0.0.2 0 8");
}

TEST_CASE("ICMP: what nothing answers has its code as port, and is another connection in the other direction") {
    Trace trace;
    icmp(trace, kThere, 3, 1);
    icmp(trace, kBack, 3, 1);
    for (const char* sender : {"10.0.0.1", "10.0.0.2"})
        CHECK(read(trace).show("conn", "id.orig_p id.resp_p orig_pkts", {{"id.orig_h", sender}}) == "3 1 1");
}

TEST_CASE("ICMPv6: echo and its reply") {
    Trace trace;
    trace.add({Ethernet{}, Ipv6{}, Icmp{.type = 128}, Payload{"data"}});
    trace.add({Ethernet{}, Ipv6{.source = ip("2001:db8::2"), .destination = ip("2001:db8::1")}, Icmp{.type = 129}});
    CHECK(read(trace).show("conn", "proto id.orig_h id.orig_p id.resp_p ip_proto") == "icmp 2001:db8::1 128 129 58");
}

TEST_CASE("unknown protocol: a connection between two addresses, without ports, states and payload") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{.protocol = 89}, Payload{"open shortest path"}});
    trace.add(
        {Ethernet{}, Ipv4{.source = ip("10.0.0.2"), .destination = ip("10.0.0.1"), .protocol = 89}, Payload{"x"}});
    CHECK(
        read(trace).show("conn", "proto ip_proto id.orig_p id.resp_p conn_state orig_bytes orig_ip_bytes resp_pkts") ==
        "unknown_transport 89 0 0 OTH 0 38 1");
}

TEST_CASE("checksums: verify leaves the packet out, says so in the history, and misses its payload") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open().send(Side::client, {.text = "bad", .checksum = 1}).ack(Side::client).close();
    const Logs logs = read(trace, {.checksums = ChecksumPolicy::verify});
    CHECK(logs.show("conn", "history orig_pkts missed_bytes") == "ShACFfG 5 3");
    CHECK(logs.count(Event::bad_TCP_checksum) == 1);
}

TEST_CASE("checksums: mark counts the packet, and says so in the history") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open().send(Side::client, {.text = "bad", .checksum = 1}).close();
    CHECK(read(trace, {.checksums = ChecksumPolicy::mark}).show("conn", "history orig_bytes orig_pkts") ==
          "ShACDFf 3 5");
}

TEST_CASE("checksums: UDP's, too, and a wrong IP header is no packet") {
    Trace trace;
    for (int i = 0; i < 2; ++i) trace.add({Ethernet{}, kThere, Udp{.checksum = 1}, Payload{"x"}});
    trace.add({Ethernet{}, Ipv4{.source = ip("10.0.0.3"), .checksum = 1}, Udp{}, Payload{"x"}});
    const Logs logs = read(trace, {.checksums = ChecksumPolicy::verify});
    CHECK(logs.show("conn", "id.orig_h history orig_pkts conn_state") == "10.0.0.1 C 0 OTH");
    CHECK(logs.count(Event::bad_IP_checksum) == 1);
}

TEST_CASE("VXLAN: the tunnel's connection is the parent of what it carries") {
    Trace trace;
    const Header inside = v4("192.168.0.1", "192.168.0.2");
    trace.add({Ethernet{}, kThere, Udp{.source_port = 50000, .destination_port = 4789}, Vxlan{}, Ethernet{}, inside,
               Udp{.source_port = 5000, .destination_port = 4000}, Payload{"x"}});
    const Logs logs = read(trace);
    CHECK(logs.entry("conn", {{"id.orig_p", "5000"}})["tunnel_parents"] ==
          logs.entry("conn", {{"id.resp_p", "4789"}})["uid"]);
}

TEST_CASE("GRE: a parent for what it carries, but no connection of its own") {
    Trace trace;
    const Header inside = v4("192.168.0.1", "192.168.0.2");
    trace.add({Ethernet{}, kThere, Gre{}, inside, Udp{.source_port = 5000, .destination_port = 4000}, Payload{"x"}});
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "id.orig_h id.orig_p") == "192.168.0.1 5000");
    CHECK(logs.entry("conn")["tunnel_parents"].starts_with("C"));
}

TEST_CASE("tunnels: each that carried the connection is a parent, once") {
    Trace trace;
    const Header inside = v4("192.168.0.1", "192.168.0.2");
    for (const char* end : {"10.0.0.2", "10.0.0.3", "10.0.0.2"})
        trace.add({Ethernet{}, v4("10.0.0.1", end), Gre{}, inside, Udp{.source_port = 5000, .destination_port = 4000}});
    const std::string parents = read(trace, {.workers = 1}).entry("conn")["tunnel_parents"];
    CHECK(std::count(parents.begin(), parents.end(), ',') == 1);
}

TEST_CASE("VLAN: tags do not tell connections apart") {
    Trace trace;
    TcpTalk(trace, {.below = {Ethernet{}, Vlan{.id = 5}, Vlan{.id = 7}}}).open();
    TcpTalk(trace, {.acks = false}).client("x").close();
    CHECK(read(trace).show("conn", "history") == "ShADFf");
}

TEST_CASE("fragments: put together, one packet with the bytes of the whole") {
    Trace trace;
    const Payload payload{std::string(3000, 'x')};
    for (int i = 0; i < 2; ++i)
        for (const Bytes& fragment :
             build_fragments({Ethernet{}, Ipv4{.id = static_cast<std::uint16_t>(i)}, Udp{}, payload}, 1480))
            trace.add(fragment);
    CHECK(read(trace).show("conn", "orig_pkts orig_bytes orig_ip_bytes") == "2 6000 6056");
}

TEST_CASE("fragments: in any order") {
    Trace trace;
    const auto fragments = build_fragments({Ethernet{}, Ipv4{}, Tcp{.flags = kFlagSyn}, Payload{"0123456789"}}, 8);
    for (auto fragment = fragments.rbegin(); fragment != fragments.rend(); ++fragment) trace.add(*fragment);
    CHECK(read(trace).show("conn", "history conn_state orig_pkts") == "ST S0 1");
}

TEST_CASE("fragments: a datagram that is never whole is no packet") {
    Trace trace;
    trace.add(build_fragments({Ethernet{}, Ipv4{}, Udp{}, Payload{std::string(3000, 'x')}}, 1480).front());
    CHECK(read(trace).show("conn", "id.orig_h").empty());
}

TEST_CASE("local: which ends lie in the local networks") {
    Trace trace;
    trace.add({Ethernet{}, v4("10.0.0.1", "192.0.2.1"), Udp{}, Payload{"x"}});
    CHECK(read(trace).show("conn", "local_orig local_resp") == "true false");
}
