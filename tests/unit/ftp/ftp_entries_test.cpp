// What an entry holds: users, passwords, arguments, directories, sizes, limits.
#include "core/ftp/ftp_session.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;

namespace {

// The URL of a file that is fetched after what `talk` did.
template <class Talk>
std::string url_after(Talk talk, std::string_view file = "f") {
    SessionScript s;
    s.server("220 ready");
    talk(s);
    s.client("RETR " + std::string(file)).server("226 ok").client("NOOP");
    return std::string(s.out.view(s.out.events.back().arg));
}

} // namespace

TEST_CASE("a name that is cut to max_user_length is no guest's by what is left of it", "[ftp_entries]") {
    FtpOptions options;
    options.max_user_length = 3;
    SessionScript s(options);
    s.login("ftpadmin", "secret").client("DELE f").server("250 ok").client("NOOP");
    CHECK(s.last_entry() == "DELE [ftp://10.0.0.2/./f] 250 [ok] user ftp password <hidden>");
}

TEST_CASE("the logged commands are the reference's", "[ftp_entries]") {
    SessionScript s;
    s.server("220 ready");
    for (const char* name : {"USER", "ACCT", "LIST", "APPE", "DELE", "RETR", "STOR", "STOU", "PORT", "PASV", "EPRT",
                             "EPSV", "MKD", "SIZE"})
        s.client(name).server("500 no");
    s.finish();
    std::string names;
    for (const FtpEvent& event : s.out.events)
        if (event.logged) names += std::string(s.out.view(event.command)) + " ";
    CHECK(names == "ACCT APPE DELE RETR STOR STOU PORT PASV EPRT EPSV ");
}

TEST_CASE("logged commands may be chosen, known ones and others", "[ftp_entries]") {
    FtpOptions options;
    options.logged_commands = {"LIST", "XSHA256"};
    SessionScript s(options);
    s.server("220 ready")
        .client("LIST")
        .server("226 ok")
        .client("xsha256 f")
        .server("250 ab")
        .client("RETR f")
        .server("226 ok")
        .finish();
    CHECK(s.entries() == Lines{"LIST 226 [ok] user <unknown>", "XSHA256 [f] 250 [ab] user <unknown>"});
}

TEST_CASE("a session without a logged command makes one entry at its end", "[ftp_entries]") {
    SessionScript s;
    s.login("bob", "secret").client("SIZE f").server("213 5").client("QUIT").server("221 bye").finish();
    CHECK(s.entries() == Lines{"final QUIT 221 [bye] user bob password <hidden>"});
    CHECK(s.out.events.back().final_entry);
    CHECK(s.out.events.back().ts == 8 * kSecond); // QUIT's
}

TEST_CASE("the last entry does not repeat what belonged to its command's turn", "[ftp_entries]") {
    SessionScript s;
    s.login().client("SIZE f").server("213 5").finish();
    CHECK(s.last_entry() == "final SIZE [ftp://10.0.0.2/./f] 213 [5] user anonymous password me@here");
}

TEST_CASE("a greeting alone makes an entry", "[ftp_entries]") {
    SessionScript s;
    s.server("421 Too many users").finish();
    CHECK(s.entries() == Lines{"final <init> 421 [Too many users] user <unknown>"});
}

TEST_CASE("no last entry after a logged command", "[ftp_entries]") {
    SessionScript s;
    s.login().client("PASV").server("500 no").client("QUIT").server("221 bye").finish();
    CHECK(s.entries().size() == 1);
}

TEST_CASE("what is pending at the end ends its turn with the last reply", "[ftp_entries]") {
    SessionScript s;
    s.login().client("STOR a").client("STOR b").finish(false);
    CHECK(s.entries() == Lines{"STOR [ftp://10.0.0.2/./a] 230 [welcome] user anonymous password me@here",
                               "STOR [ftp://10.0.0.2/./b] 230 [welcome] user anonymous password me@here"});
}

TEST_CASE("size and data channel belong to one turn, logged or not", "[ftp_entries]") {
    SessionScript s;
    s.login().client("PASV").server("227 (10,0,0,2,1,1)").client("SIZE f").server("213 5");
    s.client("RETR f").server("150 Opening").server("226 ok").client("DELE f").server("250 ok").client("NOOP");
    CHECK(s.entries() ==
          Lines{"PASV 227 [(10,0,0,2,1,1)] data passive 10.0.0.1 > 10.0.0.2 257 user anonymous password me@here",
                "RETR [ftp://10.0.0.2/./f] 226 [ok] size 0 user anonymous password me@here",
                "DELE [ftp://10.0.0.2/./f] 250 [ok] user anonymous password me@here"});
}

TEST_CASE("the size of a file is the last number of a 150 to RETR", "[ftp_entries]") {
    const auto size = [](const std::string& reply) {
        SessionScript s;
        s.login().client("RETR f1").server(reply).client("NOOP");
        return s.out.events.back().file_size;
    };
    CHECK(size("150 Opening for f2 (74 bytes).") == 74);
    CHECK(size("150 Opening f2.") == 2);
    CHECK(size("150 Opening") == 0);
    CHECK(size("150 (99999999999999999999 bytes)") == 18446744073709551615u);
    CHECK(size("125 (74 bytes)") == std::nullopt);
    CHECK(size("226 (74 bytes)") == std::nullopt);
}

TEST_CASE("passwords are shown for guests alone", "[ftp_entries]") {
    const auto password = [](const std::string& user, PasswordPolicy policy) {
        FtpOptions options;
        options.passwords = policy;
        SessionScript s(options);
        s.login(user, "secret").client("PASV").server("500 no").client("NOOP");
        return std::string(s.out.view(s.out.events.back().password));
    };
    for (const char* guest : {"anonymous", "ftp", "ftpuser", "guest", "Anonymous", "GUEST"})
        CHECK(password(guest, PasswordPolicy::guests) == "secret");
    for (const char* other : {"bob", "anonymou", "anonymous1", ""})
        CHECK(password(other, PasswordPolicy::guests) == "<hidden>");
    CHECK(password("bob", PasswordPolicy::all) == "secret");
    CHECK(password("anonymous", PasswordPolicy::none) == "<hidden>");
}

TEST_CASE("the argument of PASS is a password", "[ftp_entries]") {
    SessionScript s(log_everything());
    s.login("bob", "secret").client("PASS").client("NOOP").finish();
    for (const std::string& entry : s.entries()) {
        INFO(entry);
        CHECK(entry.find("secret") == std::string::npos);
    }
    CHECK(s.entries()[1] == "PASS [<hidden>] 230 [welcome] user bob password <hidden>");
    CHECK(s.entries()[2] == "PASS [<hidden>] 230 [welcome] user bob password <hidden>"); // though there was none
    SessionScript guest(log_everything());
    guest.login("ftp", "me@here").client("NOOP");
    CHECK(guest.last_entry() == "PASS [me@here] 230 [welcome] user ftp password me@here");
}

TEST_CASE("a password that was hidden stays so when the user becomes a guest", "[ftp_entries]") {
    SessionScript s;
    s.login("bob", "secret").client("USER anonymous").server("331 ok").client("PASV").server("500 no").client("NOOP");
    CHECK(s.last_entry() == "PASV 500 [no] user anonymous password <hidden>");
    s.server("200 ok").client("PASS new").server("230 ok").client("PASV").server("500 no").client("NOOP");
    CHECK(s.last_entry() == "PASV 500 [no] user anonymous password new");
}

TEST_CASE("an empty password is one", "[ftp_entries]") {
    SessionScript s;
    s.login("ftp", "").client("PASV").server("500 no").client("NOOP");
    CHECK(s.out.events.back().password.present);
    CHECK(s.out.events.back().password.size == 0);
}

TEST_CASE("users are cut at max_user_length", "[ftp_entries]") {
    SessionScript s;
    const auto user = [&](std::size_t size) {
        s.client("USER " + std::string(size, 'u')).server("331 ok").client("PASV").server("500 no").client("NOOP");
        s.server("200 ok");
        return s.out.events.back().user.size == 0 ? s.entries().size() : 0;
    };
    user(127);
    CHECK(s.counted(Event::FTP_user_too_long) == 0);
    user(128);
    CHECK(s.counted(Event::FTP_user_too_long) == 0);
    CHECK(s.last_entry() == "PASV 500 [no] user " + std::string(128, 'u'));
    user(129);
    CHECK(s.counted(Event::FTP_user_too_long) == 1);
    CHECK(s.last_entry() == "PASV 500 [no] user " + std::string(128, 'u'));
}

TEST_CASE("passwords are cut at max_password_length", "[ftp_entries]") {
    for (const std::size_t size : {127u, 128u, 129u}) {
        SessionScript s;
        s.login("ftp", std::string(size, 'p')).client("PASV").server("500 no").client("NOOP");
        CHECK(s.counted(Event::FTP_password_too_long) == (size > 128));
        CHECK(s.out.events.back().password.size == std::min<std::size_t>(size, 128));
    }
}

TEST_CASE("arguments are cut at max_arg_length, once they are URLs", "[ftp_entries]") {
    const auto argument = [](const std::string& command, std::size_t size) {
        FtpOptions options;
        options.max_arg_length = 100;
        SessionScript s(options);
        s.login().client(command + " " + std::string(size, 'a')).server("500 no").client("NOOP");
        return std::pair(std::string(s.out.view(s.out.events.back().arg)), s.counted(Event::FTP_arg_too_long));
    };
    for (const std::size_t size : {99u, 100u}) CHECK(argument("ACCT", size) == std::pair(std::string(size, 'a'), 0ul));
    CHECK(argument("ACCT", 101) == std::pair(std::string(100, 'a'), 1ul));
    const std::string root = "ftp://10.0.0.2/./";
    CHECK(argument("RETR", 100 - root.size()) == std::pair(root + std::string(100 - root.size(), 'a'), 0ul));
    CHECK(argument("RETR", 101 - root.size()) == std::pair(root + std::string(100 - root.size(), 'a'), 1ul));
    CHECK(argument("MKD", 101 - root.size()).second == 1); // not logged, counted all the same
    CHECK(argument("MKD", 100 - root.size()).second == 0);
}

TEST_CASE("replies are cut at max_reply_msg_length, and counted when their turn is over", "[ftp_entries]") {
    for (const std::size_t size : {99u, 100u, 101u}) {
        FtpOptions options;
        options.max_reply_msg_length = 100;
        SessionScript s(options);
        s.login().client("PASV").server("500 " + std::string(size, 'r'));
        CHECK(s.counted(Event::FTP_reply_msg_too_long) == 0);
        s.client("NOOP").finish();
        CHECK(s.counted(Event::FTP_reply_msg_too_long) == (size > 100));
        const FtpEvent& entry = s.out.events[s.out.events.size() - 2];
        CHECK(s.out.view(entry.reply_msg) == std::string(std::min<std::size_t>(size, 100), 'r'));
    }
}

TEST_CASE("the working directory follows CWD, CDUP, PWD and XPWD when granted", "[ftp_entries]") {
    using S = SessionScript;
    CHECK(url_after([](S&) {}) == "ftp://10.0.0.2/./f");
    CHECK(url_after([](S& s) { s.client("CWD /pub").server("250 ok"); }) == "ftp://10.0.0.2/pub/f");
    CHECK(url_after([](S& s) { s.client("CWD pub").server("250 ok"); }) == "ftp://10.0.0.2/./pub/f");
    CHECK(url_after([](S& s) { s.client("CWD pub").server("550 no"); }) == "ftp://10.0.0.2/./f");
    CHECK(url_after([](S& s) { s.client("CWD pub").server("200 ok"); }) == "ftp://10.0.0.2/./f");
    CHECK(url_after([](S& s) { s.client("PWD").server("257 \"/a/b\" is it"); }) == "ftp://10.0.0.2/a/b/f");
    CHECK(url_after([](S& s) { s.client("XPWD").server("257 \"/a/b\" is it"); }) == "ftp://10.0.0.2/a/b/f");
    CHECK(url_after([](S& s) { s.client("PWD").server("257 nothing"); }) == "ftp://10.0.0.2/f");
    CHECK(url_after([](S& s) { s.client("PWD").server("257 \"/\""); }) == "ftp://10.0.0.2/f");
    // As in the reference, CDUP leads to the parent of the root.
    CHECK(url_after([](S& s) { s.client("CWD /a/b").server("250 ok").client("CDUP").server("250 ok"); }) ==
          "ftp://10.0.0.2/../f");
    CHECK(url_after([](S& s) { s.client("CDUP").server("200 ok"); }) == "ftp://10.0.0.2/../f");
    CHECK(url_after([](S& s) { s.client("CWD ..").server("250 ok"); }) == "ftp://10.0.0.2/../f");
}

TEST_CASE("a command moves the directory once, however many replies it gets", "[ftp_entries]") {
    CHECK(url_after([](SessionScript& s) { s.client("CWD a").server("250 ok").server("250 again"); }) ==
          "ftp://10.0.0.2/./a/f");
}

TEST_CASE("URLs of absolute files, drives, parents and nothing", "[ftp_entries]") {
    const auto in_pub = [](SessionScript& s) { s.client("CWD /pub").server("250 ok"); };
    CHECK(url_after(in_pub, "/etc/passwd") == "ftp://10.0.0.2/etc/passwd");
    CHECK(url_after(in_pub, "../x/./y//z") == "ftp://10.0.0.2/x/y/z");
    CHECK(url_after(in_pub, "c:\\x") == "ftp://10.0.0.2/c:\\x");
    CHECK(url_after(in_pub, "") == "ftp://10.0.0.2/pub");
    CHECK(url_after([](SessionScript&) {}, "") == "ftp://10.0.0.2/.");
    CHECK(url_after([](SessionScript&) {}, "../..") == "ftp://10.0.0.2/../..");
    CHECK(url_after([](SessionScript& s) { s.client("PWD").server("257 x"); }, "a/..") == "ftp://10.0.0.2/");
}

TEST_CASE("an IPv6 server stands in brackets", "[ftp_entries]") {
    SessionScript s;
    s.id.resp_h = *IpAddress::parse("2001:db8::21");
    s.session.reset(s.id, s.uid, false);
    s.login().client("RETR f").server("226 ok").client("EPSV").server("229 (|||99|)");
    CHECK(s.last_entry() == "RETR [ftp://[2001:db8::21]/./f] 226 [ok] user anonymous password me@here");
    CHECK(s.announcements() == Lines{"passive 10.0.0.1 > 2001:db8::21 99"});
}

TEST_CASE("commands whose argument is no path show it as it is", "[ftp_entries]") {
    SessionScript s(log_everything());
    s.login().client("LIST -l a").server("226 ok").client("SITE CHMOD 1 a").server("200 ok").client("NOOP");
    CHECK(s.entries()[2] == "LIST [-l a] 226 [ok] user anonymous password me@here");
    CHECK(s.entries()[3] == "SITE [CHMOD 1 a] 200 [ok] user anonymous password me@here");
}

TEST_CASE("strings keep their bytes", "[ftp_entries]") {
    SessionScript s;
    const std::string odd("\xc3\x28 \x1b[31m\"\\\t\x7f", 12);
    s.login().client("RETR " + odd).server("226 " + odd).client("NOOP");
    CHECK(s.last_entry() == "RETR [ftp://10.0.0.2/./" + odd + "] 226 [" + odd + "] user anonymous password me@here");
}
