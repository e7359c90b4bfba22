// timeouts.* changed while connections are open: they end by the new ones, and none ends in the past.
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_talk.h"

#include <optional>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;
constexpr Duration kTick = Duration{1} << TimerWheel::kTickShift;

// One TCP connection that is open, then silent.
class Sensor {
public:
    Sensor() : shared_(1) {
        options_.conn.connections_max = 1024;
        options_.conn.inactivity[Inactivity::tcp] = 2 * kMinute;
        worker_.emplace(0, options_, shared_);
        Trace trace;
        trace.at(kStart);
        TcpTalk(trace).open();
        worker_->process_burst(trace.views());
        silent_since_ = trace.views().back().time - kStart;
    }
    void change(Duration tcp_inactivity) {
        options_.conn.inactivity[Inactivity::tcp] = tcp_inactivity;
        PipelineUpdate update(options_);
        worker_->take(update);
    }
    void until(Duration end) {
        for (; now_ < end; now_ += 20 * kMillisecond) worker_->idle(kStart + now_);
        worker_->emitter().conn_channel().drain(
            [&](const ConnRecord& r, std::string_view) { ended_ = r.key.time - kStart; });
    }
    std::optional<Duration> ended() const { return ended_; }
    Duration silent_since() const { return silent_since_; }

private:
    SharedState shared_;
    PipelineOptions options_;
    std::optional<Worker> worker_;
    Duration now_ = kSecond;
    Duration silent_since_ = 0;
    std::optional<Duration> ended_;
};

} // namespace

TEST_CASE("a reload that leaves the timeouts as they are: it ends when it would have") {
    Sensor sensor;
    sensor.until(20 * kSecond);
    sensor.change(2 * kMinute);
    sensor.until(110 * kSecond);
    CHECK_FALSE(sensor.ended().has_value());
    sensor.until(130 * kSecond);
    REQUIRE(sensor.ended().has_value());
    CHECK(*sensor.ended() == sensor.silent_since() + 2 * kMinute);
}

TEST_CASE("a longer one: it ends later") {
    Sensor sensor;
    sensor.until(20 * kSecond);
    sensor.change(4 * kMinute);
    sensor.until(230 * kSecond);
    CHECK_FALSE(sensor.ended().has_value());
    sensor.until(250 * kSecond);
    REQUIRE(sensor.ended().has_value());
    CHECK(*sensor.ended() == sensor.silent_since() + 4 * kMinute);
}

TEST_CASE("a shorter one that is over already: it ends at once, not in the past") {
    Sensor sensor;
    sensor.until(20 * kSecond);
    sensor.change(5 * kSecond);
    sensor.until(21 * kSecond);
    REQUIRE(sensor.ended().has_value());
    CHECK(*sensor.ended() >= 20 * kSecond - 2 * kTick);
    CHECK(*sensor.ended() <= 20 * kSecond + 5 * kTick);
}
