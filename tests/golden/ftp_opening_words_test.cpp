// FTP on any port where the client speaks first: what it said before the greeting is not lost, however it was cut.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPort = 2121;

TalkOptions on_port(std::size_t segment_size = 1460) {
    return {.server = {ip("10.0.0.2"), kPort}, .segment_size = segment_size};
}

// The server's answers to USER and PASS, and a command more.
void answer(TcpTalk& talk) {
    talk.server("220 Welcome.\r\n331 Password?\r\n230 In.\r\n");
    talk.client("RETR a\r\n").server("550 No.\r\n").close();
}

std::string commands(const Trace& trace, const Reading& options = {}) {
    return read(trace, options).show("ftp", "user password command reply_code");
}

constexpr const char* kLoggedIn = "anonymous me@here RETR 550";

} // namespace

TEST_CASE("a client that does not wait for the greeting") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client("USER anonymous\r\n").client("PASS me@here\r\n");
    answer(talk);
    CHECK(commands(trace) == kLoggedIn);
}

TEST_CASE("its words byte by byte") {
    Trace trace;
    TcpTalk talk(trace, on_port(1));
    talk.open().client("USER anonymous\r\nPASS me@here\r\n");
    answer(talk);
    CHECK(commands(trace) == kLoggedIn);
}

TEST_CASE("not where they come in more than a hundred pieces") { // Zeek's dpd_max_packets
    Trace trace;
    TcpTalk talk(trace, on_port(1));
    talk.open().client(std::string(101, '\n') + "USER anonymous\r\nPASS me@here\r\n");
    answer(talk);
    CHECK(commands(trace).empty());
}

TEST_CASE("lines before them") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client(std::string(600, 'x') + "\r\n").client("USER anonymous\r\nPASS me@here\r\n");
    answer(talk);
    CHECK(commands(trace) == kLoggedIn);
}

TEST_CASE("not behind the first 1024 bytes of both") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client(std::string(1000, 'x') + "\r\n").client("USER anonymous\r\nPASS me@here\r\n");
    answer(talk);
    CHECK(commands(trace).empty());
}

TEST_CASE("words that change places on the way, and come twice") {
    Trace trace;
    TcpTalk talk(trace, {.server = {ip("10.0.0.2"), kPort}, .acks = false});
    talk.open().client("USER anonymous\r\n").retransmit(Side::client).client("PASS ");
    talk.client("me@here\r\n");
    trace.swap_last_two();
    answer(talk);
    CHECK(commands(trace) == kLoggedIn);
}

TEST_CASE("the server's first word decides: another protocol") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client("USER anonymous\r\nPASS me@here\r\n").server("HTTP/1.1 400 Bad\r\n");
    answer(talk);
    CHECK(commands(trace).empty());
}

TEST_CASE("its greeting in pieces, behind empty lines") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client("USER anonymous\r\nPASS me@here\r\n").server("\r\n").server("2").server("2");
    talk.server("0 Welcome.\r\n331 Password?\r\n230 In.\r\n");
    talk.client("RETR a\r\n").server("550 No.\r\n").close();
    CHECK(commands(trace) == kLoggedIn);
}

TEST_CASE("Telnet in front of the greeting hides it only from the reference") {
    Trace trace;
    TcpTalk talk(trace, on_port());
    talk.open().client("USER anonymous\r\nPASS me@here\r\n").server("\xff\xfb\x01");
    answer(talk);
    CHECK(commands(trace, {.extended = true}) == kLoggedIn);
    CHECK(commands(trace).empty());
}
