// history: which packet adds which letter, and which letters repeat.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

std::string history(const Trace& trace) { return read(trace).show("conn", "history"); }

} // namespace

TEST_CASE("S h A D a d F f: a letter a kind of packet and side, the first time only") {
    Trace trace;
    TcpTalk(trace).open().client("one").server("two").client("three").server("four").close();
    CHECK(history(trace) == "ShADadFf");
}

TEST_CASE("S: a SYN sent again is no second letter") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open().send(Side::client, {.flags = kFlagSyn}).retransmit(Side::client).retransmit(Side::client);
    CHECK(history(trace) == "S");
}

TEST_CASE("S: a SYN with another sequence number is another connection") {
    Trace trace;
    TcpTalk(trace, {.client_isn = 1000}).before_open().send(Side::client, {.flags = kFlagSyn});
    TcpTalk(trace, {.client_isn = 7000}).before_open().send(Side::client, {.flags = kFlagSyn});
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "history _write_ts") == "S 0.001 | S 0.001"); // the first ends with the packet of the other
    CHECK(logs.count(Event::SYN_seq_jump) == 1);
}

TEST_CASE("F: a FIN sent again is no second letter") {
    Trace trace;
    TcpTalk(trace).open().fin(Side::client).retransmit(Side::client).retransmit(Side::client);
    CHECK(history(trace) == "ShAFa");
}

TEST_CASE("F: a FIN with another sequence number is a second letter") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000, .acks = false});
    talk.open().fin(Side::client).send(Side::client, {.flags = kFlagFin | kFlagAck, .seq = 1011});
    CHECK(history(trace) == "ShAFF");
}

TEST_CASE("F: a FIN sent again with the data before it stands at the same number") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000, .acks = false});
    talk.open().client("0123456789").fin(Side::client);
    talk.send(Side::client, {.flags = kFlagFin | kFlagAck, .text = "0123456789", .seq = 1001});
    CHECK(history(trace) == "ShADFT");
}

TEST_CASE("R: a RST with another sequence number is a second letter, one with the same is none") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000});
    talk.open().rst(Side::client).rst(Side::client).send(Side::client, {.flags = kFlagRst, .seq = 1050});
    CHECK(history(trace) == "ShARR");
}

TEST_CASE("T: payload sent again") {
    Trace trace;
    TcpTalk(trace).open().client("x").retransmit(Side::client);
    CHECK(history(trace) == "ShADaT");
}

TEST_CASE("T: payload in the first SYN reads as sent again") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn, .text = "early"});
    CHECK(history(trace) == "ST");
}

TEST_CASE("T: the first, tenth and hundredth retransmission") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().client("x");
    for (int i = 0; i < 100; ++i) talk.retransmit(Side::client);
    CHECK(history(trace) == "ShADaTTT");
}

TEST_CASE("t: a keep-alive of one byte counts as payload sent again") {
    Trace trace;
    TcpTalk talk(trace, {.server_isn = 5000, .acks = false});
    talk.open().server("xy").send(Side::server, {.text = "y", .seq = 5002});
    CHECK(history(trace) == "ShAdt");
}

TEST_CASE("w: a window of zero, the first and tenth time") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open();
    for (int i = 0; i < 10; ++i) talk.send(Side::server, {.window = 0});
    CHECK(history(trace) == "ShAaww");
}

TEST_CASE("w: no letter for the window of a RST, nor once the peer has closed") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().fin(Side::client).send(Side::server, {.window = 0});
    talk.send(Side::server, {.flags = kFlagRst | kFlagAck, .window = 0});
    CHECK(history(trace) == "ShAFar");
}

TEST_CASE("I: FIN and RST in one packet") {
    Trace trace;
    TcpTalk(trace).open().send(Side::client, {.flags = kFlagFin | kFlagRst});
    CHECK(history(trace) == "ShAI");
}

TEST_CASE("Q: SYN and FIN in one packet") {
    Trace trace;
    TcpTalk(trace).before_open().send(Side::client, {.flags = kFlagSyn | kFlagFin});
    CHECK(history(trace) == "Q");
}

TEST_CASE("q: SYN-ACK and RST in one packet of the responder") {
    Trace trace;
    TcpTalk talk(trace);
    talk.before_open()
        .send(Side::client, {.flags = kFlagSyn})
        .send(Side::server, {.flags = kFlagSyn | kFlagAck | kFlagRst});
    CHECK(history(trace) == "Sq");
}

TEST_CASE("G: a hole that the other side acknowledges, the first and tenth") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open();
    for (int i = 0; i < 10; ++i) talk.client("here").lose_next().client("gone");
    CHECK(history(trace) == "ShADaGG");
}

TEST_CASE("C: bad checksums, the first and tenth, where they are looked at") {
    Trace trace;
    TcpTalk talk(trace, {.acks = false});
    talk.open();
    for (int i = 0; i < 10; ++i) talk.send(Side::client, {.text = "x", .checksum = 1});
    CHECK(read(trace, {.checksums = ChecksumPolicy::mark}).show("conn", "history") == "ShACDC");
    CHECK(read(trace).show("conn", "history") == "ShAD");
}

TEST_CASE("X: a limit of the FTP analyzer was reached") {
    Trace trace;
    FtpTalk(trace).login().client(std::string(101, 'X')).quit();
    CHECK(history(trace) == "ShAdDaXfF");
}

TEST_CASE("history: longer than what a connection holds in itself, and in its record") {
    Trace trace;
    TcpTalk talk(trace, {.client_isn = 1000, .acks = false});
    talk.open().rst(Side::client);
    for (std::uint32_t i = 1; i <= 100; ++i) talk.send(Side::client, {.flags = kFlagRst, .seq = 1001 + i});
    CHECK(history(trace) == "ShAR" + std::string(100, 'R'));
}
