// conn_state: how a TCP connection began and ended, as far as it was seen.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::string_view kFields = "conn_state history";

} // namespace

TEST_CASE("S0: a SYN that nothing answers") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn});
    CHECK(read(trace).show("conn", kFields) == "S0 S");
}

TEST_CASE("S0: the responder's side of the connection is not captured") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).lose_next().send(Side::server, {.flags = kFlagSyn});
    talk.ack(Side::client).client("hello");
    CHECK(read(trace).show("conn", kFields) == "S0 SAD");
}

TEST_CASE("S1: established, and open at the end of the capture") {
    Trace trace;
    TcpTalk(trace).open();
    CHECK(read(trace).show("conn", kFields) == "S1 ShA");
}

TEST_CASE("S1: two SYNs that cross establish a connection, where their numbers are the same") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 7, .server_isn = 7});
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kFlagSyn});
    CHECK(read(trace).show("conn", kFields) == "S1 Ss");
}

TEST_CASE("S0: two SYNs that cross are two connections, where their numbers differ") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 7, .server_isn = 9});
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kFlagSyn});
    CHECK(read(trace).show("conn", "id.orig_h conn_state history") == "10.0.0.1 S0 S | 10.0.0.2 S0 S");
}

TEST_CASE("SF: both sides closed") {
    Trace trace;
    TcpTalk(trace).open().client("x").server("y").close();
    CHECK(read(trace).show("conn", kFields) == "SF ShADadFf");
}

TEST_CASE("SF: a RST after both FINs changes nothing") {
    Trace trace;
    TcpTalk(trace).open().close().rst(Side::server);
    CHECK(read(trace).show("conn", kFields) == "SF ShAFfr");
}

TEST_CASE("SF: FIN and RST of one side, then the FIN of the other") {
    Trace trace;
    TcpTalk(trace, {.acks = false}).open().fin(Side::client).rst(Side::client).fin(Side::server);
    CHECK(read(trace).show("conn", kFields) == "SF ShAFRf");
}

TEST_CASE("REJ: a RST answers the SYN") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn}).rst(Side::server);
    CHECK(read(trace).show("conn", kFields) == "REJ Sr");
}

TEST_CASE("S2: the originator closed, the responder has not answered with a FIN") {
    Trace trace;
    TcpTalk(trace).open().fin(Side::client);
    CHECK(read(trace).show("conn", kFields) == "S2 ShAFa");
}

TEST_CASE("S3: the responder closed, the originator has not answered with a FIN") {
    Trace trace;
    TcpTalk(trace).open().fin(Side::server);
    CHECK(read(trace).show("conn", kFields) == "S3 ShAf");
}

TEST_CASE("RSTO: the originator aborts an established connection") {
    Trace trace;
    TcpTalk(trace).open().rst(Side::client);
    CHECK(read(trace).show("conn", kFields) == "RSTO ShAR");
}

TEST_CASE("RSTO: the originator aborts what it had closed") {
    Trace trace;
    TcpTalk(trace).open().fin(Side::client).rst(Side::client);
    CHECK(read(trace).show("conn", kFields) == "RSTO ShAFaR");
}

TEST_CASE("RSTR: the responder aborts an established connection") {
    Trace trace;
    TcpTalk(trace).open().rst(Side::server);
    CHECK(read(trace).show("conn", kFields) == "RSTR ShAr");
}

TEST_CASE("RSTOS0: the originator takes its SYN back") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn}).rst(Side::client);
    CHECK(read(trace).show("conn", kFields) == "RSTOS0 SR");
}

TEST_CASE("OTH: a RST of the originator after data that nothing answered") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).ack(Side::client).rst(Side::client);
    CHECK(read(trace).show("conn", kFields) == "OTH SAR");
}

TEST_CASE("RSTRH: the responder answers and aborts, the originator was never seen") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().lose_next().send(Side::client, {.flags = kFlagSyn});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).rst(Side::server);
    CHECK(read(trace).show("conn", kFields) == "RSTRH ^hr");
}

TEST_CASE("SH: the originator closes what nothing answered") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::client, {.flags = kFlagFin});
    CHECK(read(trace).show("conn", kFields) == "SH SF");
}

TEST_CASE("SHR: the responder answers and closes, the originator was never seen") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().lose_next().send(Side::client, {.flags = kFlagSyn});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).send(Side::server, {.flags = kFlagFin | kFlagAck});
    CHECK(read(trace).show("conn", kFields) == "SHR ^hf");
}

TEST_CASE("SF: the beginning was not captured, but both ends of the end") {
    Trace trace;
    TcpTalk(trace).client("x").server("y").close();
    CHECK(read(trace).show("conn", kFields) == "SF DadAFf");
}

TEST_CASE("OTH: neither beginning nor end was captured") {
    Trace trace;
    TcpTalk(trace).client("x").server("y");
    CHECK(read(trace).show("conn", kFields) == "OTH DadA");
}
