// How a session goes: what is recognised, matched and announced, and when it ends.
#include "core/ftp/ftp_session.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;

TEST_CASE("the session of the mission's document", "[ftp_session]") {
    SessionScript s;
    s.server("220 ::::: Welcome to the AFRINIC FTP service ::::::");
    s.client("USER anonymous").server("331 Please specify the password.");
    s.client("PASS ftp@example.com").server("230 Login successful.");
    s.client("PWD").server("257 \"/\"");
    s.client("CWD pub").server("250 Directory successfully changed.");
    s.client("CWD stats").server("250 Directory successfully changed.");
    s.client("CWD afrinic").server("250 Directory successfully changed.");
    s.client("EPSV").server("229 Entering Extended Passive Mode (|||31746|).");
    s.client("TYPE I").server("200 Switching to Binary mode.");
    s.client("SIZE x.md5").server("213 74");
    s.client("RETR x.md5").server("150 Opening BINARY mode data connection for x.md5 (74 bytes).");
    s.server("226 Transfer complete.").client("QUIT").server("221 Goodbye.").finish();
    CHECK(s.entries() ==
          Lines{"EPSV 229 [Entering Extended Passive Mode (|||31746|).] data passive 10.0.0.1 > 10.0.0.2 31746 user "
                "anonymous password ftp@example.com",
                "RETR [ftp://10.0.0.2/pub/stats/afrinic/x.md5] 226 [Transfer complete.] size 74 user anonymous "
                "password ftp@example.com"});
    CHECK(s.count(FtpOutcome::message) == 12); // every command, and the greeting's
    CHECK(s.count(FtpOutcome::confirmed) == 1);
}

TEST_CASE("the first command confirms that it is FTP, once", "[ftp_session]") {
    SessionScript s;
    s.server("220 ready");
    CHECK(s.count(FtpOutcome::confirmed) == 0);
    s.client("user a").client("pass b");
    CHECK(s.count(FtpOutcome::confirmed) == 1);
}

TEST_CASE("lines that are no command are passed over, and counted only once it is FTP", "[ftp_session]") {
    SessionScript s(log_everything());
    s.client("AB x").client("\x01\x02\x03").client("");
    CHECK(s.counted(Event::FTP_invalid_command) == 0);
    s.client("NOOP").client("AB x").client("\xc3\xa9\xc3\xa9 x").client("");
    CHECK(s.counted(Event::FTP_invalid_command) == 2);
    s.finish();
    CHECK(s.entries() == Lines{"NOOP user <unknown>"});
}

TEST_CASE("a command's name may be as long as the limit", "[ftp_session]") {
    FtpOptions options = log_everything();
    options.max_command_length = 10;
    SessionScript s(options);
    s.client("ABCDEFGHIJK x"); // before confirmation: no event
    CHECK(s.counted(Event::FTP_max_command_length_exceeded) == 0);
    s.client("ABCDEFGHI x").client("ABCDEFGHIJ x").client("ABCDEFGHIJK x");
    CHECK(s.counted(Event::FTP_max_command_length_exceeded) == 1);
    s.finish();
    CHECK(s.entries() == Lines{"ABCDEFGHI [x] user <unknown>", "ABCDEFGHIJ [x] user <unknown>"});
}

TEST_CASE("a command length limit of 0 is the session's own", "[ftp_session]") {
    FtpOptions options = log_everything();
    options.max_command_length = 0;
    SessionScript s(options);
    s.client(std::string(255, 'A')).client(std::string(256, 'B')).finish();
    CHECK(s.entries() == Lines{std::string(255, 'A') + " user <unknown>"});
    CHECK(s.counted(Event::FTP_max_command_length_exceeded) == 1);
}

TEST_CASE("a command's turn ends with the next command, at the time it was sent", "[ftp_session]") {
    SessionScript s(log_everything());
    s.server("220 ready").client("NOOP").server("200 ok");
    CHECK(s.entries().empty());
    s.client("SYST");
    CHECK(s.entries() == Lines{"NOOP 200 [ok] user <unknown>"});
    CHECK(s.out.events.back().ts == 2 * kSecond);
    s.client("QUIT"); // SYST has no reply: its turn is not over
    CHECK(s.entries().size() == 1);
}

TEST_CASE("with several pending, a reply ends its command's turn at once", "[ftp_session]") {
    SessionScript s(log_everything());
    s.client("NOOP").server("200 ok"); // the shim for the greeting is still pending
    CHECK(s.entries() == Lines{"NOOP 200 [ok] user <unknown>"});
}

TEST_CASE("the greeting answers a shim, which is no command", "[ftp_session]") {
    SessionScript s(log_everything());
    s.server("220 ready").client("QUIT").server("221 bye").finish();
    CHECK(s.reported() == Lines{"confirmed", "turn", "QUIT 221 [bye] user <unknown>"});
}

TEST_CASE("replies to commands sent ahead find their command", "[ftp_session]") {
    SessionScript s(log_everything());
    s.server("220 ready").client("TYPE I").client("PASV").client("RETR f");
    s.server("227 Entering (10,0,0,2,1,1)").server("200 Type set to I");
    s.server("150 Opening (5 bytes)").server("226 Done");
    s.finish();
    CHECK(s.entries() == Lines{"PASV 227 [Entering (10,0,0,2,1,1)] data passive 10.0.0.1 > 10.0.0.2 257 user <unknown>",
                               "TYPE [I] 200 [Type set to I] user <unknown>",
                               "RETR [ftp://10.0.0.2/./f] 226 [Done] size 5 user <unknown>"});
}

TEST_CASE("with one command pending, several replies are its own and the last one is logged", "[ftp_session]") {
    SessionScript s;
    s.login().client("RETR f").server("150 Opening (5 bytes)").server("226 Done").server("226 Really").client("NOOP");
    CHECK(s.last_entry() == "RETR [ftp://10.0.0.2/./f] 226 [Really] size 5 user anonymous password me@here");
}

TEST_CASE("the default holds twenty pending commands", "[ftp_session]") {
    SessionScript s;
    for (int i = 0; i < 19; ++i) s.client("NOOP");
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 0);
    s.client("NOOP");
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 1);
    s.server("220 ready").server("200 ok").client("NOOP"); // one has gone; the shim had made room
    CHECK(s.counted(Event::FTP_too_many_pending_commands) == 1);
}

TEST_CASE("a reply of several lines is its first and its last", "[ftp_session]") {
    SessionScript s(log_everything());
    s.client("FEAT").server("211-Features:").server(" EPSV").server(" UTF8").server("211 End").client("NOOP");
    CHECK(s.last_entry() == "FEAT 211 [End] user <unknown>");
}

TEST_CASE("the first line of a reply of several lines is not read for its meaning", "[ftp_session]") {
    SessionScript s;
    s.login().client("PASV").server("227-Entering (10,0,0,2,1,1)");
    CHECK(s.announcements().empty());
    s.server("227 Entering (10,0,0,2,1,2)");
    CHECK(s.announcements() == Lines{"passive 10.0.0.1 > 10.0.0.2 258"});
}

TEST_CASE("a reply that is never closed rightly still shows", "[ftp_session]") {
    SessionScript s;
    s.login().client("STOR f").server("150 Opening ASCII mode data connection for 'f'.");
    s.server("230- WARNING! 4 bare linefeeds received in ASCII mode").server("   File may not be right.");
    s.server("226 Transfer complete.");
    s.client("QUIT").finish();
    CHECK(s.entries().front() ==
          "STOR [ftp://10.0.0.2/./f] 0 [226 Transfer complete.] user anonymous password me@here");
}

TEST_CASE("inner lines that do not look like replies change nothing", "[ftp_session]") {
    SessionScript s;
    s.login().client("STOR f").server("230-Hint").server("226 short").server("a 226 Transfer complete.");
    s.client("QUIT").finish();
    CHECK(s.entries().front() == "STOR [ftp://10.0.0.2/./f] 230 [Hint] user anonymous password me@here");
}

TEST_CASE("replies that are none end the session as not FTP", "[ftp_session]") {
    for (const std::string line : {"SSH-2.0-x", "99 x", "000 x", "099 x", "230_no_space", "2300", "x"}) {
        INFO(line);
        SessionScript s;
        s.client("USER bob").server(line).server("230 ok").client("RETR f");
        CHECK(s.session.done());
        CHECK(s.reported() == Lines{"confirmed", "violated"});
        CHECK(s.counted(Event::ftp_violation) == 1);
        s.finish();
        CHECK(s.last_entry() == "final USER [bob] user bob");
    }
}

TEST_CASE("once somebody has logged in no line ends the session (extended)", "[ftp_session]") {
    for (const std::string login : {"230", "202"})
        for (const bool extended : {false, true}) {
            FtpOptions options = log_everything();
            options.extended = extended;
            SessionScript s(options);
            s.client("USER bob").server("331 password?").client("PASS x").server(login + " in").server("x");
            CHECK(s.session.done() != extended);
            CHECK(s.count(FtpOutcome::violated) == (extended ? 0 : 1));
            CHECK(s.counted(Event::ftp_violation) == 1);
        }
    SessionScript not_yet;
    not_yet.client("USER bob")
        .server("331 password?")
        .client("PASS x")
        .server("530 no")
        .client("NOOP")
        .server("200 ok");
    CHECK(not_yet.server("x").session.done());
}

TEST_CASE("an empty line is no violation", "[ftp_session]") {
    SessionScript s;
    s.server("").server_bytes("\n");
    CHECK_FALSE(s.session.done());
}

TEST_CASE("a violation after the first ten KiB is passed over", "[ftp_session]") {
    const auto ended_at = [](std::size_t bytes) {
        SessionScript s;
        s.server_bytes("220 " + std::string(bytes - 4 - 2 - 3, 'x') + "\r\n"); // with "x\r\n", so many bytes
        s.server("x");
        return s.session.done();
    };
    CHECK(ended_at(10239));
    CHECK(ended_at(10240));
    CHECK_FALSE(ended_at(10241));
}

TEST_CASE("where bytes are missing no later line is a violation, and a line is what came before them",
          "[ftp_session]") {
    for (const bool of_originator : {true, false}) {
        SessionScript s(log_everything());
        s.client_bytes("USER bo");
        s.session.gap(of_originator, 1, s.now, s.out);
        s.client_bytes("b\r\n").server("x").server("331 go on");
        CHECK_FALSE(s.session.done());
        CHECK(s.counted(Event::ftp_violation) == 0);
        s.finish();
        CHECK(s.last_entry() == (of_originator ? "USER [bo] 331 [go on] user bo" : "USER [bob] 331 [go on] user bob"));
    }
}

TEST_CASE("behind missing bytes a line is a command only by a known name", "[ftp_session]") {
    const auto after_gap = [](std::string_view before, std::string_view behind) {
        SessionScript s(log_everything());
        s.client("NOOP").server("200 ok").client_bytes(before);
        s.session.gap(true, 20, s.now, s.out);
        s.client_bytes(behind).client("XCRC f").finish();
        auto entries = s.entries();
        CHECK(entries.back() == "XCRC [f] 200 [ok] user <unknown>"); // whole again
        entries.pop_back();
        entries.erase(entries.begin());
        return std::pair(entries, s.counted(Event::FTP_invalid_command));
    };
    const auto one = [](const char* entry) { return std::pair(Lines{entry}, 0ul); };
    const auto none = std::pair(Lines{}, 1ul);
    CHECK(after_gap("", "dele f\r\n") == one("DELE [ftp://10.0.0.2/./f] 200 [ok] user <unknown>"));
    CHECK(after_gap("", "secret\r\n") == none);
    CHECK(after_gap("", "secret word\r\n") == none);
    CHECK(after_gap("", "\r\n") == std::pair(Lines{}, 0ul)); // an end alone
    CHECK(after_gap("ACCT f", "oo\r\n") == one("ACCT [f] 200 [ok] user <unknown>"));
    CHECK(after_gap("ACCT f\r", "secret\r\n") == one("ACCT [f] 200 [ok] user <unknown>"));
    CHECK(after_gap("PAS", "Ssecret\r\n") == none);
    CHECK(after_gap("PA", "SSsecret\r\n") == none);
}

TEST_CASE("of a line with two gaps what is before the first counts", "[ftp_session]") {
    SessionScript s(log_everything());
    for (const char* part : {"ACCT a", "b", "c\r\n"}) {
        s.client_bytes(part);
        s.session.gap(true, 1, s.now, s.out);
    }
    s.client_bytes("secret\r\n").finish();
    CHECK(s.entries() == Lines{"ACCT [a] user <unknown>"});
}

TEST_CASE("of a connection whose beginning was not captured no line is a violation", "[ftp_session]") {
    SessionScript s;
    s.session.reset({}, {}, true);
    s.client("secret").server("x").server("220 ready").client("USER bob");
    CHECK_FALSE(s.session.done());
    CHECK(s.entries().empty()); // its first line may be the end of another one
    s.session.reset({}, {}, false);
    s.server("x");
    CHECK(s.session.done());
}

namespace {

// 16 03 01 00 2b, 01 00 00 27, 03 01: a record of 43 bytes with a ClientHello of 39, and 37 more.
const std::string kHelloToken = "FgMBACsBAAAnAwE" + std::string(49, 'A');

} // namespace

TEST_CASE("AUTH GSSAPI: TLS in the client's first token is told once, and the session goes on", "[ftp_session]") {
    SessionScript s;
    s.client("AUTH GSSAPI").server("334 ADAT must follow").client("ADAT " + kHelloToken);
    CHECK(s.count(FtpOutcome::gssapi_tls) == 1);
    s.server("335 ADAT=FgMBADUCAAAxAwFQW20Q").client("ADAT " + kHelloToken);
    s.client("AUTH GSSAPI").server("334 ADAT must follow").client("ADAT " + kHelloToken);
    CHECK(s.count(FtpOutcome::gssapi_tls) == 1);
    CHECK_FALSE(s.session.done());
}

TEST_CASE("AUTH GSSAPI: tokens that are no TLS, that come second, and TLS that was not asked for", "[ftp_session]") {
    SessionScript s;
    s.client("ADAT " + kHelloToken).server("503 AUTH first");
    s.client("AUTH GSSAPI").server("504 no").client("ADAT " + kHelloToken).server("503 no");
    const auto first_is = [&s](const std::string& token) {
        s.client("AUTH GSSAPI").server("334 ADAT must follow").client("ADAT " + token).server("335 ADAT=abcd");
        return s.count(FtpOutcome::gssapi_tls);
    };
    CHECK(first_is("") == 0);
    CHECK(first_is("FgMB") == 0);
    CHECK(first_is(kHelloToken.substr(4)) == 0);
    CHECK(first_is(kHelloToken + "AAAA") == 0);                    // more than the record says
    CHECK(first_is(kHelloToken.substr(0, 60) + "====") == 0);      // less
    CHECK(first_is(kHelloToken.substr(0, 60) + "A*AA") == 0);      // no base64
    CHECK(first_is("FgMBACsC" + kHelloToken.substr(8)) == 0);      // a ServerHello
    CHECK(first_is("FgMBACsBAAAo" + kHelloToken.substr(12)) == 0); // the hello goes on behind the record
    s.client("ADAT " + kHelloToken).server("335 ADAT=abcd");       // the second
    CHECK(s.count(FtpOutcome::gssapi_tls) == 0);
    CHECK(first_is(kHelloToken) == 1);
}

TEST_CASE("PORT and EPRT announce at once, from the server", "[ftp_session]") {
    SessionScript s;
    s.login().client("PORT 10,0,0,1,4,31").server("200 ok").client("EPRT |2|2001:db8::1|2000|").server("200 ok");
    s.client("PORT 10,0,0,1,4").server("501 no").client("NOOP");
    CHECK(s.announcements() == Lines{"active 10.0.0.2 > 10.0.0.1 1055", "active 10.0.0.2 > 2001:db8::1 2000"});
    CHECK(s.entries() == Lines{"PORT [10,0,0,1,4,31] 200 [ok] data active 10.0.0.2 > 10.0.0.1 1055 user anonymous "
                               "password me@here",
                               "EPRT [|2|2001:db8::1|2000|] 200 [ok] data active 10.0.0.2 > 2001:db8::1 2000 user "
                               "anonymous password me@here",
                               "PORT [10,0,0,1,4] 501 [no] user anonymous password me@here"});
}

TEST_CASE("227 and 229 announce for PASV and EPSV alone", "[ftp_session]") {
    SessionScript s;
    s.login().client("PASV").server("227 (10,0,0,9,1,1)").client("EPSV").server("229 (|||300|)");
    s.client("EPSV").server("229 (|1|10.0.0.8|301|)").client("PASV").server("229 (|||302|)");
    s.client("EPSV").server("227 (10,0,0,9,1,2)");
    CHECK(s.announcements() == Lines{"passive 10.0.0.1 > 10.0.0.9 257", "passive 10.0.0.1 > 10.0.0.2 300",
                                     "passive 10.0.0.1 > 10.0.0.8 301", "passive 10.0.0.1 > 10.0.0.2 302",
                                     "passive 10.0.0.1 > 10.0.0.9 258"});
    s.client("NOOP").server("227 (10,0,0,9,1,3)").client("PASV").server("200 (10,0,0,9,1,4)");
    CHECK(s.announcements().size() == 5);
}

TEST_CASE("an announcement carries the packet's time", "[ftp_session]") {
    SessionScript s;
    s.client("PORT 10,0,0,1,4,31");
    CHECK(s.out.events.back().ts == kSecond);
}

TEST_CASE("a line without an end is one when its direction ends", "[ftp_session]") {
    SessionScript s(log_everything());
    s.client_bytes("QUIT");
    CHECK(s.reported().empty());
    s.session.end_of_stream(true, s.now, s.out);
    s.server_bytes("221 bye\r");
    s.session.end_of_stream(false, s.now, s.out);
    s.session.end_of_stream(false, s.now, s.out); // nothing left: no empty line either
    s.finish();
    CHECK(s.last_entry() == "QUIT 221 [bye] user <unknown>");
    CHECK(s.counted(Event::partial_ftp_request) == 0);
}

TEST_CASE("what the originator leaves without an end is counted when it closed", "[ftp_session]") {
    SessionScript closed, reset, served;
    closed.client_bytes("QUI").finish(true);
    reset.client_bytes("QUI").finish(false);
    served.server_bytes("22").finish(true);
    CHECK(closed.counted(Event::partial_ftp_request) == 1);
    CHECK(reset.counted(Event::partial_ftp_request) == 0);
    CHECK(served.counted(Event::partial_ftp_request) == 0);
}

TEST_CASE("Telnet options may stand in a command", "[ftp_session]") {
    SessionScript s;
    s.login().client_bytes("\xff\xf4\xff\xf2RE\xff\xfb\x01TR f\r\n").server("226 ok").client("NOOP");
    CHECK(s.last_entry() == "RETR [ftp://10.0.0.2/./f] 226 [ok] user anonymous password me@here");
}

TEST_CASE("odd bytes of lines are counted once a connection", "[ftp_session]") {
    SessionScript s;
    s.client_bytes(std::string("a\0b\r\nc\0d\r\ne\rf\r\ng\rh\r\n", 20));
    s.server_bytes(std::string("220 a\0b\rc\r\n", 11));
    CHECK(s.counted(Event::NUL_in_line) == 1);
    CHECK(s.counted(Event::line_terminated_with_single_CR) == 1);
    s.session.reset(s.id, s.uid, false);
    s.server_bytes(std::string("220 a\0b\rc\r\n", 11));
    CHECK(s.counted(Event::NUL_in_line) == 2);
    CHECK(s.counted(Event::line_terminated_with_single_CR) == 2);
}

TEST_CASE("an event keeps the uid of the first session that showed it", "[ftp_session]") {
    SessionScript s;
    s.server("x");
    s.session.reset(s.id, {8, 8}, false);
    s.server("x");
    CHECK(s.events.example(Event::ftp_violation) == Id96{7, 7});
    CHECK(s.counted(Event::ftp_violation) == 2);
}

TEST_CASE("a session that is reset remembers nothing", "[ftp_session]") {
    SessionScript s;
    s.login("bob", "secret").client("CWD a").server("250 ok").client("AUTH TLS").server("211-open");
    s.client_bytes("half a li");
    s.session.reset(s.id, s.uid, false);
    s.out.clear();
    s.server("234 x").client("RETR f").server("226 ok").client("NOOP");
    CHECK(s.entries() == Lines{"RETR [ftp://10.0.0.2/./f] 226 [ok] user <unknown>"});
    CHECK_FALSE(s.session.done());
}

TEST_CASE("finishing twice, or before anything was said, gives nothing", "[ftp_session]") {
    SessionScript s;
    s.finish();
    CHECK(s.out.events.empty());
    SessionScript t;
    t.server("220 ready").finish();
    const std::size_t events = t.out.events.size();
    t.finish();
    CHECK(t.out.events.size() == events);
}
