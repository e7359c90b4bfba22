// When connections come due: in order of ticks, never early, far times too.
#include "core/conn/timer_wheel.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

struct Wheel {
    FlowTable table{8, 1};
    TimerWheel wheel{table};
    std::vector<std::uint32_t> due;

    Wheel() {
        for (std::uint16_t port = 0; port < 8; ++port) { // indices 0 to 7
            ConnKey key;
            key.port[0] = port;
            table.insert(key, table.hash(key));
        }
    }

    void advance(Timestamp now) {
        due.clear();
        wheel.advance(now, [&](std::uint32_t first, Timestamp) {
            for (std::uint32_t i = first; i != TimerWheel::kNone; i = table.cold(i).wheel_next) due.push_back(i);
        });
    }
};

} // namespace

TEST_CASE("a connection comes due in its tick, not before") {
    Wheel w;
    w.wheel.start(1000 * kSecond);
    w.wheel.schedule(3, 1005 * kSecond);
    w.advance(1004 * kSecond);
    CHECK(w.due.empty());
    w.advance(1006 * kSecond);
    CHECK(w.due == std::vector<std::uint32_t>{3});
    w.advance(2000 * kSecond);
    CHECK(w.due.empty());
}

TEST_CASE("earlier ticks come first") {
    Wheel w;
    w.wheel.start(0);
    w.wheel.schedule(1, 9 * kSecond);
    w.wheel.schedule(2, 3 * kSecond);
    w.wheel.schedule(4, 6 * kSecond);
    w.advance(10 * kSecond);
    CHECK(w.due == std::vector<std::uint32_t>{2, 4, 1});
}

TEST_CASE("a time beyond a turn of the wheel waits in it, and can be put back") {
    Wheel w;
    w.wheel.start(0);
    w.wheel.schedule(1, kHour);
    w.advance(10 * kMinute);
    CHECK(w.due == std::vector<std::uint32_t>{1}); // the owner sees that it is early, and schedules again
    w.wheel.schedule(1, kHour);
    w.advance(11 * kMinute);
    CHECK(w.due.empty());
}

TEST_CASE("removed connections do not come due, and their neighbours do") {
    Wheel w;
    w.wheel.start(0);
    for (const std::uint32_t i : {0u, 1u, 2u}) w.wheel.schedule(i, kSecond);
    w.wheel.remove(1);
    w.advance(2 * kSecond);
    CHECK(w.due.size() == 2);
    CHECK(std::find(w.due.begin(), w.due.end(), 1u) == w.due.end());
}

TEST_CASE("the nearest is the one that ends first") {
    Wheel w;
    w.wheel.start(0);
    CHECK(w.wheel.nearest() == TimerWheel::kNone);
    w.wheel.schedule(5, 30 * kSecond);
    w.wheel.schedule(6, 20 * kSecond);
    CHECK(w.wheel.nearest() == 6);
}

TEST_CASE("a look that comes earlier is kept, a later one gives way") {
    Wheel w;
    w.wheel.start(0);
    w.wheel.schedule(1, 5 * kSecond);
    w.wheel.no_later_than(1, 60 * kSecond);
    w.wheel.schedule(2, 60 * kSecond);
    w.wheel.no_later_than(2, 5 * kSecond);
    w.wheel.no_later_than(3, 5 * kSecond); // was not in the wheel
    w.advance(6 * kSecond);
    std::sort(w.due.begin(), w.due.end());
    CHECK(w.due == std::vector<std::uint32_t>{1, 2, 3});
}
