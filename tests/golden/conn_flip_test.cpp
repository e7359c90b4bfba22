// Which side is the originator, where the first packet seen is not the first that was sent.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::string_view kFields = "id.orig_p id.resp_p history conn_state";

TalkOptions ports(std::uint16_t client, std::uint16_t server) {
    return {.client = {ip("10.0.0.1"), client}, .server = {ip("10.0.0.2"), server}, .acks = false};
}

// A handshake of which the SYN was not captured.
Trace without_syn(std::uint16_t server_port) {
    Trace trace;
    TcpTalk(trace, ports(40000, server_port)).lose_next().open().client("x").server("y");
    return trace;
}

} // namespace

TEST_CASE("flip: data from a port of servers comes from the responder") {
    Trace trace;
    TcpTalk(trace, ports(40000, 80)).server("x").client("y");
    CHECK(read(trace).show("conn", kFields) == "40000 80 ^dD OTH");
}

TEST_CASE("flip: FTP's ports are of servers") {
    Trace trace;
    TcpTalk(trace, ports(40000, 21)).server("x");
    TcpTalk(trace, ports(40000, 2811)).server("x");
    CHECK(read(trace).show("conn", kFields) == "40000 21 ^d OTH | 40000 2811 ^d OTH");
}

TEST_CASE("flip: between two ports of servers the lower one") {
    Trace trace;
    TcpTalk(trace, ports(443, 22)).server("x");
    TcpTalk(trace, ports(22, 443)).server("x");
    CHECK(read(trace).show("conn", kFields) == "443 22 ^d OTH | 443 22 D OTH");
}

TEST_CASE("flip: not between two ports of clients") {
    Trace trace;
    TcpTalk(trace, ports(40000, 9999)).server("x");
    CHECK(read(trace).show("conn", kFields) == "9999 40000 D OTH");
}

TEST_CASE("flip: not by a SYN, whatever port it comes from") {
    Trace trace;
    TcpTalk(trace, ports(80, 9999)).open();
    CHECK(read(trace).show("conn", kFields) == "80 9999 ShA S1");
}

TEST_CASE("flip: a SYN-ACK first from a port of servers") {
    CHECK(read(without_syn(80)).show("conn", kFields) == "40000 80 ^hADd S1");
}

TEST_CASE("flip: a SYN-ACK first between two ports of servers stays") {
    Trace trace;
    TcpTalk(trace, ports(443, 22)).before_open().send(Side::server, {.flags = kFlagSyn | kFlagAck});
    CHECK(read(trace).show("conn", kFields) == "22 443 H OTH");
}

TEST_CASE("flip: a SYN-ACK first from another port flips once traffic follows") {
    CHECK(read(without_syn(9999)).show("conn", kFields) == "40000 9999 ^hADd OTH");
}

TEST_CASE("flip: a SYN-ACK that only a RST follows is a scan, and its sender the originator") {
    Trace trace;
    TcpTalk talk(trace, ports(40000, 9999));
    talk.before_open().send(Side::server, {.flags = kFlagSyn | kFlagAck, .ack = 1001});
    talk.send(Side::client, {.flags = kFlagRst, .seq = 1001});
    CHECK(read(trace).show("conn", kFields) == "9999 40000 Hr REJ");
}

TEST_CASE("flip: a SYN after its SYN-ACK") {
    Trace trace;
    TcpTalk talk(trace, ports(40000, 9999));
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kFlagSyn | kFlagAck});
    trace.swap_last_two();
    talk.ack(Side::client).client("x").server("y");
    CHECK(read(trace).show("conn", kFields) == "40000 9999 Hs^ADd S1");
}

TEST_CASE("flip: UDP from a port of servers") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{}, Udp{.source_port = 53, .destination_port = 40000}, Payload{"answer"}});
    CHECK(read(trace).show("conn", "id.orig_h id.orig_p id.resp_p history conn_state") == "10.0.0.2 40000 53 ^d SHR");
}

TEST_CASE("flip: not UDP to everybody, as a server of DHCP offers an address") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{.destination = ip("255.255.255.255")}, Udp{.source_port = 67, .destination_port = 68},
               Payload{"offer"}});
    CHECK(read(trace).show("conn", "id.orig_h id.orig_p history conn_state") == "10.0.0.1 67 D S0");
}

TEST_CASE("flip: not UDP between two ports of servers") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{}, Udp{.source_port = 123, .destination_port = 123}, Payload{"time"}});
    CHECK(read(trace).show("conn", "id.orig_h history conn_state") == "10.0.0.1 D S0");
}

namespace {

// Two packets of UDP, the first from 10.0.0.1, the second back.
std::string udp_roles(std::uint16_t port, std::uint16_t other_port, const std::string& first, const std::string& second,
                      std::string_view to = "10.0.0.2") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{.destination = ip(to)}, Udp{.source_port = port, .destination_port = other_port},
               Payload{first}});
    trace.add({Ethernet{}, Ipv4{.source = ip(to), .destination = ip("10.0.0.1")},
               Udp{.source_port = other_port, .destination_port = port}, Payload{second}});
    return read(trace).show("conn", "id.orig_h history orig_bytes orig_pkts resp_bytes conn_state");
}

const std::string kQuestion = std::string("\x12\x34\x01", 3) + std::string(9, 0);
const std::string kAnswer = std::string("\x12\x34\x81", 3) + std::string(13, 0);

} // namespace

TEST_CASE("flip: a DNS answer first turns the roles, and counts for the one that asked") {
    CHECK(udp_roles(53, 53, kAnswer, kQuestion) == "10.0.0.2 D^ 28 2 0 S0");
    CHECK(udp_roles(5353, 5353, kAnswer, kQuestion) == "10.0.0.2 D^ 28 2 0 S0");
    CHECK(udp_roles(137, 137, std::string("\0\0\xad", 3) + std::string(9, 0), "") == "10.0.0.2 D^ 12 2 0 S0");
}

TEST_CASE("flip: not a DNS question, nor an answer to all, of an unknown operation, or cut") {
    CHECK(udp_roles(53, 53, kQuestion, kAnswer) == "10.0.0.1 Dd 12 1 16 SF");
    CHECK(udp_roles(5353, 5353, kAnswer, "x", "224.0.0.251") == "10.0.0.1 Dd 16 1 1 SF");
    CHECK(udp_roles(53, 53, std::string("\0\0\xb1", 3) + std::string(9, 0), "x") == "10.0.0.1 Dd 12 1 1 SF");
    CHECK(udp_roles(53, 53, kAnswer.substr(0, 11), "x") == "10.0.0.1 Dd 11 1 1 SF");
    CHECK(udp_roles(4000, 4000, kAnswer, "x") == "10.0.0.1 Dd 16 1 1 SF");
}

TEST_CASE("flip: an NTP server's packet first") {
    const std::string server = "\x24" + std::string(47, 0), client = "\x23" + std::string(47, 0);
    CHECK(udp_roles(123, 123, server, client) == "10.0.0.2 D^ 96 2 0 S0");
    CHECK(udp_roles(123, 123, client, server) == "10.0.0.1 Dd 48 1 48 SF");
}
