// The logger's own cost: records merged into entries, entries formatted, and their text compressed at each level.
//
// "merge" is all that the logger's thread does with a conn record: ordered, its uid hashed, made an entry, formatted,
// handed on. "write" is all that the writer's thread does with it then, but for the disk. "queue" is a record's way
// through a worker's channel, both ends on one thread. One thread, everything in memory.
//
//     log_bench [--json FILE] [--count ENTRIES] [CASE...]
#include "bench/log_inputs.h"
#include "bench/measure.h"
#include "core/log/format.h"
#include "core/log/gzip_member.h"
#include "core/log/record_merge.h"
#include "core/record/channel.h"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

constexpr std::size_t kMemberTextBytes = 1u << 20; // what a flush hands to the compressor

// The least of `rounds` times of `work`, in nanoseconds of CPU time.
template <typename Work>
double least_nanoseconds(int rounds, Work work) {
    double best = 1e300;
    for (int round = 0; round < rounds; ++round) {
        const double begin = cpu_nanoseconds();
        work();
        best = std::min(best, cpu_nanoseconds() - begin);
    }
    return best;
}

template <typename Entry>
std::string text_of(const std::vector<Entry>& entries, LogFormat format) {
    FormatOptions options = entry_options().format;
    options.format = format;
    Formatter formatter(options);
    TextBuffer buffer;
    std::string text;
    for (const Entry& entry : entries) {
        formatter.append(entry, buffer);
        text.append(buffer.text());
        buffer.clear();
    }
    return text;
}

template <typename Entry>
void bench_format(Results& results, const std::string& name, const std::vector<Entry>& entries, LogFormat format) {
    if (!results.wants(name)) return;
    FormatOptions options = entry_options().format;
    options.format = format;
    Formatter formatter(options);
    TextBuffer buffer;
    std::size_t bytes = 0;
    const double ns = least_nanoseconds(5, [&] {
        bytes = 0;
        for (const Entry& entry : entries) {
            formatter.append(entry, buffer);
            if (buffer.size() < kMemberTextBytes) continue;
            bytes += buffer.size();
            buffer.clear();
        }
        bytes += buffer.size();
        buffer.clear();
    });
    const auto count = static_cast<double>(entries.size());
    results.row(name, {{"ns_entry", ns / count}, {"bytes_entry", static_cast<double>(bytes) / count}});
}

void bench_compress(Results& results, const std::string& what, const std::string& text, std::size_t entries) {
    for (unsigned level = 0; level <= GzipCompressor::kLevelMax; ++level) {
        const std::string name = "compress " + what + ", level " + std::to_string(level);
        if (!results.wants(name)) continue;
        GzipCompressor compressor(level);
        std::size_t out = 0;
        const double ns = least_nanoseconds(3, [&] {
            out = 0;
            for (std::size_t at = 0; at < text.size(); at += kMemberTextBytes)
                out += compressor.compress(std::string_view(text).substr(at, kMemberTextBytes), {}).size();
        });
        results.row(name, {{"ns_entry", ns / static_cast<double>(entries)},
                           {"ns_byte", ns / static_cast<double>(text.size())},
                           {"times_smaller", static_cast<double>(text.size()) / static_cast<double>(out)}});
    }
}

void bench_queue(Results& results, const std::vector<ConnRecord>& records) {
    const std::string name = "queue, conn records";
    if (!results.wants(name)) return;
    constexpr std::size_t kWaiting = 2000; // between two looks of the logger
    RecordChannel<ConnRecord> channel(65536, 1u << 20);
    std::uint64_t packets = 0;
    const double ns = least_nanoseconds(5, [&] {
        for (std::size_t at = 0; at < records.size(); at += kWaiting) {
            const std::size_t end = std::min(at + kWaiting, records.size());
            for (std::size_t i = at; i < end; ++i) channel.push(records[i]);
            channel.drain([&](const ConnRecord& r, std::string_view) { packets += r.orig_pkts; });
        }
    });
    results.row(name, {{"ns_record", ns / static_cast<double>(records.size())},
                       {"bytes_record", static_cast<double>(sizeof(ConnRecord))}});
    if (packets == 0) std::fprintf(stderr, "%s: nothing came through\n", name.c_str());
}

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
    std::size_t bytes() const { return bytes_ + text_.size(); }

private:
    std::string text_;
    std::vector<Timestamp> times_;
    std::size_t bytes_ = 0;
};

void bench_merge(Results& results, const std::vector<ConnRecord>& records) {
    const std::string name = "merge, conn json";
    if (!results.wants(name)) return;
    constexpr std::size_t kReleased = 2000; // records between two looks at the watermarks
    constexpr std::size_t kWorkers = 4;     // whose streams take turns
    double best = 1e300;
    std::size_t bytes = 0;
    for (int round = 0; round < 5; ++round) {
        EventCounters events;
        NoTypes types;
        Lines lines;
        RecordMerge merge(IdKey::from_seed(1));
        EntryBuilder builder(entry_options(), types, lines, events);
        best = std::min(best, least_nanoseconds(1, [&] {
                            for (std::size_t at = 0; at < records.size(); at += kReleased) {
                                const std::size_t end = std::min(at + kReleased, records.size());
                                for (std::size_t worker = 0; worker < kWorkers; ++worker)
                                    for (std::size_t i = at + worker; i < end; i += kWorkers) merge.add(records[i], {});
                                merge.release(records[end - 1].key.time, builder);
                            }
                        }));
        bytes = lines.bytes();
    }
    const auto count = static_cast<double>(records.size());
    results.row(name, {{"ns_entry", best / count}, {"bytes_entry", static_cast<double>(bytes) / count}});
}

void bench_write(Results& results, const std::vector<ConnEntry>& entries, const std::string& text) {
    const std::string name = "write, conn json";
    if (!results.wants(name)) return;
    NoDisk disk;
    const Rotation rotation{RotationOptions{}};
    double best = 1e300;
    std::size_t count = 0;
    for (int round = 0; round < 3; ++round) {
        LogFileOptions options;
        options.log = "conn";
        LogFile file(disk, rotation, options, [](LogNotice, const std::string&) {});
        count = 0;
        best = std::min(best, least_nanoseconds(1, [&] {
                            for (std::size_t at = 0; at < text.size(); ++count) {
                                const std::size_t end = text.find('\n', at) + 1;
                                file.append(std::string_view(text).substr(at, end - at), entries[count].write_ts);
                                at = end;
                            }
                        }));
    }
    results.row(name, {{"ns_entry", best / static_cast<double>(count)}});
}

} // namespace

int main(int argc, char** argv) {
    Results results("log", argc, argv);
    const std::size_t count = results.count(200'000);
    const auto conn = conn_entries(count);
    const auto ftp = ftp_entries(count);
    const auto records = conn_records(conn);
    bench_queue(results, records);
    bench_merge(results, records);
    bench_format(results, "format, conn json", conn, LogFormat::json);
    bench_format(results, "format, conn tsv", conn, LogFormat::tsv);
    bench_format(results, "format, ftp json", ftp, LogFormat::json);
    bench_format(results, "format, ftp tsv", ftp, LogFormat::tsv);
    const std::string conn_text = text_of(conn, LogFormat::json);
    bench_write(results, conn, conn_text);
    bench_compress(results, "conn json", conn_text, count);
    bench_compress(results, "ftp json", text_of(ftp, LogFormat::json), count);
}
