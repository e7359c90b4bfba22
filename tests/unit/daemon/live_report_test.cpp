// What the journal says of losses: what was lost, and what to type.
#include "daemon/live/live_report.h"
#include "tests/support/catch.h"

#include <sstream>

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

using namespace ftpsensor;

namespace {

// What is said of the second in which `lose` was added.
template <class Lose>
std::string said_of(Lose lose) {
    std::ostringstream text;
    const auto log = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
    Snapshot s;
    s.time = 1'600'000'000 * kSecond;
    s.ports.emplace_back();
    s.workers.emplace_back();
    s.logs.emplace_back();
    const auto first = std::make_shared<const Snapshot>(s);
    LiveReport report(log, "/srv/ftp logs", first);
    s.time += kSecond;
    ++s.sensor.uptime_seconds;
    lose(s);
    derive(s, *first);
    report.tick(std::make_shared<const Snapshot>(s));
    return text.str();
}

} // namespace

TEST_CASE("of entries that could not be written the disk is named as a shell takes it") {
    const std::string said = said_of([](Snapshot& s) { s.logs[0].entries_lost = 3; });
    CHECK(said.find("lost: 3 entries that could not be written; try: room on the disk of the logs: df -h "
                    "'/srv/ftp logs'") != std::string::npos);
}

TEST_CASE("of packets that the kernel dropped the keys are named that keep them") {
    const std::string said = said_of([](Snapshot& s) { s.ports[0].kernel_dropped_packets = 7; });
    CHECK(said.find("lost: 7 packets dropped by the kernel (ring full); try: more workers, a larger "
                    "capture.ring_bytes") != std::string::npos);
}

TEST_CASE("of packets that were lost before the ring the card is named, and the ring only where it lost some, too") {
    const std::string card = said_of([](Snapshot& s) { s.ports[0].interface_dropped_packets = 7; });
    CHECK(card.find("lost: 7 packets dropped by the interface; try: more rings of the card") != std::string::npos);
    const std::string both = said_of([](Snapshot& s) {
        s.ports[0].interface_dropped_packets = 7;
        s.ports[0].kernel_dropped_packets = 1;
    });
    CHECK(both.find("7 packets dropped by the interface; try: more workers") != std::string::npos);
}

TEST_CASE("what was lost at the end, or less than ten seconds after another loss, is said before the summary") {
    std::ostringstream text;
    const auto log = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_st>(text));
    log->set_level(spdlog::level::warn); // messages: warning
    Snapshot s;
    s.ports.emplace_back();
    s.workers.emplace_back();
    const auto first = std::make_shared<const Snapshot>(s);
    LiveReport report(log, "/srv", first);
    const auto at = [&](int seconds) {
        s.sensor.uptime_seconds = seconds;
        derive(s, *first);
        return std::make_shared<const Snapshot>(s);
    };
    s.ports[0].kernel_dropped_packets = 7;
    report.tick(at(1));
    text.str("");
    s.ports[0].kernel_dropped_packets = 9;
    report.tick(at(2));
    CHECK(text.str().empty());
    s.workers[0].unread_packets = 5;
    report.summary(at(3), {});
    CHECK(text.str().find("lost: 2 packets dropped by the kernel (ring full), 5 packets that were in the queues at the "
                          "end; try: ") != std::string::npos);
    text.str("");
    report.summary(at(4), {});
    CHECK(text.str().empty());
}

TEST_CASE("where nothing is lost nothing is said") {
    CHECK(said_of([](Snapshot&) {}).empty());
}
