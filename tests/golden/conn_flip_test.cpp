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

TEST_CASE("flip: not UDP between two ports of servers") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{}, Udp{.source_port = 123, .destination_port = 123}, Payload{"time"}});
    CHECK(read(trace).show("conn", "id.orig_h history conn_state") == "10.0.0.1 D S0");
}
