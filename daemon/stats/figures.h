// The table of figures: the one place that names them. JSON, Prometheus' metrics, telemetry and stats.log are made of
// it, and docs/fields.md and the metrics' help say what stands here.
//
// A name is a stem with its unit: `received_packets` of the scope `port` is ports[].received_packets in `ftpsensord
// stats --json`, received_packets in stats.log and ftpsensor_port_received_packets_total as a metric. To add a figure:
// a member in snapshot.h, a line in figures.cpp, a line in docs/fields.md (a test compares). Immutable; any thread.
#pragma once

#include "daemon/stats/snapshot.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace ftpsensor {

enum class FigureKind : std::uint8_t { counter, gauge };

template <class Row>
struct Figure {
    std::string_view name;
    FigureKind kind;
    std::variant<std::uint64_t Row::*, double Row::*, bool Row::*> member;
    std::string_view help; // what one is; for a person
    bool loss = false;     // a counter of what was lost: stats.log has an entry of it at once
};

std::span<const Figure<PortFigures>> port_figures();
std::span<const Figure<QueueFigures>> queue_figures();
std::span<const Figure<WorkerFigures>> worker_figures();
std::span<const Figure<RingFigures>> ring_figures();
std::span<const Figure<LogFigures>> log_figures();
std::span<const Figure<EventFigures>> event_figures();
std::span<const Figure<SensorFigures>> sensor_figures();
std::span<const Figure<Totals>> total_figures(); // not metrics: Prometheus sums by itself

// Calls f(figure, value) for each figure of a row; the value is a std::uint64_t, a double or a bool.
template <class Row, class F>
void for_each_figure(std::span<const Figure<Row>> figures, const Row& row, F&& f) {
    for (const Figure<Row>& figure : figures) std::visit([&](auto member) { f(figure, row.*member); }, figure.member);
}

} // namespace ftpsensor
