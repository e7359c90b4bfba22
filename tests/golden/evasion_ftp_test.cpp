// What is said in FTP's own words to hide a session from a sensor, and that it is in the logs all the same (the
// extended rule; where Zeek's own does not see it, that is held, too). Beside each case, docs/hostile-input.md tells
// what another sensor says of the same packets.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

std::string times(std::size_t count, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

// Records of TLS with what would be commands and replies in clear text: hellos, and data of either side.
const std::string kClientHello = client_hello("\nDELE hello\r\n");
const std::string kServerHello("\x16\x03\x03\x00\x20\x02\x00\x00\x1c\n250 Gone.\r\n", 21);
const std::string kLongLine = "NOOP " + std::string(16'000, 'a') + "\r\n"; // three have no room
const std::string kHelloInClear = "\x16\x03\x01\r\n";
// Of STAT, with names that look like replies.
const std::string kListing = "213-Status\r\na\r\n213 x\r\n234 y\r\n213 End\r\n";
const std::string kClientData("\x17\x03\x03\x00\x20\nDELE data\r\n", 17);

} // namespace

TEST_CASE("evasion: twenty commands that wait for no reply before the one that counts") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.control().client(times(20, "NOOP\r\n") + "DELE secret\r\n").server(times(20, "200 Yes.\r\n"));
    ftp.server("250 Gone.").quit();
    check_deleted(trace, kExtended, "mallory");
    CHECK(read(trace, kExtended).count(Event::FTP_too_many_pending_commands) == 1);
    CHECK(read(trace).show("ftp", "command", {{"command", "DELE"}}).empty()); // as in Zeek
}

TEST_CASE("evasion: commands too long to be remembered before the one that counts") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    const std::string before = times(9, "NOOP " + std::string(4089, 'x') + "\r\n");
    TcpTalk& talk = ftp.control();
    // Nobody answers in between: the first byte comes last.
    const std::uint32_t first = talk.next_seq(Side::client);
    talk.skip(Side::client, 1).client(before.substr(1) + "DELE secret\r\n");
    talk.send(Side::client, {.text = before.substr(0, 1), .seq = first});
    talk.server(times(9, "200 Yes.\r\n"));
    ftp.server("250 Gone.").quit();
    check_deleted(trace, kExtended, "mallory");
    CHECK(read(trace, kExtended).count(Event::ftp_session_memory) == 1);
}

TEST_CASE("evasion: forty deletions of which one succeeds") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.control().client(times(20, "DELE none\r\n") + "DELE secret\r\n" + times(19, "DELE none\r\n"));
    ftp.control().server(times(20, "550 No such file.\r\n") + "250 Gone.\r\n" + times(19, "550 No such file.\r\n"));
    ftp.quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "reply_code", {{"arg", "ftp://10.0.0.2/./secret"}}) == "250");
    CHECK(logs.entries("ftp", {{"reply_code", "550"}}).size() == 19);
    CHECK(logs.entries("ftp", {{"reply_code", "250"}}).size() == 1);
}

TEST_CASE("evasion: a directory changed by what has made room") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.control().client("CWD /secret\r\n" + times(19, "NOOP\r\n") + "CWD /public\r\n");
    ftp.control().server("250 Yes.\r\n" + times(19, "200 Yes.\r\n") + "550 No.\r\n");
    ftp.client("DELE f").server("250 Gone.").quit();
    for (const Reading& how : {kExtended, kStrict})
        CHECK(read(trace, how).show("ftp", "arg", {{"command", "DELE"}}) == "ftp://10.0.0.2/secret/f");
}

TEST_CASE("evasion: a data channel whose PASV has made room") {
    for (const std::string& behind : {times(20, "NOOP\r\n"), times(300, "PWD\r\n"), times(3, kLongLine)}) {
        CAPTURE(behind.size());
        const std::size_t replies = behind.size() > 10'000 ? 3 : behind.size() > 1000 ? 300 : 20;
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        ftp.control().client("PASV\r\n" + behind).server("227 Entering Passive Mode (10,0,0,2,156,64).\r\n");
        ftp.control().server(times(replies, replies == 300 ? "257 \"/\"\r\n" : "200 Yes.\r\n"));
        ftp.client("RETR secret").server("150 Now.").download(ftp.passive(40000), "hello").server("226 Done.").quit();
        const Logs logs = read(trace, kExtended);
        CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
              logs.entry("conn", {{"id.resp_p", "40000"}, {"service", "ftp-data"}})["uid"]);
        CHECK(logs.entry("ftp", {{"command", "RETR"}})["fuid"] != "-");
    }
}

TEST_CASE("evasion: a refused PORT or EPSV behind the one that is used") {
    for (const std::string& ahead : {std::string("EPSV 9\r\n"), std::string("PORT 1,2\r\n"), std::string("EPRT x\r\n")})
        for (const bool at_once : {false, true}) {
            CAPTURE(ahead, at_once);
            const std::string refusal = ahead.starts_with("EPSV") ? "522 What?" : "501 What?";
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            ftp.client("PORT 10,0,0,1,156,64").server("200 Yes.");
            ftp.control().client(ahead + (at_once ? "RETR secret\r\n" : "")).server(refusal + "\r\n");
            if (!at_once) ftp.client("RETR secret");
            ftp.server("150 Now.").download(ftp.active(40000), "hello").server("226 Done.").quit();
            const Logs logs = read(trace, kExtended);
            CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.uid"] ==
                  logs.entry("conn", {{"id.resp_p", "40000"}, {"service", "ftp-data"}})["uid"]);
            CHECK(logs.entry("ftp", {{"command", "RETR"}})["data_channel.bytes"] == "5");
        }
}

TEST_CASE("evasion: another's refusal that fits a PORT takes nothing from it") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.control().client("MFMT\r\nPORT 10,0,0,1,156,64\r\nRETR secret\r\n").server("501 What?\r\n200 Yes.\r\n");
    ftp.server("150 Now.").download(ftp.active(40000), "hello").server("226 Done.").quit();
    CHECK(read(trace, kExtended).show("ftp", "data_channel.bytes", {{"command", "RETR"}}) == "5");
}

TEST_CASE("evasion: thirty deletions before the first answer") {
    // Each is in the log: the first ones without a reply, the others with theirs.
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    std::string all;
    for (int i = 1; i <= 30; ++i) all += "DELE " + std::to_string(i) + "\r\n";
    ftp.control().client(all);
    ftp.control().server(times(10, "550 No such file.\r\n") + times(20, "250 Gone.\r\n"));
    ftp.quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.entries("ftp").size() == 30);
    CHECK(logs.show("ftp", "user reply_code reply_msg", {{"arg", "ftp://10.0.0.2/./10"}}) == "mallory - -");
    CHECK(logs.show("ftp", "user reply_code reply_msg", {{"arg", "ftp://10.0.0.2/./11"}}) == "mallory 250 Gone.");
    CHECK(logs.count(Event::FTP_too_many_pending_commands) == 10);
    CHECK(read(trace).entries("ftp").size() == 20);
}

TEST_CASE("evasion: AUTH is granted and nothing changes") {
    for (const std::string mechanism : {"TLS", "SSL", "tls", "TLS-C"})
        for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
            CAPTURE(mechanism, port);
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            ftp.server("220 Hi.").client("AUTH " + mechanism).server("234 Go ahead.");
            ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
            CHECK(read(trace, kExtended).count(Event::ftp_clear_text_after_auth) == 1);
        }
}

TEST_CASE("evasion: a 234 in a listing after AUTH was refused") {
    for (const std::string& decoy : {std::string(), kHelloInClear}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.server("220 Hi.").client("AUTH TLS").server("500 What?");
        ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
        ftp.client("STAT .").server("213-Status").server("x").server("213 End").server("234 ok").server("213 End");
        if (!decoy.empty()) ftp.control().client(decoy).server("500 What?\r\n");
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: a 234 in a listing where the refused AUTH has made room, or its refusal is given to another") {
    for (const std::string& behind : {times(20, "NOOP\r\n"), times(3, kLongLine), std::string("STAT d\r\n")}) {
        const bool lists = behind.starts_with("STAT");
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        ftp.control().client("AUTH TLS\r\n" + behind).server(lists ? "502 No.\r\n" : "500 What?\r\n");
        if (!lists) ftp.control().server(times(behind.size() > 1000 ? 3 : 20, "200 Yes.\r\n")).client("STAT d\r\n");
        ftp.control().server(kListing).client(kHelloInClear).server("500 What?\r\n");
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: a 234 in a listing to a client that never asked, where bytes are missing") {
    enum Missing { reply, request, beginning };
    for (const Missing missing : {reply, request, beginning})
        for (const bool of_client : {true, false}) {
            CAPTURE(missing, of_client);
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            if (missing == beginning) trace.frames().clear();
            if (missing == request) ftp.control().lose_next();
            ftp.client("NOOP");
            if (missing == reply) ftp.control().lose_next();
            ftp.server("200 Yes.").client("STAT d");
            if (of_client)
                ftp.control().server(kListing).client(kHelloInClear).server("500 What?\r\n");
            else
                ftp.control().server("213-Status\r\n213 x\r\n234 y\r\n\x16\r\n213 End\r\n");
            delete_secret(ftp);
            check_deleted(trace, kExtended, missing == beginning ? "<unknown>" : "mallory");
        }
}

TEST_CASE("evasion: a line in a listing that is no reply") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    ftp.client("STAT .").server("213-Status").server("x").server("213 End").server("hello").server("213 End");
    delete_secret(ftp);
    check_deleted(trace, kExtended, "mallory");
    CHECK(read(trace, kExtended).count(Event::ftp_violation) == 1);
    CHECK(read(trace).show("ftp", "command", {{"command", "DELE"}}).empty()); // as in Zeek
}

TEST_CASE("evasion: the same after a login whose reply was given to another") {
    for (const bool made_room : {true, false}) {
        Trace trace;
        FtpTalk ftp(trace);
        if (made_room) {
            ftp.control().client("USER mallory\r\nPASS x\r\n" + times(20, "NOOP\r\n"));
            ftp.control().server("220 Hi.\r\n331 Password?\r\n230 In.\r\n" + times(20, "200 Yes.\r\n"));
        } else {
            ftp.server("220 Hi.").client("USER mallory").server("331 Password?").client("PASS x").server("230-Welcome");
            ftp.client("NOOP").server("230 In.").server("200 Yes.");
        }
        ftp.client("STAT .").server("213-Status").server("x").server("213 End").server("hello").server("213 End");
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("a session that is encrypted makes no entries of what it says, whatever of it is lost") {
    enum Lost { nothing, auth, answer, client_hello, second_half, server_hello };
    for (const Lost lost : {nothing, auth, answer, client_hello, second_half, server_hello})
        for (const std::string reply : {"234 Go ahead.\r\n", "234-Go\r\n ahead\r\n234 now.\r\n", "234-Go\r\n"}) {
            CAPTURE(lost, reply);
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            TcpTalk& talk = ftp.control();
            if (lost == auth) talk.lose_next();
            talk.client("AUTH TLS\r\n");
            if (lost == answer) talk.lose_next();
            talk.server(reply);
            if (lost == client_hello) talk.lose_next();
            talk.client(kClientHello.substr(0, 3));
            if (lost == second_half) talk.lose_next();
            talk.client(kClientHello.substr(3));
            if (lost == server_hello) talk.lose_next();
            talk.server(kServerHello).client(kClientData).server(kServerHello).close();
            const Logs logs = read(trace, kExtended);
            const std::string last = lost == auth ? "PASS 234" : lost == answer ? "AUTH 230" : "AUTH 234";
            CHECK(logs.show("ftp", "user command reply_code") == "mallory " + last);
            const bool whole = lost != client_hello && lost != second_half; // as the reference needs it
            CHECK(logs.show("conn", "service") == (whole ? "ftp,ssl" : "ftp"));
            CHECK(logs.count(Event::ftp_violation) == 0);
            CHECK(logs.count(Event::ftp_clear_text_after_auth) == 0);
        }
}
