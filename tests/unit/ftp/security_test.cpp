// What AUTH asks for, when it is granted, and what tells that it is used.
#include "core/ftp/security.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view kHello = "\x16\x03\x01";

// Up to a granted AUTH, by the extended rule.
SessionScript& grant(SessionScript& s, std::string_view reply = "234 Proceed") {
    return s.server("220 ready").client("AUTH TLS").server(reply);
}

} // namespace

TEST_CASE("AUTH TLS ends in encryption, in the shapes that servers take", "[security]") {
    for (const std::string mechanism : {"TLS", "tls", "SSL", "Ssl", "TLS-C", "TLS-P"}) {
        INFO(mechanism);
        SessionScript s;
        s.server("220 ready").client("auth " + mechanism).server("234 Proceed");
        CHECK_FALSE(s.session.done());
        s.client_bytes(kHello);
        CHECK(s.session.done());
        CHECK(s.reported().back() == "encrypted");
        s.client_bytes("\r\nUSER x\r\n").server_bytes("x\r\n").finish();
        CHECK(s.entries() == Lines{"final AUTH [" + mechanism + "] 234 [Proceed] user <unknown>"});
    }
}

TEST_CASE("to the letter a 234 ends the session, whenever TLS was asked for", "[security]") {
    FtpOptions options;
    options.extended = false;
    SessionScript granted(options), late(options), other(options);
    CHECK(grant(granted).session.done());
    late.client("AUTH TLS").server("504 no").client("NOOP").server("234 yes");
    CHECK(late.session.done());
    other.client("AUTH SSL").server("234 yes");
    CHECK_FALSE(other.session.done());
}

TEST_CASE("AUTH that is refused, or of another kind, ends nothing", "[security]") {
    SessionScript s;
    s.server("220 ready").client("AUTH TLS").server("504 no").server("234 yes").client_bytes(kHello).client("");
    s.client("NOOP").server("200 ok").server("234 yes").client_bytes(kHello).client("");
    s.client("AUTH XYZ").server("234 yes").client_bytes(kHello).client("");
    s.client("AUTH TLSX").server("234 yes").client("AUTH").server("234 yes").client_bytes(kHello).client("");
    CHECK_FALSE(s.session.done());
    CHECK(s.count(FtpOutcome::encrypted) == 0);
    CHECK(s.counted(Event::ftp_clear_text_after_auth) == 0); // it was not granted either
}

TEST_CASE("the first byte of the client behind a 234 decides", "[security]") {
    const auto ends = [](std::string_view first) {
        SessionScript s;
        grant(s).client_bytes(first);
        CHECK(s.counted(Event::ftp_clear_text_after_auth) == !s.session.done());
        return s.session.done();
    };
    for (const auto first : {"\x16"sv, "\x80"sv, "\xfe"sv}) CHECK(ends(first));
    for (const auto first : {"\x15"sv, "\x17"sv, "\x7f"sv, "\xff"sv, "\0"sv, "\n"sv, "USER x"sv})
        CHECK_FALSE(ends(first));
}

TEST_CASE("in clear text behind a 234 the session goes on, and asks again", "[security]") {
    SessionScript s(log_everything());
    grant(s).client("NOOP").server("200 ok").client("SYST").server("234 yes").client_bytes(kHello).client("");
    CHECK_FALSE(s.session.done()); // nobody asked for that one
    s.client("AUTH TLS").server("234 Proceed").client_bytes(kHello);
    CHECK(s.session.done());
    CHECK(s.entries()[0] == "AUTH [TLS] 234 [Proceed] user <unknown>");
    CHECK(s.entries()[1] == "NOOP 200 [ok] user <unknown>");
}

TEST_CASE("a command that was begun before the 234 is read on", "[security]") {
    SessionScript s(log_everything());
    s.server("220 ready")
        .client("AUTH TLS")
        .client_bytes("DELE sec")
        .server("234 Proceed")
        .client_bytes("ret\r\n")
        .finish();
    CHECK(s.last_entry() == "DELE [ftp://10.0.0.2/./secret] 234 [Proceed] user <unknown>");
}

TEST_CASE("behind a 234 the server's lines are read, up to what is none", "[security]") {
    SessionScript lines(log_everything()), record;
    grant(lines, "234-Proceed")
        .server(" now")
        .server("234 then")
        .server("211 Hi")
        .client("NOOP")
        .server("200 ok")
        .finish();
    CHECK(lines.last_entry() == "NOOP 200 [ok] user <unknown>");
    grant(record).server_bytes("\x16\x03\x03\r\n200 ok\r\n").client("NOOP").finish();
    CHECK(record.reported()[2] == "encrypted");
    CHECK(record.last_entry() == "final AUTH [TLS] 234 [Proceed] user <unknown>");
    CHECK(record.counted(Event::ftp_violation) == 0);
}

TEST_CASE("what follows the granting line in the same packet is not read where it is a record", "[security]") {
    SessionScript s;
    s.client("AUTH TLS").server_bytes("234 Proceed\r\n\x16\x03\x03 garbage\r\n");
    CHECK(s.reported().back() == "encrypted");
    CHECK(s.counted(Event::ftp_violation) == 0);
}

TEST_CASE("who has granted TLS says nothing more in clear text", "[security]") {
    // The 234 is a file's name, in what answers the command before the AUTH.
    for (const std::string decoy : {"234 x", "234-x"}) {
        SessionScript s(log_everything());
        s.server("220 ready").client_bytes("STAT d\r\nAUTH TLS\r\n").server("213-Status").server("213 x").server(decoy);
        s.server("213 End").server("500 AUTH not understood").client_bytes(kHello).client("").server("500 what?");
        CHECK_FALSE(s.session.done());
        CHECK(s.counted(Event::ftp_clear_text_after_auth) == 1);
        CHECK(s.count(FtpOutcome::encrypted) == 0);
    }
}

TEST_CASE("bytes that are missing behind a 234 are taken for TLS", "[security]") {
    for (const bool of_originator : {true, false}) {
        SessionScript s;
        grant(s).session.gap(of_originator, 1, s.now, s.out);
        CHECK(s.session.done());
        CHECK(s.reported().back() == "encrypted");
    }
}

TEST_CASE("an AUTH that was not captured, or not to its end, may have been granted", "[security]") {
    const auto done_after = [](std::string_view begun, std::string_view rest) {
        SessionScript s;
        s.server("220 ready").client_bytes(begun).session.gap(true, 10, s.now, s.out);
        s.client_bytes(rest).server("234 Proceed").client_bytes(kHello.substr(0, 1));
        return s.session.done();
    };
    CHECK(done_after("", ""));
    CHECK(done_after("", "TLS\r\n"));
    CHECK(done_after("AUTH T", ""));
    CHECK(done_after("AUTH T", "\r\n"));
    CHECK_FALSE(done_after("", "NOOP\r\n")); // then there was none
    CHECK_FALSE(done_after("", "LS\r\nNOOP\r\n"));
    SessionScript partial({}, true), whole;
    partial.server("234 Proceed").client_bytes(kHello);
    CHECK(partial.session.done());
    whole.server("220 ready").server("234 Proceed").client_bytes(kHello);
    CHECK_FALSE(whole.session.done());
}

TEST_CASE("a 234 to no AUTH that was seen: only a hello of the client's counts, and before anything in clear text",
          "[security]") {
    const auto done_after = [](std::string_view server, std::string_view client) {
        SessionScript s({}, true);
        s.server("234 y").server_bytes(server).client_bytes(client);
        CHECK(s.counted(Event::ftp_clear_text_after_auth) == 0); // nobody knows whether it was granted
        return s.session.done();
    };
    CHECK(done_after("", kHello));
    CHECK_FALSE(done_after("", "\x80"));
    CHECK_FALSE(done_after("\x16\x03\x03", ""));
    CHECK_FALSE(done_after("213 End\r\n", kHello));
    CHECK_FALSE(done_after("", "NOOP\r\n\x16"));
}

TEST_CASE("what the server lost elsewhere, or the client long ago, is no AUTH", "[security]") {
    SessionScript server, client, middle({}, true);
    server.login().client("NOOP").session.gap(false, 8, server.now, server.out);
    server.client("STAT d").server("213-x").server("213 x").server("234 y").client_bytes(kHello);
    CHECK_FALSE(server.session.done());
    client.login().session.gap(true, 6, client.now, client.out);
    client.server("200 ok").client("STAT d").server("213-x").server("213 x").server("234 y").client_bytes(kHello);
    CHECK_FALSE(client.session.done());
    middle.client("NOOP").server("200 ok").client("STAT d").server("213-x").server("213 x").server("234 y");
    middle.client_bytes(kHello);
    CHECK_FALSE(middle.session.done());
}

TEST_CASE("the answer to AUTH that was not captured may have been a 234", "[security]") {
    const auto done_after = [](std::string_view begun, std::string_view server, std::string_view client) {
        SessionScript s;
        s.server("220 ready").client("AUTH TLS").server_bytes(begun).session.gap(false, 8, s.now, s.out);
        s.server_bytes(server).client_bytes(client);
        return s.session.done();
    };
    CHECK(done_after("", "", kHello));
    CHECK(done_after("234 Pro", "", kHello));
    CHECK(done_after("", "ceed\r\n", kHello));
    CHECK_FALSE(done_after("", "", "NOOP\r\n\x16"));
    CHECK_FALSE(done_after("", "500 what?\r\n", kHello));
    CHECK_FALSE(done_after("", "\x16\x03\x03", ""));
}

TEST_CASE("AUTH waits for as many replies as are due up to its own, whatever they are given to", "[security]") {
    const std::string listing = "213-x\r\n213 x\r\n234 y\r\n213 end\r\n";
    SessionScript made_room, elsewhere, empty, counted;
    made_room.login().client("AUTH TLS");
    for (int i = 0; i < 30; ++i) made_room.client("NOOP");
    made_room.server("500 what?").server("200 ok").server("234 y").client_bytes(kHello);
    CHECK_FALSE(made_room.session.done());
    elsewhere.login().client_bytes("AUTH TLS\r\nSTAT d\r\n").server("502 no").server_bytes(listing);
    elsewhere.client_bytes(kHello);
    CHECK_FALSE(elsewhere.session.done());
    empty.login().client_bytes("AUTH TLS\r\nSTAT\r\n").server("500 no").server_bytes(listing).client_bytes(kHello);
    CHECK_FALSE(empty.session.done());
    counted.server("220 Hi").client_bytes("FEAT\r\nSYST\r\nAUTH TLS\r\n").server("211-x");
    counted.server("211 x").server("502 no").server("234 yes").client_bytes(kHello);
    CHECK(counted.session.done());
}

TEST_CASE("AUTH that waits among others, that made room, or was asked for twice", "[security]") {
    SessionScript among, early, twice;
    among.server("220 ready").client("FEAT").client("AUTH TLS").client("NOOP").server("234 yes").client_bytes(kHello);
    CHECK(among.session.done());
    early.server("220 ready").client("AUTH TLS");
    for (int i = 0; i < 30; ++i) early.client("NOOP");
    early.server("234 yes").client_bytes(kHello);
    CHECK(early.session.done());
    twice.server("220 ready").client("AUTH TLS").client("AUTH XYZ").server("234 yes").client_bytes(kHello);
    CHECK(twice.session.done());
}
