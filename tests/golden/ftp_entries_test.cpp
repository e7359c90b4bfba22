// ftp.log: which commands make an entry, when, and what it says.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::string_view kFields = "command arg reply_code reply_msg";

std::string entries(const Trace& trace, std::string_view fields = kFields) { return read(trace).show("ftp", fields); }

} // namespace

TEST_CASE("entries: ten commands are logged") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    for (const char* line : {"APPE a", "DELE a", "RETR a", "STOR a", "STOU a", "ACCT a", "PORT 10,0,0,1,200,10", "PASV",
                             "EPRT |1|10.0.0.1|51210|", "EPSV"})
        ftp.client(line).server("500 No.");
    CHECK(entries(trace, "command") == "APPE | DELE | RETR | STOR | STOU | ACCT | PORT | PASV | EPRT | EPSV");
}

TEST_CASE("entries: the others are not, beside one that is") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    for (const char* line : {"LIST", "CWD a", "TYPE I", "SIZE a", "MKD a", "RNFR a", "SITE X", "XYZZY", "DELE a"})
        ftp.client(line).server("500 No.");
    ftp.quit();
    CHECK(entries(trace, "command") == "DELE");
}

TEST_CASE("entries: ts is when the command was sent, _write_ts when the next one was") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    trace.at(Trace::kDefaultStart + 10 * kSecond);
    ftp.client("DELE a").server("250 Gone.");
    trace.at(Trace::kDefaultStart + 20 * kSecond);
    ftp.quit();
    CHECK(entries(trace, "ts _write_ts") == "10 20");
}

TEST_CASE("final: a session without a logged command has one entry, of its last command") {
    Trace trace;
    FtpTalk(trace).login().client("CWD pub").server("250 There.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", kFields) == "QUIT - 221 Goodbye.");
    CHECK(logs.show("ftp", "user password _write_ts") == "anonymous ftp@example.com 5.022");
}

TEST_CASE("final: also of a greeting alone") {
    Trace trace;
    FtpTalk(trace).server("220 Welcome.");
    CHECK(entries(trace, "user password command arg reply_code reply_msg") == "<unknown> - <init> - 220 Welcome.");
}

TEST_CASE("final: none of a connection to port 21 in which nothing was said") {
    Trace trace;
    FtpTalk ftp(trace);
    const Logs logs = read(trace);
    CHECK(logs.entries("ftp").empty());
    CHECK(logs.show("conn", "service") == "-");
}

TEST_CASE("password: a guest's is shown, whatever the case of the name") {
    Trace trace;
    FtpTalk(trace).login("Anonymous", "me@home").client("DELE a").server("250 Gone.").quit();
    CHECK(entries(trace, "user password") == "Anonymous me@home");
}

TEST_CASE("password: anyone else's is hidden") {
    Trace trace;
    FtpTalk(trace).login("alice", "secret").client("DELE a").server("250 Gone.").quit();
    CHECK(entries(trace, "user password") == "alice <hidden>");
}

TEST_CASE("password: hidden for good, though the user becomes a guest") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("alice", "secret").client("USER ftp").server("331 Password.").client("DELE a").server("250 Gone.").quit();
    CHECK(entries(trace, "user password") == "ftp <hidden>");
}

TEST_CASE("password: hidden as the argument of a last PASS, too") {
    Trace trace;
    FtpTalk(trace).login("alice", "secret");
    CHECK(entries(trace, "command arg password") == "PASS <hidden> <hidden>");
}

TEST_CASE("URL: relative to a working directory that is not known") {
    Trace trace;
    FtpTalk(trace).login().client("CWD pub").server("250 There.").client("RETR a").server("550 None.").quit();
    CHECK(entries(trace, "arg") == "ftp://10.0.0.2/./pub/a");
}

TEST_CASE("URL: relative to what PWD said, and to granted CWDs only") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PWD").server("257 \"/home/me\" is current").client("CWD pub").server("250 There.");
    ftp.client("CWD nowhere").server("550 No.").client("DELE a").server("250 Gone.").quit();
    CHECK(entries(trace, "arg") == "ftp://10.0.0.2/home/me/pub/a");
}

TEST_CASE("URL: paths are compressed") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("CWD /a/b").server("250 There.").client("CWD ..").server("250 There.");
    ftp.client("DELE c/../d").server("250 Gone.").client("DELE /x//y/../z").server("250 Gone.").quit();
    CHECK(entries(trace, "arg") == "ftp://10.0.0.2/a/d | ftp://10.0.0.2/x/z");
}

TEST_CASE("URL: an IPv6 address stands in brackets") {
    Trace trace;
    FtpTalk ftp(trace, {.client = {ip("2001:db8::1"), 40000}, .server = {ip("2001:db8::2"), 21}});
    ftp.login().client("RETR /a").server("550 None.").quit();
    CHECK(entries(trace, "arg") == "ftp://[2001:db8::2]/a");
}

TEST_CASE("file_size: the last number of the 150 that answers RETR") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("RETR a").server("150 Opening BINARY mode data connection for 7 of 9 (74 bytes).");
    ftp.server("226 Done.").quit();
    CHECK(entries(trace, "file_size reply_code") == "74 226");
}

TEST_CASE("file_size: of a 150 without a number, 0; of an upload, none") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("RETR a").server("150 Here it comes.").server("226 Done.");
    ftp.client("STOR a").server("150 Send 74 bytes.").server("226 Done.").quit();
    CHECK(entries(trace, "command file_size") == "RETR 0 | STOR -");
}

TEST_CASE("file_size: what 213 said of a file belongs to SIZE, which is not logged") {
    Trace trace;
    FtpTalk(trace).login().client("SIZE a").server("213 74").client("RETR a").server("550 None.").quit();
    CHECK(entries(trace, "command file_size") == "RETR -");
}

TEST_CASE("pending: commands sent ahead are answered in turn, each logged with its reply") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("CWD /pub\r\nPASV\r\nRETR a\r\nDELE b");
    ftp.server("250 There.").server("227 Entering Passive Mode (10,0,0,2,156,64).").server("150 Now 5.");
    ftp.server("226 Done.").server("250 Gone.").quit();
    CHECK(entries(trace, "command arg reply_code file_size") ==
          "PASV - 227 - | RETR ftp://10.0.0.2/pub/a 150 5 | DELE ftp://10.0.0.2/pub/b 250 -");
}

TEST_CASE("pending: a reply goes to the command that it names") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE one.txt\r\nDELE two.txt").server("250 two.txt deleted").server("550 one.txt: none").quit();
    CHECK(entries(trace, "arg reply_code") == "ftp://10.0.0.2/./two.txt 250 | ftp://10.0.0.2/./one.txt 550");
}

TEST_CASE("pending: a reply goes to the command that its code answers") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a\r\nPASV").server("227 Entering Passive Mode (10,0,0,2,156,64).").server("250 Gone.");
    CHECK(entries(trace, "command reply_code") == "PASV 227 | DELE 250");
}

TEST_CASE("reply: none came, the last one stands") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a");
    ftp.control().rst(Side::client);
    CHECK(entries(trace) == "DELE ftp://10.0.0.2/./a 230 Login successful.");
}

TEST_CASE("reply: of several lines, the last one's text") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a").server("250-It was").server("  a good file").server("250 Gone.").quit();
    CHECK(entries(trace, "reply_code reply_msg") == "250 Gone.");
}

TEST_CASE("reply: of several lines, closed with another code") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("STOR a").server("150 Opening ASCII mode data connection.");
    ftp.server("230- WARNING! 4 bare linefeeds received in ASCII mode").server("   File may be damaged.");
    ftp.server("226 Transfer complete.").quit();
    CHECK(entries(trace, "command reply_code reply_msg") == "STOR 0 226 Transfer complete.");
}

TEST_CASE("reply: a line without a code is no FTP, the service is taken back and nothing more is read") {
    Trace trace;
    FtpTalk(trace).login().client("DELE a").server("250 Gone.").client("NOOP").server("what?").client("DELE b").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "command arg") == "DELE ftp://10.0.0.2/./a");
    CHECK(logs.show("conn", "service") == "-");
    CHECK(logs.count(Event::ftp_violation) == 1);
}

TEST_CASE("reply: what comes in one packet with a line that is none is read, but not by the extended rule") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").client("DELE a").server("what?\r\n250 Gone.").client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace), extended = read(trace, {.extended = true});
    CHECK(logs.show("ftp", "arg reply_code") == "ftp://10.0.0.2/./a 250");
    CHECK(extended.show("ftp", "arg reply_code") == "ftp://10.0.0.2/./a 220");
    for (const Logs& any : {logs, extended}) {
        CHECK(any.show("conn", "service") == "-");
        CHECK(any.count(Event::ftp_violation) == 1);
    }
}

TEST_CASE("reply: after a login a line that is none ends nothing by the extended rule") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a").server("what?").server("250 Gone.").client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace), extended = read(trace, {.extended = true});
    CHECK(logs.show("ftp", "arg reply_code") == "ftp://10.0.0.2/./a 230");
    CHECK(extended.show("ftp", "arg reply_code") == "ftp://10.0.0.2/./a 250 | ftp://10.0.0.2/./b 250");
    CHECK(logs.show("conn", "service") == "-");
    CHECK(extended.show("conn", "service") == "ftp");
    for (const Logs& any : {logs, extended}) CHECK(any.count(Event::ftp_violation) == 1);
}

TEST_CASE("reply: a code without text") {
    Trace trace;
    FtpTalk(trace).login().client("DELE a").server("250").quit();
    CHECK(entries(trace, "command reply_code reply_msg") == "DELE 250 ");
}

TEST_CASE("lines: cut anywhere, ended by a bare LF, in any case") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    ftp.control().client("de").client("le a").client("\nDeLe b\nDELE c\r").client("\n").server("250 Gone.\n");
    CHECK(entries(trace, "command arg") ==
          "DELE ftp://10.0.0.2/./a | DELE ftp://10.0.0.2/./b | DELE ftp://10.0.0.2/./c");
}

TEST_CASE("lines: Telnet's commands are taken out") {
    Trace trace;
    FtpTalk(trace)
        .login()
        .client("\xff\xf4\xff\xf2"
                "DE\xff\xf1LE a")
        .server("250 Gone.")
        .quit();
    CHECK(entries(trace, "command arg") == "DELE ftp://10.0.0.2/./a");
}

TEST_CASE("AUTH TLS: granted and begun, the service is ftp and ssl, the session ends in the clear") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Welcome.").client("AUTH TLS").server("234 Go ahead.");
    ftp.control().client(client_hello());
    ftp.control().server(std::string("\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00", 10)).client("DELE a\r\n");
    const Logs logs = read(trace);
    CHECK(logs.show("conn", "service") == "ftp,ssl");
    CHECK(logs.show("ftp", kFields) == "AUTH TLS 234 Go ahead.");
}

TEST_CASE("AUTH TLS: the client's whole hello says that it is ssl, whatever the server makes of it") {
    const std::string hello = client_hello();
    const auto services = [](const std::vector<std::string>& pieces, std::size_t skipped = 0) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.server("220 Welcome.").client("AUTH TLS").server("234 Go ahead.");
        for (const std::string& piece : pieces) {
            ftp.control().client(piece);
            if (std::exchange(skipped, 0) != 0) ftp.control().skip(Side::client, 1).client("x").ack(Side::server);
        }
        ftp.control().server("\x15\x03\x03").close();
        return read(trace).show("conn", "service") + " " + read(trace, {.extended = true}).show("conn", "service");
    };
    CHECK(services({hello}) == "ftp,ssl ftp,ssl");
    CHECK(services({hello.substr(0, 1), hello.substr(1, 9), hello.substr(10)}) == "ftp,ssl ftp,ssl");
    CHECK(services({hello.substr(0, hello.size() - 1)}) == "ftp ftp");
    CHECK(services({}) == "ftp ftp");
    CHECK(services({hello.substr(0, 20), hello.substr(20)}, 1) == "ftp ftp"); // with a hole in it
    CHECK(services({"\x16\x03\x01 no hello of any kind"}) == "ftp ftp");
}

TEST_CASE("AUTH SSL, or tls in small letters: ends in encryption by the extended rule, else in what is no reply") {
    for (const std::string mechanism : {"SSL", "tls", "TLS-C"}) {
        INFO(mechanism);
        Trace trace;
        FtpTalk ftp(trace);
        ftp.server("220 Welcome.").client("AUTH " + mechanism).server("234 Go ahead.");
        ftp.control().client(client_hello());
        ftp.control().server(std::string("\x16\x03\x03\x00\x05\x02\x00\x00\x01\n", 10)).client("DELE a\r\n");
        const Logs logs = read(trace), extended = read(trace, {.extended = true});
        CHECK(logs.show("conn", "service") == "-");
        CHECK(extended.show("conn", "service") == "ftp,ssl");
        CHECK(logs.show("ftp", kFields) == "AUTH " + mechanism + " 234 Go ahead.");
        CHECK(extended.show("ftp", kFields) == logs.show("ftp", kFields));
    }
}

TEST_CASE("AUTH TLS: refused, the session goes on") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Welcome.").client("AUTH TLS").server("500 What?").client("DELE a").server("530 Log in.").quit();
    CHECK(entries(trace, "command reply_code") == "DELE 530");
}

TEST_CASE("middle: a control connection that began before the capture") {
    Trace trace;
    TcpTalk control(trace, {.server = {ip("10.0.0.2"), 21}});
    control.client("DELE a\r\n").server("250 Gone.\r\n").client("QUIT\r\n");
    CHECK(entries(trace, "user password command reply_code") == "<unknown> - DELE 250");
}

TEST_CASE("middle: the end of a reply whose beginning came before the capture is none, and ends nothing") {
    Trace trace;
    TcpTalk control(trace, {.server = {ip("10.0.0.2"), 21}});
    control.server("a file.\r\n").client("DELE a\r\n").server("250 Gone.\r\n").client("QUIT\r\n");
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "user command reply_code") == "<unknown> DELE 250");
    CHECK(logs.show("conn", "service") == "ftp");
    CHECK(logs.count(Event::ftp_violation) == 0);
    CHECK(read(trace, {.extended = true}).show("ftp", "user command reply_code") == "<unknown> DELE 250");
}

TEST_CASE("lost: the end of a reply whose beginning the capture missed is none, and ends nothing") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a");
    ftp.control().lose_next().server("250 Go").server("ne.\r\n");
    ftp.client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace);
    // The reply that came is the first command's, which has waited longer; the second one has what came last.
    CHECK(logs.show("ftp", "arg reply_code") == "ftp://10.0.0.2/./a 250 | ftp://10.0.0.2/./b 221");
    CHECK(logs.show("conn", "service missed_bytes") == "ftp 6");
    CHECK(logs.count(Event::ftp_violation) == 0);
    CHECK(read(trace, {.extended = true}).show("ftp", "arg reply_code") == logs.show("ftp", "arg reply_code"));
}

TEST_CASE("lost: what is missing of one direction excuses the other") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    ftp.control().lose_next().client("NOOP\r\n").server("what?\r\n");
    ftp.client("DELE a").server("250 Gone.").quit();
    CHECK(entries(trace, "arg reply_code") == "ftp://10.0.0.2/./a 250");
}

TEST_CASE("lost: a line that the capture missed makes no entry, the session goes on behind it") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    ftp.control().lose_next();
    ftp.client("DELE a").server("250 Gone.").client("DELE b").server("250 Gone.").quit();
    CHECK(entries(trace, "arg") == "ftp://10.0.0.2/./b");
}
