#include "daemon/stats/snapshot_json.h"

#include "core/log/text_writers.h"
#include "daemon/stats/json_figures.h"

#include <array>

namespace ftpsensor {
namespace {

std::string iso_time(Timestamp t) {
    std::array<char, kTimeChars> text{};
    return {text.data(), IsoTimeWriter().put(text.data(), t)};
}

template <class Row>
Json object_of(const char* label, const std::string& name, std::span<const Figure<Row>> figures, const Row& row) {
    Json object;
    object[label] = name;
    add_figures(object, figures, row);
    return object;
}

template <class Row>
void read_figures(const Json& object, std::span<const Figure<Row>> figures, Row& row) {
    for (const auto& figure : figures)
        std::visit([&](auto member) { object.at(std::string(figure.name)).get_to(row.*member); }, figure.member);
}

template <class Row>
std::vector<Row> read_rows(const Json& array, const char* label, std::span<const Figure<Row>> figures) {
    std::vector<Row> rows;
    for (const Json& object : array) {
        Row& row = rows.emplace_back();
        row.name = object.at(label).get<std::string>();
        read_figures(object, figures, row);
    }
    return rows;
}

} // namespace

std::string to_json(const Snapshot& s) {
    Json json;
    json["time"] = iso_time(s.time);
    json["time_ns"] = s.time;
    json["interval_seconds"] = static_cast<double>(s.interval) / 1e9;
    json["number"] = s.number;
    add_figures(json["sensor"], sensor_figures(), s.sensor);
    add_figures(json["totals"], total_figures(), s.totals);
    for (const char* list : {"ports", "workers", "logs", "events"}) json[list] = Json::array();
    for (const auto& port : s.ports) {
        Json object = object_of("port", port.name, port_figures(), port);
        object["queues"] = Json::array();
        for (std::size_t i = 0; i < port.queues.size(); ++i) {
            Json queue;
            queue["queue"] = i;
            add_figures(queue, queue_figures(), port.queues[i]);
            object["queues"].push_back(std::move(queue));
        }
        json["ports"].push_back(std::move(object));
    }
    for (const auto& worker : s.workers) {
        Json object = object_of("worker", worker.name, worker_figures(), worker);
        object["rings"] = Json::array();
        for (std::size_t i = 0; i < worker.rings.size(); ++i)
            object["rings"].push_back(object_of("to", s.workers[i].name, ring_figures(), worker.rings[i]));
        json["workers"].push_back(std::move(object));
    }
    for (const auto& log : s.logs) json["logs"].push_back(object_of("log", log.name, log_figures(), log));
    for (const auto& event : s.events) json["events"].push_back(object_of("event", event.name, event_figures(), event));
    return one_line(json);
}

std::optional<Snapshot> from_json(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        Snapshot s;
        json.at("time_ns").get_to(s.time);
        s.interval = static_cast<Duration>(json.at("interval_seconds").get<double>() * 1e9);
        json.at("number").get_to(s.number);
        read_figures(json.at("sensor"), sensor_figures(), s.sensor);
        read_figures(json.at("totals"), total_figures(), s.totals);
        s.ports = read_rows(json.at("ports"), "port", port_figures());
        for (std::size_t i = 0; i < s.ports.size(); ++i)
            for (const Json& queue : json.at("ports").at(i).at("queues"))
                read_figures(queue, queue_figures(), s.ports[i].queues.emplace_back());
        s.workers = read_rows(json.at("workers"), "worker", worker_figures());
        for (std::size_t i = 0; i < s.workers.size(); ++i)
            for (const Json& ring : json.at("workers").at(i).at("rings"))
                read_figures(ring, ring_figures(), s.workers[i].rings.emplace_back());
        s.logs = read_rows(json.at("logs"), "log", log_figures());
        s.events = read_rows(json.at("events"), "event", event_figures());
        return s;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

} // namespace ftpsensor
