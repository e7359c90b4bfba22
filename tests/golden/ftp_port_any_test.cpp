// What is FTP: by port until the bytes say otherwise, and on any other port by the bytes of both sides.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

TalkOptions on_port(std::uint16_t port) { return {.server = {ip("10.0.0.2"), port}}; }

} // namespace

TEST_CASE("port 2121: FTP by what both sides say, from its first command on") {
    Trace trace;
    FtpTalk ftp(trace, on_port(2121));
    ftp.login()
        .client("PASV")
        .server("227 Entering Passive Mode (10,0,0,2,156,64).")
        .client("RETR a")
        .server("150 Now.");
    ftp.download(ftp.passive(40000), "text").server("226 Done.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "user password command") ==
          "anonymous ftp@example.com PASV | anonymous ftp@example.com RETR");
    CHECK(logs.show("conn", "service", {{"id.resp_p", "2121"}}) == "ftp");
    CHECK(logs.show("conn", "service", {{"id.resp_p", "40000"}}) == "ftp-data");
}

TEST_CASE("port 2121: a server that is asked nothing is not FTP") {
    Trace trace;
    TcpTalk(trace, on_port(2121)).open().server("220 Welcome.\r\n331 Password?\r\n").client("HELO\r\n").close();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "service") == "-");
    CHECK(logs.entries("ftp").empty());
}

TEST_CASE("port 2121: a client that is not answered as FTP does is not FTP") {
    Trace trace;
    TcpTalk talk(trace, on_port(2121));
    talk.open().server("220 Welcome.\r\n").client("USER alice\r\n").server("+OK\r\n").client("PASS secret\r\n").close();
    CHECK(read(trace).show("conn", "service") == "-");
}

TEST_CASE("port 2121: not behind the first 1024 bytes") {
    Trace trace;
    FtpTalk ftp(trace, on_port(2121));
    ftp.server("220-" + std::string(1100, 'x')).server("220 Welcome.").login();
    CHECK(read(trace).show("conn", "service") == "-");
}

TEST_CASE("port 25: SMTP greets like FTP and is none") {
    Trace trace;
    TcpTalk talk(trace, on_port(25));
    talk.open()
        .server("220 mail ESMTP\r\n")
        .client("EHLO me\r\n")
        .server("250 Hello\r\n")
        .client("MAIL FROM:<a@b>\r\n");
    talk.server("250 OK\r\n").client("QUIT\r\n").server("221 Bye\r\n").close();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "service") == "-");
    CHECK(logs.entries("ftp").empty());
}

TEST_CASE("port 21: the service comes with the first command, not with the greeting") {
    Trace greeted, asked;
    FtpTalk(greeted).server("220 Welcome.");
    FtpTalk(asked).server("220 Welcome.").client("NOOP");
    CHECK(read(greeted).show("conn", "service") == "-");
    CHECK(read(asked).show("conn", "service") == "ftp");
}

TEST_CASE("port 21: a server of something else, the service is taken back") {
    Trace trace;
    FtpTalk(trace).client("GET / HTTP/1.0").server("HTTP/1.0 400 Bad Request").client("USER alice").server("331 Now?");
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "service") == "-");
    CHECK(logs.count(Event::ftp_violation) == 1);
}

TEST_CASE("port 21: after 10 KiB a line that is none does not make it something else") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("HELP").server("214-" + std::string(11'000, 'x')).server("214 Done.").client("NOOP");
    ftp.server("what?").client("DELE a").server("250 Gone.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "service") == "ftp");
    CHECK(logs.show("ftp", "command") == "DELE");
}

TEST_CASE("port 2811: FTP's, too") {
    Trace trace;
    FtpTalk(trace, on_port(2811)).server("220 Welcome.").client("NOOP");
    CHECK(read(trace).show("conn", "service") == "ftp");
}
