// The part that live and offline share: workers' pipelines, the logger thread and the helper that types files.
//
// The caller owns the worker threads and hands each its packets; the Engine owns everything behind. Live and offline
// differ in one word: offline waits where a queue is full and loses nothing, live drops, and counts.
#pragma once

#include "config/config.h"
#include "core/base/events.h"
#include "core/log/envelope.h"
#include "core/log/log_file.h"
#include "core/packet/packet_view.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ftpsensor {

class ShuntPorts;

enum class EngineMode : std::uint8_t { live, offline };

struct WorkerStats { // since start; monotonic but for `connections_open`
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0; // on the wire
    std::uint64_t connections = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t conn_records = 0;
    std::uint64_t ftp_records = 0;
    std::uint64_t conn_records_dropped = 0;
    std::uint64_t ftp_records_dropped = 0;
    std::uint64_t connections_evicted = 0;
    std::uint64_t ftp_sessions_open = 0; // not monotonic
    std::uint64_t payload_bytes = 0;     // of TCP, as captured
    std::uint64_t missed_bytes = 0;      // of TCP: gaps
};

struct EngineStats {
    std::vector<WorkerStats> workers;
    std::array<LogFileStatus, kLogKinds> logs; // by LogKind
    std::uint64_t conn_entries = 0;            // written to files
    std::uint64_t ftp_entries = 0;
    std::uint64_t log_bytes = 0;         // before compression
    std::uint64_t log_bytes_written = 0; // after it
    std::uint64_t write_errors = 0;
    std::uint64_t entries_lost = 0;  // dropped because they could not be written for too long
    std::uint64_t files_removed = 0; // by log.retention
    std::uint64_t file_bytes_removed = 0;
    std::uint64_t late_records = 0;
    std::uint64_t transfer_records_dropped = 0; // by the logger's join; those of workers are ftp records
    Timestamp logged_through = 0;               // what is due up to here has been written
    struct NamedEvent {
        Event event;
        std::uint64_t count;
        std::string example_uid; // "" where there is none
    };
    std::vector<NamedEvent> events; // those that happened
};

class Engine {
public:
    // `worker_nodes`: the NUMA node of each worker's memory; below 0, or none: of who touches it first. `shunt`:
    // capture.shunt, live; outlives the Engine. Throws std::runtime_error with a usable sentence (directory not
    // writable, ...).
    Engine(const Config& config, EngineMode mode, std::optional<std::uint64_t> seed,
           const std::vector<int>& worker_nodes = {}, ShuntPorts* shunt = nullptr);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    std::uint32_t workers() const;
    void start(); // the logger's and the helper's threads; before any packet

    // These four: worker `worker`'s own thread only.
    void process_burst(std::uint32_t worker, std::span<const PacketView> burst); // packets in order of arrival
    void idle(std::uint32_t worker, Timestamp now); // an empty poll: time goes on (expiry, watermarks)
    // No more packets. Closing delays run out, what is still open is recorded as of `end`.
    void finish(std::uint32_t worker, Timestamp end);

    // Main thread, live, after start(): what of `config` can change while it runs is taken by all parts, each at a
    // moment that suits it. Waits for that, for two seconds at most; returns who has not got to it, by name, and will.
    // Throws std::runtime_error (an unknown group): then nothing has changed. Once at a time: while someone has not
    // taken the last one, it throws, too.
    std::vector<std::string> reload(const Config& config);

    // After every worker has finished: writes and rotates all that is left, ends the threads. False: something was
    // lost, or could not be rotated.
    bool stop();
    EngineStats stats() const;          // the thread of reload(); examples only after stop()
    std::uint64_t logger_beats() const; // the logger's sign of life; any thread
    // Grows with each entry that is made and each byte that a disk took; after start(), any thread.
    std::uint64_t progress() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace ftpsensor
