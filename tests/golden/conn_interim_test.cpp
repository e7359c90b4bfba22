// Interim entries of long connections (log.conn.interim): when, what is in them, and that sums stay right.
#include "tests/golden/golden.h"

#include <cmath>
#include <random>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;
const Reading kEachMinute{.interim = kMinute};

void packet_at(Trace& trace, Timestamp time) {
    trace.at(time).add({Ethernet{}, Ipv4{}, Udp{.source_port = 9}, Payload{"x"}});
}

// A connection that sends ten bytes each 25 seconds, five times.
void slow_talk(Trace& trace) {
    TcpTalk talk(trace);
    talk.open();
    for (int i = 1; i <= 5; ++i) {
        trace.at(kStart + i * 25 * kSecond);
        talk.client("0123456789");
    }
    talk.close();
    packet_at(trace, kStart + 200 * kSecond);
}

} // namespace

TEST_CASE("interim: an entry each interval with what is new, and the rest at the end") {
    Trace trace;
    slow_talk(trace);
    const Logs logs = read(trace, kEachMinute);
    CHECK(logs.show("conn", "_write_ts interim ts duration orig_bytes orig_pkts resp_pkts conn_state history",
                    {{"proto", "tcp"}}) == "60 true 0 50.001 20 4 3 S1 ShADa | "
                                           "120 true 0 50 20 2 2 S1 ShADa | "
                                           "130.003 false 0 25.002 10 3 2 SF ShADaFf");
    const auto entries = logs.entries("conn", {{"proto", "tcp"}});
    CHECK(entries[0]["uid"] == entries[2]["uid"]);
    CHECK(logs.show("conn", "interim", {{"proto", "udp"}}) == "-"); // has no interim entries: no such field
}

TEST_CASE("interim: off by default") {
    Trace trace;
    slow_talk(trace);
    CHECK(read(trace).show("conn", "interim duration orig_bytes", {{"proto", "tcp"}}) == "- 125.003 50");
}

TEST_CASE("interim: a connection as old as the interval when it ends has one entry") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open().close(); // removed five seconds after
    packet_at(trace, kStart + 200 * kSecond);
    CHECK(read(trace, {.interim = 5 * kSecond}).show("conn", "_write_ts interim", {{"proto", "tcp"}}) == "5.004 -");
}

TEST_CASE("interim: one that is idle has entries until it is over, which say that nothing is new") {
    Trace trace;
    TcpTalk(trace).open();
    packet_at(trace, kStart + 10 * kMinute);
    CHECK(read(trace, {.interim = 2 * kMinute})
              .show("conn", "_write_ts interim duration orig_bytes orig_pkts", {{"proto", "tcp"}}) ==
          "120 true 0.002 0 2 | 240 true 0 0 0 | 300.002 false 0 0 0");
}

TEST_CASE("interim: a packet at the very time comes after the entry") {
    Trace trace;
    TcpTalk talk(trace);
    talk.open();
    trace.at(kStart + kMinute);
    talk.send(Side::client, {.flags = kFlagAck | kFlagPsh, .text = "0123456789"});
    CHECK(read(trace, kEachMinute).show("conn", "_write_ts interim orig_pkts") == "60 true 2 | 60 false 1");
}

TEST_CASE("interim: roles that are exchanged in between") {
    Trace trace;
    // Midstream, from a server's port: the roles are guessed, and a SYN-ACK puts them right later.
    TcpTalk talk(trace,
                 {.client = {IpAddress::from_v4(10, 0, 0, 1), 21}, .server = {IpAddress::from_v4(10, 0, 0, 2), 40000}});
    talk.client("abc");
    trace.at(kStart + 70 * kSecond);
    talk.client("defg");
    talk.server("h");
    packet_at(trace, kStart + 80 * kSecond);
    const Logs logs = read(trace, kEachMinute);
    const Logs plain = read(trace);
    std::uint64_t orig = 0, resp = 0;
    for (const Entry& e : logs.entries("conn", {{"proto", "tcp"}})) {
        orig += std::stoull(e["orig_pkts"]);
        resp += std::stoull(e["resp_pkts"]);
    }
    const Entry whole = plain.entry("conn", {{"proto", "tcp"}});
    CHECK(orig == std::stoull(whole["orig_pkts"]));
    CHECK(resp == std::stoull(whole["resp_pkts"]));
}

TEST_CASE("interim: a data connection that lasts is told to be one, in each of its entries") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
    ftp.client("RETR a.bin").server("150 Here it comes.");
    TcpTalk data = ftp.passive(40000);
    data.server("0123456789");
    trace.at(kStart + 90 * kSecond);
    ftp.download(data, "abc");
    ftp.server("226 Done.").quit();
    const Logs logs = read(trace, {.extended = true, .interim = kMinute});
    CHECK(logs.show("conn", "interim resp_bytes control_uid", {{"service", "ftp-data"}}) ==
          "true 10 " + logs.entries("conn", {{"service", "ftp"}})[0]["uid"] + " | false 3 " +
              logs.entries("conn", {{"service", "ftp"}})[0]["uid"]);
    CHECK(logs.show("ftp", "data_channel.bytes data_channel.complete", {{"command", "RETR"}}) == "13 true");
}

TEST_CASE("interim: more long connections than can be remembered: counted, and the last entry has all") {
    Trace trace;
    TcpTalk first(trace, {.client = {IpAddress::from_v4(10, 0, 0, 1), 40000}});
    first.open();
    TcpTalk second(trace, {.client = {IpAddress::from_v4(10, 0, 0, 1), 40001}});
    second.open();
    packet_at(trace, kStart + 100 * kSecond);
    const Logs logs = read(trace, {.workers = 1, .interim = kMinute, .interims_max = 1});
    CHECK(logs.count(Event::interim_limit) == 1);
    CHECK(logs.show("conn", "interim orig_pkts", {{"id.orig_p", "40000"}}) == "true 2 | false 0");
    CHECK(logs.show("conn", "interim orig_pkts", {{"id.orig_p", "40001"}}) == "- 2");
}

TEST_CASE("interim: sums over the entries of a connection are what one entry would have had, whatever the traffic") {
    for (unsigned seed = 0; seed < 5; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Trace trace;
        std::vector<TcpTalk> talks;
        for (std::uint16_t i = 0; i < 6; ++i) {
            talks.emplace_back(
                trace, TalkOptions{.client = {IpAddress::from_v4(10, 0, 0, 1), static_cast<std::uint16_t>(40000 + i)}});
            if (random() % 3 != 0) talks.back().open();
        }
        Timestamp now = kStart;
        for (int i = 0; i < 150; ++i) {
            now += static_cast<Timestamp>(random() % (9 * kSecond));
            trace.at(now);
            TcpTalk& talk = talks[random() % talks.size()];
            const Side side = random() % 2 == 0 ? Side::client : Side::server;
            switch (random() % 12) {
            case 0: talk.lose_next(); [[fallthrough]];
            case 1: talk.skip(side, static_cast<std::uint32_t>(random() % 5000)); break;
            case 2: talk.ack(side); break;
            case 3:
                if (random() % 4 == 0) talk.rst(side);
                break;
            case 4:
                if (random() % 4 == 0) talk.close(side);
                break;
            case 5: trace.add({Ethernet{}, Ipv4{}, Udp{.source_port = 9}, Payload{"xyz"}}); break;
            default: talk.say(side, std::string(random() % 3000, 'x'));
            }
        }
        const Logs plain = read(trace), split = read(trace, {.interim = 20 * kSecond});
        std::map<std::string, std::map<std::string, double>> sums;
        std::map<std::string, Entry> last;
        const char* const added[] = {"duration",  "orig_bytes",    "resp_bytes", "missed_bytes",
                                     "orig_pkts", "orig_ip_bytes", "resp_pkts",  "resp_ip_bytes"};
        for (const Entry& e : split.entries("conn")) {
            for (const char* field : added)
                if (e[field] != "-") sums[e["uid"]][field] += std::stod(e[field]);
            last.insert_or_assign(e["uid"], e);
        }
        REQUIRE(split.entries("conn").size() > plain.entries("conn").size() + 10);
        REQUIRE(last.size() == plain.entries("conn").size());
        for (const Entry& e : plain.entries("conn")) {
            CAPTURE(e["uid"], e["history"]);
            const Entry& end = last.at(e["uid"]);
            for (const char* field : {"_write_ts", "ts", "conn_state", "history", "id.orig_p", "community_id"})
                CHECK(end[field] == e[field]);
            CHECK(end["interim"] != "true");
            for (const char* field : added) {
                CAPTURE(field);
                const double whole = e[field] == "-" ? 0 : std::stod(e[field]);
                CHECK(std::abs(sums[e["uid"]][field] - whole) < 1e-4);
            }
        }
    }
}

TEST_CASE("interim: behind a stamp of another century each connection has its entries until it was over, and at once") {
    Trace trace;
    TcpTalk(trace).open().client("hello"); // over after five minutes, the datagram after ten seconds
    packet_at(trace, kStart + 10 * kSecond);
    trace.at(kStart + 200 * 8760 * kHour).add({Ethernet{}, Ipv4{}, Udp{.source_port = 10}, Payload{"x"}});
    const Logs logs = read(trace, {.interim = kSecond}); // 6,307,200,000 seconds: looked at one by one it takes minutes
    CHECK(logs.entries("conn", {{"proto", "tcp"}, {"interim", "true"}}).size() == 300);
    CHECK(logs.entries("conn", {{"id.orig_p", "9"}, {"interim", "true"}}).size() == 9);
    CHECK(logs.entries("conn", {{"interim", "false"}}).size() == 2);
    CHECK(logs.entries("conn", {{"id.orig_p", "10"}}).size() == 1);
}

TEST_CASE("interim: a transfer is one from its first entry on, where a burst lasts for longer than the interval, too") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
    ftp.passive(40000).open().client("x");
    packet_at(trace, kStart + kMinute);
    for (const bool extended : {false, true})
        for (const bool ftp_only : {false, true}) {
            CAPTURE(extended, ftp_only);
            const Logs logs = read(trace, {.extended = extended, .interim = 10 * kSecond, .ftp_only = ftp_only});
            CHECK(logs.entries("conn", {{"id.resp_p", "40000"}}).size() == 6);
            CHECK(logs.entries("conn", {{"id.resp_p", "40000"}, {"service", "ftp-data"}}).size() == 6);
        }
}

TEST_CASE("entries: ftp leaves all but FTP's connections out") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
    ftp.client("RETR a.txt")
        .server("150 Here it comes.")
        .download(ftp.passive(40000), "hello")
        .server("226 Done.")
        .quit();
    TcpTalk(trace, {.client = {IpAddress::from_v4(10, 0, 0, 9), 50001}}).open().close();
    TcpTalk(trace,
            {.client = {IpAddress::from_v4(10, 0, 0, 9), 50002}, .server = {IpAddress::from_v4(10, 0, 0, 2), 21}})
        .before_open()
        .send(Side::client, {.flags = kFlagSyn}); // nothing that says FTP
    TcpTalk(trace,
            {.client = {IpAddress::from_v4(10, 0, 0, 9), 50003}, .server = {IpAddress::from_v4(10, 0, 0, 2), 40001}})
        .open()
        .close();
    packet_at(trace, kStart + kMinute);
    for (const bool extended : {false, true}) {
        CHECK(read(trace, {.extended = extended, .ftp_only = true}).show("conn", "service") == "ftp-data | ftp");
        CHECK(read(trace, {.extended = extended}).entries("conn").size() == 6);
    }
}
