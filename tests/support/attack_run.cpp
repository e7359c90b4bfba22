#include "tests/support/attack_run.h"

#include "tests/support/ftp_talk.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

#include <time.h>
#include <unistd.h>

namespace ftpsensor::test {

namespace {

constexpr std::size_t kInnocents = 20;
constexpr Duration kThinking = 20 * kSecond;
constexpr std::string_view kInnocent = R"("id.orig_h":"10.1.0.)";

std::size_t resident_bytes() {
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (file == nullptr) return 0;
    std::size_t all = 0, resident = 0;
    const int read = std::fscanf(file, "%zu %zu", &all, &resident);
    std::fclose(file);
    return read == 2 ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

// Of processor time, so that what else runs on the machine does not count.
std::int64_t thread_nanoseconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * kSecond + time.tv_nsec;
}

// One session with a transfer, whose client thinks for a while before each command.
void talk(Trace& trace, std::uint8_t client, Duration pause) {
    FtpTalk ftp(trace, {.client = {IpAddress::from_v4(10, 1, 0, client), 40000},
                        .server = {IpAddress::from_v4(10, 2, 0, client), 21}});
    const auto think = [&] { trace.wait(pause); };
    ftp.server("220 Hi.");
    think();
    ftp.client("USER bob").server("331 Password?");
    think();
    ftp.client("PASS x").server("230 In.").client("PASV");
    ftp.server("227 Entering Passive Mode (10,2,0," + std::to_string(client) + ",156,64).");
    ftp.client("RETR a.txt").server("150 Now.");
    TcpTalk data = ftp.passive(40000);
    think();
    data.server(std::string(3000, 'x'));
    think();
    ftp.download(data, std::string(2000, 'y')).server("226 Done.");
    think();
    ftp.client("PASV").server("227 Entering Passive Mode (10,2,0," + std::to_string(client) + ",156,65).");
    ftp.client("RETR c.txt").server("150 Now.");
    TcpTalk stopped = ftp.passive(40001);
    stopped.server(std::string(3000, 'x'));
    ftp.client("ABOR"); // the entry says how much has moved so far
    stopped.server(std::string(3000, 'y')).close(Side::server);
    ftp.server("426 Stopped.").server("226 Done.");
    TcpTalk& control = ftp.control(); // two segments of it trade places on the way
    const std::string first = "DELE ", second = "b.txt\r\n";
    control.send(Side::client,
                 {.text = second, .seq = control.next_seq(Side::client) + static_cast<std::uint32_t>(first.size())});
    control.client(first).skip(Side::client, static_cast<std::uint32_t>(second.size()));
    ftp.server("250 Gone.").quit();
}

// Sessions one beside the other, over the middle of the attack's time.
std::vector<TimedFrame> innocent_frames(Timestamp start, Duration length) {
    std::vector<TimedFrame> all;
    for (std::size_t i = 0; i < kInnocents; ++i) {
        Trace trace(start + length / 4 + static_cast<Duration>(i) * length / (4 * static_cast<Duration>(kInnocents)));
        talk(trace, static_cast<std::uint8_t>(1 + i), std::min(length / 16, kThinking));
        const auto& frames = trace.frames();
        all.insert(all.end(), frames.begin(), frames.end());
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
    return all;
}

PacketView view_of(const Bytes& bytes, Timestamp time) {
    PacketView view;
    view.data = bytes.data();
    view.captured = view.length = static_cast<std::uint32_t>(bytes.size());
    view.time = view.now = time;
    return view;
}

// The lines of the innocents, by how often each is there.
class Innocents {
public:
    // Under pressure a connection that is closed need not stay for the end of its closing delay: when its entry was
    // written is not compared.
    void line(LogKind log, std::string_view line) {
        if (line.find(kInnocent) == std::string_view::npos) return;
        std::string text(line);
        if (log == LogKind::conn)
            text.erase(text.find("\"_write_ts\""), text.find("\"ts\"") - text.find("\"_write_ts\""));
        ++lines_[text];
    }
    std::size_t missing_from(const Innocents& other, std::string& first) const {
        std::size_t missing = 0;
        for (const auto& [line, times] : lines_) {
            const auto found = other.lines_.find(line);
            const std::size_t there = found == other.lines_.end() ? 0 : found->second;
            if (there >= times) continue;
            missing += times - there;
            if (first.empty()) first = line;
        }
        return missing;
    }
    std::size_t size() const {
        return std::accumulate(lines_.begin(), lines_.end(), std::size_t{0},
                               [](std::size_t sum, const auto& line) { return sum + line.second; });
    }

private:
    std::map<std::string, std::size_t> lines_;
};

Innocents without_attack(const std::vector<TimedFrame>& frames, const MemoryPipelineOptions& options, Timestamp end) {
    Innocents innocents;
    MemoryPipeline pipeline(options, [&](LogKind log, std::string_view line) { innocents.line(log, line); });
    for (const TimedFrame& frame : frames) {
        const PacketView view = view_of(frame.bytes, frame.time);
        pipeline.process({&view, 1});
    }
    pipeline.finish(end);
    return innocents;
}

} // namespace

MemoryPipelineOptions exposed_pipeline(std::uint32_t connections, std::uint64_t hash_secret) {
    MemoryPipelineOptions o = small_pipeline(true);
    o.pipeline.conn.connections_max = connections;
    o.pipeline.conn.ranges_max = connections;
    o.pipeline.control_max = std::max(connections / 10, 64u);
    o.pipeline.watches_max = std::max(connections / 16, 64u);
    o.pipeline.hints_max = connections / 10;
    o.pipeline.first_bytes_max = connections * 64u;
    o.pipeline.held_bytes_max = connections * 64u;
    o.pipeline.progress_max = std::max(connections / 64, 64u); // a quarter of that: they run out
    o.pipeline.decode.fragment_bytes_max = connections * 32u;
    o.pipeline.decode.fragment_datagrams_max = std::max(connections / 64, 16u);
    o.entries.transfers.announcements_max = connections / 10;
    // A run's is random: with 0, endpoints in a row are neighbours.
    o.pipeline.conn.hash_secret = o.entries.transfers.hash_secret = hash_secret;
    return o;
}

AttackResult run_attack(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets) {
    const Timestamp start = 1'600'000'000 * kSecond;
    const std::vector<TimedFrame> innocents = innocent_frames(start, attack.length);
    const Timestamp end = start + 2 * attack.length;
    const Innocents expected = without_attack(innocents, options, end);

    AttackResult result;
    Innocents found;
    MemoryPipeline pipeline(options, [&](LogKind log, std::string_view line) { found.line(log, line); });
    Bytes frame;
    auto innocent = innocents.begin();
    for (std::uint64_t i = 0; i < packets; ++i) {
        const Timestamp now = start + static_cast<Duration>(static_cast<double>(attack.length) *
                                                            static_cast<double>(i) / static_cast<double>(packets));
        for (; innocent != innocents.end() && innocent->time <= now; ++innocent) {
            const PacketView view = view_of(innocent->bytes, innocent->time);
            pipeline.process({&view, 1});
        }
        attack.frame(i, frame);
        const PacketView view = view_of(frame, now);
        pipeline.process({&view, 1});
        if (i == packets / 2) result.rss_half = resident_bytes();
        if (i % (packets / 64 + 1) == 0) result.rss_peak = std::max(result.rss_peak, resident_bytes());
    }
    result.rss_end = resident_bytes();
    result.rss_peak = std::max(result.rss_peak, result.rss_end);
    pipeline.finish(end);
    result.innocent_sessions = innocent == innocents.end() ? kInnocents : 0;
    result.expected = expected.size();
    result.harmed = expected.missing_from(found, result.first_harmed);
    if (attack.counter) result.counted = pipeline.count(*attack.counter);
    result.evicted = pipeline.count(Event::connection_evicted);
    return result;
}

namespace {

struct NoLines final : LineSink {
    void line(LogKind, std::string_view, Timestamp) override {}
};

struct NoTypes final : TypeSource {
    std::uint64_t submit(std::string_view, MimeStage) override { return 0; }
    std::string_view take(std::uint64_t) override { return {}; }
};

// The attack for one worker, in batches; the processor time of each part, a packet.
template <class Logger>
std::pair<double, double> nanoseconds(const Attack& attack, PipelineOptions options, std::uint64_t packets,
                                      const Logger& logger) {
    constexpr std::size_t kBatch = 1024, kBurst = 64;
    options.emitter.queue_records = 8 * kBatch;
    options.emitter.text_bytes = 16u << 20;
    SharedState shared(1);
    Worker worker(0, options, shared);
    std::vector<Bytes> frames(kBatch);
    std::vector<PacketView> views(kBatch);
    std::int64_t worked = 0, logged = 0;
    std::uint64_t done = 0;
    const Timestamp start = 1'600'000'000 * kSecond;
    while (done < packets) {
        for (std::size_t i = 0; i < kBatch; ++i) {
            attack.frame(done + i, frames[i]);
            views[i] = view_of(frames[i], start + static_cast<Duration>(static_cast<double>(attack.length) *
                                                                        static_cast<double>(done + i) /
                                                                        static_cast<double>(packets)));
        }
        const std::int64_t before = thread_nanoseconds();
        for (std::size_t i = 0; i < kBatch; i += kBurst) worker.process_burst({views.data() + i, kBurst});
        const std::int64_t between = thread_nanoseconds();
        logger(worker, shared);
        worked += between - before;
        logged += thread_nanoseconds() - between;
        done += kBatch;
    }
    return {static_cast<double>(worked) / static_cast<double>(done),
            static_cast<double>(logged) / static_cast<double>(done)};
}

} // namespace

double worker_nanoseconds(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets) {
    const auto thrown_away = [](Worker& worker, SharedState&) {
        worker.emitter().conn_channel().drain([](const ConnRecord&, std::string_view) {});
        worker.emitter().ftp_channel().drain([](const FtpRecord&, std::string_view) {});
    };
    return nanoseconds(attack, options.pipeline, packets, thrown_away).first;
}

double logger_nanoseconds(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets) {
    NoLines lines;
    NoTypes types;
    EventCounters events;
    RecordMerge merge(options.pipeline.conn.id_key);
    EntryBuilder builder(options.entries, types, lines, events);
    const auto written = [&](Worker& worker, SharedState& shared) {
        worker.emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view t) { merge.add(r, t); });
        worker.emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view t) { merge.add(r, t, 0); });
        merge.release(shared.lowest_watermark(), builder);
    };
    return nanoseconds(attack, options.pipeline, packets, written).second;
}

} // namespace ftpsensor::test
