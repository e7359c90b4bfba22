// Boundaries on a zone's clock, and the names of files.
#include "core/log/rotation.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

constexpr Timestamp kMission = 1597559161 * kSecond; // 2020-08-16 06:26:01 UTC

Rotation rotation_of(Duration interval, const char* zone) {
    RotationOptions options;
    options.interval = interval;
    options.time_zone = zone;
    return Rotation(options);
}

std::string name_at(const Rotation& rotation, Timestamp t) {
    return rotation.archive_path("conn", rotation.interval_of(t));
}

// Through `hours` from `begin`: intervals follow each other without gap or overlap, and every time in one names it.
void check_seamless(const Rotation& rotation, Timestamp begin, int hours) {
    const Timestamp end = begin + hours * kHour;
    for (Interval interval = rotation.interval_of(begin); interval.start < end;) {
        REQUIRE(interval.start < interval.end);
        const Timestamp step = (interval.end - interval.start) / 7 + 1;
        for (Timestamp t = interval.start; t < interval.end; t += step) REQUIRE(rotation.interval_of(t) == interval);
        REQUIRE(rotation.interval_of(interval.end - 1) == interval);
        const Interval next = rotation.interval_of(interval.end);
        REQUIRE(next.start == interval.end);
        interval = next;
    }
}

} // namespace

TEST_CASE("an hour, as in the mission's document") {
    const Rotation rotation = rotation_of(kHour, "UTC");
    const Interval interval = rotation.interval_of(kMission);
    CHECK(interval.start == 1597557600 * kSecond);
    CHECK(interval.end == 1597561200 * kSecond);
    CHECK(rotation.interval_of(interval.start) == interval);
    CHECK(rotation.interval_of(interval.end - 1) == interval);
    CHECK(rotation.interval_of(interval.end).start == interval.end);
    CHECK(rotation.archive_path("conn", interval) == "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz");
    CHECK(rotation.archive_path("ftp", interval) == "2020-08-16/ftp_20200816_06:00:00-07:00:00+0000.log.gz");
}

TEST_CASE("the last hour of a day ends at midnight, in the folder of its start") {
    CHECK(name_at(rotation_of(kHour, "UTC"), 1597622399 * kSecond) ==
          "2020-08-16/conn_20200816_23:00:00-00:00:00+0000.log.gz");
}

TEST_CASE("before 1970") {
    CHECK(name_at(rotation_of(kHour, "UTC"), -1) == "1969-12-31/conn_19691231_23:00:00-00:00:00+0000.log.gz");
}

TEST_CASE("a zone half an hour off") {
    const Rotation rotation = rotation_of(kHour, "Asia/Kolkata");
    CHECK(rotation.interval_of(kMission).start == (1597557600 - 1800) * kSecond);
    CHECK(name_at(rotation, kMission) == "2020-08-16/conn_20200816_11:00:00-12:00:00+0530.log.gz");
    CHECK(name_at(rotation, 1597602600 * kSecond) == "2020-08-17/conn_20200817_00:00:00-01:00:00+0530.log.gz");
    CHECK(name_at(rotation_of(kHour, "Asia/Kathmandu"), kMission) ==
          "2020-08-16/conn_20200816_12:00:00-13:00:00+0545.log.gz");
    CHECK(rotation.local_seconds(kMission) == 1597559161 + 19800);
}

TEST_CASE("Berlin in autumn: the hour that comes twice is two files") {
    const Rotation rotation = rotation_of(kHour, "Europe/Berlin");
    const Timestamp change = 1603587600 * kSecond; // 2020-10-25 01:00 UTC: 03:00 CEST becomes 02:00 CET
    CHECK(name_at(rotation, change - 1) == "2020-10-25/conn_20201025_02:00:00-03:00:00+0200.log.gz");
    CHECK(name_at(rotation, change) == "2020-10-25/conn_20201025_02:00:00-03:00:00+0100.log.gz");
    CHECK(rotation.interval_of(change) == Interval{change, change + kHour});
    check_seamless(rotation, change - 5 * kHour, 10);
}

TEST_CASE("Berlin in spring: the hour that never comes is no file") {
    const Rotation rotation = rotation_of(kHour, "Europe/Berlin");
    const Timestamp change = 1616893200 * kSecond; // 2021-03-28 01:00 UTC: 02:00 CET becomes 03:00 CEST
    CHECK(name_at(rotation, change - 1) == "2021-03-28/conn_20210328_01:00:00-02:00:00+0100.log.gz");
    CHECK(name_at(rotation, change) == "2021-03-28/conn_20210328_03:00:00-04:00:00+0200.log.gz");
    check_seamless(rotation, change - 5 * kHour, 10);
}

TEST_CASE("longer intervals go by the clock on the wall: the day has 25 hours, or 23") {
    const Rotation days = rotation_of(24 * kHour, "Europe/Berlin");
    const Interval autumn = days.interval_of(1603587600 * kSecond);
    CHECK(autumn.end - autumn.start == 25 * kHour);
    CHECK(days.local_seconds(autumn.start) % 86400 == 0);
    CHECK(days.local_seconds(autumn.end) % 86400 == 0);
    const Interval spring = days.interval_of(1616893200 * kSecond);
    CHECK(spring.end - spring.start == 23 * kHour);
    check_seamless(days, autumn.start - 48 * kHour, 24 * 200);
    const Rotation quarters = rotation_of(6 * kHour, "Europe/Berlin");
    CHECK(quarters.interval_of(1603587600 * kSecond).end - quarters.interval_of(1603587600 * kSecond).start ==
          7 * kHour);
    check_seamless(quarters, 1603587600 * kSecond - 24 * kHour, 48);
}

TEST_CASE("zones whose clock jumps by half an hour, at midnight, or over a whole day") {
    check_seamless(rotation_of(kHour, "Australia/Lord_Howe"), 1601740800 * kSecond, 24);    // 2020-10-03, +30 min
    check_seamless(rotation_of(kHour, "Australia/Lord_Howe"), 1586012400 * kSecond, 24);    // 2020-04-04, -30 min
    check_seamless(rotation_of(24 * kHour, "America/Sao_Paulo"), 1541208000 * kSecond, 72); // 2018-11-04: no midnight
    check_seamless(rotation_of(kHour, "Pacific/Apia"), 1325152800 * kSecond, 48);           // 2011-12-30 never was
    check_seamless(rotation_of(5 * kMinute, "Asia/Kathmandu"), kMission, 3);
}

TEST_CASE("no rotation: one interval, of all time") {
    const Rotation rotation = rotation_of(0, "UTC");
    CHECK_FALSE(rotation.rotates());
    CHECK(rotation.interval_of(kMission) == rotation.interval_of(0));
    CHECK(rotation.archive_path("conn", {kMission, kMission + 95 * kMinute}) ==
          "2020-08-16/conn_20200816_06:26:01-08:01:01+0000.log.gz");
}

TEST_CASE("times at the ends of time do no harm") {
    const Rotation rotation = rotation_of(kHour, "Europe/Berlin");
    for (const Timestamp t : {std::numeric_limits<Timestamp>::max(), std::numeric_limits<Timestamp>::min() + 1}) {
        const Interval interval = rotation.interval_of(t);
        CHECK(interval.start <= t);
        CHECK(interval.end >= t);
        CHECK_FALSE(rotation.archive_path("conn", interval).empty());
    }
}

TEST_CASE("the seconds of a part, also of the interval of all time") {
    const Interval hour{kHour, 2 * kHour};
    const Interval part = seconds_of(kHour + 5 * kSecond / 2, kHour + 9 * kSecond / 2, hour);
    CHECK(part.start == kHour + 2 * kSecond);
    CHECK(part.end == kHour + 5 * kSecond);
    CHECK(seconds_of(0, 3 * kHour, hour).start == hour.start);
    CHECK(seconds_of(0, 3 * kHour, hour).end == hour.end);
    constexpr Timestamp kMost = std::numeric_limits<Timestamp>::max();
    const Interval all{-kMost, kMost};
    CHECK(seconds_of(all.start, kHour, all).end == kHour + kSecond);
    CHECK(seconds_of(all.start, kHour, all).start < -kHour); // and not beyond its other end
    CHECK(seconds_of(kHour, all.end, all).end > kHour);
}

TEST_CASE("names from other patterns") {
    RotationOptions options;
    options.folder_name = "";
    options.file_name = "{log}.%s-{log}.gz";
    CHECK(name_at(Rotation(options), kMission).starts_with("conn."));
    options.folder_name = "%Y/%m";
    options.file_name = "%d%H_{log}{offset}.log.gz";
    CHECK(name_at(Rotation(options), kMission) == "2020/08/1606_conn+0000.log.gz");
}

TEST_CASE("a taken name gets a number before its ending") {
    CHECK(numbered_path("a/conn_x.log.gz", 0) == "a/conn_x.log.gz");
    CHECK(numbered_path("a/conn_x.log.gz", 1) == "a/conn_x.1.log.gz");
    CHECK(numbered_path("a/conn_x.gz", 12) == "a/conn_x.12.gz");
    CHECK(numbered_path("a.b/conn", 2) == "a.b/conn.2");
}

TEST_CASE("options that cannot be") {
    RotationOptions options;
    options.time_zone = "Europe/Nowhere";
    CHECK_THROWS_WITH(Rotation(options), Catch::Contains("Europe/Nowhere"));
    options.time_zone = "UTC";
    for (const Duration interval : {-kHour, kSecond / 2, 400 * 24 * kHour}) {
        options.interval = interval;
        CHECK_THROWS_AS(Rotation(options), std::runtime_error);
    }
}
