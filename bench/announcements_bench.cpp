// What announced data connections cost, in ns of CPU time: an announcement, from the worker that makes it to all that
// read it and to the join; and, for each connection of any kind, the question whether it was announced.
//
// A row a number of workers, with 1,000 announcements open and with 100,000 (--count). All on one thread: the board's
// cost is that of all its readers together, a question's that of one worker among as many tables.
//
//     announcements_bench [--json FILE] [--count ANNOUNCEMENTS] [CASE...]
#include "bench/measure.h"
#include "core/log/transfer_join.h"
#include "core/pipeline/announcements.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

constexpr Timestamp kStart = 1'600'000'000 * kSecond;
constexpr std::uint64_t kSecret = 0x9e3779b97f4a7c15;
constexpr std::size_t kReadEvery = 32; // announcements between two looks at the board
constexpr std::size_t kQuestions = 2'000'000;

std::uint64_t dice(std::uint64_t& state) { return mix(state += kSecret, 0xc2b2ae3d27d4eb4f); }

IpAddress address(std::uint64_t n) {
    return IpAddress::from_v4(10, static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                              static_cast<std::uint8_t>(n));
}

Announcement announcement(std::size_t n) {
    return {address(n % 5000), {}, static_cast<std::uint16_t>(1024 + n * 7 % 60000), kStart};
}

struct Tables {
    AnnouncementBoard board;
    std::vector<std::unique_ptr<AnnouncementHints>> hints;
    explicit Tables(std::size_t workers) : board(workers) {
        for (std::size_t i = 0; i < workers; ++i)
            hints.push_back(std::make_unique<AnnouncementHints>(1u << 20, kSecret, true));
    }
    void read() {
        for (std::size_t i = 0; i < hints.size(); ++i)
            board.read(i, [&](const Announcement& a) { hints[i]->add(a.address, a.port, a.time + 5 * kMinute); });
    }
};

double announce(Tables& tables, std::size_t count) {
    const double start = cpu_nanoseconds();
    for (std::size_t n = 0; n < count; ++n) {
        tables.board.append(announcement(n));
        if (n % kReadEvery == kReadEvery - 1) tables.read();
    }
    tables.read();
    return (cpu_nanoseconds() - start) / static_cast<double>(count);
}

// Of both ends of a connection that nobody announced, from any port to a port of a server, or to a high one.
double ask(const Tables& tables, bool high_port) {
    std::uint64_t state = 1, found = 0;
    const double start = cpu_nanoseconds();
    for (std::size_t n = 0; n < kQuestions; ++n) {
        const std::uint64_t r = dice(state);
        const AnnouncementHints& hints = *tables.hints[n % tables.hints.size()];
        const auto server_port = static_cast<std::uint16_t>(high_port ? 1024 + (r >> 32) % 60000 : 443);
        found += hints.contains(address(r % 60000), static_cast<std::uint16_t>(1024 + (r >> 16) % 60000), kStart);
        found += hints.contains(address((r >> 40) % 5000 + 100'000), server_port, kStart);
    }
    const double ns = (cpu_nanoseconds() - start) / static_cast<double>(kQuestions);
    if (found > kQuestions) std::printf("impossible\n"); // the answers are used
    return ns;
}

// The logger's part: an announcement, and the connection that comes for it, to its removal.
void join(Results& results, std::size_t count) {
    const std::string name = "join, " + std::to_string(count) + " open";
    if (!results.wants(name)) return;
    EventCounters events;
    TransferOptions options;
    options.announcements_max = 1u << 20;
    options.hash_secret = kSecret;
    const auto join = TransferJoin::make(options, events);
    FtpRecord r;
    r.key.time = kStart;
    r.channel.passive = true;
    const auto set = [&](std::size_t n) {
        const Announcement a = announcement(n);
        r.channel.resp_h = r.id.resp_h = a.address;
        r.channel.resp_p = r.id.resp_p = a.port;
        r.channel.orig_h = r.id.orig_h = address(70'000 + n);
    };
    double start = cpu_nanoseconds();
    for (std::size_t n = 0; n < count; ++n) {
        set(n);
        r.kind = FtpRecordKind::announcement;
        r.key.uid = {0, n % 1000 + 1};
        join->announcement(r);
    }
    const double announced = (cpu_nanoseconds() - start) / static_cast<double>(count);
    start = cpu_nanoseconds();
    for (std::size_t n = 0; n < count; ++n) {
        set(n);
        r.key.uid = {1, n};
        join->data_open(r);
        join->data_first(r);
        join->data_closed(r);
        join->data_removed(r);
        join->connection(r.key.uid, true);
    }
    results.row(name, {{"ns_announcement", announced},
                       {"ns_transfer", (cpu_nanoseconds() - start) / static_cast<double>(count)}});
}

void board(Results& results, std::size_t workers, std::size_t open) {
    const std::string name = std::to_string(workers) + " workers, " + std::to_string(open) + " open";
    if (!results.wants(name)) return;
    Tables tables(workers);
    const double announced = announce(tables, open);
    results.row(name, {{"ns_announcement", announced},
                       {"ns_connection_port_443", ask(tables, false)},
                       {"ns_connection_high_port", ask(tables, true)}});
}

} // namespace

int main(int argc, char** argv) {
    Results results("announcements", argc, argv);
    for (const std::size_t open : {std::size_t{1000}, results.count(100'000)}) {
        for (const std::size_t workers : {1u, 2u, 8u}) board(results, workers, open);
        join(results, open);
    }
}
