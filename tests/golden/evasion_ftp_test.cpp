// What is said in FTP's own words to hide a session from a sensor, and that it is in the logs all the same (the
// extended rule; where Zeek's own does not see it, that is held, too). Beside each case, docs/hostile-input.md tells
// what another sensor says of the same packets.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

} // namespace

TEST_CASE("evasion: twenty commands that wait for no reply before the one that counts") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.control().client(times(20, "NOOP\r\n") + "DELE secret\r\n").server(times(20, "200 Yes.\r\n"));
    ftp.server("250 Gone.").quit();
    check_deleted(trace, kExtended, "mallory");
    CHECK(read(trace, kExtended).count(Event::FTP_too_many_pending_commands) == 1);
    CHECK(read(trace).show("ftp", "command", {{"command", "DELE"}}).empty()); // as in Zeek
}

TEST_CASE("evasion: commands too long to be remembered before the one that counts") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    const std::string before = times(9, "NOOP " + std::string(4089, 'x') + "\r\n");
    TcpTalk& talk = ftp.control();
    // Nobody answers in between: the first byte comes last.
    const std::uint32_t first = talk.next_seq(Side::client);
    talk.skip(Side::client, 1).client(before.substr(1) + "DELE secret\r\n");
    talk.send(Side::client, {.text = before.substr(0, 1), .seq = first});
    talk.server(times(9, "200 Yes.\r\n"));
    ftp.server("250 Gone.").quit();
    check_deleted(trace, kExtended, "mallory");
    CHECK(read(trace, kExtended).count(Event::ftp_session_memory) == 1);
}

TEST_CASE("evasion: thirty deletions before the first answer") {
    // Each is in the log, the first ones without a reply.
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    std::string all;
    for (int i = 1; i <= 30; ++i) all += "DELE " + std::to_string(i) + "\r\n";
    ftp.control().client(all);
    ftp.server("250 Gone.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entries("ftp").size() == 30);
    CHECK(logs.show("ftp", "user reply_code reply_msg", {{"arg", "ftp://10.0.0.2/./10"}}) == "mallory - -");
    CHECK(logs.show("ftp", "user reply_code reply_msg", {{"arg", "ftp://10.0.0.2/./11"}}) == "mallory 250 Gone.");
    CHECK(logs.count(Event::FTP_too_many_pending_commands) == 10);
    CHECK(read(trace).entries("ftp").size() == 20);
}
