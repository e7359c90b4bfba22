// ClockWatch: that the host's clock was set back is said once, and again when it changed.
#include "daemon/live/clock_watch.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

std::string said(ClockWatch& watch, std::optional<Duration> ahead) {
    Notes notes;
    watch.look(ahead, notes);
    return notes.empty() ? "" : notes.at(0).text;
}

} // namespace

TEST_CASE("a clock that was set back is said once") {
    ClockWatch watch;
    CHECK(said(watch, 0).empty());
    CHECK(said(watch, kSecond - 1).empty()); // NTP's little steps
    CHECK(said(watch, 3600 * kSecond).find("is 3600.0 s behind") != std::string::npos);
    CHECK(said(watch, 3600 * kSecond).empty());
    CHECK(said(watch, 3600 * kSecond + kSecond / 2).empty());
    CHECK(said(watch, std::nullopt).empty());
}

TEST_CASE("and again when it was set once more") {
    ClockWatch watch;
    CHECK_FALSE(said(watch, 10 * kSecond).empty());
    CHECK(said(watch, 11 * kSecond).find("is 11.0 s behind") != std::string::npos);
    CHECK(said(watch, 0).find("is where the sensor's time is") != std::string::npos);
    CHECK(said(watch, 0).empty());
    CHECK_FALSE(said(watch, 2 * kSecond).empty());
}
