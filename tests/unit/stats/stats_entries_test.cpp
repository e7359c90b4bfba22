// stats.log's lines: figures each interval, a loss in its second and then each ten, nothing twice.
#include "daemon/stats/stats_entries.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

#include <nlohmann/json.hpp>

using namespace ftpsensor;
using nlohmann::json;

namespace {

using Figures = std::shared_ptr<const Snapshot>;

Figures at(int second, std::uint64_t kernel_drops = 0, std::uint64_t out_of_room = 0) {
    Snapshot s = sample_snapshot();
    s.time = (1'600'000'000 + second) * kSecond;
    s.sensor.uptime_seconds = 3600 + second;
    s.ports[0].kernel_dropped_packets += kernel_drops;
    if (out_of_room != 0) s.events.push_back({"reassembly_memory", "", out_of_room});
    return std::make_shared<const Snapshot>(s);
}

std::vector<json> parsed(const std::vector<std::string>& lines) {
    std::vector<json> entries;
    for (const auto& line : lines) {
        CHECK(line.ends_with("}\n"));
        entries.push_back(json::parse(line));
    }
    return entries;
}

std::size_t count(const std::vector<json>& entries, const char* scope) {
    std::size_t n = 0;
    for (const auto& entry : entries) n += entry.at("scope") == scope;
    return n;
}

} // namespace

TEST_CASE("figures each interval, an entry a row, with the envelope") {
    StatsEntries entries({"lab", "node-1", TimestampFormat::iso8601, kMinute}, at(0));
    CHECK(entries.tick(at(59)).empty());
    const auto found = parsed(entries.tick(at(60)));
    CHECK(count(found, "sensor") == 1);
    CHECK(count(found, "port") == 2);
    CHECK(count(found, "queue") == 4);
    CHECK(count(found, "worker") == 2);
    CHECK(count(found, "log") == 2);
    CHECK(count(found, "event") == 0); // none happened
    CHECK(count(found, "loss") == 0);
    const json& first = found.front();
    CHECK(first.at("_path") == "stats");
    CHECK(first.at("_system_name") == "lab");
    CHECK(first.at("_node") == "node-1");
    CHECK(first.at("_write_ts") == "2020-09-13T12:27:40.000000Z");
    CHECK(first.at("ts_delta") == 60.0);
    CHECK(entries.tick(at(119)).empty());
    CHECK_FALSE(entries.tick(at(120)).empty());
}

TEST_CASE("a loss is told in its second, what follows each ten seconds, and in sum exactly") {
    StatsEntries entries({"", "", TimestampFormat::epoch, kHour}, at(0));
    std::uint64_t told = 0;
    std::vector<int> seconds;
    for (int second = 1; second <= 40; ++second) {
        const std::uint64_t drops = second < 5 ? 0 : static_cast<std::uint64_t>(std::min(second, 20)) * 3;
        for (const auto& entry : parsed(entries.tick(at(second, drops)))) {
            CHECK(entry.at("scope") == "loss");
            CHECK(entry.at("loss") == "kernel_dropped_packets");
            CHECK(entry.at("port") == "eth1");
            CHECK(entry.at("ts") == 1'600'000'000 + second);
            CHECK_FALSE(entry.contains("_system_name"));
            told += entry.at("count").get<std::uint64_t>();
            seconds.push_back(second);
        }
    }
    CHECK(told == 60);
    CHECK(seconds == std::vector<int>{5, 15, 25});
}

TEST_CASE("the end tells what is left of both") {
    StatsEntries entries({"", "", TimestampFormat::iso8601, kHour}, at(0));
    CHECK(parsed(entries.tick(at(1, 5))).size() == 1);
    CHECK(entries.tick(at(2, 7)).empty()); // within the ten seconds
    const auto found = parsed(entries.tick(at(3, 7), true));
    CHECK(count(found, "loss") == 1);
    CHECK(found.front().at("count") == 2);
    CHECK(count(found, "sensor") == 1);
}

TEST_CASE("a bound that was reached is a loss, odd traffic is not") {
    StatsEntries entries({"", "", TimestampFormat::iso8601, kHour}, at(0));
    const auto found = parsed(entries.tick(at(1, 0, 9)));
    REQUIRE(found.size() == 1);
    CHECK(found[0].at("loss") == "reassembly_memory");
    CHECK(found[0].at("count") == 9);
    Snapshot odd = *at(2, 0, 9);
    odd.events[0].count += 100; // bad_TCP_checksum
    CHECK(entries.tick(std::make_shared<const Snapshot>(odd)).empty());
}

TEST_CASE("what the logger itself left out is a loss of no worker's, told once") {
    StatsEntries entries({"", "", TimestampFormat::iso8601, kHour}, at(0));
    Snapshot s = *at(1);
    s.sensor.transfer_records_dropped += 4;
    s.workers[1].ftp_records_dropped += 3; // its own stream events among them
    s.events.push_back({"stream_event_dropped", "", 7});
    const auto found = parsed(entries.tick(std::make_shared<const Snapshot>(s)));
    REQUIRE(found.size() == 2);
    CHECK(found[0].at("loss") == "transfer_records_dropped");
    CHECK(found[0].at("count") == 4);
    CHECK_FALSE(found[0].contains("worker"));
    CHECK(found[1].at("loss") == "ftp_records_dropped");
    CHECK(found[1].at("count") == 3);
}

TEST_CASE("switched off: nothing, not even losses") {
    StatsEntries entries({"", "", TimestampFormat::iso8601, 0}, at(0));
    CHECK(entries.tick(at(3600, 5), true).empty());
}
