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
std::string retr(Move move, std::string_view reply = "150 Here it comes (4 bytes).") {
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
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Here it comes (4 bytes).");
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
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Here it comes (4 bytes).");
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

TEST_CASE("complete: not said of a transfer that is still open, whose bytes so far are") {
    CHECK(retr([](TcpTalk& talk) { talk.server("text"); }) == "4 -");
    CHECK(retr([](TcpTalk& talk) { talk.server("text").fin(Side::server); }) == "4 -");
    CHECK(retr([](TcpTalk&) {}) == "0 -");
}

TEST_CASE("bytes: those that had moved when the entry was due") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    TcpTalk talk = ftp.passive(kPort);
    for (int i = 0; i < 100; ++i) talk.server("0123456789");
    ftp.client("ABOR"); // the turn of RETR is over
    for (int i = 0; i < 100; ++i) talk.server("0123456789");
    talk.close(Side::server);
    ftp.server("426 Gone.").server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", kFields, {{"command", "RETR"}}) == "1000 -");
    CHECK(logs.show("conn", "resp_bytes", {{"service", "ftp-data"}}) == "2000");
}

TEST_CASE("complete: a number in a reply that is no size does not count") {
    const auto whole = [](TcpTalk& talk) { talk.server("text").close(Side::server); };
    CHECK(retr(whole, "150 Connecting to port 44855") == "4 true");
    CHECK(retr(whole, "150 75.0 kbytes to download") == "4 true");
    CHECK(retr(whole, "150 Data connection for \"report (99 bytes)\"") == "4 true");
    CHECK(retr(whole, "125 Opening BINARY mode data connection for a (99 bytes).") == "4 false");
    CHECK(retr(whole, "150 Opening ASCII mode data connection for a (3 bytes)") ==
          "4 true"); // line ends were converted
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

TEST_CASE("between two servers: both entries name the connection, which names the session whose server connects") {
    const TalkEnd listening{ip("10.0.0.2"), 21}, connecting{ip("10.0.0.3"), 21};
    for (const bool port_first : {false, true}) {
        Trace trace;
        FtpTalk from(trace, {.client = {ip("10.0.0.1"), 40001}, .server = listening});
        FtpTalk to(trace, {.client = {ip("10.0.0.1"), 40002}, .server = connecting});
        from.login();
        to.login();
        from.client("PASV");
        if (!port_first) from.server(kPasv);
        to.client("PORT 10,0,0,2,156,64");
        if (port_first) from.server(kPasv); // as captured: packets may trade places
        to.server("200 OK.");
        from.client("RETR a").server("150 Now.");
        to.client("STOR a").server("150 Now.");
        TcpTalk data(trace, {.client = {ip("10.0.0.3"), 20}, .server = {ip("10.0.0.2"), kPort}});
        data.open().server("text").close(Side::server);
        from.server("226 Done.").quit();
        to.server("226 Done.").quit();
        const Logs logs = read(trace, kExtended);
        const Entry moved = logs.entry("conn", {{"service", "ftp-data"}});
        for (const char* command : {"RETR", "STOR"}) {
            const Entry entry = logs.entry("ftp", {{"command", command}});
            CHECK(entry["data_channel.uid"] == moved["uid"]);
            CHECK(entry["data_channel.bytes"] == "4");
            CHECK(entry["data_channel.complete"] == "true");
            CHECK(entry["fuid"] != "-");
        }
        CHECK(moved["control_uid"] == logs.entry("conn", {{"id.orig_p", "40002"}})["uid"]);
    }
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

// As in the reference a reply ends the turn of a command sent ahead: the 226 of the first is taken for the second's.
TEST_CASE("commands: sent ahead, none has another's connection") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PORT 10,0,0,1,156,64").client("RETR a").client("PORT 10,0,0,1,156,65").client("RETR b");
    ftp.server("200 OK.").download(ftp.active(kPort), "text").server("150 Now.").server("226 Done.");
    ftp.server("200 OK.").server("150 Now.").download(ftp.active(kPort + 1), "longer").server("226 Done.").quit();
    CHECK(read(trace, kExtended).show("ftp", "command data_channel.bytes", {{"command", "RETR"}}) == "RETR 4 | RETR -");
}

TEST_CASE("commands: an endpoint that is used again belongs to who announced it last") {
    Trace trace;
    FtpTalk first(trace, {.client = {ip("10.0.0.1"), 40001}});
    first.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    first.download(first.passive(kPort), "text").server("226 Done.").quit();
    trace.wait(3 * kSecond);
    FtpTalk second(trace, {.client = {ip("10.0.0.9"), 40002}});
    second.login().client("PASV").server(kPasv);
    trace.wait(4 * kSecond); // the first connection is removed meanwhile
    second.client("RETR b").server("150 Now.").download(second.passive(kPort), "longer").server("226 Done.").quit();
    CHECK(read(trace, kExtended).show("ftp", "command data_channel.bytes", {{"command", "RETR"}}) == "RETR 4 | RETR 6");
}

TEST_CASE("commands: an announcement in use stands five minutes, no longer") {
    for (const Duration after : {3 * kMinute, 4 * kMinute + 30 * kSecond}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PORT 10,0,0,1,156,64").server("200 OK.").client("RETR a").server("150 Now.");
        trace.wait(kMinute);
        TcpTalk slow = ftp.active(kPort);
        slow.client("text");
        trace.wait(after);
        slow.client("text");
        TcpTalk stranger(trace, {.client = {ip("10.0.0.3"), 50000}, .server = {ip("10.0.0.1"), kPort}});
        stranger.open().close();
        const std::string service = after < 4 * kMinute ? "ftp-data" : "-";
        CHECK(read(trace, kExtended).show("conn", "service", {{"id.orig_h", "10.0.0.3"}}) == service);
    }
}

TEST_CASE("ports: below 1024 a bounce is what comes from a server's data port") {
    for (const std::uint16_t from : {std::uint16_t{20}, std::uint16_t{5000}}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PORT 10,0,0,77,0,25").server("200 OK.").client("RETR mail").server("150 Now.");
        TcpTalk bounce(trace, {.client = {ip("10.0.0.2"), from}, .server = {ip("10.0.0.77"), 25}});
        bounce.open().client("MAIL").close();
        ftp.server("226 Done.").quit();
        CHECK(read(trace, kExtended).show("conn", "service", {{"id.resp_p", "25"}}) == (from == 20 ? "ftp-data" : "-"));
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

// What is held comes out when the connection is removed, and says then that it is FTP: its timer must not start again.
TEST_CASE("removed: a session whose first command had been held until then") {
    Trace trace;
    TcpTalk control(trace, {.server = {ip("10.0.0.2"), 21}});
    control.open().lose_next().server("220 Welcome.\r\n").client("USER anonymous\r\n").rst(Side::client);
    trace.wait(10 * kMinute);
    for (std::uint16_t i = 0; i < 4; ++i) {
        TcpTalk other(trace, {.client = {ip("10.0.0.1"), static_cast<std::uint16_t>(50000 + i)}});
        other.open();
        trace.wait(10 * kMinute);
    }
    CHECK(read(trace, kExtended).show("conn", "id.resp_p service") == "21 ftp | 80 - | 80 - | 80 - | 80 -");
}

TEST_CASE("a flood of an endpoint before it is announced: the latest are bounces, and who is awaited is found") {
    Trace trace(Trace::kDefaultStart, 0);
    FtpTalk ftp(trace);
    ftp.login();
    std::optional<TcpTalk> awaited;
    for (std::uint16_t i = 0; i < 400; ++i) { // over two seconds
        trace.wait(5 * kMillisecond);
        data(trace, "10.9.0.1", static_cast<std::uint16_t>(1024 + i));
        if (i == 300) awaited = data(trace, "10.0.0.1", 50001);
    }
    trace.wait(kMillisecond);
    ftp.client("PASV").server(kPasv).client("RETR a").server("150 Here it comes.");
    ftp.download(*awaited, "hello").server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entries("conn", {{"id.orig_h", "10.9.0.1"}, {"service", "ftp-data"}}).size() == 32);
    CHECK(logs.show("ftp", kFields, {{"command", "RETR"}}) == "5 true");
    CHECK(logs.count(Event::stream_event_dropped) == 1);
}
