// What happens at the limits of an FTP session: cut, counted, and the session goes on.
#include "tests/golden/golden.h"

#include <map>
#include <string>
#include <vector>

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

TEST_CASE("pending: 20 commands, further ones are not remembered (extended: the first ones are not answered)") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    for (int i = 1; i <= 22; ++i) ftp.client("DELE " + std::to_string(i));
    const Logs logs = read(trace);
    CHECK(logs.entries("ftp").size() == 20);
    CHECK(logs.entries("ftp", {{"arg", "ftp://10.0.0.2/./20"}}).size() == 1);
    CHECK(logs.count(Event::FTP_too_many_pending_commands) == 2);
    const Logs extended = read(trace, {.extended = true});
    CHECK(extended.entries("ftp").size() == 22);
    CHECK(extended.entries("ftp", {{"reply_code", "230"}}).size() == 20);
}

namespace {

// Downloads of `size` bytes that go on at once: each ends when all have begun, and is told of later than its
// connection.
Trace downloads_at_once(std::size_t count, std::size_t size) {
    Trace trace;
    std::vector<FtpTalk> sessions;
    std::vector<TcpTalk> transfers;
    for (std::size_t i = 0; i < count; ++i) {
        const auto port = static_cast<std::uint16_t>(40000 + i);
        FtpTalk& ftp = sessions.emplace_back(trace, TalkOptions{.client = {ip("10.0.0.1"), port}});
        ftp.login().client("EPSV").server("229 Extended Passive Mode (|||" + std::to_string(port) + "|)");
        ftp.client("RETR a").server("150 Here it comes.");
        transfers.push_back(ftp.passive(port));
        transfers.back().server(std::string(size, 'x'));
    }
    for (TcpTalk& transfer : transfers) transfer.close(Side::server);
    trace.wait(10 * kSecond);
    for (FtpTalk& ftp : sessions) ftp.server("226 Done.").quit();
    return trace;
}

// What the type of each file was told from, by libmagic's stand-in.
std::map<std::string, int> types(const Logs& logs) {
    std::map<std::string, int> count;
    for (const Entry& entry : logs.entries("ftp", {{"command", "RETR"}})) ++count[entry["mime_type"]];
    return count;
}

} // namespace

TEST_CASE("first bytes: what has been told makes room, however long its transfer goes on") {
    const Logs logs = read(downloads_at_once(10, 6000), {.workers = 1, .first_bytes_max = 4096});
    CHECK(types(logs) == std::map<std::string, int>{{"sniffed/4096", 10}});
    CHECK(logs.count(Event::first_bytes_memory) == 0);
}

TEST_CASE("first bytes: of small files they wait for the end, and beyond the limit have no type") {
    const Logs logs = read(downloads_at_once(10, 500), {.workers = 1, .first_bytes_max = 4 * 512});
    CHECK(types(logs) == std::map<std::string, int>{{"sniffed/500", 4}, {"-", 6}});
    CHECK(logs.count(Event::first_bytes_memory) == 6);
}

TEST_CASE("lines: of 100 KiB cut, and the next one is read") {
    Trace trace;
    FtpTalk(trace).login().client("DELE " + std::string(100'000, 'a')).client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace);
    CHECK(logs.entries("ftp", {{"arg", "ftp://10.0.0.2/./b"}}).size() == 1);
    CHECK(logs.count(Event::contentline_size_exceeded) == 1);
}
