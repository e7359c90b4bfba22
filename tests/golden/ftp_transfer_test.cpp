// Data connections and the commands that they belong to, by the reference's rule (ftp.extended: false).
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPort = 40000;
constexpr std::string_view kChannel =
    "data_channel.passive data_channel.orig_h data_channel.resp_h data_channel.resp_p";
const std::string kPasv = "227 Entering Passive Mode (10,0,0,2,156,64).";

TalkOptions from(std::string_view client, std::uint16_t port = 50000) {
    return {.client = {ip(client), port}, .server = {ip("10.0.0.2"), 21}};
}

// An opened connection to the announced endpoint.
TcpTalk data(Trace& trace, std::string_view client, std::uint16_t port, std::string_view server = "10.0.0.2") {
    TcpTalk talk(trace, {.client = {ip(client), port}, .server = {ip(server), kPort}});
    talk.open();
    return talk;
}

// A session with one passive download of `size` bytes, whose next command comes before the data connection is removed.
Trace download(std::size_t size) {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Here it comes.");
    ftp.download(ftp.passive(kPort), std::string(size, 'x')).server("226 Done.").quit();
    return trace;
}

std::string services(const Trace& trace) { return read(trace).show("conn", "service", {{"id.resp_p", "40000"}}); }

} // namespace

TEST_CASE("PASV: the announced endpoint, and the connection to it") {
    const Logs logs = read(download(100));
    CHECK(logs.show("ftp", kChannel, {{"command", "PASV"}}) == "true 10.0.0.1 10.0.0.2 40000");
    CHECK(logs.show("ftp", kChannel, {{"command", "RETR"}}) == "- - - -");
    CHECK(logs.show("conn", "service conn_state resp_bytes", {{"id.resp_p", "40000"}}) == "ftp-data SF 100");
}

TEST_CASE("EPSV: the server's own address") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("EPSV").server("229 Extended Passive Mode (|||40000|)").client("RETR a").server("150 Now.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.").quit();
    CHECK(read(trace).show("ftp", kChannel, {{"command", "EPSV"}}) == "true 10.0.0.1 10.0.0.2 40000");
    CHECK(services(trace) == "ftp-data");
}

TEST_CASE("PORT: the server connects, and is its originator") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PORT 10,0,0,1,156,64").server("200 OK.").client("RETR a").server("150 Now.");
    ftp.download(ftp.active(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", kChannel, {{"command", "PORT"}}) == "false 10.0.0.2 10.0.0.1 40000");
    CHECK(logs.show("conn", "id.orig_h id.orig_p service orig_bytes", {{"id.resp_p", "40000"}}) ==
          "10.0.0.2 20 ftp-data 4");
}

TEST_CASE("EPRT: of IPv6") {
    Trace trace;
    FtpTalk ftp(trace, {.client = {ip("2001:db8::1"), 50000}, .server = {ip("2001:db8::2"), 21}});
    ftp.login().client("EPRT |2|2001:db8::1|40000|").server("200 OK.").client("STOR a").server("150 Now.");
    ftp.upload(ftp.active(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", kChannel, {{"command", "EPRT"}}) == "false 2001:db8::2 2001:db8::1 40000");
    CHECK(logs.show("conn", "service resp_bytes", {{"id.resp_p", "40000"}}) == "ftp-data 4");
}

TEST_CASE("fuid: of the command that moves a file, down and up") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.").client("PASV").server(kPasv);
    ftp.client("STOR b").server("150 Now.").upload(ftp.passive(kPort), "text").server("226 Done.").quit();
    const Logs logs = read(trace);
    const std::string down = logs.entry("ftp", {{"command", "RETR"}})["fuid"];
    const std::string up = logs.entry("ftp", {{"command", "STOR"}})["fuid"];
    CHECK((down.starts_with("F") && up.starts_with("F") && down != up));
    CHECK(logs.show("ftp", "fuid", {{"command", "PASV"}}) == "- | -");
}

TEST_CASE("fuid: none of a transfer without a byte") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    ftp.passive(kPort).close(Side::server);
    ftp.server("226 Done.").quit();
    CHECK(read(trace).show("ftp", "fuid", {{"command", "RETR"}}) == "-");
    CHECK(services(trace) == "ftp-data");
}

TEST_CASE("fuid: a listing's goes with the command that listed") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("LIST").server("150 Now.");
    ftp.download(ftp.passive(kPort), "a b c").server("226 Done.").client("DELE a").server("250 Gone.").quit();
    CHECK(read(trace).show("ftp", "command fuid") == "PASV - | DELE -");
}

TEST_CASE("mime_type: by 1024 bytes, and by 4096 where there are as many") {
    CHECK(read(download(1023)).show("ftp", "mime_type", {{"command", "RETR"}}) == "-");
    CHECK(read(download(1024)).show("ftp", "mime_type", {{"command", "RETR"}}) == "transferred/1024");
    CHECK(read(download(4095)).show("ftp", "mime_type", {{"command", "RETR"}}) == "transferred/1024");
    CHECK(read(download(4096)).show("ftp", "mime_type", {{"command", "RETR"}}) == "sniffed/4096");
}

TEST_CASE("mime_type: of a short file, where the data connection is removed before the next command") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    ftp.download(ftp.passive(kPort), "text").server("226 Done.");
    trace.wait(10 * kSecond);
    ftp.quit();
    CHECK(read(trace).show("ftp", "mime_type", {{"command", "RETR"}}) == "sniffed/4");
}

TEST_CASE("mime_type: what the end of the capture removes comes after what its last packet did") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    ftp.passive(kPort).server("text");
    ftp.control().server("226 Done.\r\n").send(Side::client, {.text = "QUIT\r\n"});
    const Entry retr = read(trace).entry("ftp", {{"command", "RETR"}});
    CHECK(retr["fuid"].starts_with("F"));
    CHECK(retr["mime_type"] == "-");
}

TEST_CASE("mime_type: none where none is known") {
    CHECK(read(download(5000), {.types_known = false}).show("ftp", "mime_type", {{"command", "RETR"}}) == "-");
}

TEST_CASE("endpoint: two connections to it at a time are both transfers") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv).client("RETR a").server("150 Now.");
    TcpTalk one = ftp.passive(kPort), two = ftp.passive(kPort);
    one.server("text").close();
    two.server("text").close();
    CHECK(services(trace) == "ftp-data | ftp-data");
}

TEST_CASE("endpoint: forgotten once its first connection is removed") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv);
    ftp.passive(kPort).server("text").close();
    trace.wait(10 * kSecond);
    ftp.passive(kPort).server("text").close();
    CHECK(services(trace) == "ftp-data | -");
}

TEST_CASE("endpoint: announced again by another session, the latest has the file") {
    Trace trace;
    FtpTalk one(trace, from("10.0.0.1", 50001)), two(trace, from("10.0.0.1", 50002));
    one.login().client("PASV").server(kPasv);
    two.login().client("PASV").server(kPasv);
    for (FtpTalk* ftp : {&one, &two}) ftp->client("RETR a").server("150 Now.");
    data(trace, "10.0.0.1", 50003).server("text").close();
    for (FtpTalk* ftp : {&one, &two}) ftp->server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp", {{"command", "RETR"}, {"id.orig_p", "50001"}})["fuid"] == "-");
    CHECK(logs.entry("ftp", {{"command", "RETR"}, {"id.orig_p", "50002"}})["fuid"] != "-");
}

TEST_CASE("fuid: of a file that moves before its command is sent, the command before has it") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv);
    ftp.download(ftp.passive(kPort), "text").client("RETR a").server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp", {{"command", "PASV"}})["fuid"].starts_with("F"));
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["fuid"] == "-");
}

TEST_CASE("endpoint: unused for 5 minutes it is forgotten") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server(kPasv);
    trace.wait(5 * kMinute - 10 * kSecond);
    ftp.passive(kPort).server("in time").close();
    trace.wait(10 * kSecond);
    ftp.client("PASV").server(kPasv);
    trace.wait(5 * kMinute + kSecond);
    ftp.passive(kPort).server("too late").close();
    CHECK(services(trace) == "ftp-data | -");
}

TEST_CASE("endpoint: a connection that nobody announced is no transfer, even from port 20") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    ftp.active(kPort).client("text").close();
    CHECK(services(trace) == "-");
}

TEST_CASE("endpoint: a connection from elsewhere is no transfer") {
    Trace trace;
    FtpTalk ftp(trace, from("10.0.0.1"));
    ftp.login().client("PASV").server(kPasv);
    data(trace, "10.0.0.66", 50003).server("text").close();
    CHECK(services(trace) == "-");
}

TEST_CASE("endpoint: a connection that began before its announcement is no transfer") {
    Trace trace;
    FtpTalk ftp(trace, from("10.0.0.1"));
    ftp.login().client("PASV");
    TcpTalk early = data(trace, "10.0.0.1", 50003);
    ftp.server(kPasv);
    early.server("text").close();
    CHECK(services(trace) == "-");
}

TEST_CASE("endpoint: on another host, as the server announced it") {
    Trace trace;
    FtpTalk ftp(trace, from("10.0.0.1"));
    ftp.login()
        .client("PASV")
        .server("227 Entering Passive Mode (10,0,0,3,156,64).")
        .client("RETR a")
        .server("150 Now.");
    data(trace, "10.0.0.1", 50003, "10.0.0.3").server("text").close();
    ftp.server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", kChannel, {{"command", "PASV"}}) == "true 10.0.0.1 10.0.0.3 40000");
    CHECK(logs.show("conn", "service", {{"id.resp_p", "40000"}}) == "ftp-data");
    CHECK(logs.entry("ftp", {{"command", "RETR"}})["fuid"] != "-");
}

TEST_CASE("endpoint: behind a NAT, which the reference does not see through") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (192,168,1,2,156,64).");
    ftp.passive(kPort).server("text").close();
    CHECK(services(trace) == "-");
}

TEST_CASE("endpoint: the reply in other shapes") {
    for (const char* reply :
         {"227 Entering Passive Mode 10,0,0,2,156,64", "227 =10,0,0,2,156,64.", "227 PORT 10,0,0,2,156,64"}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PASV").server(reply);
        ftp.passive(kPort).server("text").close();
        CHECK(services(trace) == "ftp-data");
    }
}
