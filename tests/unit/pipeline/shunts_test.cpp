// A transfer that a port counts (capture.shunt) has the entry that it has without: the same packets, through a worker
// with ports and through one without. The ports here are played: what rules would match is counted and not handed on.
#include "tests/unit/pipeline/played_ports.h"

#include <algorithm>
#include <string>
#include <vector>

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("a transfer that its port counts has the entry that it has without") {
    const bool timestamps = GENERATE(false, true);
    const std::uint32_t isn = GENERATE(5000u, 0xffffff00u);
    const std::size_t each = GENERATE(1u, 7u, 100000u);
    CAPTURE(timestamps, isn, each);
    Transfer t({.server_isn = isn, .timestamps = timestamps});
    t.data.server(kLarge).close(Side::server);
    t.ftp.server("226 Done.").quit();
    PlayedPorts ports;
    ports.report_each = each;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.begun == 1);
    CHECK(ports.counted > 300); // and most of it was
    const Told plain = read(t.trace, nullptr);
    check_same(shunted, plain);
    CHECK(shunted.bytes == plain.bytes); // the FIN tells them
    CHECK(shunted.records[0].shunted);
    CHECK_FALSE(plain.records[0].shunted);
}

TEST_CASE("an upload, too, and one through VLAN tags") {
    Transfer t({.below = {Ethernet{}, Vlan{.id = 7}}});
    t.data.client(kLarge).close(Side::client);
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.counted > 300);
    CHECK(ports.tags == 1);
    check_same(shunted, read(t.trace, nullptr));
}

TEST_CASE("one that is reset") {
    Transfer t;
    t.data.server(kLarge).rst(Side::client);
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.counted > 300);
    check_same(shunted, read(t.trace, nullptr));
}

TEST_CASE("one that is reset, of which an early segment is sent again once the rules are gone") {
    Transfer t;
    t.data.server(kLarge).rst(Side::client);
    const std::size_t over = t.trace.views().size();
    t.data.send(Side::server, {.text = std::string(1000, 'x'), .seq = t.data.next_seq(Side::server) - 100'000});
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports, [&](std::size_t at) {
        if (at == over) ports.finish_all();
    });
    const Told plain = read(t.trace, nullptr);
    REQUIRE(shunted.records.size() == 1);
    CHECK(shunted.records[0].resp_bytes == kLarge.size());
    CHECK(shunted.records[0].resp_bytes == plain.records[0].resp_bytes);
    CHECK(shunted.records[0].resp_pkts == plain.records[0].resp_pkts);
    CHECK(shunted.records[0].missed_bytes == 0);
}

TEST_CASE("what lay in the worker's queue when the rules came is part of the payload") {
    const std::size_t each = GENERATE(1u, 10u, 100000u);
    Transfer t;
    t.data.server(kLarge);
    SECTION("reset") { t.data.rst(Side::client); }
    SECTION("open at the end of the run") {}
    SECTION("closed") { t.data.close(Side::server); }
    PlayedPorts ports;
    ports.report_each = each;
    ports.queued = 100;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.queued == 0);
    CHECK(ports.counted > 200);
    check_same(shunted, read(t.trace, nullptr));
}

TEST_CASE("what is behind where a stream stands is no round of 4 GiB") {
    Transfer t;
    std::size_t over = 0;
    std::uint64_t moved = kLarge.size();
    SECTION("a keep-alive of the receiver") {
        t.data.server(kLarge);
        over = t.trace.views().size();
        t.data.send(Side::client, {.seq = t.data.next_seq(Side::client) - 1});
    }
    SECTION("data from before the rules, sent again") {
        moved = 25'000;
        t.data.server(kLarge.substr(0, moved));
        over = t.trace.views().size();
        t.data.send(Side::server, {.text = std::string(1460, 'x'), .seq = t.data.next_seq(Side::server) - 14'600});
    }
    SECTION("a FIN of nobody's") {
        t.data.server(kLarge);
        over = t.trace.views().size();
        t.data.send(Side::client, {.flags = kFlagFin | kFlagAck, .seq = t.data.next_seq(Side::client) - 1});
    }
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports, [&](std::size_t at) {
        if (at == over) ports.finish_all();
    });
    CHECK(ports.begun == 1);
    REQUIRE(shunted.records.size() == 1);
    CHECK(shunted.records[0].orig_bytes <= 1);
    CHECK(shunted.records[0].resp_bytes == moved);
}

TEST_CASE("one that is open at the end of the run: payload by what the headers were") {
    Transfer t({.timestamps = true});
    t.data.server(kLarge);
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.counted > 300);
    check_same(shunted, read(t.trace, nullptr));
}

TEST_CASE("where the port saw a retransmission, the number of the FIN tells the payload") {
    Transfer t;
    t.data.server(kLarge).retransmit(Side::server).retransmit(Side::server).close(Side::server);
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports), plain = read(t.trace, nullptr);
    REQUIRE(shunted.records.size() == 1);
    CHECK(shunted.records[0].resp_bytes == kLarge.size());
    CHECK(shunted.records[0].resp_ip_bytes == plain.records[0].resp_ip_bytes);
    CHECK(shunted.records[0].resp_pkts == plain.records[0].resp_pkts);
    CHECK(plain.history().find('t') != std::string::npos); // what nobody has seen
    CHECK(shunted.history().find('t') == std::string::npos);
}

TEST_CASE("a port that lets nothing through: the counts are right, the end is not seen") {
    Transfer t;
    t.data.server(kLarge).close(Side::server);
    PlayedPorts ports;
    ports.blind = true;
    const Told shunted = read(t.trace, &ports), plain = read(t.trace, nullptr);
    REQUIRE(shunted.records.size() == 1);
    CHECK(shunted.records[0].resp_bytes == kLarge.size());
    CHECK(shunted.records[0].resp_pkts == plain.records[0].resp_pkts);
    CHECK(shunted.records[0].state == ConnState::S1);
    CHECK(plain.records[0].state == ConnState::SF);
}

TEST_CASE("rules that are gone before the end: the worker goes on where the stream stands") {
    Transfer t;
    t.data.server(kLarge);
    const std::size_t half = t.trace.views().size();
    t.data.server(kLarge).close(Side::server);
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports, [&](std::size_t at) {
        if (at == half) ports.finish_all();
    });
    check_same(shunted, read(t.trace, nullptr));
    CHECK(ports.begun == 1);
}

TEST_CASE("rules that are refused leave the transfer to the worker") {
    Transfer t;
    t.data.server(kLarge).close(Side::server);
    PlayedPorts ports;
    ports.refuses = true;
    const Told shunted = read(t.trace, &ports);
    CHECK(ports.begun == 1);
    CHECK(ports.counted == 0);
    check_same(shunted, read(t.trace, nullptr));
}

TEST_CASE("no more are with the ports than there is room for") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    std::vector<TcpTalk> open;
    for (int i = 0; i < 4; ++i) {
        ftp.client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,67).").client("RETR a").server("150 Yes.");
        open.push_back(ftp.passive(kDataPort));
        open.back().server(kLarge);
    }
    for (TcpTalk& data : open) data.close(Side::server);
    PlayedPorts ports;
    ports.room = 2;
    const Told shunted = read(trace, &ports);
    CHECK(ports.begun == 2);
    CHECK(shunted.events.at("shunt_limit") == 2);
    CHECK(shunted.records.size() == 4);
    for (const ConnRecord& r : shunted.records) CHECK(r.resp_bytes == kLarge.size());
    CHECK(std::count_if(shunted.records.begin(), shunted.records.end(), [](const auto& r) { return r.shunted; }) == 2);
}

TEST_CASE("a place is given again once connection and rules are gone") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login();
    for (int i = 0; i < 4; ++i) {
        ftp.client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,67).").client("RETR a").server("150 Yes.");
        ftp.passive(kDataPort).server(kLarge).close(Side::server);
        trace.wait(10 * kSecond);
    }
    PlayedPorts ports;
    ports.room = 1;
    const Told shunted = read(trace, &ports);
    CHECK(ports.begun == 4);
    CHECK(shunted.events.at("shunt_limit") == 0);
    check_same(shunted, read(trace, nullptr));
}

TEST_CASE("a small transfer stays with the worker") {
    Transfer t;
    t.data.server(std::string(15'000, 'x')).close(Side::server);
    PlayedPorts ports;
    check_same(read(t.trace, &ports), read(t.trace, nullptr));
    CHECK(ports.begun == 0);
}

TEST_CASE("what the port counted of more than 4 GiB is told by its figures and the number of the FIN") {
    Connection c;
    c.orig_side = 1;
    for (Endpoint& end : c.end) {
        end.state = TcpState::established;
        end.start_seq = 0xfffff000;
        end.last_seq = 0xfffff001;
        end.ack_seq = 0xfffff001;
        end.count_packet(52);
    }
    c.end[0].last_seq += 1000;
    c.end[0].delivered_rel = c.end[0].trimmed_rel = 1001;
    c.end[0].ack_seq += 1000;
    Shunted s;
    s.counting = true;
    const std::uint64_t packets = 7'000'000; // of 1448 bytes: 10.1 GB
    const std::uint64_t late = 3'400'000;    // of them, not told when the FIN comes
    add_counted(c, s, 0, packets - late, (packets - late) * 1500);
    s.side[0].headers = 52;
    Layer fin;
    fin.tcp_flags = kFin | kAck;
    const bool told_before = GENERATE(false, true);
    s = Shunted{};
    s.counting = true;
    s.side[0].headers = 52;
    c.end[0].last_seq = 0xfffff001 + 1000;
    c.end[0].packets_seq_wraps = c.end[0].ip_bytes_ack_wraps = 0;
    c.end[0].delivered_rel = c.end[0].trimmed_rel = 1001;
    add_counted(c, s, 0, packets - late, (packets - late) * 1500);
    if (told_before) add_counted(c, s, 0, late, late * 1500);
    fin.tcp_seq = static_cast<std::uint32_t>(0xfffff000 + 1001 + packets * 1448);
    fin.tcp_ack = c.end[1].last_seq;
    catch_up(c, s, fin, 0);
    if (!told_before) add_counted(c, s, 0, late, late * 1500);
    CHECK(c.end[0].last_rel() == 1001 + packets * 1448);
    CHECK(c.end[0].packets() == packets);
    CHECK(c.end[0].ip_bytes() == packets * 1500);
    CHECK(s.side[0].exact);
}

TEST_CASE("a RST with a number from nowhere moves nothing") {
    Transfer t;
    t.data.server(kLarge);
    t.data.send(Side::server, {.flags = kFlagRst, .seq = t.data.next_seq(Side::server) + 0x40000000});
    PlayedPorts ports;
    const Told shunted = read(t.trace, &ports);
    REQUIRE(shunted.records.size() == 1);
    CHECK(shunted.records[0].resp_bytes == read(t.trace, nullptr).records[0].resp_bytes);
}

TEST_CASE("one that its port counts makes no room for others at its endpoint") {
    Transfer t;
    t.data.server(kLarge);
    std::vector<TcpTalk> others; // more than are watched
    for (std::uint8_t i = 0; i < 100; ++i)
        others
            .emplace_back(t.trace, TalkOptions{.client = {IpAddress::from_v4(10, 0, 1, i), 40000},
                                               .server = {ip("10.0.0.2"), kDataPort}})
            .open()
            .client("x");
    t.data.server(kLarge).close(Side::server);
    PlayedPorts ports;
    Told told = read(t.trace, &ports);
    CHECK(ports.begun == 1);
    CHECK(told.events["first_bytes_memory"] > 0);
    CHECK(told.bytes == 2 * kLarge.size());
    CHECK(told.complete);
    const auto found = std::ranges::find_if(told.records, [](const ConnRecord& r) { return r.shunted; });
    REQUIRE(found != told.records.end());
    CHECK(found->resp_bytes == 2 * kLarge.size());
}
