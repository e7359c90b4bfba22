// What happens at the limits of an FTP session: cut, counted, and the session goes on.
#include "tests/golden/golden.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("user and password: 128 bytes each") {
    Trace trace;
    FtpTalk(trace).login("ftp", std::string(129, 'p')).client("DELE a").server("250 Gone.").quit();
    FtpTalk(trace, {.client = {ip("10.0.0.1"), 40001}}).login(std::string(129, 'u')).quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp", {{"user", "ftp"}})["password"] == std::string(128, 'p'));
    CHECK(logs.entry("ftp", {{"command", "QUIT"}})["user"] == std::string(128, 'u'));
    CHECK(logs.count(Event::FTP_user_too_long) + logs.count(Event::FTP_password_too_long) == 2);
}

TEST_CASE("user and password: 128 bytes are not too long") {
    Trace trace;
    FtpTalk(trace).login(std::string(128, 'u'), std::string(128, 'p')).quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp")["user"] == std::string(128, 'u'));
    CHECK(logs.count(Event::FTP_user_too_long) + logs.count(Event::FTP_password_too_long) == 0);
}

TEST_CASE("argument: 4096 bytes, as the URL that is logged") {
    Trace trace;
    FtpTalk(trace).login().client("DELE /" + std::string(5000, 'a')).server("550 None.").quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp")["arg"] == "ftp://10.0.0.2/" + std::string(4096 - 15, 'a'));
    CHECK(logs.count(Event::FTP_arg_too_long) == 1);
}

TEST_CASE("reply: 4096 bytes of text") {
    Trace trace;
    FtpTalk(trace).login().client("DELE a").server("250 " + std::string(4097, 'r')).quit();
    const Logs logs = read(trace);
    CHECK(logs.entry("ftp")["reply_msg"] == std::string(4096, 'r'));
    CHECK(logs.count(Event::FTP_reply_msg_too_long) == 1);
}

TEST_CASE("command: of 101 bytes it is none, of 100 it is") {
    Trace trace;
    FtpTalk(trace).login().client(std::string(100, 'A')).server("500 No.");
    FtpTalk(trace, {.client = {ip("10.0.0.1"), 40001}}).login().client(std::string(101, 'B')).server("500 No.");
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "command") == std::string(100, 'A') + " | PASS");
    CHECK(logs.count(Event::FTP_max_command_length_exceeded) == 1);
}

TEST_CASE("pending: 20 commands, further ones are not remembered") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    for (int i = 1; i <= 22; ++i) ftp.client("DELE " + std::to_string(i));
    const Logs logs = read(trace);
    CHECK(logs.entries("ftp").size() == 20);
    CHECK(logs.entries("ftp", {{"arg", "ftp://10.0.0.2/./20"}}).size() == 1);
    CHECK(logs.count(Event::FTP_too_many_pending_commands) == 2);
}

TEST_CASE("lines: of 100 KiB cut, and the next one is read") {
    Trace trace;
    FtpTalk(trace).login().client("DELE " + std::string(100'000, 'a')).client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace);
    CHECK(logs.entries("ftp", {{"arg", "ftp://10.0.0.2/./b"}}).size() == 1);
    CHECK(logs.count(Event::contentline_size_exceeded) == 1);
}
