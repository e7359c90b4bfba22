#include "daemon/stats/stats_entries.h"

#include "core/base/events.h"
#include "core/log/text_writers.h"
#include "daemon/stats/json_figures.h"

#include <algorithm>
#include <array>

namespace ftpsensor {
namespace {

constexpr Duration kLossInterval = 10 * kSecond;

// Events that say that something was left out: bounds that were reached. (What workers drop they count as figures.)
constexpr std::array kLossEvents{
    Event::reassembly_memory,    Event::ftp_session_limit,  Event::first_bytes_memory,
    Event::tunnel_parents_limit, Event::announcements_full, Event::progress_memory,
    Event::fragment_evicted,     Event::fragment_memory,    Event::ftp_session_memory,
    Event::file_type_skipped,    Event::history_too_long,   Event::FTP_too_many_expected_data_channels,
};

bool is_loss(const EventFigures& event) {
    return std::any_of(kLossEvents.begin(), kLossEvents.end(), [&](Event e) { return event_name(e) == event.name; });
}

// Makes the lines of one moment.
class Lines {
public:
    Lines(const StatsEntryOptions& options, const Snapshot& change, std::vector<std::string>& lines)
        : options_(options), change_(change), lines_(lines) {}

    void figures() {
        Json all = entry("sensor");
        add_figures(all, total_figures(), change_.totals);
        add_figures(all, sensor_figures(), change_.sensor);
        add(all);
        for (const auto& port : change_.ports) {
            add_row("port", port.name, port_figures(), port);
            for (std::size_t i = 0; i < port.queues.size(); ++i) {
                Json queue = entry("queue");
                queue["port"] = port.name;
                queue["queue"] = i;
                add_figures(queue, queue_figures(), port.queues[i]);
                add(queue);
            }
        }
        for (const auto& worker : change_.workers) {
            add_row("worker", worker.name, worker_figures(), worker);
            for (std::size_t i = 0; i < worker.rings.size(); ++i) {
                Json ring = entry("ring");
                ring["worker"] = worker.name;
                ring["to"] = change_.workers[i].name;
                add_figures(ring, ring_figures(), worker.rings[i]);
                add(ring);
            }
        }
        for (const auto& log : change_.logs) add_row("log", log.name, log_figures(), log);
        for (const auto& event : change_.events) add_row("event", event.name, event_figures(), event);
    }

    void losses() {
        add_losses(nullptr, {}, sensor_figures(), change_.sensor);
        for (const auto& port : change_.ports) add_losses("port", port.name, port_figures(), port);
        for (const auto& worker : change_.workers) add_losses("worker", worker.name, worker_figures(), worker);
        for (const auto& log : change_.logs) add_losses("log", log.name, log_figures(), log);
        for (const auto& event : change_.events)
            if (is_loss(event)) add_loss(event.name, event.count, nullptr, {});
    }

private:
    Json time(Timestamp t) const {
        if (options_.timestamps == TimestampFormat::epoch) return static_cast<double>(t / kMicrosecond) / 1e6;
        std::array<char, kTimeChars> text{};
        return std::string(text.data(), IsoTimeWriter().put(text.data(), t));
    }

    Json entry(const char* scope) const {
        Json json;
        json["_path"] = "stats";
        if (!options_.system_name.empty()) json["_system_name"] = options_.system_name;
        json["_write_ts"] = time(change_.time);
        if (!options_.node.empty()) json["_node"] = options_.node;
        json["ts"] = time(change_.time);
        json["ts_delta"] = static_cast<double>(change_.interval) / 1e9;
        json["scope"] = scope;
        return json;
    }

    void add(const Json& json) { lines_.push_back(one_line(json) + "\n"); }

    template <class Row>
    void add_row(const char* scope, const std::string& name, std::span<const Figure<Row>> figures, const Row& row) {
        Json json = entry(scope);
        json[scope] = name;
        add_figures(json, figures, row);
        add(json);
    }

    template <class Row>
    void add_losses(const char* scope, const std::string& name, std::span<const Figure<Row>> figures, const Row& row) {
        for (const auto& figure : figures) {
            const auto* count = std::get_if<std::uint64_t Row::*>(&figure.member);
            if (figure.loss && count != nullptr && row.**count != 0)
                add_loss(std::string(figure.name), row.**count, scope, name);
        }
    }

    void add_loss(const std::string& what, std::uint64_t count, const char* scope, const std::string& name) {
        Json json = entry("loss");
        json["loss"] = what;
        json["count"] = count;
        if (scope != nullptr) json[scope] = name;
        add(json);
    }

    const StatsEntryOptions& options_;
    const Snapshot& change_;
    std::vector<std::string>& lines_;
};

} // namespace

StatsEntries::StatsEntries(StatsEntryOptions options, Figures first)
    : options_(std::move(options)), at_last_figures_(first), at_last_loss_(std::move(first)) {}

std::vector<std::string> StatsEntries::tick(const Figures& now, bool last) {
    std::vector<std::string> lines;
    if (options_.interval == 0) return lines;
    if (last || !told_loss_ || between(*at_last_loss_, *now) >= kLossInterval) {
        Lines(options_, difference(*now, *at_last_loss_), lines).losses();
        at_last_loss_ = now;
        told_loss_ = !lines.empty();
    }
    if (last || between(*at_last_figures_, *now) >= options_.interval) {
        Lines(options_, difference(*now, *at_last_figures_), lines).figures();
        at_last_figures_ = now;
    }
    return lines;
}

} // namespace ftpsensor
