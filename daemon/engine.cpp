#include "daemon/engine.h"

#include "core/base/handover.h"
#include "core/base/memory_node.h"
#include "core/log/directory_lock.h"
#include "core/log/record_merge.h"
#include "core/log/recovery.h"
#include "core/pipeline/release_bound.h"
#include "core/pipeline/worker.h"
#include "daemon/log_writer.h"
#include "daemon/messages.h"
#include "daemon/mime_typer.h"
#include "daemon/pipeline_config.h"
#include "daemon/retention_thread.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

namespace ftpsensor {

namespace {

constexpr std::size_t kBatchBytes = 256u << 10;
constexpr auto kIdleWait = std::chrono::milliseconds(1);
constexpr std::size_t kBusyRecords = 4096;                // that came since the last look: there is no time to wait
constexpr auto kHandOver = std::chrono::milliseconds(10); // how long lines wait for others on their way to a writer
constexpr auto kDiskPatience = std::chrono::milliseconds(100);
constexpr auto kTypePatience = std::chrono::milliseconds(1000);
constexpr auto kReloadPatience = std::chrono::seconds(2);

// What a reload gives to the logger's thread.
struct LoggerUpdate {
    EntryOptions entries;
    Duration hold;
};

// What a reload hands out, kept until all have taken it.
struct Reload {
    Reload(const PipelineOptions& pipeline, bool first_interims, const std::vector<int>& nodes, LoggerUpdate update)
        : logger_update(std::move(update)) {
        for (const int node : nodes) {
            const OnNode here(node);
            worker_updates.emplace_back(pipeline, first_interims);
        }
    }
    std::vector<PipelineUpdate> worker_updates; // each swaps with its own
    LoggerUpdate logger_update;
};

} // namespace

struct Engine::State final : private LineSink {
    State(const Config& c, EngineMode m, std::optional<std::uint64_t> seed, const std::vector<int>& worker_nodes,
          ShuntPorts* shunt)
        : config(c), mode(m), keys(RunKeys::make(seed)), shared(c.workers.count), place(log_place(c)), lock(place),
          rotation(std::make_shared<const Rotation>(rotation_options(c))),
          types(m == EngineMode::live ? std::optional(kTypePatience) : std::nullopt, keys.hash_secret, events),
          merge(keys.ids), builder(entry_options(c, keys), types, *this, events), nodes(worker_nodes),
          bound(shared, m == EngineMode::live ? std::optional(c.log.hold) : std::nullopt) {
        for (const auto& report : recover_directory(files, place, *rotation)) messages("log")->warn(report.message());
        auto options = pipeline_options(c, keys, m == EngineMode::live);
        options.shunt = shunt;
        nodes.resize(c.workers.count, -1);
        for (std::size_t i = 0; i < c.workers.count; ++i) {
            const OnNode here(nodes[i]);
            workers.push_back(std::make_unique<Worker>(i, options, shared));
        }
        worker_updates = std::vector<Handover<PipelineUpdate>>(c.workers.count);
        interims_before = c.log.conn.interim != 0;
    }

    LogSettings settings(const Config& c, const LogPlace& where, std::shared_ptr<const Rotation> how, LogKind log) {
        LogFileOptions o = log_file_options(c, where, log);
        if (log == LogKind::conn) o.first = &writer(LogKind::ftp)->file(); // where the disk has little room
        if (c.log.format == ConfigFormat::tsv) {
            const auto formatter = std::make_shared<Formatter>(entry_options(c, keys).format);
            o.hooks.header = [formatter, log](std::int64_t t, TextBuffer& b) { formatter->append_header(log, t, b); };
            o.hooks.footer = [formatter](std::int64_t t, TextBuffer& b) { formatter->append_footer(t, b); };
        }
        return {std::move(how), o};
    }

    // Files that are written in another way from a reload on.
    struct NextFiles {
        NextFiles(State& state, const Config& next); // throws
        void give(State& state) noexcept;

        LogPlace place;
        std::shared_ptr<const Rotation> rotation;
        std::shared_ptr<const LogSettings> settings[kLogKinds];
        std::unique_ptr<Retention> retention;
    };

    void start();
    std::vector<std::string> reload(const Config& next);
    bool has_taken(std::vector<std::string>& others) const;
    void take_update(std::uint32_t worker) {
        worker_updates[worker].take([&](PipelineUpdate& update) { workers[worker]->take(update); });
    }
    void run_logger();
    std::size_t step();
    void line(LogKind log, std::string_view text, Timestamp write_ts) override;
    void submit(LogKind log, Timestamp through);
    void hand_over();
    static void count(std::atomic<std::uint64_t>& counter) { // one writer
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void beat() { count(logger_beats); }
    std::unique_ptr<LogWriter>& writer(LogKind log) { return writers[static_cast<std::size_t>(log)]; }

    Config config;
    EngineMode mode;
    RunKeys keys;
    SharedState shared;
    FileSystem& files = posix_file_system();
    LogPlace place;
    DirectoryLock lock;
    std::shared_ptr<const Rotation> rotation; // main thread's; a writer has its own
    EventCounters events;                     // the logger's
    MimeTyper types;
    RecordMerge merge;
    EntryBuilder builder;
    std::vector<int> nodes; // of each worker's memory; below 0: of who touches it first
    std::vector<std::unique_ptr<Worker>> workers;
    bool interims_before = false; // log.conn.interim: since the start, or by a reload

    std::optional<Reload> last_reload; // main thread
    std::vector<Handover<PipelineUpdate>> worker_updates;
    Handover<LoggerUpdate> logger_update;

    std::unique_ptr<LogWriter> writers[kLogKinds];
    LogWriter::Batch batches[kLogKinds];
    Timestamp told_through = INT64_MIN;         // to the writers
    std::unique_ptr<RetentionThread> retention; // live
    std::thread logger;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> entries[kLogKinds]{}; // the logger's
    std::atomic<std::uint64_t> late{0};
    std::atomic<std::uint64_t> logger_beats{0}; // the same
    std::atomic<Timestamp> logged_through{INT64_MIN};

    ReleaseBound bound;
    Timestamp released = INT64_MIN; // and so written, or handed to the writers
};

void Engine::State::start() {
    for (const LogKind log : {LogKind::ftp, LogKind::conn}) // conn.log looks at ftp.log's
        writer(log) = std::make_unique<LogWriter>(files, settings(config, place, rotation, log), log_notices());
    if (mode == EngineMode::live)
        retention =
            std::make_unique<RetentionThread>(files, lock, place, rotation->options(), retention_options(config));
    logger = std::thread([this] { run_logger(); });
    ::pthread_setname_np(logger.native_handle(), "fs-logger");
}

bool Engine::State::has_taken(std::vector<std::string>& others) const {
    others.clear();
    for (std::size_t i = 0; i < workers.size(); ++i)
        if (!worker_updates[i].is_taken()) others.push_back(fmt::format("worker {}", i + 1));
    if (!logger_update.is_taken()) others.emplace_back("the logger");
    return others.empty();
}

Engine::State::NextFiles::NextFiles(State& state, const Config& next)
    : place(log_place(next)), rotation(std::make_shared<const Rotation>(rotation_options(next))),
      retention(std::make_unique<Retention>(state.files, place, rotation->options())) {
    for (const LogKind log : {LogKind::ftp, LogKind::conn})
        settings[static_cast<std::size_t>(log)] =
            std::make_shared<const LogSettings>(state.settings(next, place, rotation, log));
}

void Engine::State::NextFiles::give(State& state) noexcept {
    for (const LogKind log : {LogKind::ftp, LogKind::conn})
        state.writer(log)->adopt(std::move(settings[static_cast<std::size_t>(log)]));
    state.retention->set_files(std::move(retention));
    state.place = std::move(place);
    state.rotation = std::move(rotation);
}

std::vector<std::string> Engine::State::reload(const Config& next) {
    std::vector<std::string> others;
    if (!has_taken(others))
        throw std::runtime_error(fmt::format("{} has not taken the last reload yet", others.front()));
    // Whatever may throw comes before the first thing that is given away: what one part has taken can't be taken back.
    Config own = next;
    std::optional<NextFiles> next_files;
    if (!same_files(config, next)) next_files.emplace(*this, next);
    const bool interims = next.log.conn.interim != 0;
    last_reload.emplace(pipeline_options(next, keys, true), interims && !interims_before, nodes,
                        LoggerUpdate{entry_options(next, keys), next.log.hold});
    interims_before = interims_before || interims;
    for (std::size_t i = 0; i < workers.size(); ++i) worker_updates[i].give(last_reload->worker_updates[i]);
    logger_update.give(last_reload->logger_update);
    if (next_files) next_files->give(*this);
    retention->set_options(retention_options(next));
    config = std::move(own);
    const auto deadline = std::chrono::steady_clock::now() + kReloadPatience;
    const auto all_done = [&] {
        const bool taken = has_taken(others);
        for (const LogKind log : {LogKind::ftp, LogKind::conn})
            if (!writer(log)->has_adopted()) others.push_back(fmt::format("{}.log", log_path(log)));
        return taken && others.empty();
    };
    while (!all_done() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kIdleWait);
    return others;
}

// Returns how many records came.
std::size_t Engine::State::step() {
    logger_update.take([this](LoggerUpdate& update) {
        builder.adopt(update.entries);
        bound.set_hold(update.hold);
    });
    const Timestamp through = bound.next();
    std::size_t drained = 0;
    for (auto& worker : workers) {
        drained += worker->emitter().conn_channel().drain(
            [this](const ConnRecord& r, std::string_view text) { merge.add(r, text); });
        drained += worker->emitter().ftp_channel().drain([this](const FtpRecord& r, std::string_view text) {
            if (r.kind == FtpRecordKind::data_typed)
                merge.add(r, {}, types.submit(text, r.mime_stage)); // its text is the question
            else
                merge.add(r, text, 0);
        });
    }
    if (through == released && !merge.has_due()) return drained;
    merge.release(through, builder);
    released = through;
    late.store(merge.late(), std::memory_order_relaxed);
    logged_through.store(through, std::memory_order_relaxed);
    return drained;
}

void Engine::State::line(LogKind log, std::string_view text, Timestamp write_ts) {
    auto& batch = batches[static_cast<std::size_t>(log)];
    batch.text.append(text);
    batch.lines.push_back({static_cast<std::uint32_t>(text.size()), write_ts});
    count(entries[static_cast<std::size_t>(log)]);
    if (batch.text.size() >= kBatchBytes) submit(log, INT64_MIN);
}

void Engine::State::submit(LogKind log, Timestamp through) {
    auto& batch = batches[static_cast<std::size_t>(log)];
    if (batch.lines.empty() && through == INT64_MIN) return;
    batch.through = through;
    while (!writer(log)->offer(batch, kDiskPatience)) beat(); // waiting for the disk is no standstill
}

// What there is, however little, and how far time has come.
void Engine::State::hand_over() {
    const bool later = released != told_through && released != INT64_MAX;
    if (later) told_through = released;
    for (const LogKind log : {LogKind::conn, LogKind::ftp}) submit(log, later ? released : INT64_MIN);
}

// A look at the queues, and a batch for a writer, each cost more than a record: both wait until there is something.
void Engine::State::run_logger() {
    auto handed_over = std::chrono::steady_clock::now();
    for (;;) {
        beat();
        const bool last = stopping.load(std::memory_order_acquire);
        const std::size_t drained = step();
        const bool over = last && drained == 0 && released == INT64_MAX;
        if (const auto now = std::chrono::steady_clock::now(); over || now - handed_over >= kHandOver) {
            hand_over();
            handed_over = now;
        }
        if (over) return;
        if (drained < kBusyRecords && !last) std::this_thread::sleep_for(kIdleWait);
    }
}

Engine::Engine(const Config& config, EngineMode mode, std::optional<std::uint64_t> seed,
               const std::vector<int>& worker_nodes, ShuntPorts* shunt)
    : state_(std::make_unique<State>(config, mode, seed, worker_nodes, shunt)) {}

Engine::~Engine() {
    if (state_->logger.joinable()) { // an error on the way: workers that never finished hold nothing back
        for (auto& w : state_->shared.watermarks) w.time.store(INT64_MAX, std::memory_order_release);
        stop();
    }
}

std::uint32_t Engine::workers() const { return static_cast<std::uint32_t>(state_->workers.size()); }
void Engine::start() { state_->start(); }
void Engine::process_burst(std::uint32_t worker, std::span<const PacketView> burst) {
    state_->take_update(worker);
    state_->workers[worker]->process_burst(burst);
}
void Engine::idle(std::uint32_t worker, Timestamp now) {
    state_->take_update(worker);
    state_->workers[worker]->idle(now);
}
std::vector<std::string> Engine::reload(const Config& config) { return state_->reload(config); }
void Engine::finish(std::uint32_t worker, Timestamp end) { state_->workers[worker]->finish(end); }

bool Engine::stop() {
    state_->stopping.store(true, std::memory_order_release);
    if (state_->logger.joinable()) state_->logger.join();
    bool finished = true;
    for (const LogKind log : {LogKind::ftp, LogKind::conn}) // the last room on the disk is ftp's
        if (state_->writer(log)) finished = state_->writer(log)->finish() && finished;
    return finished;
}

std::uint64_t Engine::logger_beats() const { return state_->logger_beats.load(std::memory_order_relaxed); }

std::uint64_t Engine::progress() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kLogKinds; ++i)
        sum += state_->entries[i].load(std::memory_order_relaxed) + state_->writers[i]->status().file_bytes;
    return sum;
}

EngineStats Engine::stats() const {
    EngineStats s;
    const auto get = [](const std::atomic<std::uint64_t>& v) { return v.load(std::memory_order_relaxed); };
    for (const auto& w : state_->workers) {
        const WorkerCounters& c = w->counters();
        s.workers.push_back({.packets = get(c.packets),
                             .bytes = get(c.bytes),
                             .connections = get(c.connections),
                             .connections_open = get(c.connections_open),
                             .conn_records = get(c.conn_records),
                             .ftp_records = get(c.ftp_records),
                             .conn_records_dropped = w->events().value(Event::conn_record_dropped),
                             .ftp_records_dropped = w->events().value(Event::ftp_record_dropped) +
                                                    w->events().value(Event::stream_event_dropped),
                             .connections_evicted = w->events().value(Event::connection_evicted),
                             .ftp_sessions_open = get(c.ftp_sessions_open),
                             .payload_bytes = get(c.payload_bytes),
                             .missed_bytes = get(c.missed_bytes)});
    }
    s.conn_entries = get(state_->entries[0]);
    s.ftp_entries = get(state_->entries[1]);
    s.late_records = get(state_->late);
    s.transfer_records_dropped = state_->events.value(Event::stream_event_dropped);
    s.logged_through = state_->logged_through.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < kLogKinds; ++i) {
        if (!state_->writers[i]) continue;
        const LogFileStatus& f = s.logs[i] = state_->writers[i]->status();
        s.log_bytes += f.text_bytes;
        s.log_bytes_written += f.file_bytes;
        s.write_errors += f.errors;
        s.entries_lost += f.entries_dropped;
    }
    if (state_->retention) {
        s.files_removed = state_->retention->files_removed();
        s.file_bytes_removed = state_->retention->bytes_removed();
    }
    for (std::size_t i = 0; i < kEventCount; ++i) {
        const auto event = static_cast<Event>(i);
        EngineStats::NamedEvent named{event, state_->events.value(event), {}};
        for (const auto& w : state_->workers) {
            named.count += w->events().value(event);
            const bool stopped = state_->stopping.load(std::memory_order_acquire) && !state_->logger.joinable();
            if (stopped && named.example_uid.empty() && !w->events().example(event).empty())
                named.example_uid = w->events().example(event).to_string('C');
        }
        if (named.count != 0) s.events.push_back(std::move(named));
    }
    return s;
}

} // namespace ftpsensor
