// What is done to hide an FTP session from a sensor, and that it is in the logs all the same. Beside each case,
// docs/hostile-input.md tells what another sensor says of the same packets.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;
using namespace std::string_view_literals;

TEST_CASE("evasion: AUTH is refused first, on an odd port") {
    Trace trace;
    FtpTalk ftp(trace, on_port(8080));
    ftp.server("220 Hi.").client("AUTH TLS").server("502 Not here.");
    ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace);
}

TEST_CASE("evasion: every byte of both sides in a segment of its own") {
    for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.open();
        for (const auto& [side, line] : kSession) letter_by_letter(talk, side, line);
        talk.close();
        check_deleted(trace);
    }
}

TEST_CASE("evasion: all commands in one segment, in lower case, some with LF alone") {
    Trace trace;
    FtpTalk ftp(trace, on_port(8080));
    ftp.server("220 Hi.").control().client("user mallory\npass x\ndele secret\r\n");
    ftp.server("331 Password?").server("230 In.").server("250 Gone.").quit();
    check_deleted(trace);
}

TEST_CASE("evasion: the same sequence numbers again with other bytes") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.");
    TcpTalk& talk = ftp.control();
    const std::uint32_t seq = talk.next_seq(Side::client);
    ftp.client("USER mallory");
    talk.send(Side::client, {.text = "USER innocen\r\n", .seq = seq});
    ftp.server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace);
}

TEST_CASE("evasion: other bytes for what waits beyond a hole") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.");
    TcpTalk& talk = ftp.control();
    const std::uint32_t seq = talk.next_seq(Side::client);
    talk.send(Side::client, {.text = "mallory\r\n", .seq = seq + 5}); // the end of the line comes first
    talk.send(Side::client, {.text = "innocen\r\n", .seq = seq + 5});
    talk.send(Side::client, {.text = "ER innocen\r\n", .seq = seq + 2});
    talk.send(Side::client, {.text = "USER innoc", .seq = seq});
    talk.skip(Side::client, 14);
    ftp.server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace);
}

TEST_CASE("evasion: a decoy that dies on the way is taken for what it says, and the session is not lost by it") {
    // Its TTL reaches the sensor and not the server. Which bytes the server took cannot be known here; the first ones
    // count, as in Zeek. What follows is read on.
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.");
    TcpTalk& talk = ftp.control();
    trace.add({Ethernet{}, Ipv4{.ttl = 1},
               Tcp{.destination_port = 21, .seq = talk.next_seq(Side::client), .ack = talk.next_seq(Side::server)},
               Payload{"USER innocen\r\n"}});
    ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace, "innocen");
}

TEST_CASE("evasion: a reset that the server never takes, and the session goes on") {
    for (const std::uint32_t off : {0u, 100'000u}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login("mallory", "x");
        TcpTalk& talk = ftp.control();
        trace.add({Ethernet{}, Ipv4{.ttl = 1},
                   Tcp{.destination_port = 21, .seq = talk.next_seq(Side::client) + off, .flags = kFlagRst}});
        delete_secret(ftp);
        CHECK(read(trace, kExtended).show("ftp", "user command", {{"command", "DELE"}}) == "mallory DELE");
    }
}

TEST_CASE("evasion: a FIN of other numbers in the middle") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("mallory", "x");
    trace.add({Ethernet{}, Ipv4{},
               Tcp{.destination_port = 21,
                   .seq = ftp.control().next_seq(Side::client) + 5'000'000,
                   .flags = kFlagFin | kFlagAck}});
    delete_secret(ftp);
    CHECK(read(trace, kExtended).show("ftp", "user command", {{"command", "DELE"}}) == "mallory DELE");
}

TEST_CASE("evasion: a SYN of other numbers in the middle") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("mallory", "x");
    trace.add(
        {Ethernet{}, Ipv4{.ttl = 1},
         Tcp{.destination_port = 21, .seq = ftp.control().next_seq(Side::client) + 5'000'000, .flags = kFlagSyn}});
    delete_secret(ftp);
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "user command", {{"command", "DELE"}}) == "mallory DELE");
    CHECK(logs.show("conn", "conn_state service missed_bytes") == "SF ftp 0");
    CHECK(logs.count(Event::SYN_inside_connection) == 1);
    // Zeek begins another connection with it, whose numbers the session's commands do not fit.
    CHECK(read(trace, kStrict).show("ftp", "user command", {{"command", "DELE"}}).empty());
}

TEST_CASE("a server that has forgotten the session and is connected to anew: another connection") {
    Trace trace;
    TalkOptions again = on_port(21);
    again.client_isn = 9'000'000;
    again.server_isn = 8'000'000;
    FtpTalk(trace).login("first", "x").client("DELE a").server("250 Gone.");
    FtpTalk(trace, again).login("second", "x").client("DELE b").server("250 Gone.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "user arg", {{"command", "DELE"}}) ==
          "first ftp://10.0.0.2/./a | second ftp://10.0.0.2/./b");
    CHECK(logs.entries("conn").size() == 2);
}

TEST_CASE("evasion: the session begins in the SYN") {
    Trace trace;
    TcpTalk talk(trace, on_port(21));
    talk.before_open();
    talk.send(Side::client, {.flags = kFlagSyn, .text = "USER mallory\r\n"});
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck});
    talk.ack(Side::client).server("220 Hi.\r\n").server("331 Password?\r\n").client("PASS x\r\n").server("230 In.\r\n");
    talk.client("DELE secret\r\n").server("250 Gone.\r\n").close();
    check_deleted(trace);
}

TEST_CASE("evasion: Telnet options within commands") {
    for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
        Trace trace;
        FtpTalk ftp(trace, on_port(port));
        ftp.server("220 Hi.").client("US\xff\xf1\x45R mal\xff\xfb\x01lory").server("33\xff\xf1\x31 Password?");
        ftp.client("PASS x").server("230 In.");
        ftp.client("\xff\xf4\xff\xf2\x44\x45\xff\xfa\x18\x01vt\xff\xf0LE sec\xff\xf1ret").server("250 Gone.").quit();
        CHECK(read(trace, kExtended).show("ftp", "user command arg", {{"command", "DELE"}}) ==
              "mallory DELE ftp://10.0.0.2/./secret");
        // Zeek's signature of FTP, which decides on other ports, does not look through them.
        CHECK(read(trace).show("ftp", "user", {{"command", "DELE"}}) == (port == 21 ? "mallory" : ""));
    }
}

TEST_CASE("evasion: Telnet BINARY and ENCRYPT are negotiated and nothing changes") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").server("\xff\xfd\x00\xff\xfd\x26"sv).client("\xff\xfb\x00\xff\xfb\x26USER mallory"sv);
    ftp.server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace);
}

TEST_CASE("evasion: wrong checksums, by policy") {
    // A decoy whose checksum is wrong, which no server takes, before the real command.
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.");
    TcpTalk& talk = ftp.control();
    talk.send(Side::client, {.text = "USER innocen\r\n", .seq = talk.next_seq(Side::client), .checksum = 0x1234});
    ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    const auto user = [&trace](ChecksumPolicy policy) {
        return read(trace, {.extended = true, .checksums = policy}).show("ftp", "user");
    };
    CHECK(user(ChecksumPolicy::ignore) == "innocen"); // as though it were a TTL's decoy
    CHECK(user(ChecksumPolicy::verify) == "mallory"); // as the server
    CHECK(user(ChecksumPolicy::mark) == "innocen");   // and the connection's history has a C:
    CHECK_THAT(read(trace, {.checksums = ChecksumPolicy::mark}).show("conn", "history"), Catch::Contains("C"));
}

TEST_CASE("evasion: tiny fragments, the last one first, overlapping with other bytes") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("mallory", "x");
    TcpTalk& talk = ftp.control();
    const std::vector<Header> whole = {Ethernet{}, Ipv4{.id = 77},
                                       Tcp{.destination_port = 21,
                                           .seq = talk.next_seq(Side::client),
                                           .ack = talk.next_seq(Side::server),
                                           .flags = kFlagAck | kFlagPsh},
                                       Payload{"DELE secret\r\n"}};
    auto fragments = build_fragments(whole, 8);
    REQUIRE(fragments.size() > 3);
    std::reverse(fragments.begin(), fragments.end());
    for (const Bytes& fragment : fragments) {
        trace.add(fragment);
        Bytes other = fragment; // and again with other bytes
        other.back() ^= 0x20;
        trace.add(other);
    }
    talk.skip(Side::client, 13);
    ftp.server("250 Gone.").quit();
    for (const bool extended : {false, true}) { // by one worker: fragments have no ports to choose another one by
        const Logs logs = read(trace, {.extended = extended, .workers = 1});
        CHECK(logs.show("ftp", "user arg", {{"command", "DELE"}}) == "mallory ftp://10.0.0.2/./secret");
        CHECK(logs.count(Event::fragment_inconsistency) > 0);
    }
}

TEST_CASE("evasion: within VLANs, MPLS, PPPoE and a tunnel") {
    const std::vector<std::vector<Header>> ways = {
        {Ethernet{}, Vlan{}, Vlan{.id = 2}, Mpls{}, Mpls{}},
        {Ethernet{}, Pppoe{}},
        {Ethernet{}, Ipv4{.source = ip("10.9.0.1"), .destination = ip("10.9.0.2")}, Gre{}},
        {Ethernet{}, Ipv6{}, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}},
    };
    for (const auto& below : ways) {
        Trace trace;
        FtpTalk ftp(trace, {.server = {ip("10.0.0.2"), 21}, .below = below});
        ftp.login("mallory", "x");
        delete_secret(ftp);
        const Logs logs = read(trace, kExtended);
        CHECK(logs.show("ftp", "user command", {{"command", "DELE"}}) == "mallory DELE");
    }
}

TEST_CASE("evasion: NULs and controls within a command") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").client("\0USER mallory"sv).server("331 Password?").client("PASS x").server("230 In.");
    delete_secret(ftp);
    check_deleted(trace);
}

// How a data connection is announced ---------------------------------------------------------------------------------

namespace {

// What the RETR entry says of a transfer whose announcement is `command` and `reply`.
std::string transfer(std::string_view command, std::string_view reply, const Reading& how = kExtended) {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client(command).server(reply).client("RETR a").server("150 Now.");
    ftp.download(ftp.passive(40000), "hello").server("226 Done.").quit();
    const Logs logs = read(trace, how);
    return logs.show("conn", "service", {{"id.resp_p", "40000"}}) + " " +
           logs.show("ftp", "data_channel.bytes", {{"command", "RETR"}});
}

} // namespace

TEST_CASE("evasion: a 227 of another shape") {
    CHECK(transfer("PASV", "227 Entering Passive Mode 10,0,0,2,156,64") == "ftp-data 5");
    CHECK(transfer("PASV", "227 Entering Passive Mode. 10,0,0,2,156,64...") == "ftp-data 5");
    CHECK(transfer("PASV", "227 (10,0,0,2,156,64") == "ftp-data 5");
    CHECK(transfer("PASV", "227 Passive ( 10, 0, 0, 2, 156, 64 ) now") == "ftp-data 5");
    CHECK(transfer("PASV", "227 Passive (010,000,000,002,156,064)...") == "ftp-data 5");
    CHECK(transfer("PASV", "227 PORT 10,0,0,2,156,64") == "ftp-data 5");
    CHECK(transfer("PASV", "227 =10,0,0,2,156,64") == "ftp-data 5"); // as djb's server says it
    CHECK(transfer("EPSV", "229 Extended (|||40000|).") == "ftp-data 5");
    CHECK(transfer("EPSV", "229 Extended (!!!40000!)") == "ftp-data 5");
}

TEST_CASE("evasion: the answer to the other question") {
    CHECK(transfer("EPSV", "227 Entering Passive Mode (10,0,0,2,156,64).") == "ftp-data 5");
    CHECK(transfer("PASV", "229 Entering Extended Passive Mode (|||40000|)") == "ftp-data 5");
}

TEST_CASE("evasion: an announcement that lies about the address") {
    // Clients connect to the server that they talk to, whatever it says. Zeek looks for the announced address alone.
    CHECK(transfer("PASV", "227 Entering Passive Mode (203,0,113,9,156,64).") == "ftp-data 5");
    CHECK(transfer("PASV", "227 Entering Passive Mode (0,0,0,0,156,64).") == "ftp-data 5");
    CHECK(transfer("PASV", "227 Entering Passive Mode (203,0,113,9,156,64).", kStrict) == "- -");
}

TEST_CASE("evasion: an active transfer to another address than the client's") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PORT 10,0,0,77,156,64").server("200 Good.").client("RETR a").server("150 Now.");
    TcpTalk data(trace, {.client = {ip("10.0.0.2"), 20}, .server = {ip("10.0.0.77"), 40000}});
    data.open().client("hello").close();
    ftp.server("226 Done.").quit();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "data_channel.bytes", {{"command", "RETR"}}) == "5");
    CHECK(logs.show("conn", "service", {{"id.resp_h", "10.0.0.77"}}) == "ftp-data");
}

TEST_CASE("evasion: a stranger at the announced port first") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).").client("RETR a");
    TcpTalk(trace, {.client = {ip("10.0.0.66"), 1}, .server = {ip("10.0.0.2"), 40000}}).open().client("boo").close();
    ftp.server("150 Now.").download(ftp.passive(40000), "hello").server("226 Done.").quit();
    CHECK(read(trace, kExtended).show("ftp", "data_channel.bytes", {{"command", "RETR"}}) == "5");
}

TEST_CASE("a session whose first command waits until its connection is over is over all the same") {
    // Found by pipeline_fuzz: it was put back among the timers, and the list of them became a ring without end.
    Trace trace;
    TcpTalk talk(trace, on_port(21));
    talk.open();
    // It acknowledges what was never seen, so it waits.
    talk.send(Side::client, {.text = "USER mallory\r\n", .ack = talk.next_seq(Side::server) + 100});
    talk.ack(Side::server);
    for (std::uint16_t port = 50000; port < 50004; ++port) {
        trace.wait(5 * kMinute);
        TcpTalk(trace, {.client = {ip("10.0.0.1"), port}}).open().client("x").close();
    }
    trace.wait(kHour);
    TcpTalk(trace).open().close();
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "user command") == "mallory USER");
    CHECK(logs.entries("conn").size() == 6);
}

TEST_CASE("evasion: a line that ends within a Telnet command") {
    // A server without Telnet takes the line feed for what it is. Zeek's reader does not, and neither does ours to the
    // letter.
    for (const char* open_end : {"\xff\xfa\x18", "\xff\xfb", "\xff", "\xff\xfa\x18\xff"}) {
        for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            ftp.server("220 Hi.");
            ftp.control().client(std::string(open_end) + "\n");
            ftp.server("500 What?").client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
            ftp.control().client("NOOP" + std::string(open_end) + "\nDELE secret\r\n");
            ftp.server("200 Yes.").server("250 Gone.").quit();
            check_deleted(trace, kExtended, "mallory");
        }
    }
}
