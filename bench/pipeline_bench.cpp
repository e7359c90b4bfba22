// What a packet costs a worker, from the frame in memory to its record: decode, look-up, update, FTP, record.
//
// Cases: 64-byte data packets over 10 thousand to 10 million live connections in random order (the table misses the
// caches), mixed sizes, full-size packets, a flood of SYNs, connections of ten packets each that are recorded, FTP
// sessions. Bursts of 64 as a port hands them over. Records are drained as the logger would, outside of what is timed.
//
//     pipeline_bench [--json FILE] [CASE...]
#include "bench/measure.h"
#include "bench/workloads.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

void bench_live(Results& results, const std::string& name, std::uint32_t flows, const Payloads& payloads) {
    if (!results.wants(name)) return;
    constexpr Duration gap = 67; // 10 Gbit/s of 64-byte frames
    const std::uint64_t resident_before = resident_bytes();
    FrameBatch batch(kBatch, 14 + 40 + *std::max_element(payloads.begin(), payloads.end()));
    LiveTraffic traffic(flows, payloads);
    const std::uint64_t own = resident_bytes() - resident_before;
    BenchWorker worker(flows);
    while (traffic.handshakes(batch)) worker.run(batch, gap);
    traffic.fill(batch);
    worker.run(batch, gap);
    double best = 1e300, sum = 0;
    constexpr int rounds = 192;
    for (int round = 0; round < rounds; ++round) {
        traffic.fill(batch);
        const double ns = worker.run(batch, gap) / kBatch;
        best = std::min(best, ns);
        sum += ns;
    }
    const auto open = worker.worker().counters().connections_open.load();
    if (open != flows) std::fprintf(stderr, "%s: only %lu connections are open\n", name.c_str(), open);
    results.row(name, {{"ns_packet", best},
                       {"ns_packet_mean", sum / rounds},
                       {"bytes_connection", static_cast<double>(resident_bytes() - resident_before - own) / flows}});
}

void bench_syn_flood(Results& results) {
    if (!results.wants("SYN flood, table of 1 M")) return;
    FrameBatch batch(kBatch, 64);
    BenchWorker worker(1'000'000);
    SynFlood traffic;
    double ns = 0, packets = 0;
    for (int round = 0; round < 320; ++round) {
        traffic.fill(batch);
        const double elapsed = worker.run(batch, 67);
        if (round < 80) continue; // until the table is full
        ns += elapsed;
        packets += kBatch;
    }
    results.row("SYN flood, table of 1 M", {{"ns_packet", ns / packets},
                                            {"evicted", static_cast<double>(worker.event(Event::connection_evicted))}});
}

// Closed, and recorded after the usual five seconds.
void bench_short(Results& results) {
    const std::string name = "short connections, recorded";
    if (!results.wants(name)) return;
    constexpr Duration gap = 1000; // 100 thousand connections a second: half a million wait to be recorded
    FrameBatch batch(kBatch, 54 + 400);
    BenchWorker worker(2'000'000);
    ShortConnections traffic(16384);
    double ns = 0;
    std::uint64_t connections = 0;
    for (int round = 0; round < 960; ++round) {
        traffic.fill(batch);
        const std::uint64_t recorded = worker.conn_records();
        const double elapsed = worker.run(batch, gap);
        if (round < 640) continue; // until as many are recorded as opened
        ns += elapsed;
        connections += worker.conn_records() - recorded;
    }
    results.row(name, {{"ns_connection", ns / static_cast<double>(connections)},
                       {"connections_s", 1e9 * static_cast<double>(connections) / ns}});
}

void bench_ftp(Results& results) {
    const std::string name = "FTP sessions";
    if (!results.wants(name)) return;
    FrameBatch batch(kBatch, 192);
    BenchWorker worker(1'000'000);
    FtpSessions traffic;
    double ns = 0, commands = 0;
    for (int round = 0; round < 160; ++round) {
        const auto sent = static_cast<double>(traffic.fill(batch));
        const double elapsed = worker.run(batch, 10'000);
        if (round < 80) continue;
        ns += elapsed;
        commands += sent;
    }
    results.row(name, {{"ns_command", ns / commands}, {"commands_s", 1e9 * commands / ns}});
    if (worker.ftp_messages() == 0) std::fprintf(stderr, "no session was read\n");
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
