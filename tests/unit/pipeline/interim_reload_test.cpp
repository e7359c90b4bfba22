// log.conn.interim changed while connections are open: all of them get the new interval, and nothing is told twice.
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_talk.h"

#include <map>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;
constexpr unsigned kConnections = 300; // more than join at once

struct Told {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::vector<Timestamp> times; // of interim entries, after kStart
    InterimPart last = InterimPart::none;
    unsigned entries = 0;
};

// A worker with connections of two packets and ten bytes each, whose time goes on by the call.
class Sensor {
public:
    explicit Sensor(Duration interval) : shared_(1) {
        options_.conn.connections_max = 1024;
        options_.conn.interims = {interval, 1024};
        worker_.emplace(0, options_, shared_);
        open(30000);
    }

    void open(std::uint16_t first_port) {
        Trace trace;
        trace.at(kStart + now_);
        for (unsigned i = 0; i < kConnections; ++i) {
            const auto port = static_cast<std::uint16_t>(first_port + i);
            TcpTalk talk(trace, {.client = {IpAddress::from_v4(10, 0, 0, 1), port}});
            talk.open();
            talk.client("0123456789");
        }
        worker_->process_burst(trace.views());
        packets_ = trace.views().size() / kConnections;
        now_ += 2 * kSecond;
    }
    void change(Duration interval, bool first) {
        options_.conn.interims.interval = interval;
        PipelineUpdate update(options_, first);
        worker_->take(update);
    }
    void until(Duration end) {
        for (; now_ < end; now_ += 50 * kMillisecond) worker_->idle(kStart + now_);
        drain();
    }
    void finish() {
        worker_->finish(kStart + now_);
        drain();
    }
    void forget() { told_.clear(); }
    const std::map<std::uint16_t, Told>& told() const { return told_; }
    std::uint64_t packets() const { return packets_; }

private:
    void drain() {
        worker_->emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view) {
            Told& t = told_[r.id.orig_p];
            t.packets += r.orig_pkts + r.resp_pkts;
            t.bytes += r.orig_bytes;
            if (r.interim == InterimPart::part) t.times.push_back(r.key.time - kStart);
            t.last = r.interim;
            ++t.entries;
        });
    }

    SharedState shared_;
    PipelineOptions options_;
    std::optional<Worker> worker_;
    Duration now_ = 0;
    std::uint64_t packets_ = 0;
    std::map<std::uint16_t, Told> told_;
};

void check_sums(const Sensor& sensor, InterimPart last) {
    REQUIRE(sensor.told().size() == kConnections);
    for (const auto& [port, t] : sensor.told()) {
        CAPTURE(port);
        CHECK(t.packets == sensor.packets());
        CHECK(t.bytes == 10);
        CHECK(t.last == last);
    }
}

} // namespace

TEST_CASE("from none: each connection that is open has its first entry an interval after the change") {
    Sensor sensor(0);
    sensor.until(20 * kSecond);
    sensor.change(30 * kSecond, true);
    sensor.until(100 * kSecond);
    sensor.finish();
    check_sums(sensor, InterimPart::rest);
    for (const auto& [port, t] : sensor.told()) {
        REQUIRE(t.times.size() == 2);
        CHECK(t.times[0] >= 50 * kSecond);
        CHECK(t.times[0] < 51 * kSecond); // some bursts until all have joined
        CHECK(t.times[1] == t.times[0] + 30 * kSecond);
    }
    // Not all in one burst.
    CHECK(sensor.told().at(30000).times[0] < sensor.told().at(30000 + kConnections - 1).times[0]);
}

TEST_CASE("to a shorter and to a longer one: it counts from the change") {
    Sensor sensor(kMinute);
    sensor.until(70 * kSecond); // one entry each
    sensor.change(10 * kSecond, false);
    sensor.until(95 * kSecond); // at 80 and 90
    sensor.change(100 * kSecond, false);
    sensor.until(200 * kSecond); // at 195
    sensor.finish();
    check_sums(sensor, InterimPart::rest);
    for (const auto& [port, t] : sensor.told()) {
        REQUIRE(t.times.size() == 4);
        CHECK(t.times[0] / kSecond / 2 == 30); // they began within two seconds
        CHECK(t.times[1] / kSecond == 80);
        CHECK(t.times[2] / kSecond == 90);
        CHECK(t.times[3] / kSecond == 195);
    }
}

TEST_CASE("the same again: nothing changes") {
    Sensor sensor(kMinute);
    sensor.until(50 * kSecond);
    sensor.change(kMinute, false);
    sensor.until(70 * kSecond);
    for (const auto& [port, t] : sensor.told()) CHECK(t.times[0] / kSecond / 2 == 30);
    CHECK(sensor.told().size() == kConnections);
}

TEST_CASE("to none: no more entries but the last one, which has what was not told") {
    Sensor sensor(10 * kSecond);
    sensor.until(15 * kSecond);
    sensor.change(0, false);
    sensor.until(60 * kSecond);
    sensor.finish();
    check_sums(sensor, InterimPart::rest);
    for (const auto& [port, t] : sensor.told()) CHECK(t.entries == 2);
}

TEST_CASE("none, before any entry was due: one entry as if there had been none ever") {
    Sensor sensor(kMinute);
    sensor.until(15 * kSecond);
    sensor.change(0, false);
    sensor.until(100 * kSecond);
    sensor.finish();
    check_sums(sensor, InterimPart::none);
}

TEST_CASE("none: what was told of a connection goes with it, and not to the next one in its place") {
    Sensor sensor(10 * kSecond);
    sensor.until(15 * kSecond);
    sensor.change(0, false);
    sensor.until(6 * kMinute); // none is open any more
    sensor.forget();
    sensor.open(40000);
    sensor.change(30 * kSecond, false);
    sensor.until(7 * kMinute);
    sensor.finish();
    check_sums(sensor, InterimPart::rest);
    for (const auto& [port, t] : sensor.told()) CHECK(t.entries == 2);
}
