// `ftpsensord read`: capture files through the workers, by packet time, as fast as the machine can.
#include "daemon/commands.h"
#include "daemon/engine.h"
#include "daemon/offline/capture_reader.h"
#include "daemon/offline/distributor.h"
#include "daemon/offline/interrupt.h"
#include "daemon/offline/test_delays.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What a worker does, in whichever thread it runs.
class WorkerRun {
public:
    WorkerRun(Engine& engine, std::uint32_t worker) : engine_(engine), worker_(worker), delays_(worker) {}

    void packets(std::span<const PacketView> packets) { // not none
        last_ = packets.back().now;
        while (!packets.empty()) {
            const std::size_t n = delays_.piece(packets.size());
            engine_.process_burst(worker_, packets.first(n));
            packets = packets.subspan(n);
            delays_.pause();
        }
    }
    void time(Timestamp time) {
        last_ = std::max(last_, time);
        engine_.idle(worker_, last_);
    }
    void finish() { engine_.finish(worker_, last_ == INT64_MIN ? 0 : last_); }
    void pause() { delays_.pause(); }

private:
    Engine& engine_;
    std::uint32_t worker_;
    TestDelays delays_;
    Timestamp last_ = INT64_MIN;
};

void run_worker(Engine& engine, Distributor& distributor, std::uint32_t worker) {
    ::pthread_setname_np(::pthread_self(), fmt::format("fs-worker-{}", worker).c_str());
    WorkerRun run(engine, worker);
    for (;;) {
        run.pause();
        Distributor::Work work = distributor.take(worker);
        if (work.block) {
            run.packets(work.block->packets);
            distributor.done(worker, std::move(work.block));
        } else if (work.time != INT64_MIN) {
            run.time(work.time);
        }
        if (work.ended) {
            run.finish();
            return;
        }
    }
}

// One line that is written over, on a terminal only.
class Progress {
public:
    explicit Progress(const CaptureReader& reader) : reader_(reader), shown_(::isatty(STDERR_FILENO) != 0) {}
    ~Progress() {
        if (drawn_) fmt::print(stderr, "\r\x1b[K");
    }
    void update(std::uint64_t packets) {
        constexpr std::uint64_t kEvery = 1u << 14; // packets between looks at the clock
        if (!shown_ || packets % kEvery != 0 || seconds_since(last_) < 0.2) return;
        last_ = Clock::now();
        drawn_ = true;
        const double rate = static_cast<double>(packets) / std::max(seconds_since(start_), 1e-9);
        if (reader_.bytes_total() != 0)
            fmt::print(stderr, "\r\x1b[K{:3.0f} %  {} packets  {:.0f} packets/s",
                       100.0 * static_cast<double>(reader_.bytes_read()) / static_cast<double>(reader_.bytes_total()),
                       packets, rate);
        else
            fmt::print(stderr, "\r\x1b[K{} packets  {:.0f} packets/s", packets, rate);
    }

private:
    const CaptureReader& reader_;
    bool shown_;
    bool drawn_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

std::uint64_t packets_of(const EngineStats& stats) {
    std::uint64_t packets = 0;
    for (const auto& w : stats.workers) packets += w.packets;
    return packets;
}

void print_summary(const EngineStats& stats, const CaptureReader& reader, double seconds) {
    const std::uint64_t packets = packets_of(stats);
    std::uint64_t bytes = 0, connections = 0;
    for (const auto& w : stats.workers) {
        bytes += w.bytes;
        connections += w.connections;
    }
    fmt::print("packets      {}\nbytes        {}\nconnections  {}\nconn entries {}\nFTP entries  {}\n", packets, bytes,
               connections, stats.conn_entries, stats.ftp_entries);
    for (const auto& damaged : reader.damaged())
        fmt::print("damaged      {}: after {} packets: {}\n", printable(damaged.path), damaged.packets, damaged.reason);
    if (const auto& stopped = reader.stopped())
        fmt::print("stopped      {}: after {} packets, by a signal: what follows was not read\n",
                   printable(stopped->path), stopped->packets);
    if (reader.wrong_times() != 0)
        fmt::print("wrong times  {} packets, taken for the time of the one before\n", reader.wrong_times());
    if (reader.late() != 0)
        fmt::print("late times   {} packets, up to {} s before the time that was reached\n", reader.late(),
                   reader.latest() / kSecond);
    for (const auto& named : stats.events)
        fmt::print("event        {} {}{}\n", event_name(named.event), named.count,
                   named.example_uid.empty() ? "" : " (" + named.example_uid + ")");
    if (stats.write_errors != 0)
        fmt::print("write errors {}, entries lost {}\n", stats.write_errors, stats.entries_lost);
    fmt::print("seconds      {:.3f}\npackets/s    {:.0f}\n", seconds,
               seconds > 0 ? static_cast<double>(packets) / seconds : 0.0);
}

// All packets of the captures; what went wrong, if something did: the workers must end first.
std::exception_ptr read_all(CaptureReader& reader, Distributor& distributor) {
    std::exception_ptr failure;
    try {
        Progress progress(reader);
        PacketView packet;
        while (reader.next(packet)) {
            distributor.put(packet, reader.memory());
            progress.update(packet.number);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    distributor.end();
    return failure;
}

std::exception_ptr work_here(CaptureReader& reader, Engine& engine) {
    WorkerRun run(engine, 0);
    Distributor distributor([&run](std::span<const PacketView> packets) { run.packets(packets); });
    const std::exception_ptr failure = read_all(reader, distributor);
    run.finish();
    return failure;
}

// What a worker leaves that has failed: the reader must not wait for it.
void take_the_rest(Distributor& distributor, std::uint32_t worker) {
    for (bool ended = false; !ended;) {
        Distributor::Work work = distributor.take(worker);
        if (work.block) distributor.done(worker, std::move(work.block));
        ended = work.ended;
    }
}

std::exception_ptr work_in_threads(CaptureReader& reader, Engine& engine) {
    Distributor distributor(engine.workers());
    std::vector<std::exception_ptr> failures(engine.workers());
    std::vector<std::thread> workers;
    const auto work = [&](std::uint32_t i) {
        try {
            run_worker(engine, distributor, i);
        } catch (...) {
            failures[i] = std::current_exception();
            take_the_rest(distributor, i);
        }
    };
    std::exception_ptr failure;
    try {
        for (std::uint32_t i = 0; i < engine.workers(); ++i) workers.emplace_back(work, i);
        failure = read_all(reader, distributor);
    } catch (...) { // no further thread
        failure = std::current_exception();
        distributor.end();
    }
    for (auto& worker : workers) worker.join();
    failures.push_back(failure);
    const auto first = std::find_if(failures.begin(), failures.end(), [](const auto& f) { return f != nullptr; });
    return first == failures.end() ? nullptr : *first;
}

std::unique_ptr<CaptureReader> open_captures(const CommandLine& line, const Interrupt& interrupt) {
    try {
        return std::make_unique<CaptureReader>(line.captures, line.config.capture.filter, &interrupt);
    } catch (const std::runtime_error& error) { // the filter: what is wrong with a file is told once it is read
        throw ConfigError(error.what());
    }
}

} // namespace

int read_command(const CommandLine& command_line) {
    const Config& config = command_line.config;
    const Interrupt interrupt;
    const auto captures = open_captures(command_line, interrupt);
    CaptureReader& reader = *captures;
    Engine engine(config, EngineMode::offline, command_line.seed);
    const auto start = Clock::now();
    engine.start();
    const std::exception_ptr failure =
        engine.workers() == 1 ? work_here(reader, engine) : work_in_threads(reader, engine);
    if (failure) std::rethrow_exception(failure); // the Engine's end does not wait for workers that never were
    const bool finished = engine.stop();

    const EngineStats stats = engine.stats();
    print_summary(stats, reader, seconds_since(start));
    if (!finished)
        fmt::print("not finished {}/current: what is left there is finished by whoever writes to this folder next\n",
                   printable(config.log.directory));
    const bool nothing_read = !reader.damaged().empty() && packets_of(stats) == 0;
    return !finished || stats.entries_lost != 0 || nothing_read ? kExitFailure : kExitSuccess;
}

} // namespace ftpsensor
