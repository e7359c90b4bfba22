// Commands that find no room among those that wait: the oldest makes it (extended), or the new one is not remembered.
// And how many lines of one reply look for theirs among them.
#include "core/ftp/ftp_session.h"
#include "core/ftp/pending.h"
#include "core/ftp/telnet.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;

namespace {

FtpOptions room_for(std::uint32_t commands, bool extended = true) {
    FtpOptions options = log_everything();
    options.max_pending_commands = commands;
    options.extended = extended;
    return options;
}

} // namespace

TEST_CASE("where there is no room the oldest command is done with, without a reply", "[ftp_room]") {
    SessionScript s(room_for(4));
    s.server("220 ready").client("AAA").client("BBB").client("CCC").client("DDD");
    CHECK(s.entries().empty());
    s.client("EEE").client("FFF");
    CHECK(s.entries() == Lines{"AAA user <unknown>", "BBB user <unknown>"});
    CHECK(s.out.events.back().ts == 3 * kSecond); // BBB's
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 2);
    s.server("200 ok").finish();
    CHECK(s.entries()[2] == "CCC 200 [ok] user <unknown>");
    CHECK(s.entries().size() == 6);
}

TEST_CASE("to the letter it is the newest that is not remembered", "[ftp_room]") {
    SessionScript s(room_for(4, false));
    s.client("AAA").client("BBB").client("CCC"); // and <init>
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 0);
    s.client("DDD").client("EEE");
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 2);
    s.finish();
    CHECK(s.entries() == Lines{"AAA user <unknown>", "BBB user <unknown>", "CCC user <unknown>"});
}

TEST_CASE("a command that found no room is still heeded", "[ftp_room]") {
    FtpOptions options;
    options.max_pending_commands = 1;
    for (const bool extended : {false, true}) {
        options.extended = extended;
        SessionScript s(options);
        s.client("USER bob").client("PORT 10,0,0,1,1,1").finish();
        CHECK(s.announcements() == Lines{"active 10.0.0.2 > 10.0.0.1 257"});
        CHECK(s.last_entry() == (extended ? "PORT [10,0,0,1,1,1] data active 10.0.0.2 > 10.0.0.1 257 user bob"
                                          : "final <init> user bob"));
    }
}

TEST_CASE("what makes room takes nothing that belongs to others", "[ftp_room]") {
    FtpOptions options = room_for(2);
    options.max_reply_msg_length = 5;
    SessionScript s(options);
    s.server("220 ready, and more").client("AAA").client("PORT 10,0,0,1,1,1").client("BBB");
    CHECK(s.entries() == Lines{"AAA user <unknown>"});
    s.client("CCC");
    CHECK(s.entries().back() == "PORT [10,0,0,1,1,1] data active 10.0.0.2 > 10.0.0.1 257 user <unknown>");
    s.server("200 ok");
    CHECK(s.entries().back() == "BBB 200 [ok] user <unknown>");
}

TEST_CASE("of two PORTs that make room each has its own data channel, or none", "[ftp_room]") {
    SessionScript s(room_for(2));
    s.server("220 ready").client("PORT 10,0,0,1,1,1").client("PORT 10,0,0,1,1,2").client("AAA").client("BBB");
    CHECK(s.entries() == Lines{"PORT [10,0,0,1,1,1] user <unknown>",
                               "PORT [10,0,0,1,1,2] data active 10.0.0.2 > 10.0.0.1 258 user <unknown>"});
}

TEST_CASE("what is not logged makes room without a word, unless it moves data", "[ftp_room]") {
    FtpOptions options;
    options.max_pending_commands = 1;
    SessionScript s(options);
    s.server("220 ready").client("NOOP").client("LIST").client("NOOP").client("NOOP");
    CHECK(s.reported() == Lines{"confirmed", "turn", "turn"}); // the greeting's, and LIST's
    CHECK(s.out.events.back().transfers);
}

TEST_CASE("a command has room for all of its line", "[ftp_room]") {
    FtpOptions options = log_everything();
    options.max_arg_length = 1u << 20;
    SessionScript s(options);
    const std::string longest(kFtpLineBytesMax - 5, 'x');
    for (int i = 0; i < 5; ++i) s.client("ACCT " + longest);
    s.client("NOOP");
    CHECK(s.entries().size() == 4);                   // two fit, less a byte of each line that is no part of them
    CHECK(s.counted(Event::ftp_session_memory) == 5); // and the greeting's shim
    s.finish();
    for (std::size_t i = 0; i + 1 < s.out.events.size(); ++i)
        if (s.out.view(s.out.events[i].command) == "ACCT") CHECK(s.out.events[i].arg.size == longest.size());
    CHECK(s.session.memory_bytes() <= kFtpSessionBytesMax);
}

TEST_CASE("the first 64 lines of a reply find the command that they name, further ones are the last one's",
          "[ftp_room]") {
    const auto named = [](int lines_before, bool extended) {
        SessionScript s(room_for(20, extended));
        s.server("220 ready").client("DELE ones").client("DELE two").server("250-It is");
        for (int i = 0; i < lines_before; ++i) s.server("226 nothing of them");
        s.server("226 two.txt is gone").client("NOOP");
        return s.last_entry();
    };
    const std::string two = "DELE [ftp://10.0.0.2/./two] 0 [226 two.txt is gone] user <unknown>";
    CHECK(named(63, true) == two);
    CHECK(named(64, true) == "DELE [ftp://10.0.0.2/./ones] 0 [226 two.txt is gone] user <unknown>");
    CHECK(named(64, false) == two);
}
