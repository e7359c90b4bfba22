// orig_bytes, resp_bytes and missed_bytes: from sequence numbers; packets and IP bytes: as they were seen.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::string_view kFields = "orig_bytes resp_bytes missed_bytes";

std::string bytes_of(const Trace& trace) { return read(trace).show("conn", kFields); }

} // namespace

TEST_CASE("bytes: payload by sequence numbers, IP bytes by the headers' lengths") {
    Trace trace;
    TcpTalk(trace).open().client("hello").server("goodbye").close();
    CHECK(read(trace).show("conn", "orig_bytes orig_pkts orig_ip_bytes resp_bytes resp_pkts resp_ip_bytes") ==
          "5 6 249 7 4 171");
}

TEST_CASE("bytes: absent where the last packet is not later than the first") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn});
    CHECK(read(trace).show("conn", "duration orig_bytes resp_bytes orig_pkts") == "- - - 1");
}

TEST_CASE("bytes: what is sent again counts once, its packet twice") {
    Trace trace;
    TcpTalk(trace).open().client("hello").retransmit(Side::client);
    CHECK(read(trace).show("conn", "orig_bytes orig_pkts orig_ip_bytes") == "5 4 174");
}

TEST_CASE("bytes: a segment sent again with more behind it") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000, .acks = false});
    talk.open().client("hello").send(Side::client, {.text = "hello, world", .seq = 1001});
    CHECK(read(trace).show("conn", "orig_bytes history") == "12 ShAD");
}

TEST_CASE("bytes: data in a SYN counts") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().send(Side::client, {.flags = kFlagSyn, .text = "early"});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client).client("late");
    CHECK(bytes_of(trace) == "9 0 0");
    CHECK(read(trace).count(Event::SYN_with_data) == 1);
}

TEST_CASE("bytes: data in a RST does not count") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().client("hello").send(Side::client, {.flags = kFlagRst | kFlagAck, .text = "no route to host"});
    CHECK(bytes_of(trace) == "5 0 0");
}

TEST_CASE("bytes: data in a FIN counts, the FIN does not") {
    Trace trace;
    TcpTalk(trace).open().send(Side::client, {.flags = kFlagFin | kFlagAck, .text = "bye"}).fin(Side::server);
    CHECK(bytes_of(trace) == "3 0 0");
}

TEST_CASE("bytes: sequence numbers that wrap") {
    Trace trace;
    TcpTalk(trace, {.client_isn = 0xfffffff0}).open().client(std::string(100, 'x')).close();
    CHECK(bytes_of(trace) == "100 0 0");
}

TEST_CASE("bytes: more than 4 GiB, most of it not captured") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().server("x");
    for (int i = 0; i < 5; ++i) talk.skip(Side::server, 1u << 30).server("x");
    talk.close();
    CHECK(read(trace).show("conn", "resp_bytes conn_state") == "5368709126 SF");
    // An acknowledgement 2 GiB beyond the start counts as before it, and is not believed: of the holes only the first
    // is told, and later the few bytes by which the numbers of the next round pass the last one that was believed.
    CHECK(read(trace).show("conn", "missed_bytes") == "1073741829");
}

TEST_CASE("missed: not told once 16 KiB lie behind a hole and nothing of the stream was ever acknowledged") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open().skip(Side::server, 20'000).server("x").ack(Side::client).close();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "resp_bytes missed_bytes") == "20001 0");
    CHECK(logs.count(Event::above_hole_data_without_any_acks) == 1);
}

TEST_CASE("bytes: only SYN and FIN of more than 2 GiB were seen") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open().skip(Side::server, 3u << 30).fin(Side::server);
    CHECK(read(trace).show("conn", "resp_bytes") == "3221225472");
}

TEST_CASE("bytes: a connection from the middle counts from its first packet") {
    Trace trace;
    TcpTalk(trace).client("hello").server("hi").client("more");
    CHECK(bytes_of(trace) == "9 2 0");
}

TEST_CASE("bytes: one side alone") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).ack(Side::client).client("hello");
    talk.skip(Side::server, 400).client("again");
    CHECK(read(trace).show("conn", "orig_bytes resp_bytes resp_pkts") == "10 0 0");
}

TEST_CASE("missed: a hole is declared when the other side acknowledges beyond it") {
    Trace trace;
    TcpTalk(trace).open().client("here").lose_next().client("gone").client("here").close();
    CHECK(read(trace).show("conn", "orig_bytes missed_bytes history") == "12 4 ShADaGFf");
}

TEST_CASE("missed: a hole that nothing acknowledges is none") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open().client("here").lose_next().client("gone").client("here");
    CHECK(read(trace).show("conn", "orig_bytes missed_bytes history") == "12 0 ShAD");
}

TEST_CASE("missed: a hole filled before it is acknowledged is none") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000, .acks = false});
    talk.open().skip(Side::client, 4).client("late").send(Side::client, {.text = "miss", .seq = 1001});
    talk.ack(Side::server).close();
    CHECK(read(trace).show("conn", "orig_bytes missed_bytes history") == "8 0 ShADTaFf");
}

TEST_CASE("missed: not told of a connection whose beginning was not captured") {
    Trace trace;
    TcpTalk(trace).client("here").server("here").lose_next().client("gone").client("here").close();
    CHECK(read(trace).show("conn", "orig_bytes missed_bytes history") == "12 0 DadAFf");
}

TEST_CASE("missed: a hole that shows with the FIN that ends the connection counts, one with a RST does not") {
    Trace closed, reset;
    TcpTalk one(closed, {.acks = false}), two(reset, {.acks = false});
    one.open().lose_next().client("gone").fin(Side::server).fin(Side::client).ack(Side::server);
    two.open().lose_next().client("gone").rst(Side::server);
    CHECK(read(closed).show("conn", "missed_bytes history") == "4 ShAfGFa");
    CHECK(read(reset).show("conn", "missed_bytes history") == "0 ShAr");
}

TEST_CASE("bytes: a second SYN-ACK with other numbers starts the count anew") {
    Trace trace;
    TcpTalk talk(trace, {.server_isn = 9000});
    talk.before_open().send(Side::client, {.flags = kFlagSyn});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck, .seq = 5000});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client).server("hi").close();
    CHECK(read(trace).show("conn", "resp_bytes history conn_state") == "2 ShAdFf SF");
}

TEST_CASE("bytes: by the header's length where the capture cut the packet") {
    Trace trace;
    TcpTalk(trace).open().client(std::string(1000, 'x')).close();
    for (TimedFrame& frame : trace.frames()) frame.bytes.resize(std::min<std::size_t>(frame.bytes.size(), 96));
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "orig_bytes orig_ip_bytes") == "1000 1204");
    CHECK(logs.count(Event::truncated_tcp_payload) == 1);
}

TEST_CASE("bytes: padding of short frames is none") {
    Trace trace;
    TcpTalk(trace, {.below = {Ethernet{.minimum_size = 60}}, .syn_options = {}}).open().client("x").close();
    CHECK(read(trace).show("conn", "orig_bytes orig_ip_bytes") == "1 201");
}
