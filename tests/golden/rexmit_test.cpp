// The same sequence numbers with other bytes, on a control connection: counted as rexmit_inconsistency, as the
// reference raises it, and the first bytes are read.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

TalkOptions silent_control() { return {.server = {ip("10.0.0.2"), 21}, .acks = false}; }

// After the greeting, acknowledged by the client's next segment; the client's own bytes are not acknowledged before
// the server speaks again.
struct Greeted {
    Trace trace;
    TcpTalk talk{trace, silent_control()};
    std::uint32_t seq = 0; // of the client's first byte

    Greeted() {
        talk.open().server("220 Hi.\r\n");
        seq = talk.next_seq(Side::client);
    }
    Greeted& again(const std::string& text, std::uint32_t offset = 0) {
        talk.send(Side::client, {.text = text, .seq = seq + offset});
        return *this;
    }
};

void check_count(const Trace& trace, std::uint64_t expected) {
    for (const bool extended : {false, true}) {
        CAPTURE(extended);
        CHECK(read(trace, {.extended = extended}).count(Event::rexmit_inconsistency) == expected);
    }
}

} // namespace

TEST_CASE("rexmit: other bytes before the first ones are acknowledged") {
    Greeted g;
    g.talk.client("USER mallory\r\n");
    g.again("USER innocen\r\n");
    g.talk.server("331 Password?\r\n").client("DELE x\r\n").server("250 Gone.\r\n");
    check_count(g.trace, 1);
    for (const bool extended : {false, true})
        CHECK(read(g.trace, {.extended = extended}).show("ftp", "user command") == "mallory DELE");
}

TEST_CASE("rexmit: a segment that repeats the end of one and goes on") {
    Greeted same;
    same.talk.client("USER mallory\r\n");
    same.again("lory\r\nPASS x\r\n", 8);
    check_count(same.trace, 0);
    Greeted other;
    other.talk.client("USER mallory\r\n");
    other.again("LORY\r\nPASS x\r\n", 8);
    check_count(other.trace, 1);
}

TEST_CASE("rexmit: the same bytes again are no inconsistency, cut anew or not") {
    Greeted g;
    g.talk.client("USER ").client("mallory\r\n");
    g.again("USER mallory\r\n").again("ER mal", 2);
    check_count(g.trace, 0);
}

TEST_CASE("rexmit: what is acknowledged cannot be contradicted") {
    Greeted g;
    g.talk.client("USER mallory\r\n").ack(Side::server);
    g.again("USER innocen\r\n");
    check_count(g.trace, 0);
    Greeted part; // only its second half is not acknowledged yet
    part.talk.client("USER ").ack(Side::server).client("mallory\r\n");
    part.again("user mallory\r\n");
    check_count(part.trace, 0);
    part.again("user Mallory\r\n");
    check_count(part.trace, 1);
}

TEST_CASE("rexmit: other bytes for what waits beyond a hole") {
    Greeted g;
    g.again("mallory\r\n", 5).again("innocen\r\n", 5).again("USER ");
    check_count(g.trace, 1);
}

TEST_CASE("rexmit: bytes behind a hole that was given up, and those before it") {
    Greeted g;
    g.talk.client("USER mallory\r\n").lose_next().client("PASS x\r\n").client("DELE x\r\n");
    g.talk.send(Side::server, {.ack = g.seq + 22}); // the hole, not what follows it
    g.again("DELE y\r\n", 22);
    check_count(g.trace, 1);
    g.again("PASS z\r\n", 14);
    check_count(g.trace, 1);
}

TEST_CASE("rexmit: a byte that keeps a connection alive, with nobody who answers") {
    for (const auto& [text, expected] : {std::pair{"\0", 0}, std::pair{"xx", 1}}) {
        Trace trace;
        TcpTalk talk(trace, silent_control());
        talk.client("USER mallory\r\n"); // the other direction takes another way
        const std::string last = text[0] == '\0' ? std::string(1, '\0') : text;
        talk.send(Side::client,
                  {.text = last, .seq = talk.next_seq(Side::client) - static_cast<std::uint32_t>(last.size())});
        check_count(trace, static_cast<std::uint64_t>(expected));
    }
}

TEST_CASE("rexmit: the server's bytes, too") {
    Greeted g;
    const std::uint32_t seq = g.talk.next_seq(Side::server);
    g.talk.client("USER mallory\r\n").server("331 Password?\r\n");
    g.talk.send(Side::server, {.text = "530 Go away..\r\n", .seq = seq});
    check_count(g.trace, 1);
}
