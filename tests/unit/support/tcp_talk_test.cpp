// Conversations: numbers as two real hosts keep them, and what the sensor does not see.
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"
#include "tests/support/tcp_talk.h"

#include <string>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

// A packet as tcpdump would say it: "> S 1000 0 5" is from the client, flags, sequence, acknowledgment, payload bytes.
// Ethernet, and IPv4 without options.
std::string say(const Bytes& frame, std::uint16_t server_port) {
    const auto number = [&](std::size_t offset, int size) {
        std::uint32_t value = 0;
        for (int i = 0; i < size; ++i) value = value << 8 | frame.at(offset + static_cast<std::size_t>(i));
        return value;
    };
    const std::size_t tcp = 34;
    const std::size_t payload = tcp + 4u * (frame.at(tcp + 12) >> 4);
    std::string text = number(tcp + 2, 2) == server_port ? "> " : "< ";
    const std::uint8_t flags = frame.at(tcp + 13);
    if ((flags & kFlagSyn) != 0) text += 'S';
    if ((flags & kFlagFin) != 0) text += 'F';
    if ((flags & kFlagRst) != 0) text += 'R';
    if ((flags & kFlagPsh) != 0) text += 'P';
    if ((flags & kFlagAck) != 0) text += '.';
    return text + ' ' + std::to_string(number(tcp + 4, 4)) + ' ' + std::to_string(number(tcp + 8, 4)) + ' ' +
           std::to_string(frame.size() - payload);
}

std::vector<std::string> said(const Trace& trace, std::uint16_t server_port = 80) {
    std::vector<std::string> lines;
    for (const TimedFrame& frame : trace.frames()) lines.push_back(say(frame.bytes, server_port));
    return lines;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("a conversation from SYN to the last ACK") {
    Trace trace;
    TcpTalk(trace).open().client("hello").server("hi").close();
    CHECK(said(trace) == Lines{"> S 1000 0 0", "< S. 5000 1001 0", "> . 1001 5001 0", "> P. 1001 5001 5",
                               "< . 5001 1006 0", "< P. 5001 1006 2", "> . 1006 5003 0", "> F. 1006 5003 0",
                               "< F. 5003 1007 0", "> . 1007 5004 0"});
}

TEST_CASE("midstream, without acknowledgments, cut into segments, over the end of the sequence space") {
    Trace trace;
    TalkOptions options;
    options.acks = false;
    options.segment_size = 4;
    options.client_isn = 0xfffffffd;
    TcpTalk(trace, options).client("abcdef").fin(Side::client).rst(Side::server);
    CHECK(said(trace) == Lines{"> . 4294967294 5001 4", "> P. 2 5001 2", "> F. 4 5001 0", "< R. 5001 5 0"});
}

TEST_CASE("a lost packet reaches the other host, not the trace") {
    Trace trace;
    TcpTalk(trace).lose_next().client("lost").client("seen");
    CHECK(said(trace) == Lines{"< . 5001 1005 0", "> P. 1005 5001 4", "< . 5001 1009 0"});
}

TEST_CASE("retransmission repeats the segment and moves nothing") {
    Trace trace;
    TcpTalk talk(trace);
    talk.client("once").retransmit(Side::client).client("more");
    CHECK(said(trace) ==
          Lines{"> P. 1001 5001 4", "< . 5001 1005 0", "> P. 1001 5001 4", "> P. 1005 5001 4", "< . 5001 1009 0"});
    CHECK_THROWS_AS(talk.retransmit(Side::server), std::logic_error);
}

TEST_CASE("skipped sequence, segments with numbers of their own, reordering") {
    Trace trace;
    TcpTalk talk(trace);
    talk.skip(Side::client, 3'000'000'000u).ack(Side::client);
    talk.send(Side::server, {.flags = kFlagRst, .seq = 7}).ack(Side::server);
    trace.swap_last_two();
    CHECK(said(trace) == Lines{"> . 3000001001 5001 0", "< . 5001 3000001001 0", "< R 7 0 0"});
    CHECK(talk.next_seq(Side::server) == 5001);
}

TEST_CASE("timestamps make segments of the sizes that the mission's document counts") {
    Trace trace;
    TalkOptions options;
    options.timestamps = true;
    options.syn_options = {.mss = 1460, .sack_permitted = true, .window_scale = 7};
    TcpTalk(trace, options).open();
    CHECK(trace.frames()[0].bytes.size() == 14 + 60);
    CHECK(trace.frames()[2].bytes.size() == 14 + 52);
}

TEST_CASE("IPv6, below whatever the test puts there") {
    Trace trace;
    TalkOptions options;
    options.client.address = ip("2001:db8::1");
    options.server.address = ip("2001:db8::2");
    options.below = {Vlan{}};
    TcpTalk(trace, options).open();
    CHECK(trace.frames()[0].bytes.size() == 4 + 40 + 24);
}

TEST_CASE("an FTP session downloads and uploads over its data connections") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    const std::size_t before = trace.frames().size();
    ftp.download(ftp.passive(40000), "0123456789");
    CHECK(say(trace.frames()[before].bytes, 40000) == "> S 1000 0 0");
    CHECK(say(trace.frames()[before + 3].bytes, 40000) == "< P. 5001 1001 10");
    const std::size_t active = trace.frames().size();
    ftp.upload(ftp.active(41000), "01234");
    CHECK(say(trace.frames()[active].bytes, 41000) == "> S 1000 0 0"); // the FTP server is the one that connects
    CHECK(say(trace.frames()[active + 3].bytes, 41000) == "< P. 5001 1001 5");
    ftp.quit();
    CHECK(ftp.control().next_seq(Side::client) == 1001 + 16 + 22 + 6 + 1);
}
