#include "daemon/stats/snapshot.h"

#include "daemon/stats/figures.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ftpsensor {
namespace {

template <class Row>
const Row* find_named(const std::vector<Row>& rows, const std::string& name) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
    return found == rows.end() ? nullptr : &*found;
}

template <class Row>
void subtract(std::span<const Figure<Row>> figures, Row& from, const Row& what) {
    for (const auto& figure : figures) {
        if (figure.kind != FigureKind::counter) continue;
        if (const auto* count = std::get_if<std::uint64_t Row::*>(&figure.member)) {
            // A driver's counter may go back (a port that was reset): that is no negative traffic.
            from.** count -= std::min(from.**count, what.**count);
        } else if (const auto* real = std::get_if<double Row::*>(&figure.member)) {
            from.** real = std::max(0.0, from.**real - what.**real);
        }
    }
}

// Ports, workers and logs stand in one order for a sensor's life.
template <class Row>
void subtract_all(std::span<const Figure<Row>> figures, std::vector<Row>& from, const std::vector<Row>& what) {
    for (std::size_t i = 0; i < std::min(from.size(), what.size()); ++i) subtract(figures, from[i], what[i]);
}

void add_up(Snapshot& s) {
    Totals t;
    for (const auto& port : s.ports) {
        t.received_packets += port.received_packets;
        t.received_bytes += port.received_bytes;
        t.lost_packets += port.lost_packets();
        t.error_packets += port.error_packets;
    }
    for (const auto& worker : s.workers) {
        t.connections += worker.connections;
        t.connections_open += worker.connections_open;
        t.connections_evicted += worker.connections_evicted;
        t.ftp_sessions_open += worker.ftp_sessions_open;
        t.records_dropped += worker.conn_records_dropped + worker.ftp_records_dropped;
        t.payload_bytes += worker.payload_bytes;
        t.missed_bytes += worker.missed_bytes;
        t.lost_packets += worker.steering_dropped_packets + worker.unread_packets;
    }
    for (const auto& log : s.logs) {
        if (log.name == "conn") t.conn_entries = log.entries;
        if (log.name == "ftp") t.ftp_entries = log.entries;
        t.entries_lost += log.entries_lost;
    }
    s.totals = t;
}

// The ratios of a snapshot that holds differences.
void set_ratios(Snapshot& change) {
    const double seconds = static_cast<double>(change.interval) / 1e9;
    std::uint64_t sum = 0, most = 0;
    for (auto& worker : change.workers) {
        worker.busy_ratio = seconds <= 0 ? 0 : std::clamp(worker.busy_seconds / seconds, 0.0, 1.0);
        sum += worker.packets;
        most = std::max(most, worker.packets);
    }
    const double mean = static_cast<double>(sum) / static_cast<double>(std::max<std::size_t>(change.workers.size(), 1));
    change.sensor.worker_skew_ratio = sum == 0 ? 1 : static_cast<double>(most) / mean;
    const auto& t = change.totals;
    const std::uint64_t sent = t.missed_bytes + t.payload_bytes;
    change.totals.missed_ratio = sent == 0 ? 0 : static_cast<double>(t.missed_bytes) / static_cast<double>(sent);
}

} // namespace

const LogFigures* Snapshot::log(const std::string& name) const { return find_named(logs, name); }
const EventFigures* Snapshot::event(const std::string& name) const { return find_named(events, name); }

Duration between(const Snapshot& before, const Snapshot& now) {
    return static_cast<Duration>(std::llround((now.sensor.uptime_seconds - before.sensor.uptime_seconds) * 1e9));
}

Snapshot difference(const Snapshot& now, const Snapshot& before) {
    Snapshot change = now;
    change.interval = between(before, now);
    for (std::size_t i = 0; i < std::min(change.ports.size(), before.ports.size()); ++i)
        subtract_all(queue_figures(), change.ports[i].queues, before.ports[i].queues);
    subtract_all(port_figures(), change.ports, before.ports);
    for (std::size_t i = 0; i < std::min(change.workers.size(), before.workers.size()); ++i)
        subtract_all(ring_figures(), change.workers[i].rings, before.workers[i].rings);
    subtract_all(worker_figures(), change.workers, before.workers);
    subtract_all(log_figures(), change.logs, before.logs);
    subtract(sensor_figures(), change.sensor, before.sensor);
    for (auto& event : change.events)
        if (const auto* earlier = before.event(event.name)) event.count -= std::min(event.count, earlier->count);
    std::erase_if(change.events, [](const EventFigures& event) { return event.count == 0; });
    add_up(change);
    set_ratios(change);
    return change;
}

void derive(Snapshot& now, const Snapshot& before) {
    add_up(now);
    now.interval = between(before, now);
    const Snapshot change = difference(now, before);
    for (std::size_t i = 0; i < now.workers.size(); ++i) now.workers[i].busy_ratio = change.workers[i].busy_ratio;
    now.sensor.worker_skew_ratio = change.sensor.worker_skew_ratio;
    now.totals.missed_ratio = change.totals.missed_ratio;
}

std::shared_ptr<const Snapshot> StatsBoard::publish(Snapshot snapshot) {
    const auto before = latest();
    const Snapshot nothing;
    snapshot.number = before ? before->number + 1 : 1;
    derive(snapshot, before ? *before : nothing);
    auto published = std::make_shared<const Snapshot>(std::move(snapshot));
    const std::lock_guard lock(mutex_);
    latest_ = published;
    return published;
}

std::shared_ptr<const Snapshot> StatsBoard::latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
}

} // namespace ftpsensor
