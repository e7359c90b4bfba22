// Commands that find no room among those that wait: the oldest makes it (extended), or the new one is not remembered.
// And how many lines of one reply look for theirs among them.
#include "core/ftp/ftp_session.h"
#include "core/ftp/pending.h"
#include "core/ftp/telnet.h"
#include "core/ftp/told.h"
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
    s.server("200 A").server("200 B").server("200 C").finish(); // in this order
    CHECK(s.entries()[2] == "CCC 200 [C] user <unknown>");
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
    s.server("200 A").server("200 P").server("200 ok");
    CHECK(s.entries().back() == "BBB 200 [ok] user <unknown>");
}

TEST_CASE("of two PORTs that make room each has its own data channel, or none", "[ftp_room]") {
    SessionScript s(room_for(2));
    s.server("220 ready").client("PORT 10,0,0,1,1,1").client("PORT 10,0,0,1,1,2").client("AAA").client("BBB");
    CHECK(s.entries() == Lines{"PORT [10,0,0,1,1,1] user <unknown>",
                               "PORT [10,0,0,1,1,2] data active 10.0.0.2 > 10.0.0.1 258 user <unknown>"});
}

TEST_CASE("what made room takes its reply, so that no other has it", "[ftp_room]") {
    const auto deletions = [](const std::vector<std::string>& ahead, const std::vector<std::string>& replies) {
        SessionScript s(room_for(4));
        s.server("220 ready");
        for (const std::string& line : ahead) s.client(line);
        for (const char* name : {"one", "two", "three"}) s.client("DELE " + std::string(name));
        s.client("DELE secret").client("DELE last");
        for (const std::string& line : replies) s.server(line);
        s.finish();
        Lines secret;
        for (const std::string& entry : s.entries())
            if (entry.find("/secret]") != std::string::npos) secret.push_back(entry);
        return secret;
    };
    const Lines gone = {"DELE [ftp://10.0.0.2/./secret] 250 [gone] user <unknown>"};
    const std::string no = "550 no such file";
    CHECK(deletions({}, {no, no, no, "250 gone", no}) == gone);
    CHECK(deletions({"XYZ", "XYZ"}, {"502 what", "550 what", no, no, no, "250 gone", no}) == gone); // no code tells
    CHECK(deletions({"NOOP", "X"}, {"200 ok", "500 what", no, no, no, "250 gone", no}) == gone);
    CHECK(deletions({"STAT"}, {"213-x", "250 y", "213 x", no, no, no, "250 gone", no}) == gone);
    CHECK(deletions({"RETR f"}, {"150 now", "226 done", no, no, no, "250 gone", no}) == gone);
    // What is never answered is not told of.
    CHECK(deletions({}, {no}) == Lines{"DELE [ftp://10.0.0.2/./secret] user <unknown>"});
}

TEST_CASE("a transfer or a long reply that goes on while others make room has its last line", "[ftp_room]") {
    for (const std::string reply : {"150 now", "213-now"}) {
        SessionScript s(room_for(3));
        s.login().client("RETR f").server(reply).client("DELE a").client("DELE b").client("DELE c").client("DELE d");
        s.server(reply.starts_with("150") ? "226 done" : "213 done");
        s.server("550 a").server("550 b").server("250 c").server("550 d").finish();
        CHECK(s.entries()[5] == "DELE [ftp://10.0.0.2/./c] 250 [c] user anonymous password me@here");
    }
}

TEST_CASE("a data channel is announced by the reply to a command that made room", "[ftp_room]") {
    // Also where more is kept than has room, and where the server left out a reply.
    for (const auto& [behind, answered] : {std::pair{5, 5}, {100, 100}, {5, 4}})
        for (const char* name : {"NOOP", "PWD"}) {
            INFO(name << ' ' << behind);
            SessionScript s(room_for(4));
            s.login().client("PASV");
            for (int i = 0; i < behind; ++i) s.client(name);
            s.server("227 Entering (10,0,0,2,78,37)");
            CHECK(s.announcements() == Lines{"passive 10.0.0.1 > 10.0.0.2 20005"});
            CHECK(s.out.events.back().channel == 1);
            for (int i = 0; i < answered; ++i) s.server("257 \"/\"");
            s.client("RETR f").server("150 now").server("226 done").client("PASV").server("227 Once (10,0,0,2,78,38)");
            CHECK(s.announcements().size() == 2);
            CHECK(s.out.events.back().channel == 2);
            CHECK(s.last_entry().find("data") == std::string::npos); // of the command that made room, none
        }
}

TEST_CASE("a directory is changed by the reply to a command that made room", "[ftp_room]") {
    SessionScript s(room_for(4));
    s.login().client("CWD /secret").client("CWD x").client("CDUP").client("PWD").client("NOOP").client("NOOP");
    s.client("CWD /public").client("DELE f").server("250 ok").server("250 ok").server("550 no");
    s.server("257 \"/secret/x/sub\" is it")
        .server("200 ok")
        .server("200 ok")
        .server("550 no")
        .server("250 gone")
        .client("NOOP");
    CHECK(s.last_entry() == "DELE [ftp://10.0.0.2/secret/x/sub/f] 250 [gone] user anonymous password me@here");
}

TEST_CASE("what is kept of commands that made room has a bound", "[ftp_room]") {
    SessionScript many(room_for(1)), large(room_for(1));
    for (int i = 0; i < 100; ++i) many.client("CDUP");
    CHECK(many.counted(Event::ftp_session_memory) == 99 - 64);
    CHECK(many.counted(Event::FTP_too_many_pending_commands) == 100);
    for (int i = 0; i < 100; ++i) large.client("CWD " + std::string(kFtpLineBytesMax - 4, 'x'));
    CHECK(large.counted(Event::ftp_session_memory) == 98);
    CHECK(large.session.memory_bytes() <= kFtpSessionBytesMax);
    CHECK(large.session.memory_bytes() > kFtpToldBytesMax + kFtpLineBytesMax);
    large.session.reset(large.id, large.uid, false);
    CHECK(large.session.memory_bytes() < 4096);
}

TEST_CASE("a login counts, whoever its reply is given to", "[ftp_room]") {
    const auto violated = [](SessionScript& s) {
        s.client("STAT d").server("213-x").server("213 x").server("no reply").server("213 End");
        CHECK(s.counted(Event::ftp_violation) == 1);
        return s.session.done();
    };
    SessionScript made_room(room_for(4)), several_lines, none;
    made_room.client("USER bob").client("PASS x");
    for (int i = 0; i < 6; ++i) made_room.client("NOOP");
    made_room.server("220 ready").server("331 password?").server("230 in");
    CHECK_FALSE(violated(made_room));
    several_lines.server("220 ready").client("USER bob").server("331 password?").client("PASS x").server("230-Welcome");
    several_lines.client("NOOP").server("230 In.").server("200 ok");
    CHECK_FALSE(violated(several_lines));
    none.server("220 ready").client("USER bob").server("331 password?");
    CHECK(violated(none));
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
