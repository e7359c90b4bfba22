// LiveSensor::snapshot(): from ports, workers and the Engine to one snapshot of figures.
#include "daemon/live/live_sensor.h"
#include "daemon/stats/stats_log.h"

#include <algorithm>

namespace ftpsensor {
namespace {

std::uint64_t value_of(const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

} // namespace

// net_af_packet adds up its first 16 queues, of up to 128: what the workers fetched is all of it.
PortCounts LiveSensor::counts_of(Port& port) const {
    PortCounts counts = port.counts();
    if (port.kind() != PortKind::interface) return counts;
    counts.received = counts.bytes = 0;
    for (const auto& loop : loops_) {
        counts.received += loop->packets_of_port(port.port_id());
        counts.bytes += loop->bytes_of_port(port.port_id());
    }
    return counts;
}

void LiveSensor::add_ports(Snapshot& snapshot) {
    for (std::size_t i = 0; i < ports_.size(); ++i) {
        Port& port = *ports_[i];
        const PortCounts counts = counts_of(port);
        const ShuntFigures shunt = shunt_ ? shunt_->figures(port.name()) : ShuntFigures{};
        PortFigures figures{.name = port.name(),
                            .link_up = port.link_up(),
                            .link_down_seconds = i < link_down_seconds_.size() ? link_down_seconds_[i] : 0,
                            .received_packets = counts.received,
                            .received_bytes = counts.bytes,
                            .missed_packets = counts.missed,
                            .no_mbuf_packets = counts.no_mbuf,
                            .kernel_dropped_packets = counts.kernel_drops,
                            .interface_dropped_packets = counts.interface_drops,
                            .interface_unclaimed_packets = counts.unclaimed,
                            .error_packets = counts.errors,
                            .shunt_rules = shunt.rules,
                            .shunt_rules_added = shunt.rules_added,
                            .shunt_rules_refused = shunt.rules_refused,
                            .shunt_rules_stuck = shunt.rules_stuck,
                            .shunt_rules_untold = shunt.rules_untold,
                            .shunted_packets = shunt.packets,
                            .shunted_bytes = shunt.bytes,
                            .queues = {}};
        for (std::size_t q = 0; q < counts.queues.size(); ++q) // a worker's queue has its number
            figures.queues.push_back(
                {.received_packets = q < loops_.size() ? loops_[q]->packets_of_port(port.port_id()) : 0,
                 .kernel_dropped_packets = counts.queues[q].kernel_drops,
                 .error_packets = counts.queues[q].errors});
        snapshot.ports.push_back(std::move(figures));
    }
}

void LiveSensor::add_rings(std::uint32_t from, WorkerFigures& worker) const {
    for (std::uint32_t to = 0; to < steering_->workers(); ++to) {
        worker.rings.push_back({.steered_packets = steering_->steered(from, to),
                                .dropped_packets = steering_->dropped(from, to),
                                .waiting_packets = steering_->waiting(from, to)});
        worker.steered_packets += worker.rings.back().steered_packets;
        worker.steering_dropped_packets += worker.rings.back().dropped_packets;
    }
}

void LiveSensor::add_workers(const EngineStats& engine, Snapshot& snapshot) const {
    for (std::size_t i = 0; i < engine.workers.size(); ++i) {
        const WorkerStats& w = engine.workers[i];
        WorkerFigures figures{.name = worker_name(static_cast<std::uint32_t>(i)),
                              .packets = w.packets,
                              .bytes = w.bytes,
                              .connections = w.connections,
                              .connections_open = w.connections_open,
                              .connections_evicted = w.connections_evicted,
                              .ftp_sessions_open = w.ftp_sessions_open,
                              .payload_bytes = w.payload_bytes,
                              .missed_bytes = w.missed_bytes,
                              .conn_records = w.conn_records,
                              .ftp_records = w.ftp_records,
                              .conn_records_dropped = w.conn_records_dropped,
                              .ftp_records_dropped = w.ftp_records_dropped,
                              .rings = {}};
        if (i < loops_.size()) {
            const RxCounts& rx = loops_[i]->counts();
            figures.busy_seconds = loops_[i]->busy_seconds();
            figures.polls = value_of(rx.polls);
            figures.starved_polls = value_of(rx.starved_polls);
            figures.filtered_packets = value_of(rx.filtered);
            figures.cut_packets = value_of(rx.cut);
            figures.gathered_packets = value_of(rx.gathered);
            figures.wrong_time_packets = value_of(rx.wrong_times);
            figures.rings_out_of_step = value_of(rx.out_of_step);
            figures.unread_packets = value_of(rx.unread);
            figures.steered_late_packets = loops_[i]->steered_late();
        }
        if (steering_) add_rings(static_cast<std::uint32_t>(i), figures);
        snapshot.workers.push_back(std::move(figures));
    }
}

Snapshot LiveSensor::snapshot() {
    const EngineStats engine = engine_->stats();
    Snapshot snapshot;
    snapshot.time = host_clock();
    snapshot.sensor.uptime_seconds = static_cast<double>(monotonic_clock() - started_monotonic_) / 1e9;
    snapshot.sensor.late_records = engine.late_records;
    snapshot.sensor.transfer_records_dropped = engine.transfer_records_dropped;
    snapshot.sensor.retention_removed_files = engine.files_removed;
    // Nothing is written before the first worker's time has come; the end is beyond all time.
    if (engine.logged_through > started_)
        snapshot.sensor.logger_lag_seconds =
            static_cast<double>(std::max<Duration>(snapshot.time - engine.logged_through, 0)) / 1e9;
    add_ports(snapshot);
    add_workers(engine, snapshot);
    for (std::size_t log = 0; log < kLogKinds; ++log)
        snapshot.logs.push_back(log_figures_of(log_path(static_cast<LogKind>(log)), engine.logs[log]));
    for (const auto& event : engine.events)
        snapshot.events.push_back({std::string(event_name(event.event)), event.example_uid, event.count});
    return snapshot;
}

} // namespace ftpsensor
