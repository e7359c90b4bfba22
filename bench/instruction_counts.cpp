// Fixed work, for callgrind to count: packets of five kinds through a worker, records through the logger.
//
// instructions.py runs it under valgrind, which collects only below ftpsensor_counted() and writes a profile each time
// that it is left. Here a line is printed for each, in the same order: how many items, of what, the case. What prepares
// a case is not counted. Without valgrind it does its work, and nobody counts.
//
//     instruction_counts [--compiler]
#include "bench/log_inputs.h"
#include "bench/workloads.h"
#include "core/log/record_merge.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

// Callgrind finds it by its name, so it must be called: not inlined, cloned, or left by a jump into the work.
extern "C" [[gnu::noinline]] void ftpsensor_counted(void (*work)(void*), void* on);
extern "C" void ftpsensor_counted(void (*work)(void*), void* on) {
    work(on);
    asm volatile("" ::: "memory");
}

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

template <class Work>
void count(Work work) {
    ftpsensor_counted([](void* on) { (*static_cast<Work*>(on))(); }, &work);
}

void say(std::uint64_t items, const char* unit, const char* name) {
    if (items == 0) {
        std::fprintf(stderr, "%s: nothing was done\n", name);
        std::exit(1);
    }
    std::printf("%llu\t%s\t%s\n", static_cast<unsigned long long>(items), unit, name);
}

void count_live(const char* name, const Payloads& payloads) {
    constexpr std::uint32_t flows = 1000;
    constexpr Duration gap = 67;
    FrameBatch batch(kBatch, 14 + 40 + 1460);
    LiveTraffic traffic(flows, payloads);
    BenchWorker worker(flows);
    while (traffic.handshakes(batch)) worker.run(batch, gap);
    traffic.fill(batch);
    worker.run(batch, gap);
    traffic.fill(batch);
    count([&] { worker.process(batch, gap); });
    say(worker.worker().counters().connections_open.load() == flows ? batch.size() : 0, "packet", name);
}

// Each SYN makes one of those before it leave the table, with a record.
void count_syn_flood() {
    constexpr Duration gap = 67;
    FrameBatch batch(kBatch, 64);
    BenchWorker worker(4096);
    SynFlood traffic;
    for (int i = 0; i < 2; ++i) {
        traffic.fill(batch);
        worker.run(batch, gap);
    }
    traffic.fill(batch);
    const std::uint64_t evicted = worker.event(Event::connection_evicted);
    count([&] { worker.process(batch, gap); });
    say(worker.event(Event::connection_evicted) - evicted, "packet", "SYN flood");
}

void count_short() {
    constexpr Duration gap = kMillisecond; // a batch spans 16 s: what was closed is recorded in the next one
    FrameBatch batch(kBatch, 54 + 400);
    BenchWorker worker(16384);
    ShortConnections traffic(256);
    for (int i = 0; i < 2; ++i) {
        traffic.fill(batch);
        worker.run(batch, gap);
    }
    traffic.fill(batch);
    const std::uint64_t recorded = worker.conn_records();
    count([&] { worker.process(batch, gap); });
    worker.drain();
    say(worker.conn_records() - recorded, "connection", "connections of ten packets, recorded");
}

struct FtpRecords {
    struct Item {
        FtpRecord record;
        std::string text;
    };
    std::deque<Item> items;
    Timestamp last = 0;
};

FtpRecords count_ftp_sessions() {
    constexpr Duration gap = kMillisecond;
    FrameBatch batch(kBatch, 192);
    BenchWorker worker(16384);
    FtpSessions traffic;
    traffic.fill(batch);
    worker.run(batch, gap);
    const std::uint64_t commands = traffic.fill(batch);
    count([&] { worker.process(batch, gap); });
    FtpRecords records;
    worker.drain([](const ConnRecord&, std::string_view) {},
                 [&](const FtpRecord& r, std::string_view text) {
                     records.items.push_back({r, std::string(text)});
                     records.last = std::max(records.last, r.key.time);
                 });
    say(records.items.empty() ? 0 : commands, "command", "FTP control lines");
    return records;
}

// The logger's thread and its writer's: from a record to a compressed entry, without a disk.
class Logger final : public LineSink {
public:
    explicit Logger(const char* log)
        : file_(disk_, rotation_, options(log), [](LogNotice, const std::string&) {}),
          builder_(entry_options(), types_, *this, events_) {}

    template <class... Record>
    void add(const Record&... record) {
        merge_.add(record...);
    }
    void release(Timestamp before) {
        merge_.release(before, builder_);
        file_.tick(before);
    }
    void line(LogKind, std::string_view text, Timestamp write_ts) override {
        file_.append(text, write_ts);
        ++lines_;
    }
    std::uint64_t lines() const { return lines_; }

private:
    static LogFileOptions options(const char* log) {
        LogFileOptions options;
        options.log = log;
        return options;
    }

    NoDisk disk_;
    const Rotation rotation_{RotationOptions{}};
    LogFile file_;
    EventCounters events_;
    NoTypes types_;
    RecordMerge merge_{IdKey::from_seed(1)};
    EntryBuilder builder_;
    std::uint64_t lines_ = 0;
};

void count_conn_records() {
    constexpr std::size_t records_count = 8000, released = 2000; // between two looks at the watermarks
    const auto records = conn_records(conn_entries(records_count));
    Logger logger("conn");
    std::size_t at = 0;
    const auto some = [&] {
        for (std::size_t i = 0; i < released; ++i) logger.add(records[at++], std::string_view{});
        logger.release(records[at - 1].key.time);
    };
    some(); // its buffers grow
    const std::uint64_t lines = logger.lines();
    count([&] {
        while (at < records.size()) some();
    });
    say(logger.lines() - lines, "record", "conn record, to its compressed entry");
}

void count_ftp_records(const FtpRecords& records) {
    Logger logger("ftp");
    count([&] {
        for (const auto& [record, text] : records.items) logger.add(record, std::string_view{text}, std::uint64_t{0});
        logger.release(records.last + 1);
    });
    say(logger.lines(), "entry", "ftp records, to their compressed entry");
}

// What numbers can be compared: those of one compiler and one of its major versions.
void say_compiler() {
#if defined(__clang__)
    std::printf("clang-%d\n", __clang_major__);
#else
    std::printf("gcc-%d\n", __GNUC__);
#endif
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 1) {
        if (std::string_view(argv[1]) != "--compiler") {
            std::fputs("usage: instruction_counts [--compiler]\n", stderr);
            return 2;
        }
        say_compiler();
        return 0;
    }
    count_live("64 bytes, known connections", all_of(6));
    count_live("mixed sizes, known connections", kImix);
    count_syn_flood();
    count_short();
    const FtpRecords records = count_ftp_sessions();
    count_conn_records();
    count_ftp_records(records);
}
