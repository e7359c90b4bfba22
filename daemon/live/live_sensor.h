// Live capture put together: EAL, ports, filter, Engine and the worker threads between them.
//
// Made, started, asked and stopped by the main thread, once each. Workers are threads of our own: pinned to
// workers.cpus, then registered with EAL (rte_thread_register), so that packet buffer pools give each its own cache.
#pragma once

#include "daemon/cli.h"
#include "daemon/engine.h"
#include "daemon/live/clock_watch.h"
#include "daemon/live/eal.h"
#include "daemon/live/filter.h"
#include "daemon/live/note.h"
#include "daemon/live/port.h"
#include "daemon/live/rx_loop.h"
#include "daemon/live/shunt.h"
#include "daemon/live/steering.h"
#include "daemon/stats/snapshot.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace ftpsensor {

class LiveSensor {
public:
    // Nothing is captured yet. Throws ConfigError or std::runtime_error with what to do about it.
    LiveSensor(const CommandLine& command_line, Notes& notes);
    ~LiveSensor(); // stops where stop() was not called
    LiveSensor(const LiveSensor&) = delete;
    LiveSensor& operator=(const LiveSensor&) = delete;

    void start(Notes& notes);
    // Workers empty their queues and finish, ports stop, the Engine writes and rotates all that is left. Rethrows what
    // ended a worker.
    void stop();

    bool every_queue_polled() const;
    // Whether every worker and the logger got on since the last call: what feeds the watchdog.
    bool all_advanced();
    // After stop(): each entry is in a file, and each file is finished.
    bool logs_are_finished() const { return logs_are_finished_; }
    bool a_worker_failed() const { return failed_.load(std::memory_order_acquire) || (shunt_ && shunt_->failed()); }
    std::uint64_t progress() const { return engine_->progress(); } // of the logs; any thread, also while it stops
    void check_links(Notes& notes); // notes links that went down or came back since the last call
    void check_clock(Notes& notes) { clock_watch_.look(host_clock_ahead(), notes); } // likewise
    // A port has nothing to see any more until the sensor is started anew. As of the last check_links().
    bool a_port_was_replaced() const;

    // See Engine::reload.
    std::vector<std::string> reload(const Config& config) { return engine_->reload(config); }
    Snapshot snapshot(); // all figures now; reads the ports and the kernel. Without what is derived: StatsBoard
    std::vector<std::unique_ptr<Port>>& ports() { return ports_; }

private:
    void start_shunt(Notes& notes);
    void work(std::uint32_t worker);
    void set_up_steering(Notes& notes);
    PortCounts counts_of(Port& port) const;
    void add_ports(Snapshot& snapshot);
    void add_rings(std::uint32_t from, WorkerFigures& worker) const;
    void add_workers(const EngineStats& engine, Snapshot& snapshot) const;

    const CommandLine& command_line_;
    std::optional<PacketFilter> filter_;
    std::unique_ptr<Eal> eal_; // outlives all that is below
    std::vector<std::unique_ptr<Port>> ports_;
    std::vector<int> nodes_;                  // of each worker's memory
    std::unique_ptr<Shunt> shunt_;            // null: capture.shunt is off
    std::unique_ptr<SteeringRings> steering_; // null: each worker keeps what it receives
    std::unique_ptr<Engine> engine_;
    std::vector<std::unique_ptr<RxLoop>> loops_;
    std::vector<std::thread> threads_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> failed_{false};
    bool logs_are_finished_ = true;
    std::vector<std::exception_ptr> failures_; // one a worker, written before failed_
    std::vector<std::uint64_t> polls_seen_;    // by all_advanced()
    std::uint64_t logger_beats_seen_ = 0;      // the same
    bool running_ = false;
    Timestamp started_ = 0;
    Timestamp started_monotonic_ = 0;
    ClockWatch clock_watch_;
    std::vector<std::uint64_t> link_down_seconds_; // one a port
};

std::string worker_name(std::uint32_t worker); // "worker-01": of its thread, and in figures

// What holds between the config and this machine, before anything is opened: ports given and named once, CPUs that the
// process may use, and on the node of the port. Problems and warnings.
void check_placement(const Config& config, const std::vector<std::uint32_t>& allowed, Notes& notes);

// The NUMA node of each worker's memory: that of its CPU, or, where it has none of its own, that of the ports; -1: not
// known, or the ports lie on several. Notes nodes that do not give memory.
std::vector<int> worker_nodes(const Config& config, Notes& notes);

} // namespace ftpsensor
