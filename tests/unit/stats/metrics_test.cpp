// Prometheus' metrics: the same figures under Prometheus' names, and content that promtool accepts (metrics_test.py).
#include "daemon/stats/metrics.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

std::string text_of(const Snapshot& s) { return prometheus::TextSerializer().Serialize(metric_families(s)); }

int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

// One GET; what came back, head included.
std::string scrape(int port) {
    const int fd = connect_to(port);
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
    ::close(fd);
    return answer;
}

} // namespace

TEST_CASE("the rules that are installed ask for metrics that there are") {
    std::ifstream file(FTPSENSOR_RULES);
    REQUIRE(file);
    const std::string rules{std::istreambuf_iterator<char>(file), {}};
    const std::string text = text_of(sample_snapshot());
    const std::regex metric("ftpsensor_[a-z_]+");
    std::size_t asked = 0;
    for (std::sregex_iterator m(rules.begin(), rules.end(), metric), end; m != end; ++m, ++asked)
        CHECK_THAT(text, Catch::Contains("# TYPE " + m->str() + " "));
    CHECK(asked > 20);
}

TEST_CASE("each figure of each scope is a metric with the row's labels") {
    Snapshot s = sample_snapshot();
    const std::string text = text_of(s);
    const auto has = [&](const std::string& line) { CHECK_THAT(text, Catch::Contains("\n" + line + "\n")); };
    has("ftpsensor_port_received_packets_total{port=\"eth2\"} " + std::to_string(s.ports[1].received_packets));
    has("ftpsensor_port_link_up{port=\"eth1\"} 1");
    has("ftpsensor_queue_kernel_dropped_packets_total{port=\"eth1\",queue=\"1\"} " +
        std::to_string(s.ports[0].queues[1].kernel_dropped_packets));
    has("ftpsensor_worker_connections_open{worker=\"worker-02\"} " + std::to_string(s.workers[1].connections_open));
    has("ftpsensor_log_entries_total{log=\"ftp\"} " + std::to_string(s.logs[1].entries));
    has("ftpsensor_events_total{event=\"bad_TCP_checksum\"} " + std::to_string(s.events[0].count));
    has("ftpsensor_late_records_total " + std::to_string(s.sensor.late_records));
    has("# TYPE ftpsensor_worker_packets_total counter");
    has("# TYPE ftpsensor_worker_busy_ratio gauge");
}

TEST_CASE("a family is told once, with all its rows") {
    std::set<std::string> names;
    for (const auto& family : metric_families(sample_snapshot())) {
        CHECK(names.insert(family.name).second);
        CHECK_FALSE(family.metric.empty());
    }
    CHECK(names.size() > 40);
}

TEST_CASE("a scrape has the latest snapshot") {
    StatsBoard board;
    MetricsConfig config;
    config.port = 0; // any: the test's own, not a sensor's
    MetricsServer server(config, board);
    CHECK_THAT(scrape(server.port()), !Catch::Contains("ftpsensor_"));
    const auto published = board.publish(sample_snapshot());
    CHECK_THAT(scrape(server.port()), Catch::Contains("ftpsensor_worker_packets_total{worker=\"worker-01\"} " +
                                                      std::to_string(published->workers[0].packets) + "\n"));
    config.port = static_cast<std::uint32_t>(server.port());
    CHECK(place_of({.address = "::1", .port = 9821}) == "[::1]:9821");
    CHECK_THROWS_WITH((MetricsServer{config, board}), Catch::Contains("cannot listen on 127.0.0.1:"));
}

TEST_CASE("whoever connects and asks nothing keeps nobody from the figures") {
    StatsBoard board;
    board.publish(sample_snapshot());
    MetricsConfig config;
    config.port = 0;
    MetricsServer server(config, board);
    std::vector<int> idle;
    for (int i = 0; i < 4; ++i) {
        idle.push_back(connect_to(server.port()));
        const std::string half = i % 2 == 0 ? "" : "GET /metr";
        REQUIRE(::send(idle.back(), half.data(), half.size(), 0) == static_cast<ssize_t>(half.size()));
    }
    const auto began = std::chrono::steady_clock::now();
    CHECK_THAT(scrape(server.port()), Catch::Contains("ftpsensor_uptime_seconds"));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10)); // a scraper's patience
    for (const int fd : idle) ::close(fd);
}

TEST_CASE("a body that comes byte by byte is refused, and keeps nobody from the figures") {
    const std::string announced = GENERATE(as<std::string>{}, "Content-Length: 1000000", "Transfer-Encoding: chunked");
    StatsBoard board;
    board.publish(sample_snapshot());
    MetricsConfig config;
    config.port = 0;
    MetricsServer server(config, board);
    std::vector<int> dripping;
    for (int i = 0; i < 2; ++i) { // as many as there are threads
        dripping.push_back(connect_to(server.port()));
        const std::string head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n" + announced + "\r\n\r\n";
        REQUIRE(::send(dripping.back(), head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()));
    }
    std::atomic<bool> ended{false};
    std::thread drips([&] {
        for (int i = 0; i < 60 && !ended.load(); ++i) { // 15 s
            for (const int fd : dripping) static_cast<void>(::send(fd, "1", 1, MSG_NOSIGNAL));
            std::this_thread::sleep_for(std::chrono::milliseconds(250));
        }
    });
    const auto began = std::chrono::steady_clock::now();
    CHECK_THAT(scrape(server.port()), Catch::Contains("ftpsensor_uptime_seconds"));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));
    ended.store(true);
    char answer[12];
    CHECK(::recv(dripping[0], answer, sizeof answer, MSG_WAITALL) == sizeof answer);
    CHECK(std::string_view(answer, sizeof answer) == "HTTP/1.1 413");
    drips.join();
    for (const int fd : dripping) ::close(fd);
}

TEST_CASE("it ends at once: an operator's stop and a reload wait for it") {
    StatsBoard board;
    MetricsConfig config;
    config.port = 0;
    const auto began = std::chrono::steady_clock::now();
    for (const char* address : {"127.0.0.1", "0.0.0.0"}) {
        config.address = address;
        MetricsServer{config, board};
    }
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(1500)); // the library's own: 2 s each
}
