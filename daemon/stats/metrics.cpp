#include "daemon/stats/metrics.h"

#include "daemon/stats/figures.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <CivetServer.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr const char* kThreads = "2"; // a scrape each few seconds
// Whoever connects and asks nothing has a thread for so long: the library's own 30 s are longer than a scraper's
// patience.
constexpr const char* kRequestPatienceMs = "1000";
constexpr int kBodyRefused = 413;
constexpr auto kCallEvery = std::chrono::milliseconds(20);

ClientMetric metric_of(FigureKind kind, double value, Labels labels) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (kind == FigureKind::counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
    return metric;
}

MetricFamily family_of(std::string name, std::string_view help, FigureKind kind) {
    const bool counter = kind == FigureKind::counter;
    return {std::move(name) + (counter ? "_total" : ""),
            std::string(help),
            counter ? MetricType::Counter : MetricType::Gauge,
            {}};
}

// A family for each figure of a scope, with a metric for each row.
template <class Row>
class Scope {
public:
    Scope(std::string_view prefix, std::span<const Figure<Row>> figures) : figures_(figures) {
        for (const auto& figure : figures)
            families_.push_back(
                family_of(fmt::format("ftpsensor_{}{}", prefix, figure.name), figure.help, figure.kind));
    }
    void add(const Row& row, const Labels& labels) {
        std::size_t i = 0;
        for_each_figure(figures_, row, [&](const auto& figure, auto value) {
            families_[i++].metric.push_back(metric_of(figure.kind, static_cast<double>(value), labels));
        });
    }
    void move_to(std::vector<MetricFamily>& all) {
        for (auto& family : families_)
            if (!family.metric.empty()) all.push_back(std::move(family));
    }

private:
    std::span<const Figure<Row>> figures_;
    std::vector<MetricFamily> families_;
};

// A scrape has no body. Of one that was announced the library waits for the rest as long as a byte comes now and then:
// two clients that drip would have both threads.
int begin_request(mg_connection* connection) {
    const bool body = mg_get_request_info(connection)->content_length > 0 ||
                      mg_get_header(connection, "Transfer-Encoding") != nullptr;
    if (!body) return 0;
    mg_send_http_error(connection, kBodyRefused, "%s", "no body is taken here");
    return kBodyRefused;
}

// A connection without a request.
void call(const IpAddress& address, int port) {
    const int fd = ::socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    const auto& bytes = address.bytes;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v4.sin_addr, bytes.data() + 12, 4);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    const auto* to = address.is_v4() ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
    static_cast<void>(::connect(fd, to, address.is_v4() ? sizeof v4 : sizeof v6));
    ::close(fd);
}

class LatestSnapshot final : public prometheus::Collectable {
public:
    explicit LatestSnapshot(const StatsBoard& board) : board_(board) {}
    std::vector<MetricFamily> Collect() const override {
        const auto snapshot = board_.latest();
        return snapshot ? metric_families(*snapshot) : std::vector<MetricFamily>{};
    }

private:
    const StatsBoard& board_;
};

} // namespace

std::vector<MetricFamily> metric_families(const Snapshot& s) {
    std::vector<MetricFamily> all;
    Scope sensor("", sensor_figures());
    sensor.add(s.sensor, {});
    sensor.move_to(all);
    MetricFamily time =
        family_of("ftpsensor_snapshot_time_seconds", "When these figures were gathered.", FigureKind::gauge);
    time.metric.push_back(metric_of(FigureKind::gauge, static_cast<double>(s.time) / 1e9, {}));
    all.push_back(std::move(time));

    Scope ports("port_", port_figures());
    Scope queues("queue_", queue_figures());
    for (const auto& port : s.ports) {
        ports.add(port, {{"port", port.name}});
        for (std::size_t i = 0; i < port.queues.size(); ++i)
            queues.add(port.queues[i], {{"port", port.name}, {"queue", std::to_string(i)}});
    }
    ports.move_to(all);
    queues.move_to(all);
    Scope workers("worker_", worker_figures());
    Scope rings("ring_", ring_figures());
    for (const auto& worker : s.workers) {
        workers.add(worker, {{"worker", worker.name}});
        for (std::size_t i = 0; i < worker.rings.size(); ++i)
            rings.add(worker.rings[i], {{"worker", worker.name}, {"to", s.workers[i].name}});
    }
    workers.move_to(all);
    rings.move_to(all);
    Scope logs("log_", log_figures());
    for (const auto& log : s.logs) logs.add(log, {{"log", log.name}});
    logs.move_to(all);

    MetricFamily events = family_of("ftpsensor_events", event_figures().front().help, FigureKind::counter);
    for (const auto& event : s.events)
        events.metric.push_back(
            metric_of(FigureKind::counter, static_cast<double>(event.count), {{"event", event.name}}));
    if (!events.metric.empty()) all.push_back(std::move(events));
    return all;
}

std::string place_of(const MetricsConfig& config) {
    const bool v6 = config.address.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", config.address, v6 ? "]" : "", config.port);
}

MetricsServer::MetricsServer(const MetricsConfig& config, const StatsBoard& board)
    : address_(*IpAddress::parse(config.address)), collectable_(std::make_shared<LatestSnapshot>(board)) {
    const std::string place = place_of(config);
    CivetCallbacks callbacks; // copied by the library
    callbacks.begin_request = begin_request;
    try {
        exposer_ = std::make_unique<prometheus::Exposer>(
            std::vector<std::string>{"listening_ports", place, "num_threads", kThreads, "request_timeout_ms",
                                     kRequestPatienceMs},
            &callbacks);
    } catch (const std::exception&) { // says no more than that it did not work
        throw std::runtime_error(fmt::format("cannot listen on {}; is the address this host's, and the port free? "
                                             "see: ss -ltn; metrics.port: 0 switches them off",
                                             place));
    }
    exposer_->RegisterCollectable(collectable_);
}

// The library's thread looks every two seconds whether it is to end, or when a connection comes: it gets some, unless
// no further thread can be had.
MetricsServer::~MetricsServer() {
    std::atomic<bool> ended{false};
    std::thread caller;
    try {
        caller = std::thread([this, &ended, port = port()] {
            while (!ended.load()) {
                call(address_, port);
                std::this_thread::sleep_for(kCallEvery);
            }
        });
    } catch (const std::system_error&) {
    }
    exposer_.reset();
    ended.store(true);
    if (caller.joinable()) caller.join();
}

int MetricsServer::port() const { return exposer_->GetListeningPorts().front(); }

} // namespace ftpsensor
