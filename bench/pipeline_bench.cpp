// What a packet costs a worker, from the frame in memory to its record: decode, look-up, update, FTP, record.
//
// Cases: 64-byte data packets over 10 thousand to 10 million live connections in random order (the table misses the
// caches), mixed sizes, full-size packets, a flood of SYNs, connections of ten packets each that are recorded, FTP
// sessions. Bursts of 64 as a port hands them over. Records are drained as the logger would, outside of what is timed.
//
//     pipeline_bench [--json FILE] [CASE...]
#include "bench/measure.h"
#include "bench/traffic.h"
#include "core/pipeline/worker.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

constexpr std::size_t kBurst = 64;
constexpr std::size_t kBatch = 1u << 14; // frames written, then run: as many as a port's pool has
constexpr Timestamp kStart = 1'597'559'161 * kSecond;
constexpr std::uint8_t kFlagFin = 1, kFlagSyn = 2, kFlagPsh = 8, kFlagAck = 16;

// A worker, and the time of its packets.
class Bench {
public:
    explicit Bench(std::uint32_t connections_max) : shared_(1) {
        PipelineOptions options;
        options.conn.connections_max = connections_max;
        options.conn.hash_secret = 0x1234567;
        options.conn.id_key = IdKey::from_seed(1);
        worker_ = std::make_unique<Worker>(0, options, shared_);
    }

    // Nanoseconds for all packets of the batch, `gap` apart.
    double run(const FrameBatch& batch, Duration gap) {
        std::array<PacketView, kBurst> burst;
        const double before = cpu_nanoseconds();
        for (std::size_t i = 0; i < batch.size(); i += kBurst) {
            const std::size_t n = std::min(kBurst, batch.size() - i);
            for (std::size_t j = 0; j < n; ++j)
                batch.view(i + j, now_ + gap * static_cast<Duration>(i + j + 1), burst[j]);
            worker_->process_burst({burst.data(), n});
        }
        const double elapsed = cpu_nanoseconds() - before;
        now_ += gap * static_cast<Duration>(batch.size());
        drain();
        return elapsed;
    }

    std::uint64_t conn_records() const { return conn_records_; }
    std::uint64_t ftp_messages() const { return ftp_messages_; }
    const Worker& worker() const { return *worker_; }
    std::uint64_t event(Event e) const { return worker_->events().value(e); }

private:
    void drain() {
        worker_->emitter().conn_channel().drain([this](const ConnRecord&, std::string_view) { ++conn_records_; });
        worker_->emitter().ftp_channel().drain([this](const FtpRecord& r, std::string_view) {
            if (r.kind == FtpRecordKind::message) ++ftp_messages_;
        });
    }

    SharedState shared_;
    std::unique_ptr<Worker> worker_;
    Timestamp now_ = kStart;
    std::uint64_t conn_records_ = 0;
    std::uint64_t ftp_messages_ = 0;
};

// Long-lived connections, as many as `flows`, each packet of another one.
class LiveTraffic {
public:
    LiveTraffic(std::uint32_t flows, std::array<std::uint32_t, 12> payloads)
        : flows_(flows), payloads_(payloads), sent_(flows) {}

    // The handshakes and a first request and answer, in batches; false: all are done.
    bool handshakes(FrameBatch& batch) {
        batch.clear();
        for (; opened_ < flows_ && batch.size() + 6 <= kBatch; ++opened_) {
            const auto add = [&](bool from_client, std::uint32_t seq, std::uint32_t ack, std::uint8_t flags,
                                 std::uint32_t payload) {
                batch.add({.flow = opened_,
                           .from_client = from_client,
                           .seq = seq,
                           .ack = ack,
                           .flags = flags,
                           .payload = payload});
            };
            add(true, 0, 0, kFlagSyn, 0);
            add(false, 0, 1, kFlagSyn | kFlagAck, 0);
            add(true, 1, 1, kFlagAck, 0);
            add(true, 1, 1, kFlagPsh | kFlagAck, 6);
            add(false, 1, 7, kFlagPsh | kFlagAck, 6);
            add(true, 7, 7, kFlagPsh | kFlagAck, 6);
            sent_[opened_] = {13, 7};
        }
        return batch.size() != 0;
    }

    void fill(FrameBatch& batch) {
        batch.clear();
        while (!batch.full()) {
            const std::uint32_t flow = random_.below(flows_);
            const std::uint32_t payload = payloads_[turn_++ % payloads_.size()];
            auto& sent = sent_[flow];
            const bool from_client = (turn_ & 1) != 0;
            std::uint32_t& seq = from_client ? sent.client : sent.server;
            batch.add({.flow = flow,
                       .from_client = from_client,
                       .seq = seq,
                       .ack = from_client ? sent.server : sent.client,
                       .flags = kFlagPsh | kFlagAck,
                       .payload = payload});
            seq += payload;
        }
    }

private:
    struct Sent {
        std::uint32_t client = 0, server = 0;
    };
    std::uint32_t flows_;
    std::array<std::uint32_t, 12> payloads_;
    std::vector<Sent> sent_;
    Sequence random_{7};
    std::uint32_t opened_ = 0;
    std::size_t turn_ = 0;
};

constexpr std::array<std::uint32_t, 12> all_of(std::uint32_t payload) {
    std::array<std::uint32_t, 12> all{};
    all.fill(payload);
    return all;
}

// "Simple IMIX": 7 of 64, 4 of 594, 1 of 1518 bytes.
constexpr std::array<std::uint32_t, 12> kImix = {6, 536, 6, 6, 536, 6, 1460, 6, 536, 6, 536, 6};

void bench_live(Results& results, const std::string& name, std::uint32_t flows,
                const std::array<std::uint32_t, 12>& payloads) {
    if (!results.wants(name)) return;
    constexpr Duration gap = 67; // 10 Gbit/s of 64-byte frames
    const std::uint64_t resident_before = resident_bytes();
    FrameBatch batch(kBatch, 14 + 40 + *std::max_element(payloads.begin(), payloads.end()));
    LiveTraffic traffic(flows, payloads);
    const std::uint64_t own = resident_bytes() - resident_before;
    Bench bench(flows);
    while (traffic.handshakes(batch)) bench.run(batch, gap);
    traffic.fill(batch);
    bench.run(batch, gap);
    double best = 1e300, sum = 0;
    constexpr int rounds = 192;
    for (int round = 0; round < rounds; ++round) {
        traffic.fill(batch);
        const double ns = bench.run(batch, gap) / kBatch;
        best = std::min(best, ns);
        sum += ns;
    }
    const auto open = bench.worker().counters().connections_open.load();
    if (open != flows) std::fprintf(stderr, "%s: only %lu connections are open\n", name.c_str(), open);
    results.row(name, {{"ns_packet", best},
                       {"ns_packet_mean", sum / rounds},
                       {"bytes_connection", static_cast<double>(resident_bytes() - resident_before - own) / flows}});
}

// SYNs of ever other clients to one port.
void bench_syn_flood(Results& results) {
    if (!results.wants("SYN flood, table of 1 M")) return;
    FrameBatch batch(kBatch, 64);
    Bench bench(1'000'000);
    std::uint32_t flow = 0;
    double ns = 0, packets = 0;
    for (int round = 0; round < 320; ++round) {
        batch.clear();
        while (!batch.full()) batch.add({.flow = flow++, .server_port = 80, .flags = kFlagSyn});
        const double elapsed = bench.run(batch, 67);
        if (round < 80) continue; // until the table is full
        ns += elapsed;
        packets += kBatch;
    }
    results.row("SYN flood, table of 1 M", {{"ns_packet", ns / packets},
                                            {"evicted", static_cast<double>(bench.event(Event::connection_evicted))}});
}

// Ten packets a connection, `live` of them at a time, closed and recorded after the usual five seconds.
void bench_short(Results& results) {
    const std::string name = "short connections, recorded";
    if (!results.wants(name)) return;
    constexpr std::uint32_t interleave = 16384; // connections in their ten packets at a time
    constexpr Duration gap = 1000;              // 100 thousand connections a second: half a million wait to be recorded
    FrameBatch batch(kBatch, 54 + 400);
    Bench bench(2'000'000);
    std::uint32_t base = 0, step = 0, at = 0;
    const auto add = [&](std::uint32_t flow) {
        using Tcp = FrameBatch::Tcp;
        static constexpr Tcp steps[10] = {
            {.seq = 0, .flags = kFlagSyn},
            {.from_client = false, .seq = 0, .ack = 1, .flags = kFlagSyn | kFlagAck},
            {.seq = 1, .ack = 1, .flags = kFlagAck},
            {.seq = 1, .ack = 1, .flags = kFlagPsh | kFlagAck, .payload = 100},
            {.from_client = false, .seq = 1, .ack = 101, .flags = kFlagPsh | kFlagAck, .payload = 400},
            {.seq = 101, .ack = 401, .flags = kFlagAck},
            {.from_client = false, .seq = 401, .ack = 101, .flags = kFlagPsh | kFlagAck, .payload = 400},
            {.seq = 101, .ack = 801, .flags = kFlagFin | kFlagAck},
            {.from_client = false, .seq = 801, .ack = 102, .flags = kFlagFin | kFlagAck},
            {.seq = 102, .ack = 802, .flags = kFlagAck},
        };
        Tcp segment = steps[step];
        segment.flow = flow;
        batch.add(segment);
    };
    double ns = 0;
    std::uint64_t connections = 0;
    for (int round = 0; round < 960; ++round) {
        batch.clear();
        while (!batch.full()) {
            add(base + at);
            if (++at < interleave) continue;
            at = 0;
            if (++step < 10) continue;
            step = 0;
            base += interleave;
        }
        const std::uint64_t recorded = bench.conn_records();
        const double elapsed = bench.run(batch, gap);
        if (round < 640) continue; // until as many are recorded as opened
        ns += elapsed;
        connections += bench.conn_records() - recorded;
    }
    results.row(name, {{"ns_connection", ns / static_cast<double>(connections)},
                       {"connections_s", 1e9 * static_cast<double>(connections) / ns}});
}

// Sessions that log in and fetch; each command and its reply are a packet.
void bench_ftp(Results& results) {
    const std::string name = "FTP sessions";
    if (!results.wants(name)) return;
    static constexpr std::pair<std::string_view, std::string_view> talk[] = {
        {"", "220 Welcome\r\n"},
        {"USER anonymous\r\n", "331 Please specify the password.\r\n"},
        {"PASS ftp@example.com\r\n", "230 Login successful.\r\n"},
        {"CWD /pub/stats/afrinic\r\n", "250 Directory successfully changed.\r\n"},
        {"TYPE I\r\n", "200 Switching to Binary mode.\r\n"},
        {"EPSV\r\n", "229 Entering Extended Passive Mode (|||31746|).\r\n"},
        {"RETR delegated-afrinic-extended-latest.md5\r\n", "226 Transfer complete.\r\n"},
        {"SIZE delegated-afrinic-extended-latest\r\n", "213 74\r\n"},
        {"MDTM delegated-afrinic-extended-latest\r\n", "213 20200816000102\r\n"},
        {"QUIT\r\n", "221 Goodbye.\r\n"},
    };
    FrameBatch batch(kBatch, 192);
    Bench bench(1'000'000);
    std::uint32_t flow = 0;
    double ns = 0, commands = 0;
    for (int round = 0; round < 160; ++round) {
        batch.clear();
        double sent = 0;
        while (batch.size() + 32 < kBatch) {
            std::uint32_t client = 1, server = 1;
            const auto add = [&](bool from_client, std::string_view text, std::uint8_t flags) {
                batch.add({.flow = flow,
                           .server_port = 21,
                           .from_client = from_client,
                           .seq = from_client ? client : server,
                           .ack = from_client ? server : client,
                           .flags = flags,
                           .text = text});
                (from_client ? client : server) += static_cast<std::uint32_t>(text.size());
            };
            batch.add({.flow = flow, .server_port = 21, .seq = 0, .flags = kFlagSyn});
            batch.add({.flow = flow, .server_port = 21, .from_client = false, .ack = 1, .flags = kFlagSyn | kFlagAck});
            for (const auto& [command, reply] : talk) {
                if (!command.empty()) add(true, command, kFlagPsh | kFlagAck);
                add(false, reply, kFlagPsh | kFlagAck);
                sent += command.empty() ? 0 : 1;
            }
            add(true, {}, kFlagFin | kFlagAck);
            ++client;
            add(false, {}, kFlagFin | kFlagAck);
            ++flow;
        }
        const double elapsed = bench.run(batch, 10'000);
        if (round < 80) continue;
        ns += elapsed;
        commands += sent;
    }
    results.row(name, {{"ns_command", ns / commands}, {"commands_s", 1e9 * commands / ns}});
    if (bench.ftp_messages() == 0) std::fprintf(stderr, "no session was read\n");
}

} // namespace

int main(int argc, char** argv) {
    Results results("pipeline", argc, argv);
    bench_live(results, "64 bytes, 10 k live", 10'000, all_of(6));
    bench_live(results, "64 bytes, 100 k live", 100'000, all_of(6));
    bench_live(results, "64 bytes, 1 M live", 1'000'000, all_of(6));
    bench_live(results, "64 bytes, 10 M live", 10'000'000, all_of(6));
    bench_live(results, "IMIX, 100 k live", 100'000, kImix);
    bench_live(results, "1514 bytes, 1 k live", 1'000, all_of(1460));
    bench_syn_flood(results);
    bench_short(results);
    bench_ftp(results);
}
