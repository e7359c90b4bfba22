// Data connections and the commands that they belong to, by the wider rule (ftp.extended: true), and its own fields.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Reading kExtended{.extended = true};
constexpr std::uint16_t kPort = 40000;
constexpr std::string_view kFields = "data_channel.bytes data_channel.complete";
const std::string kPasv = "227 Entering Passive Mode (10,0,0,2,156,64).";

TcpTalk data(Trace& trace, std::string_view client, std::uint16_t port) {
    TcpTalk talk(trace, {.client = {ip(client), port}, .server = {ip("10.0.0.2"), kPort}});
    talk.open();
    return talk;
}

// The RETR entry of a session with a passive transfer, in which `move` does what happens on the data connection.
template <class Move>
std::string retr(Move move, std::string_view reply = "150 Here it comes: 4 bytes.") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server(reply);
    TcpTalk talk = ftp.passive(kPort);
    move(talk);
    ftp.server("226 Done.").quit();
    return read(trace, kExtended).show("ftp", kFields, {{"command", "RETR"}});
}

} // namespace

TEST_CASE("fields: each names the other log's entry") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Here it comes: 4 bytes.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    const Entry transfer = logs.entry("ftp", {{"command", "RETR"}}),
                moved = logs.entry("conn", {{"id.resp_p", "40000"}});
    CHECK(transfer["data_channel.uid"] == moved["uid"]);
    CHECK(moved["control_uid"] == logs.entry("conn", {{"id.resp_p", "21"}})["uid"]);
    CHECK(logs.show("ftp", "data_channel.uid", {{"command", "PASV"}}) == "-");
}

TEST_CASE("fields: none of ours in strict form") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Here it comes: 4 bytes.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "data_channel.uid data_channel.bytes data_channel.complete", {{"command", "RETR"}}) ==
          "- - -");
    CHECK(logs.show("conn", "control_uid", {{"id.resp_p", "40000"}}) == "-");
}

TEST_CASE("complete: closed in order, nothing missed, as long as announced") {
    CHECK(retr([](TcpTalk& talk) { talk.server("text").close(Side::server); }) == "4 true");
}

TEST_CASE("complete: not shorter than announced") {
    CHECK(retr([](TcpTalk& talk) { talk.server("te").close(Side::server); }) == "2 false");
}

TEST_CASE("complete: not aborted") {
    CHECK(retr([](TcpTalk& talk) { talk.server("text").rst(Side::server); }) == "4 false");
}

TEST_CASE("complete: not with bytes that the capture missed") {
    CHECK(retr([](TcpTalk& talk) { talk.server("te").lose_next().server("xt").close(Side::server); }) == "4 false");
}

TEST_CASE("complete: not said of a transfer that is still open") {
    CHECK(retr([](TcpTalk& talk) { talk.server("text"); }) == "- -");
}

TEST_CASE("NAT: the server's own address with the announced port") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login()
        .client("PASV")
        .server("227 Entering Passive Mode (192,168,1,2,156,64).")
        .client("RETR a")
        .server("150 Now.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
          logs.entry("conn", {{"id.resp_p", "40000"}, {"service", "ftp-data"}})["uid"]);
}

TEST_CASE("NAT: the client's, in active mode") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PORT 192,168,1,1,156,64").server("200 OK.").client("RETR a").server("150 Now.");
    ftp.download(ftp.active(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
          logs.entry("conn", {{"id.resp_p", "40000"}, {"service", "ftp-data"}})["uid"]);
}

TEST_CASE("bounce: a third host at the announced endpoint is the session's transfer") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    data(trace, "10.0.0.66", 50003).server("text").close();
    ftp.server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
          logs.entry("conn", {{"id.orig_h", "10.0.0.66"}, {"service", "ftp-data"}})["uid"]);
}

TEST_CASE("bounce: a stranger who connects first does not hide the transfer") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    TcpTalk stranger = data(trace, "10.0.0.66", 50003);
    ftp.download(ftp.passive(kPort), "text");
    stranger.server("nothing").close();
    ftp.server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
          logs.entry("conn", {{"id.orig_h", "10.0.0.1"}, {"id.resp_p", "40000"}})["uid"]);
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.bytes"] == "4");
}

TEST_CASE("older: a connection up to a second older than its announcement counts") {
    for (const Duration age : {900 * kMillisecond, 1100 * kMillisecond}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PASV");
        TcpTalk early = data(trace, "10.0.0.1", 50003);
        trace.wait(age);
        ftp.server(kPasv).client("RETR a").server("150 Now.").download(early, "text").server("226 Done.").quit();
        const Logs logs = read(trace, kExtended);
        const bool counts = age < kSecond;
        CHECK(logs.show("conn", "service", {{"id.resp_p", "40000"}}) == (counts ? "ftp-data" : "-"));
        CHECK(logs.show("ftp", "data_channel.bytes", {{"command", "RETR"}}) == (counts ? "4" : "-"));
    }
}

TEST_CASE("commands: what a listing moved is not the next command's") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("NLST").server("150 Now.");
    ftp.download(ftp.passive(kPort), "a b c").server("226 Done.");
    ftp.client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,65).").client("RETR a").server("150 4 bytes.");
    ftp.download(ftp.passive(kPort + 1), "text").server("226 Done.").quit();
    CHECK(read(trace, kExtended).show("ftp", "command data_channel.bytes") == "PASV - | PASV - | RETR 4");
}
