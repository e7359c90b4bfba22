// The logger's own cost: records merged into entries, entries formatted, and their text compressed at each level.
//
//   log_bench [entries] [merge | write | format]
//
// Prints ns of CPU time an entry, bytes an entry and the compression ratio. "merge" is all that the logger's thread
// does with a conn record: ordered, its uid hashed, made an entry, formatted, handed on. "write" is all that the
// writer's thread does with it then, but for the disk. One thread, everything in memory; entries vary as those of a
// busy link do (addresses, ports, counts, histories), so that caches and the compressor see what they will see.
#include "config/config.h"
#include "core/log/entry_builder.h"
#include "core/log/format.h"
#include "core/log/gzip_member.h"
#include "core/log/log_file.h"
#include "core/log/record_merge.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <time.h>

namespace {

using namespace ftpsensor;

constexpr std::size_t kMemberTextBytes = 1u << 20; // what a flush hands to the compressor
constexpr Timestamp kBegin = 1597559161 * kSecond;

IpAddress random_address(std::mt19937_64& random, bool v6) {
    const std::uint64_t r = random();
    if (!v6)
        return IpAddress::from_v4(10, static_cast<std::uint8_t>(r % 4), static_cast<std::uint8_t>(r >> 8),
                                  static_cast<std::uint8_t>(r >> 16));
    std::uint8_t bytes[16] = {0x20, 0x01, 0x0d, 0xb8};
    std::memcpy(bytes + 8, &r, sizeof r);
    return IpAddress::from_v6(bytes);
}

EndpointId random_endpoints(std::mt19937_64& random, std::uint16_t port) {
    const bool v6 = random() % 8 == 0;
    return {random_address(random, v6), static_cast<std::uint16_t>(32768 + random() % 28000),
            random_address(random, v6), port};
}

std::vector<ConnEntry> conn_entries(std::size_t count) {
    static constexpr std::string_view histories[] = {"ShAdDafF", "ShAdDaFf", "S", "Dd", "ShADadfF", "ShADadR", "Sr"};
    static constexpr std::uint16_t ports[] = {21, 22, 80, 443, 53, 8080};
    std::mt19937_64 random(1);
    std::vector<ConnEntry> entries(count);
    Timestamp now = kBegin;
    for (ConnEntry& e : entries) {
        now += static_cast<Timestamp>(random() % 2000); // a million a second
        e.write_ts = now;
        e.ts = now - static_cast<Timestamp>(random() % (20 * kSecond));
        e.uid = {static_cast<std::uint32_t>(random()), random()};
        e.id = random_endpoints(random, ports[random() % 6]);
        e.proto = random() % 5 == 0 ? Transport::udp : Transport::tcp;
        e.services = e.id.resp_p == 21 ? kServiceFtp : 0;
        e.duration = zeek_seconds(now) - zeek_seconds(e.ts);
        e.orig_bytes = random() % 5000;
        e.resp_bytes = random() % 500'000;
        e.state = static_cast<ConnState>(random() % 13);
        e.local_orig = true;
        e.local_resp = random() % 2 == 0;
        e.history = histories[random() % 7];
        e.orig_pkts = random() % 60;
        e.orig_ip_bytes = *e.orig_bytes + e.orig_pkts * 40;
        e.resp_pkts = random() % 400;
        e.resp_ip_bytes = *e.resp_bytes + e.resp_pkts * 40;
        e.ip_proto = e.proto == Transport::tcp ? 6 : 17;
    }
    return entries;
}

std::vector<FtpEntry> ftp_entries(std::size_t count) {
    static std::vector<std::string> paths;
    std::mt19937_64 random(2);
    for (int i = 0; i < 1000; ++i)
        paths.push_back("ftp://196.216.2.24/pub/stats/afrinic/delegated-" + std::to_string(random() % 100'000) +
                        ".md5");
    std::vector<FtpEntry> entries(count);
    Timestamp now = kBegin;
    for (FtpEntry& e : entries) {
        now += static_cast<Timestamp>(random() % 2000);
        e.write_ts = now;
        e.ts = now - static_cast<Timestamp>(random() % kSecond);
        e.uid = {static_cast<std::uint32_t>(random()), random()};
        e.id = random_endpoints(random, 21);
        e.user = "anonymous";
        e.password = "ftp@example.com";
        if (random() % 2 == 0) {
            e.command = "EPSV";
            e.reply_code = 229;
            e.reply_msg = "Entering Extended Passive Mode (|||31746|).";
            e.data_channel = DataChannel{true, e.id.orig_h, e.id.resp_h, static_cast<std::uint16_t>(random())};
        } else {
            e.command = "RETR";
            e.arg = paths[random() % paths.size()];
            e.file_size = random() % 1'000'000;
            e.reply_code = 226;
            e.reply_msg = "Transfer complete.";
            e.fuid = Id96{static_cast<std::uint32_t>(random()), random()};
        }
    }
    return entries;
}

// CPU time of this thread: what others do on the machine is not ours.
double cpu_nanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <typename Work>
double nanoseconds(Work work) {
    const double begin = cpu_nanoseconds();
    work();
    return cpu_nanoseconds() - begin;
}

template <typename Entry>
void bench_format(const char* name, const std::vector<Entry>& entries, LogFormat format, std::string* text) {
    FormatOptions options;
    options.format = format;
    options.system_name = "ds61";
    options.node = "worker-01";
    Formatter formatter(options);
    ByteBuffer buffer;
    std::size_t bytes = 0;
    double best = 1e300;
    for (int round = 0; round < 5; ++round) {
        bytes = 0;
        best = std::min(best, nanoseconds([&] {
                            for (const Entry& entry : entries) {
                                formatter.append(entry, buffer);
                                if (buffer.size() < kMemberTextBytes) continue;
                                bytes += buffer.size();
                                if (text != nullptr && round == 0) text->append(buffer.text());
                                buffer.clear();
                            }
                        }));
    }
    const auto count = static_cast<double>(entries.size());
    std::printf("format  %-10s %7.0f ns an entry  %6.0f bytes\n", name, best / count,
                static_cast<double>(bytes) / count);
}

void bench_compress(const char* name, const std::string& text, std::size_t entries) {
    for (unsigned level = 0; level <= GzipCompressor::kLevelMax; ++level) {
        GzipCompressor compressor(level);
        std::size_t out = 0;
        double best = 1e300;
        for (int round = 0; round < 3; ++round) {
            out = 0;
            best = std::min(
                best, nanoseconds([&] {
                    for (std::size_t at = 0; at < text.size(); at += kMemberTextBytes)
                        out += compressor.compress(std::string_view(text).substr(at, kMemberTextBytes), {}).size();
                }));
        }
        std::printf("level %u %-10s %7.0f ns an entry  %6.2f ns a byte  to 1/%.2f\n", level, name,
                    best / static_cast<double>(entries), best / static_cast<double>(text.size()),
                    static_cast<double>(text.size()) / static_cast<double>(out));
    }
}

std::vector<ConnRecord> conn_records(const std::vector<ConnEntry>& entries) {
    std::vector<ConnRecord> records;
    std::mt19937_64 random(3);
    for (const ConnEntry& e : entries) {
        ConnRecord r;
        r.key = {e.write_ts, 0, {}, 0xffffffff};
        r.start = e.ts;
        r.last = e.write_ts;
        r.first_seq = static_cast<std::uint32_t>(random());
        r.id = e.id;
        r.proto = e.proto;
        r.ip_proto = e.ip_proto;
        r.state = e.state;
        r.services = e.services;
        r.history_size = static_cast<std::uint8_t>(e.history.size());
        std::memcpy(r.history, e.history.data(), e.history.size());
        r.orig_bytes = *e.orig_bytes;
        r.resp_bytes = *e.resp_bytes;
        r.orig_pkts = e.orig_pkts;
        r.orig_ip_bytes = e.orig_ip_bytes;
        r.resp_pkts = e.resp_pkts;
        r.resp_ip_bytes = e.resp_ip_bytes;
        records.push_back(r);
    }
    return records;
}

class NoTypes final : public TypeSource {
public:
    std::uint64_t submit(std::string_view, MimeStage) override { return 0; }
    std::string_view take(std::uint64_t) override { return {}; }
};

// Collects lines as the Engine's logger does.
class Lines final : public LineSink {
public:
    void line(LogKind, std::string_view text, Timestamp write_ts) override {
        text_.append(text);
        times_.push_back(write_ts);
        if (text_.size() < kMemberTextBytes / 4) return;
        bytes_ += text_.size();
        text_.clear();
        times_.clear();
    }
    std::size_t bytes() const { return bytes_; }

private:
    std::string text_;
    std::vector<Timestamp> times_;
    std::size_t bytes_ = 0;
};

void bench_merge(const std::vector<ConnEntry>& entries) {
    constexpr std::size_t kReleased = 2000; // records between two looks at the watermarks
    constexpr std::size_t kWorkers = 4;     // whose streams take turns
    EntryOptions options;
    options.format.system_name = "ds61";
    options.format.node = "worker-01";
    options.local_networks = Config{}.local_networks;
    const std::vector<ConnRecord> records = conn_records(entries);
    double best = 1e300;
    std::size_t bytes = 0;
    for (int round = 0; round < 5; ++round) {
        EventCounters events;
        NoTypes types;
        Lines lines;
        RecordMerge merge(IdKey::from_seed(1));
        EntryBuilder builder(options, types, lines, events);
        best = std::min(best, nanoseconds([&] {
                            for (std::size_t at = 0; at < records.size(); at += kReleased) {
                                const std::size_t end = std::min(at + kReleased, records.size());
                                for (std::size_t worker = 0; worker < kWorkers; ++worker)
                                    for (std::size_t i = at + worker; i < end; i += kWorkers) merge.add(records[i], {});
                                merge.release(records[end - 1].key.time, builder);
                            }
                        }));
        bytes = lines.bytes();
    }
    std::printf("merge   conn json  %7.0f ns an entry  %6.0f bytes\n", best / static_cast<double>(records.size()),
                static_cast<double>(bytes) / static_cast<double>(records.size()));
}

class NoDisk final : public FileSystem {
public:
    int open(const std::string&, int, mode_t) override { return 3; }
    int close(int) override { return 0; }
    ssize_t write_at(int, std::span<const std::uint8_t> bytes, std::uint64_t) override { return std::ssize(bytes); }
    ssize_t read_at(int, std::span<std::uint8_t>, std::uint64_t) override { return 0; }
    int truncate(int, std::uint64_t) override { return 0; }
    int sync(int) override { return 0; }
    std::int64_t size(int) override { return 0; }
    bool is_at(int, const std::string&) override { return true; }
    int set_access(int, mode_t, std::optional<gid_t>) override { return 0; }
    int rename_to_new(const std::string&, const std::string&) override { return 0; }
    int remove(const std::string&) override { return 0; }
    int make_directory(const std::string&, mode_t, std::optional<gid_t>) override { return 0; }
    int list(const std::string&, std::vector<std::string>&) override { return 0; }
    int status(const std::string&, FileStatus&) override { return 0; }
    int remove_directory(const std::string&) override { return 0; }
    std::int64_t free_bytes(const std::string&) override { return 0; }
};

// `text`: what the entries are as lines.
void bench_write(const std::vector<ConnEntry>& entries, const std::string& text) {
    NoDisk disk;
    const Rotation rotation{RotationOptions{}};
    double best = 1e300;
    std::size_t count = 0;
    for (int round = 0; round < 3; ++round) {
        LogFileOptions options;
        options.log = "conn";
        LogFile file(disk, rotation, options, [](LogNotice, const std::string&) {});
        count = 0;
        best = std::min(best, nanoseconds([&] {
                            for (std::size_t at = 0; at < text.size(); ++count) {
                                const std::size_t end = text.find('\n', at) + 1;
                                file.append(std::string_view(text).substr(at, end - at), entries[count].write_ts);
                                at = end;
                            }
                        }));
    }
    std::printf("write   conn json  %7.0f ns an entry\n", best / static_cast<double>(count));
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view argument = argc > 1 ? argv[1] : "200000";
    const std::string_view part = argc > 2 ? argv[2] : "";
    std::size_t count = 0;
    if (std::from_chars(argument.data(), argument.data() + argument.size(), count).ec != std::errc{} ||
        count < 10'000) {
        std::fputs("usage: log_bench [entries, at least 10000] [merge | write | format]\n", stderr);
        return 2;
    }
    std::string conn_text, ftp_text;
    const auto conn = conn_entries(count);
    const auto ftp = ftp_entries(count);
    if (part.empty() || part == "merge") bench_merge(conn);
    if (part == "merge") return 0;
    bench_format("conn json", conn, LogFormat::json, &conn_text);
    bench_format("conn tsv", conn, LogFormat::tsv, nullptr);
    bench_format("ftp json", ftp, LogFormat::json, &ftp_text);
    bench_format("ftp tsv", ftp, LogFormat::tsv, nullptr);
    if (part.empty() || part == "write") bench_write(conn, conn_text);
    if (!part.empty()) return 0;
    bench_compress("conn json", conn_text, count);
    bench_compress("ftp json", ftp_text, count);
    return 0;
}
