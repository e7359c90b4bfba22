#include "daemon/live/telemetry.h"

#include "daemon/stats/figures.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <rte_telemetry.h>
#include <rte_version.h>

namespace ftpsensor {
namespace {

std::mutex g_mutex; // guards the next; no worker takes it
std::shared_ptr<const StatsBoard> g_board;

std::shared_ptr<const Snapshot> latest() {
    const std::lock_guard lock(g_mutex);
    return g_board ? g_board->latest() : nullptr;
}

void add_uint(rte_tel_data* to, const char* name, std::uint64_t value) {
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
    rte_tel_data_add_dict_uint(to, name, value);
#else
    rte_tel_data_add_dict_u64(to, name, value);
#endif
}

void add_uint(rte_tel_data* to, std::uint64_t value) {
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
    rte_tel_data_add_array_uint(to, value);
#else
    rte_tel_data_add_array_u64(to, value);
#endif
}

// The protocol has no fractions: as text.
void add_value(rte_tel_data* to, const char* name, double value) {
    rte_tel_data_add_dict_string(to, name, fmt::format("{:.6g}", value).c_str());
}
void add_value(rte_tel_data* to, const char* name, std::uint64_t value) { add_uint(to, name, value); }
void add_value(rte_tel_data* to, const char* name, bool value) { add_uint(to, name, value ? 1 : 0); }

template <class Row>
void add_figures(rte_tel_data* to, std::span<const Figure<Row>> figures, const Row& row) {
    for_each_figure(figures, row,
                    [&](const auto& figure, auto value) { add_value(to, std::string(figure.name).c_str(), value); });
}

// A list with an item a worker.
template <class Value>
void add_by_worker(rte_tel_data* to, const char* name, const Snapshot& s, Value&& value) {
    rte_tel_data* list = rte_tel_data_alloc();
    if (list == nullptr) return;
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
    rte_tel_data_start_array(list, RTE_TEL_UINT_VAL);
#else
    rte_tel_data_start_array(list, RTE_TEL_U64_VAL);
#endif
    for (const auto& worker : s.workers) add_uint(list, value(worker));
    rte_tel_data_add_dict_container(to, name, list, 0);
}

int answer_stats(const char*, const char*, rte_tel_data* to) {
    const auto s = latest();
    rte_tel_data_start_dict(to);
    if (!s) return 0;
    add_figures(to, total_figures(), s->totals);
    add_figures(to, sensor_figures(), s->sensor);
    return 0;
}

// All of one, by its number from 1 as in its name; without one, what tells them apart: an answer has a bound.
int answer_workers(const char*, const char* parameters, rte_tel_data* to) {
    const auto s = latest();
    rte_tel_data_start_dict(to);
    if (!s) return 0;
    if (parameters == nullptr || *parameters == '\0') {
        add_by_worker(to, "packets", *s, [](const WorkerFigures& w) { return w.packets; });
        add_by_worker(to, "busy_per_mille", *s,
                      [](const WorkerFigures& w) { return static_cast<std::uint64_t>(w.busy_ratio * 1000); });
        add_by_worker(to, "records_dropped", *s,
                      [](const WorkerFigures& w) { return w.conn_records_dropped + w.ftp_records_dropped; });
        return 0;
    }
    std::size_t number = 0;
    const char* end = parameters + std::strlen(parameters);
    const auto parsed = std::from_chars(parameters, end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 1 || number > s->workers.size()) return -EINVAL;
    add_figures(to, worker_figures(), s->workers[number - 1]);
    return 0;
}

int answer_connections(const char*, const char*, rte_tel_data* to) {
    const auto s = latest();
    rte_tel_data_start_dict(to);
    if (!s) return 0;
    add_uint(to, "connections", s->totals.connections);
    add_uint(to, "connections_open", s->totals.connections_open);
    add_uint(to, "connections_evicted", s->totals.connections_evicted);
    add_uint(to, "ftp_sessions_open", s->totals.ftp_sessions_open);
    add_by_worker(to, "open_by_worker", *s, [](const WorkerFigures& w) { return w.connections_open; });
    return 0;
}

} // namespace

void tell_telemetry(std::shared_ptr<const StatsBoard> board) {
    {
        const std::lock_guard lock(g_mutex);
        g_board = std::move(board);
    }
    static const bool registered = [] {
        rte_telemetry_register_cmd("/ftpsensor/stats", answer_stats, "Totals of the sensor. No parameters");
        rte_telemetry_register_cmd("/ftpsensor/workers", answer_workers,
                                   "Workers beside each other, or all of one. Parameters: none, or its number from 1");
        rte_telemetry_register_cmd("/ftpsensor/connections", answer_connections,
                                   "Connections, open and in all. No parameters");
        return true;
    }();
    static_cast<void>(registered);
}

} // namespace ftpsensor
