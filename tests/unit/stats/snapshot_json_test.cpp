// A snapshot through JSON and back, and the form that scripts rely on.
#include "daemon/stats/snapshot_json.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

using namespace ftpsensor;

TEST_CASE("every figure comes back from JSON") {
    Snapshot s = sample_snapshot(1ull << 60); // beyond what a double holds
    s.number = 7;
    s.interval = kSecond;
    std::uint64_t next = 0;
    fill(total_figures(), s.totals, next);
    const std::string text = to_json(s);
    CHECK(text.find('\n') == std::string::npos);
    const auto back = from_json(text);
    REQUIRE(back);
    CHECK(to_json(*back) == text);
    CHECK(back->time == s.time);
    CHECK(back->ports[1].queues[1].error_packets == s.ports[1].queues[1].error_packets);
    CHECK(back->events[1].name == "connection_evicted");
}

TEST_CASE("JSON is read by name, as jq does") {
    const std::string text = to_json(sample_snapshot());
    CHECK_THAT(text, Catch::Contains(R"({"time":"2020-09-13T12:26:40.000000Z",)"));
    CHECK_THAT(text, Catch::Contains(R"("ports":[{"port":"eth1","received_packets":)"));
    CHECK_THAT(text, Catch::Contains(R"("link_up":true)"));
    CHECK_THAT(text, Catch::Contains(R"("queues":[{"queue":0,"received_packets":)"));
    CHECK_THAT(text, Catch::Contains(R"({"worker":"worker-02","packets":)"));
    CHECK_THAT(text, Catch::Contains(R"({"log":"conn","entries":)"));
    CHECK_THAT(text, Catch::Contains(R"({"event":"bad_TCP_checksum","count":)"));
}

TEST_CASE("what is none of ours is refused, not guessed at") {
    CHECK_FALSE(from_json("").has_value());
    CHECK_FALSE(from_json("{}").has_value());
    CHECK_FALSE(from_json("[1, 2]").has_value());
    std::string text = to_json(sample_snapshot());
    CHECK_FALSE(from_json(text.substr(0, text.size() - 1)).has_value());
    text.replace(text.find("missed_packets"), 14, "other_packets!");
    CHECK_FALSE(from_json(text).has_value());
}
