// A snapshot with something in every row: each figure has a value of its own.
#pragma once

#include "daemon/stats/figures.h"

namespace ftpsensor {

template <class Row>
void fill(std::span<const Figure<Row>> figures, Row& row, std::uint64_t& next) {
    for (const auto& figure : figures) {
        if (const auto* count = std::get_if<std::uint64_t Row::*>(&figure.member)) row.** count = ++next;
        if (const auto* real = std::get_if<double Row::*>(&figure.member))
            row.** real = static_cast<double>(++next) / 8;
        if (const auto* truth = std::get_if<bool Row::*>(&figure.member)) row.** truth = true;
    }
}

// Two ports with two queues, two workers with rings to each, two logs, two events; totals and ratios are left to
// derive().
inline Snapshot sample_snapshot(std::uint64_t first = 0) {
    Snapshot s;
    s.time = 1'600'000'000 * kSecond;
    std::uint64_t next = first;
    fill(sensor_figures(), s.sensor, next);
    for (const char* name : {"eth1", "eth2"}) {
        PortFigures& port = s.ports.emplace_back();
        port.name = name;
        fill(port_figures(), port, next);
        port.queues.resize(2);
        for (auto& queue : port.queues) fill(queue_figures(), queue, next);
    }
    for (const char* name : {"worker-01", "worker-02"}) {
        s.workers.emplace_back().name = name;
        fill(worker_figures(), s.workers.back(), next);
        s.workers.back().rings.resize(2);
        for (auto& ring : s.workers.back().rings) fill(ring_figures(), ring, next);
    }
    for (const char* name : {"conn", "ftp"}) {
        s.logs.emplace_back().name = name;
        fill(log_figures(), s.logs.back(), next);
    }
    for (const char* name : {"bad_TCP_checksum", "connection_evicted"}) {
        s.events.emplace_back().name = name;
        fill(event_figures(), s.events.back(), next);
    }
    return s;
}

} // namespace ftpsensor
