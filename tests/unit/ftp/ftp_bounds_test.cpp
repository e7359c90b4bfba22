// A session's memory stays within kFtpSessionBytesMax whatever is sent, and what is cut is counted.
#include "core/ftp/ftp_session.h"
#include "core/ftp/session_info.h"
#include "core/ftp/telnet.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;

TEST_CASE("everything at its largest fits the session's bound", "[ftp_bounds]") {
    FtpOptions options;
    options.max_user_length = options.max_password_length = options.max_reply_msg_length = 1u << 30;
    options.max_pending_commands = 1u << 30;
    SessionScript s(options);
    const std::string most(2 * kFtpLineBytesMax, 'x');
    s.client("USER " + most).client("PASS " + most).client("CWD /" + most).server("250 ok " + most);
    for (int i = 0; i < 100; ++i) s.client("STOR " + most);
    s.client_bytes(most).server_bytes(most);
    CHECK(s.session.memory_bytes() <= kFtpSessionBytesMax);
    CHECK(s.session.memory_bytes() > 2 * kFtpLineBytesMax); // it did hold much
    CHECK(s.counted(Event::contentline_size_exceeded) > 0);
    CHECK(s.counted(Event::ftp_session_memory) > 0);
    s.finish();
}

TEST_CASE("a reset session gives back what was out of the ordinary", "[ftp_bounds]") {
    SessionScript s;
    const std::size_t fresh = s.session.memory_bytes();
    s.client_bytes(std::string(100'000, 'x')).server("220 " + std::string(8000, 'x'));
    CHECK(s.session.memory_bytes() > fresh + kFtpLineBytesMax);
    s.session.reset(s.id, s.uid, false);
    CHECK(s.session.memory_bytes() < fresh + 4096);
}

TEST_CASE("an ordinary session is small", "[ftp_bounds]") {
    SessionScript s;
    s.login().client("CWD pub").server("250 ok").client("RETR f").server("226 ok");
    CHECK(s.session.memory_bytes() < 4096);
}

TEST_CASE("a line at the limit is whole, one beyond it is cut", "[ftp_bounds]") {
    FtpOptions options;
    options.max_arg_length = 1u << 20;
    for (const std::size_t size : {kFtpLineBytesMax - 1, kFtpLineBytesMax, kFtpLineBytesMax + 1}) {
        SessionScript s(options);
        s.server("220 ready").client("ACCT " + std::string(size - 5, 'x')).server("230 ok").finish();
        CHECK(s.counted(Event::contentline_size_exceeded) == (size > kFtpLineBytesMax));
        CHECK(s.out.events.back().arg.size == std::min(size, kFtpLineBytesMax) - 5);
    }
}

TEST_CASE("the working directory is cut at its limit", "[ftp_bounds]") {
    FtpOptions options;
    options.max_arg_length = 1u << 20;
    for (const std::size_t size : {kFtpDirectoryBytesMax - 1, kFtpDirectoryBytesMax, kFtpDirectoryBytesMax + 1}) {
        SessionScript s(options);
        s.login().client("CWD /" + std::string(size - 1, 'd')).server("250 ok").client("RETR f").server("226 ok");
        s.client("NOOP");
        CHECK(s.counted(Event::ftp_session_memory) == (size > kFtpDirectoryBytesMax));
        const std::string directory = "/" + std::string(std::min(size, kFtpDirectoryBytesMax) - 1, 'd');
        CHECK(s.out.view(s.out.events.back().arg) == "ftp://10.0.0.2" + directory + "/f");
    }
}

TEST_CASE("a directory that only climbs does not grow", "[ftp_bounds]") {
    SessionScript s;
    s.login();
    for (int i = 0; i < 5000; ++i) s.client("CWD deeper").server("250 ok");
    CHECK(s.counted(Event::ftp_session_memory) > 0);
    CHECK(s.session.memory_bytes() <= kFtpSessionBytesMax);
    s.client("CWD /").server("250 ok").client("RETR f").server("226 ok").client("NOOP");
    CHECK(s.last_entry() == "RETR [ftp://10.0.0.2/f] 226 [ok] user anonymous password me@here");
}

TEST_CASE("a path of 427 kB that climbs is cut and hurts nobody", "[ftp_bounds]") {
    SessionScript s;
    std::string path;
    while (path.size() < 427'000) path += "dir/../";
    s.login().client("CWD " + path).server("250 ok").client("RETR f").server("226 ok").client("NOOP");
    CHECK(s.counted(Event::contentline_size_exceeded) == 1);
    CHECK(s.session.memory_bytes() <= kFtpSessionBytesMax);
    CHECK(s.entries().size() == 1);
}

TEST_CASE("a flood of commands, and one of replies, is bounded", "[ftp_bounds]") {
    SessionScript commands, replies;
    std::string flood;
    for (int i = 0; i < 10'000; ++i) flood += "RETR f\r\n";
    commands.client_bytes(flood);
    CHECK(commands.counted(Event::FTP_too_many_pending_commands) == 10'000 + 1 - 20);
    CHECK(commands.entries().size() == 10'000 - 20);
    CHECK(commands.session.memory_bytes() < 8192);
    flood.clear();
    for (int i = 0; i < 10'000; ++i) flood += "226 ok\r\n";
    replies.server_bytes(flood);
    CHECK(replies.out.events.empty());
    CHECK(replies.session.memory_bytes() < 8192);
}
