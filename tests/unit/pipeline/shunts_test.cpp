// A transfer that a port counts (capture.shunt) has the entry that it has without: the same packets, through a worker
// with ports and through one without. The ports here are played: what rules would match is counted and not handed on.
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kDataPort = 40003;

// As ports with flow rules do it: FIN, RST and SYN come through, or (`blind`) nothing does.
class PlayedPorts final : public ShuntPorts {
public:
    EventCounters events;
    Decoder decoder{{.fragment_bytes_max = 64 * 1024, .fragment_datagrams_max = 4}, events};
    bool blind = false;
    bool refuses = false;
    std::uint32_t room = 8;
    std::size_t report_each = 10; // packets counted
    std::size_t queued = 0;       // packets that were received before the rules were there and come through later

    std::uint32_t max() const override { return room; }
    void begin(std::size_t, ShuntTicket ticket, const ShuntFlow& flow) override {
        ++begun;
        if (refuses) {
            reports.push_back({ticket, ShuntReport::What::ended, {}});
            return;
        }
        rules.push_back({ticket, flow, {}});
        reports.push_back({ticket, ShuntReport::What::begun, {}});
    }
    void end(std::size_t, ShuntTicket ticket, bool at_once) override {
        if (at_once)
            finish(ticket);
        else
            ending.push_back(ticket);
    }
    bool next_report(std::size_t, ShuntReport& report) override {
        if (reports.empty()) return false;
        report = reports.front();
        reports.pop_front();
        return true;
    }

    // True: counted, the worker never sees it.
    bool counts(const PacketView& view) {
        DecodedPacket decoded;
        decoder.decode(view, decoded);
        const Layer& layer = decoded.layers[0];
        if (decoded.layer_count == 0 || (!blind && (layer.tcp_flags & (kFin | kSyn | kRst)) != 0)) return false;
        for (Rule& rule : rules) {
            for (unsigned side = 0; side < 2; ++side) {
                if (layer.source != rule.flow.address[side] || layer.source_port != rule.flow.port[side] ||
                    layer.destination != rule.flow.address[side ^ 1] ||
                    layer.destination_port != rule.flow.port[side ^ 1])
                    continue;
                if (queued != 0) {
                    --queued;
                    return false;
                }
                ++rule.counts[side].packets;
                rule.counts[side].bytes += view.length;
                tags = rule.flow.vlan_tags;
                if (++counted % report_each == 0) report(rule, ShuntReport::What::counted);
                return true;
            }
        }
        return false;
    }
    void finish(ShuntTicket ticket) { // the rules are taken away
        const auto rule =
            std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.ticket.place == ticket.place; });
        if (rule == rules.end()) return;
        report(*rule, ShuntReport::What::ended);
        rules.erase(rule);
    }
    void finish_ending() {
        for (const ShuntTicket ticket : ending) finish(ticket);
        ending.clear();
    }
    void finish_all() {
        while (!rules.empty()) finish(rules.front().ticket);
    }

    std::size_t begun = 0;
    std::size_t counted = 0;
    std::uint8_t tags = 0;
    std::deque<ShuntReport> reports;

private:
    struct Rule {
        ShuntTicket ticket;
        ShuntFlow flow;
        ShuntCounts counts[2];
    };
    void report(Rule& rule, ShuntReport::What what) {
        reports.push_back({rule.ticket, what, {rule.counts[0], rule.counts[1]}});
        rule.counts[0] = rule.counts[1] = {};
    }
    std::vector<Rule> rules;
    std::vector<ShuntTicket> ending;
};

struct Told {
    std::vector<ConnRecord> records; // of data connections
    std::map<std::string, std::uint64_t> events;
    std::uint64_t bytes = 0; // as the logger was told at the connection's end
    bool complete = false;
    std::string history(std::size_t i = 0) const {
        return {records[i].history,
                records[i].history + std::min<std::size_t>(records[i].history_size, ConnRecord::kHistoryInline)};
    }
};

Told read(const Trace& trace, PlayedPorts* ports, const std::function<void(std::size_t)>& before = {}) {
    PipelineOptions options;
    options.conn.connections_max = 1024;
    options.emitter.queue_records = 4096; // malloc fills what it gives out (MALLOC_PERTURB_), a hundred times here
    options.emitter.text_bytes = 1u << 20;
    options.shunt = ports;
    options.shunt_after = 20'000;
    options.run_out_delays = false; // as live
    SharedState shared(1);
    Worker worker(0, options, shared);
    std::size_t at = 0;
    Timestamp now = 0;
    for (const PacketView& view : trace.views()) {
        if (before) before(at);
        ++at;
        while (now != 0 && now + kSecond < view.now) { // figures that come with delay are there within two seconds
            worker.idle(now += kSecond);
            if (ports != nullptr) ports->finish_ending();
        }
        now = view.now;
        if (ports != nullptr && ports->counts(view)) {
            worker.idle(now); // its time goes on with the clock
            continue;
        }
        worker.process_burst({&view, 1});
    }
    if (ports != nullptr) {
        ports->finish_all();
    }
    worker.idle(now);
    worker.finish(now);
    Told told;
    worker.emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view) {
        if (r.id.resp_p == kDataPort) told.records.push_back(r);
    });
    worker.emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view) {
        if (r.kind != FtpRecordKind::data_closed) return;
        told.bytes = r.bytes;
        told.complete = r.complete;
    });
    for (std::size_t i = 0; i < kEventCount; ++i)
        told.events[std::string(event_name(static_cast<Event>(i)))] = worker.events().value(static_cast<Event>(i));
    return told;
}

struct Transfer {
    Trace trace;
    FtpTalk ftp;
    TcpTalk data;
    explicit Transfer(const TalkOptions& options = {}) : ftp(trace, options), data(announced()) {}
    TcpTalk announced() {
        ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,67).");
        ftp.client("RETR large.bin").server("150 Here it comes.");
        return ftp.passive(kDataPort);
    }
};

const std::string kLarge(300'000, 'x');

// The same letters in the same order, but for those of packets that only the port saw: the last acknowledgement.
bool is_part_of(const std::string& part, const std::string& whole) {
    std::size_t at = 0;
    for (const char letter : whole)
        if (at < part.size() && part[at] == letter) ++at;
    return at == part.size() && part.size() + 1 >= whole.size();
}

void check_same(const Told& shunted, const Told& plain) {
    REQUIRE(shunted.records.size() == plain.records.size());
    for (std::size_t i = 0; i < plain.records.size(); ++i) {
        const ConnRecord &a = shunted.records[i], &b = plain.records[i];
        CHECK(a.orig_bytes == b.orig_bytes);
        CHECK(a.resp_bytes == b.resp_bytes);
        CHECK(a.orig_pkts == b.orig_pkts);
        CHECK(a.resp_pkts == b.resp_pkts);
        CHECK(a.orig_ip_bytes == b.orig_ip_bytes);
        CHECK(a.resp_ip_bytes == b.resp_ip_bytes);
        CHECK(a.missed_bytes == b.missed_bytes);
        CHECK(a.state == b.state);
        CHECK(a.start == b.start);
        CHECK(a.last == b.last);
        CHECK(is_part_of(shunted.history(i), plain.history(i)));
    }
    CHECK(shunted.complete == plain.complete);
}

} // namespace

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
