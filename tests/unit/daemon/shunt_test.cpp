// capture.shunt between workers and ports: rules made, read, taken away, refused; nothing that a port counted is lost.
// The ports here are played; the thread is stepped by hand.
#include "daemon/live/shunt.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <chrono>
#include <map>

using namespace ftpsensor;

namespace {

struct PlayedPort { // what a test sees of one port
    bool counts = true;
    bool knows_flags = true;
    bool tells_counters = true;
    bool keeps_rules = false; // does not take them away
    std::size_t room = 100;
    std::size_t next = 1;
    std::size_t removed = 0;
    std::size_t kept = 0; // times that it was asked to take one away, and did not
    std::map<std::size_t, std::pair<FlowRule, FlowCounts>> rules;

    void pass(std::uint16_t source_port, std::uint64_t packets, std::uint64_t bytes) {
        for (auto& [handle, rule] : rules) {
            if (rule.first.source_port != source_port) continue;
            rule.second.packets += packets;
            rule.second.bytes += bytes;
        }
    }
};

class PlayedRules final : public FlowRules {
public:
    PlayedRules(PlayedPort& port, std::string name) : port_(port), name_(std::move(name)) {}
    const std::string& port() const override { return name_; }
    std::string fault(const FlowRule& rule) override {
        if (!port_.counts) return "Function not implemented";
        return rule.without_ends && !port_.knows_flags ? "no match on TCP flags" : "";
    }
    Handle add(const FlowRule& rule) override {
        if (!fault(rule).empty() || port_.rules.size() >= port_.room) return nullptr;
        port_.rules[port_.next] = {rule, {}};
        return reinterpret_cast<Handle>(port_.next++);
    }
    std::optional<FlowCounts> counts(Handle handle) override {
        if (!port_.tells_counters) return std::nullopt;
        return port_.rules.at(reinterpret_cast<std::size_t>(handle)).second;
    }
    bool remove(Handle handle) override {
        if (port_.keeps_rules) {
            ++port_.kept;
            return false;
        }
        ++port_.removed;
        REQUIRE(port_.rules.erase(reinterpret_cast<std::size_t>(handle)) == 1);
        return true;
    }

private:
    PlayedPort& port_;
    std::string name_;
};

constexpr ShuntTicket kFirst{0, 0};
const ShuntFlow kFlow{{IpAddress::from_v4(10, 0, 0, 1), IpAddress::from_v4(10, 0, 0, 2)}, {1001, 1002}, 0};

struct Bench {
    CaptureConfig capture;
    std::vector<PlayedPort> ports;
    std::unique_ptr<Shunt> shunt;
    Notes notes;
    Timestamp now = 1000 * kSecond;

    explicit Bench(std::size_t count = 1, std::size_t workers = 1, ConfigShunt mode = ConfigShunt::on) : ports(count) {
        capture.shunt = mode;
        capture.shunt_rules_max = 8;
        shunt = std::make_unique<Shunt>(capture, workers);
    }
    void probe() {
        std::vector<std::unique_ptr<FlowRules>> rules;
        for (std::size_t i = 0; i < ports.size(); ++i)
            rules.push_back(std::make_unique<PlayedRules>(ports[i], "port" + std::to_string(i)));
        shunt->probe(std::move(rules), notes);
        for (PlayedPort& port : ports) port.removed = 0; // the probe's own
    }
    void step(Duration later = 10 * kMillisecond) { shunt->step(now += later); }
    std::vector<ShuntReport> reports(std::size_t worker = 0) {
        std::vector<ShuntReport> all;
        ShuntReport report;
        while (shunt->next_report(worker, report)) all.push_back(report);
        return all;
    }
    std::uint64_t rules() const {
        std::uint64_t all = 0;
        for (const PlayedPort& port : ports) all += port.rules.size();
        return all;
    }
};

using What = ShuntReport::What;

std::uint64_t packets_of(const std::vector<ShuntReport>& reports, unsigned side = 0) {
    std::uint64_t packets = 0;
    for (const auto& report : reports) packets += report.counts[side].packets;
    return packets;
}

} // namespace

TEST_CASE("a transfer is counted by rules for both directions, read each second, reported once") {
    Bench b;
    b.probe();
    CHECK(b.notes.at(0).level == NoteLevel::info);
    CHECK(b.shunt->max() == 4);
    b.shunt->begin(0, kFirst, kFlow);
    CHECK(b.rules() == 0); // a worker never talks to a port
    b.step();
    REQUIRE(b.rules() == 2);
    CHECK(b.ports[0].rules.begin()->second.first.without_ends);
    REQUIRE(b.reports().size() == 1); // begun
    b.ports[0].pass(1001, 10, 15000);
    b.ports[0].pass(1002, 5, 300);
    b.step();
    CHECK(b.reports().empty());
    b.step(kSecond);
    auto told = b.reports();
    REQUIRE(told.size() == 1);
    CHECK(told[0].what == What::counted);
    CHECK(told[0].counts[0].packets == 10);
    CHECK(told[0].counts[0].bytes == 15000);
    CHECK(told[0].counts[1].packets == 5);
    CHECK(told[0].counts[1].bytes == 300);
    b.step(kSecond);
    CHECK(b.reports().empty()); // nothing new
    const ShuntFigures figures = b.shunt->figures("port0");
    CHECK(figures.rules == 2);
    CHECK(figures.rules_added == 2);
    CHECK(figures.packets == 15);
    CHECK(figures.bytes == 15300);
}

TEST_CASE("after the end what a card tells late is waited for; then the rules go") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.shunt->end(0, kFirst, false);
    b.step();
    CHECK(b.rules() == 2);
    b.ports[0].pass(1001, 3, 4500);
    b.step(Shunt::kDelayMax);
    CHECK(b.rules() == 0);
    const auto told = b.reports();
    std::uint64_t packets = 0;
    for (const auto& report : told) packets += report.counts[0].packets;
    CHECK(packets == 3);
    CHECK(told.back().what == What::ended);
    CHECK(b.shunt->figures("port0").rules == 0);
    CHECK(b.shunt->figures("port0").rules_untold == 0);
}

TEST_CASE("at once where the connection is over, also after an end that waits") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.ports[0].pass(1002, 7, 700);
    b.shunt->end(0, kFirst, false);
    b.shunt->end(0, kFirst, true);
    b.step();
    CHECK(b.rules() == 0);
    CHECK(b.reports().back().counts[1].packets == 7);
    b.shunt->end(0, kFirst, true); // crossed with the report: nothing happens
    b.step(kSecond);
    CHECK(b.reports().empty());
}

TEST_CASE("where a port refuses, the worker is told, and the port has no half of it") {
    Bench b;
    b.probe();
    b.ports[0].room = 1;
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    CHECK(b.rules() == 0);
    const auto told = b.reports();
    REQUIRE(told.size() == 1);
    CHECK(told[0].what == What::ended);
    CHECK(b.shunt->figures("port0").rules_refused == 1);
    CHECK(b.shunt->figures("port0").rules_added == 0);
}

TEST_CASE("rules stand on every port that can; their counts add up") {
    Bench b(3);
    b.ports[1].counts = false;
    b.probe();
    CHECK(b.notes.at(1).level == NoteLevel::warning);
    CHECK(b.notes.at(1).text.find("can't count by flow rules (Function not implemented)") != std::string::npos);
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    CHECK(b.ports[0].rules.size() == 2);
    CHECK(b.ports[1].rules.empty());
    CHECK(b.ports[2].rules.size() == 2);
    b.ports[0].pass(1001, 1, 100);
    b.ports[2].pass(1001, 2, 200);
    b.reports();
    b.step(kSecond);
    const auto told = b.reports();
    REQUIRE(told.size() == 1);
    CHECK(told[0].counts[0].packets == 3);
    CHECK(told[0].counts[0].bytes == 300);
}

TEST_CASE("no port that can: nothing is asked for, and it is said") {
    Bench b;
    SECTION("no flow rules") { b.ports[0].counts = false; }
    SECTION("no counters") { b.ports[0].tells_counters = false; }
    SECTION("no flags") { b.ports[0].knows_flags = false; }
    SECTION("no way back") { b.ports[0].keeps_rules = true; }
    b.probe();
    CHECK(b.shunt->max() == 0);
    CHECK(b.notes.at(0).level == NoteLevel::warning);
    CHECK(!b.notes.at(0).remedy.empty());
}

TEST_CASE("counts: a port that hides the ends gives a silent transfer back") {
    Bench b(1, 1, ConfigShunt::counts);
    b.ports[0].knows_flags = false;
    b.probe();
    CHECK(b.shunt->max() == 4);
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    CHECK_FALSE(b.ports[0].rules.begin()->second.first.without_ends);
    for (int second = 0; second < 20; ++second) {
        b.ports[0].pass(1001, 1, 1500);
        b.step(kSecond);
        REQUIRE(b.rules() == 2);
    }
    b.step(Shunt::kSilence - kSecond);
    CHECK(b.rules() == 2);
    b.step(kSecond);
    CHECK(b.rules() == 0);
    const auto told = b.reports();
    CHECK(told.back().what == What::ended);
    std::uint64_t packets = 0;
    for (const auto& report : told) packets += report.counts[0].packets;
    CHECK(packets == 20);
}

TEST_CASE("where a FIN was lost, the rules are there for a minute more") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.step(Shunt::kLongSilence - kSecond);
    CHECK(b.rules() == 2);
    b.step(kSecond);
    CHECK(b.rules() == 0);
}

TEST_CASE("a worker that is behind with its reports loses none of the counts") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    const int seconds = 1000; // more than its queue holds
    for (int second = 0; second < seconds; ++second) {
        b.ports[0].pass(1001, 2, 3000);
        b.step(kSecond);
    }
    auto told = b.reports();
    b.step(kSecond);
    for (const auto& report : b.reports()) told.push_back(report);
    std::uint64_t packets = 0, bytes = 0;
    for (const auto& report : told) {
        packets += report.counts[0].packets;
        bytes += report.counts[0].bytes;
    }
    CHECK(told.size() < seconds);
    CHECK(packets == 2 * seconds);
    CHECK(bytes == 3000 * seconds);
}

TEST_CASE("workers share the rules, and do not see each other's") {
    Bench b(1, 2);
    b.probe();
    CHECK(b.shunt->max() == 2);
    b.shunt->begin(0, kFirst, kFlow);
    b.shunt->begin(1, kFirst, {{kFlow.address[0], kFlow.address[1]}, {2001, 2002}, 0});
    b.step();
    b.ports[0].pass(2002, 4, 400);
    b.shunt->end(0, kFirst, true);
    b.step(kSecond);
    const auto first = b.reports(0), second = b.reports(1);
    REQUIRE(first.size() == 2); // begun, ended
    CHECK(first[1].counts[1].packets == 0);
    REQUIRE(second.size() == 2); // begun, counted
    CHECK(second[1].counts[1].packets == 4);
}

TEST_CASE("when the sensor stops, all rules go, and what they counted has been told") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.ports[0].pass(1001, 9, 900);
    b.shunt->stop();
    CHECK(b.rules() == 0);
    CHECK(b.shunt->max() == 0);
    const auto told = b.reports();
    CHECK(told.back().what == What::ended);
    std::uint64_t packets = 0;
    for (const auto& report : told) packets += report.counts[0].packets;
    CHECK(packets == 9);
}

TEST_CASE("a rule that the port does not take away is tried again each second, and goes on to be counted") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.ports[0].keeps_rules = true;
    b.shunt->end(0, kFirst, true);
    b.step();
    CHECK(b.ports[0].kept == 2);
    CHECK(b.shunt->figures("port0").rules == 2); // it still drops what they match
    CHECK(b.shunt->figures("port0").rules_stuck == 2);
    b.step();
    CHECK(b.ports[0].kept == 2);
    b.ports[0].pass(1001, 4, 400);
    b.step(kSecond);
    CHECK(b.ports[0].kept == 4);
    auto told = b.reports();
    CHECK(packets_of(told) == 4);
    CHECK(told.back().what != What::ended); // its place is not free
    b.ports[0].keeps_rules = false;
    b.step(kSecond);
    CHECK(b.rules() == 0);
    CHECK(b.reports().back().what == What::ended);
    CHECK(b.shunt->figures("port0").rules == 0);
    CHECK(b.shunt->figures("port0").rules_stuck == 0);
}

TEST_CASE("half of a connection that a port took, and does not give back, is tried again") {
    Bench b;
    b.probe();
    b.ports[0].room = 1;
    b.ports[0].keeps_rules = true;
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    CHECK(b.rules() == 1);
    CHECK(b.shunt->figures("port0").rules_stuck == 1);
    b.ports[0].pass(1001, 3, 300);
    b.ports[0].keeps_rules = false;
    b.step(kSecond);
    CHECK(b.rules() == 0);
    CHECK(b.shunt->figures("port0").rules_stuck == 0);
    CHECK(packets_of(b.reports()) == 3);
}

TEST_CASE("a rule that goes before the port has told all is counted") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.ports[0].pass(1001, 5, 500);
    std::uint64_t untold = 0;
    SECTION("at once, while it grows") {
        b.step(kSecond);
        untold = 2;
    }
    SECTION("at once, but it has been silent for so long as a port may be late") {
        b.step(kSecond);
        b.step(Shunt::kDelayMax);
    }
    SECTION("the last figures were not to be had") {
        b.step(kSecond);
        b.step(Shunt::kDelayMax);
        b.ports[0].tells_counters = false;
        untold = 2;
    }
    b.shunt->end(0, kFirst, true);
    b.step();
    CHECK(b.rules() == 0);
    CHECK(b.shunt->figures("port0").rules_untold == untold);
    CHECK(packets_of(b.reports()) == 5);
}

TEST_CASE("when the sensor stops, what has ended is waited for as ever; what goes on is not, and counted as untold") {
    constexpr Duration kLeft = 100 * kMillisecond;
    const auto steady = [] {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    };
    constexpr ShuntTicket kSecondTicket{1, 0};
    Bench b;
    b.probe();
    b.now = steady() - Shunt::kDelayMax + kLeft;
    b.shunt->begin(0, kFirst, kFlow);
    b.shunt->begin(0, kSecondTicket, {{kFlow.address[0], kFlow.address[1]}, {2001, 2002}, 0});
    b.step(0);
    b.shunt->end(0, kFirst, false);
    b.step(0);
    const Timestamp began = steady();
    b.shunt->stop();
    CHECK(steady() - began >= kLeft / 2);
    CHECK(b.rules() == 0);
    CHECK(b.shunt->figures("port0").rules_untold == 2);
    CHECK(b.reports().size() == 4); // begun and ended, twice
}

TEST_CASE("a port that keeps its rules does not keep the sensor from its end") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.ports[0].pass(1001, 9, 900);
    b.ports[0].keeps_rules = true;
    b.shunt->stop();
    const auto told = b.reports();
    CHECK(told.back().what == What::ended);
    CHECK(packets_of(told) == 9);
    CHECK(b.shunt->figures("port0").rules_stuck == 2);
}

TEST_CASE("the counters of a fast transfer are read four times a second") {
    Bench b;
    b.probe();
    b.shunt->begin(0, kFirst, kFlow);
    b.step();
    b.step(kSecond);
    b.reports();
    const auto told_after = [&](Duration later, std::uint64_t bytes) {
        b.ports[0].pass(1001, 1000, bytes);
        b.step(later);
        return !b.reports().empty();
    };
    CHECK_FALSE(told_after(Shunt::kReadFastEvery, 1'000'000)); // nothing has come by now
    CHECK(told_after(kSecond, 5'000'000'000));
    CHECK(told_after(Shunt::kReadFastEvery, 1'000'000'000));
    CHECK(told_after(Shunt::kReadFastEvery, 1'000'000));
    CHECK_FALSE(told_after(Shunt::kReadFastEvery, 1'000'000));
    CHECK(told_after(kSecond, 0));
}
