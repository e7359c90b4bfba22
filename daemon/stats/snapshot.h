// All figures of a running sensor at one moment: the one source of the metrics, `ftpsensord stats`, stats.log, DPDK's
// telemetry and the journal's lines, which therefore agree.
//
// The main thread gathers one each second (LiveSensor::snapshot) and publishes it; whoever tells figures takes the
// latest. Plain values; counters are since the start of the sensor and never go back. What each figure is called and
// means is said once, in figures.cpp.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ftpsensor {

struct QueueFigures { // of one worker's queue on one port
    std::uint64_t received_packets = 0;
    std::uint64_t kernel_dropped_packets = 0;
    std::uint64_t error_packets = 0;
};

struct PortFigures {
    std::string name; // as in the config: "eth1"
    bool link_up = true;
    std::uint64_t link_down_seconds = 0;
    std::uint64_t received_packets = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t missed_packets = 0;
    std::uint64_t no_mbuf_packets = 0;
    std::uint64_t kernel_dropped_packets = 0;
    std::uint64_t interface_dropped_packets = 0;
    std::uint64_t interface_unclaimed_packets = 0;
    std::uint64_t error_packets = 0;
    std::uint64_t shunt_rules = 0; // capture.shunt; at present
    std::uint64_t shunt_rules_added = 0;
    std::uint64_t shunt_rules_refused = 0;
    std::uint64_t shunt_rules_stuck = 0; // at present
    std::uint64_t shunt_rules_untold = 0;
    std::uint64_t shunted_packets = 0;
    std::uint64_t shunted_bytes = 0;
    std::vector<QueueFigures> queues;

    std::uint64_t lost_packets() const { return missed_packets + kernel_dropped_packets + interface_dropped_packets; }
};

struct RingFigures { // of the ring from one worker to another (capture.resteer)
    std::uint64_t steered_packets = 0;
    std::uint64_t dropped_packets = 0;
    std::uint64_t waiting_packets = 0;
};

struct WorkerFigures {
    std::string name; // "worker-01"
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    double busy_seconds = 0;
    double busy_ratio = 0; // derived
    std::uint64_t polls = 0;
    std::uint64_t starved_polls = 0;
    std::uint64_t filtered_packets = 0;
    std::uint64_t cut_packets = 0;
    std::uint64_t gathered_packets = 0;
    std::uint64_t wrong_time_packets = 0;
    std::uint64_t rings_out_of_step = 0;
    std::uint64_t unread_packets = 0;
    std::uint64_t steered_packets = 0;
    std::uint64_t steering_dropped_packets = 0;
    std::uint64_t steered_late_packets = 0;
    std::uint64_t connections = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_evicted = 0;
    std::uint64_t ftp_sessions_open = 0;
    std::uint64_t payload_bytes = 0;
    std::uint64_t missed_bytes = 0;
    std::uint64_t conn_records = 0;
    std::uint64_t ftp_records = 0;
    std::uint64_t conn_records_dropped = 0;
    std::uint64_t ftp_records_dropped = 0;
    std::vector<RingFigures> rings; // by the worker that takes; empty: none
};

struct LogFigures {
    std::string name; // "conn"
    std::uint64_t entries = 0;
    std::uint64_t entries_lost = 0;
    std::uint64_t entries_waiting = 0;
    std::uint64_t text_bytes = 0;
    std::uint64_t file_bytes = 0;
    std::uint64_t files_rotated = 0;
    std::uint64_t files_removed_by_others = 0;
    std::uint64_t write_errors = 0;
    bool failing = false;
};

struct EventFigures {
    std::string name;
    std::string example_uid; // only once the sensor has stopped
    std::uint64_t count = 0;
};

struct SensorFigures {         // what is not of one part
    double uptime_seconds = 0; // by CLOCK_MONOTONIC
    double logger_lag_seconds = 0;
    std::uint64_t late_records = 0;
    std::uint64_t transfer_records_dropped = 0;
    std::uint64_t retention_removed_files = 0;
    std::uint64_t reloads = 0;
    std::uint64_t reloads_refused = 0;
    double worker_skew_ratio = 0; // derived
};

struct Totals { // derived: sums over ports, workers and logs, and what is made of them
    std::uint64_t received_packets = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t lost_packets = 0;
    std::uint64_t error_packets = 0;
    std::uint64_t connections = 0;
    std::uint64_t connections_open = 0;
    std::uint64_t connections_evicted = 0;
    std::uint64_t ftp_sessions_open = 0;
    std::uint64_t conn_entries = 0;
    std::uint64_t ftp_entries = 0;
    std::uint64_t records_dropped = 0;
    std::uint64_t entries_lost = 0;
    std::uint64_t payload_bytes = 0;
    std::uint64_t missed_bytes = 0;
    double missed_ratio = 0;
};

struct Snapshot {
    Timestamp time = 0;
    Duration interval = 0; // that the derived figures are about: since the snapshot before
    std::uint64_t number = 0;
    SensorFigures sensor;
    Totals totals;
    std::vector<PortFigures> ports;
    std::vector<WorkerFigures> workers;
    std::vector<LogFigures> logs;
    std::vector<EventFigures> events; // those that happened

    const LogFigures* log(const std::string& name) const;
    const EventFigures* event(const std::string& name) const;
};

// From the one to the other, by the uptime, which does not step with the clock.
Duration between(const Snapshot& before, const Snapshot& now);

// Fills in the derived figures of `now`. Ratios are about what came since `before`: how busy, how uneven, how much was
// missed.
void derive(Snapshot& now, const Snapshot& before);

// What happened between the two: counters are differences, the rest is as in `now`, ratios are of that time.
Snapshot difference(const Snapshot& now, const Snapshot& before);

// The latest snapshot, handed from the main thread to any other.
class StatsBoard {
public:
    // Numbers it and derives its ratios from the one before. Main thread.
    std::shared_ptr<const Snapshot> publish(Snapshot snapshot);
    std::shared_ptr<const Snapshot> latest() const; // null: none yet. Any thread

private:
    mutable std::mutex mutex_; // held for a pointer's copy; no worker takes it
    std::shared_ptr<const Snapshot> latest_;
};

} // namespace ftpsensor
