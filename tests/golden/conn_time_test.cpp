// When a connection is over, what its duration counts, and when its entry is due (_write_ts): by packet time alone.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;

// A packet of another connection, so that time goes on.
void packet_at(Trace& trace, Timestamp time) {
    trace.at(time).add({Ethernet{}, Ipv4{}, Udp{.source_port = 9}, Payload{"x"}});
}

std::string tcp(const Trace& trace, std::string_view fields) {
    return read(trace).show("conn", fields, {{"proto", "tcp"}});
}

} // namespace

TEST_CASE("duration: from the first packet to the last") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open();
    trace.at(kStart + 2 * kSecond);
    talk.client("x");
    CHECK(read(trace).show("conn", "duration") == "2.001");
}

TEST_CASE("duration: what comes after both sides have closed is left out, its packets are counted") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().close();
    trace.at(kStart + kSecond);
    talk.ack(Side::client).ack(Side::server);
    CHECK(read(trace).show("conn", "duration orig_pkts resp_pkts _write_ts") == "0.004 5 3 5.004");
}

TEST_CASE("attempt: a SYN without an answer is over after 5 seconds") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn});
    packet_at(trace, kStart + 10 * kSecond);
    CHECK(tcp(trace, "_write_ts conn_state") == "5 S0");
}

TEST_CASE("attempt: a SYN sent again does not start the delay anew") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().send(Side::client, {.flags = kFlagSyn});
    trace.at(kStart + 3 * kSecond);
    talk.retransmit(Side::client);
    packet_at(trace, kStart + 10 * kSecond);
    CHECK(tcp(trace, "_write_ts duration") == "5 3");
}

TEST_CASE("attempt: a SYN sent again after the delay is another connection") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().send(Side::client, {.flags = kFlagSyn});
    trace.at(kStart + 6 * kSecond);
    talk.retransmit(Side::client);
    CHECK(tcp(trace, "ts _write_ts") == "0 5 | 6 6");
}

TEST_CASE("close: an entry is due 5 seconds after both sides have closed") {
    Trace trace;
    TcpTalk(trace).open().close();
    packet_at(trace, kStart + 10 * kSecond);
    CHECK(tcp(trace, "_write_ts") == "5.004");
}

TEST_CASE("close: the delay runs out behind the end of the capture, what is open is recorded as of its last packet") {
    Trace trace;
    TcpTalk(trace).open().close();
    TcpTalk(trace, {.client = {ip("10.0.0.1"), 40001}}).open();
    CHECK(read(trace).show("conn", "_write_ts conn_state") == "0.008 S1 | 5.004 SF");
}

TEST_CASE("close: a RST of either side ends it") {
    Trace trace;
    TcpTalk(trace).open().rst(Side::server);
    packet_at(trace, kStart + 10 * kSecond);
    CHECK(tcp(trace, "_write_ts") == "5.003");
}

TEST_CASE("close: a RST of either side has a delay of its own") {
    for (const Side side : {Side::client, Side::server}) {
        Trace reset;
        TcpTalk(reset).open().rst(side);
        packet_at(reset, kStart + 10 * kSecond);
        CHECK(read(reset, {.reset_delay = kSecond}).entry("conn", {{"proto", "tcp"}})["_write_ts"] == "1.003");
        Trace closed;
        TcpTalk(closed).open().close();
        packet_at(closed, kStart + 10 * kSecond);
        CHECK(read(closed, {.reset_delay = kSecond}).entry("conn", {{"proto", "tcp"}})["_write_ts"] == "5.004");
    }
}

TEST_CASE("close: half a close waits for the other half") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().fin(Side::client);
    packet_at(trace, kStart + 100 * kSecond);
    trace.at(kStart + 200 * kSecond);
    talk.server("still here").close(Side::server);
    CHECK(tcp(trace, "conn_state resp_bytes") == "SF 10");
}

TEST_CASE("expire: a RST of an end that had closed is looked for from the start and from the close, each 6 seconds") {
    const auto written = [](Duration close) {
        Trace trace;
        TcpTalk talk(trace);
        talk.open();
        trace.at(kStart + close);
        talk.fin(Side::client).rst(Side::client);
        packet_at(trace, kStart + 100 * kSecond);
        return tcp(trace, "_write_ts conn_state");
    };
    // From the start: at 5, 11, 17. From the close: 6 after it. Whichever comes first after 5 seconds of silence.
    CHECK(written(3 * kSecond) == "9 RSTO");
    CHECK(written(5 * kSecond) == "11 RSTO");
    CHECK(written(5 * kSecond + 500 * kMillisecond) == "11 RSTO");
    CHECK(written(7 * kSecond) == "13 RSTO");
}

TEST_CASE("inactivity: an established connection is over after 5 minutes") {
    Trace trace;
    TcpTalk(trace).open();
    packet_at(trace, kStart + kHour);
    CHECK(tcp(trace, "_write_ts conn_state") == "300.002 S1");
}

TEST_CASE("inactivity: ports of people who think, an hour") {
    Trace trace;
    TcpTalk(trace, {.server = {ip("10.0.0.2"), 21}}).open();
    TcpTalk(trace, {.server = {ip("10.0.0.2"), 22}}).open();
    TcpTalk(trace, {.server = {ip("10.0.0.2"), 24}}).open();
    packet_at(trace, kStart + 2 * kHour);
    CHECK(tcp(trace, "id.resp_p _write_ts") == "24 300.008 | 21 3600.002 | 22 3600.005");
}

TEST_CASE("inactivity: half a connection from a service to a port of people who think is the service's") {
    Trace trace;
    TcpTalk(trace, {.client = {ip("10.0.0.1"), 23}}).lose_next().open();
    packet_at(trace, kStart + 2 * kHour);
    CHECK(tcp(trace, "id.orig_p history _write_ts") == "23 ^hA 300.001");
}

TEST_CASE("inactivity: FTP on any port, an hour") {
    Trace trace;
    FtpTalk(trace, {.server = {ip("10.0.0.2"), 2121}}).login();
    packet_at(trace, kStart + 2 * kHour);
    CHECK(tcp(trace, "service _write_ts") == "ftp 3600.012");
}

TEST_CASE("inactivity: UDP, ICMP and other protocols, a minute") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{}, Udp{.destination_port = 4000}, Payload{"x"}});
    trace.add({Ethernet{}, Ipv4{}, Icmp{}});
    trace.add({Ethernet{}, Ipv4{.protocol = 89}, Payload{"open shortest path"}});
    packet_at(trace, kStart + kHour);
    CHECK(read(trace).show("conn", "_write_ts proto") == "60 udp | 60.001 icmp | 60.002 unknown_transport | 3600 udp");
}

TEST_CASE("inactivity: counted from each packet, and decided by the deadline, not by who looks when") {
    Trace trace;
    const auto send_at = [&](Duration after) {
        trace.at(kStart + after).add({Ethernet{}, Ipv4{}, Udp{.destination_port = 4000}, Payload{"x"}});
    };
    send_at(0);
    send_at(kMinute - kMicrosecond);
    send_at(2 * kMinute - 2 * kMicrosecond);
    send_at(3 * kMinute);
    CHECK(read(trace).show("conn", "ts orig_pkts _write_ts") == "0 3 179.999998 | 180 1 180");
}

TEST_CASE("inactivity: a packet at the very moment begins another connection") {
    Trace trace;
    for (const Duration after : {Duration{0}, kMinute})
        trace.at(kStart + after).add({Ethernet{}, Ipv4{}, Udp{.destination_port = 4000}, Payload{"x"}});
    CHECK(read(trace).show("conn", "ts _write_ts") == "0 60 | 60 60");
}

TEST_CASE("reuse: a SYN after the close ends the connection at once") {
    Trace trace;
    TcpTalk(trace, {.client_isn = 1000}).open().close();
    trace.at(kStart + kSecond);
    TcpTalk(trace, {.client_isn = 9000}).open().close();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "ts _write_ts conn_state") == "0 1 SF | 1 6.004 SF");
    CHECK(logs.entries("conn")[0]["uid"] != logs.entries("conn")[1]["uid"]);
}

TEST_CASE("reuse: a SYN with another number while the connection is open") {
    Trace trace;
    TcpTalk(trace, {.client_isn = 1000}).open();
    TcpTalk(trace, {.client_isn = 9000}).open();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "conn_state history _write_ts") == "S1 ShA 0.003 | S1 ShA 0.005");
    CHECK(logs.count(Event::active_connection_reuse) == 1);
}

TEST_CASE("reuse: a SYN whose options end beyond the packet is one, a SYN without room for a header is not") {
    const auto connections = [](std::uint8_t header_words) {
        Trace trace;
        TcpTalk(trace, {.client_isn = 1000}).open();
        trace.add({Ethernet{}, Ipv4{.source = ip("10.0.0.1"), .destination = ip("10.0.0.2")},
                   Tcp{.seq = 9000, .flags = kFlagSyn, .header_words = header_words}});
        return read(trace).show("conn", "conn_state orig_pkts");
    };
    CHECK(connections(15) == "S1 2 | OTH 0");
    CHECK(connections(4) == "S1 2");
}

TEST_CASE("order: entries come as they are due, not as connections began") {
    Trace trace;
    trace.add({Ethernet{}, Ipv4{}, Udp{.destination_port = 4000}, Payload{"x"}});
    TcpTalk(trace).open().close();
    TcpTalk(trace, {.client = {ip("10.0.0.9"), 40000}}).before_open().send(Side::client, {.flags = kFlagSyn});
    packet_at(trace, kStart + kHour);
    CHECK(read(trace).show("conn", "_write_ts conn_state") == "5.005 SF | 5.007 S0 | 60 S0 | 3600 S0");
}

TEST_CASE("what is over makes room before what is not, within a burst, too") {
    Trace trace;
    TcpTalk(trace).open().close();
    TcpTalk(trace, {.client = {ip("10.0.0.1"), 40001}}).open();
    trace.wait(20 * kSecond);
    TcpTalk(trace, {.client = {ip("10.0.0.1"), 40002}}).open();
    const Logs logs = read(trace, {.workers = 1, .connections_max = 2});
    CHECK(logs.count(Event::connection_evicted) == 0);
    CHECK(logs.show("conn", "conn_state", {{"id.orig_p", "40001"}}) == "S1");
    const double over = std::stod(logs.entry("conn", {{"id.orig_p", "40000"}})["_write_ts"]);
    CHECK((over > 5 && over < 6));
    CHECK(std::stod(logs.entry("conn", {{"id.orig_p", "40001"}})["_write_ts"]) > 20);
}
