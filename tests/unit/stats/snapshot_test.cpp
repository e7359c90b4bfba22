// Derived figures: sums, ratios of the time since the snapshot before, differences.
#include "daemon/stats/snapshot.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

using namespace ftpsensor;

namespace {

Snapshot at_second(int second) {
    Snapshot s;
    s.time = second * kSecond;
    s.sensor.uptime_seconds = second;
    s.ports.resize(2);
    s.workers.resize(2);
    s.logs.resize(2);
    s.logs[0].name = "conn";
    s.logs[1].name = "ftp";
    return s;
}

} // namespace

TEST_CASE("totals are the sums over ports, workers and logs") {
    StatsBoard board;
    Snapshot s = at_second(1);
    s.ports[0].missed_packets = 1;
    s.ports[0].no_mbuf_packets = 2;
    s.ports[1].kernel_dropped_packets = 4;
    s.ports[1].received_packets = 8;
    s.workers[0].conn_records_dropped = 1;
    s.workers[1].ftp_records_dropped = 2;
    s.workers[1].connections_open = 7;
    s.logs[0].entries = 5;
    s.logs[1].entries = 3;
    s.logs[1].entries_lost = 9;
    const auto published = board.publish(s);
    CHECK(published->totals.lost_packets == 5); // a look that found no buffer is no packet
    CHECK(published->totals.received_packets == 8);
    CHECK(published->totals.records_dropped == 3);
    CHECK(published->totals.connections_open == 7);
    CHECK(published->totals.conn_entries == 5);
    CHECK(published->totals.ftp_entries == 3);
    CHECK(published->totals.entries_lost == 9);
}

TEST_CASE("ratios are of the time since the snapshot before; the first one's since the start") {
    StatsBoard board;
    Snapshot s = at_second(2);
    s.workers[0].busy_seconds = 1;
    s.workers[0].packets = 300;
    s.workers[1].packets = 100;
    s.workers[0].payload_bytes = 900;
    s.workers[1].missed_bytes = 100;
    auto published = board.publish(s);
    CHECK(published->number == 1);
    CHECK(published->workers[0].busy_ratio == 0.5);
    CHECK(published->sensor.worker_skew_ratio == 1.5);
    CHECK(published->totals.missed_ratio == 0.1);

    s.time += kSecond;
    s.sensor.uptime_seconds += 1;
    s.workers[1].busy_seconds = 0.25;
    s.workers[1].packets = 200;
    published = board.publish(s);
    CHECK(published->number == 2);
    CHECK(published->interval == kSecond);
    CHECK(published->workers[0].busy_ratio == 0);
    CHECK(published->workers[1].busy_ratio == 0.25);
    CHECK(published->sensor.worker_skew_ratio == 2); // one of two did it all
    CHECK(published->totals.missed_ratio == 0);
    CHECK(published->totals.missed_bytes == 100); // counters stay counters
    CHECK(board.latest() == published);
}

TEST_CASE("a second without a packet is even, idle and without a gap") {
    StatsBoard board;
    board.publish(at_second(1));
    const auto published = board.publish(at_second(2));
    CHECK(published->sensor.worker_skew_ratio == 1);
    CHECK(published->totals.missed_ratio == 0);
    CHECK(published->workers[0].busy_ratio == 0);
}

TEST_CASE("a difference holds what came, gauges as they are, events that happened") {
    const Snapshot before = sample_snapshot(0);
    Snapshot now = sample_snapshot(0);
    now.time += 10 * kSecond;
    now.sensor.uptime_seconds += 10;
    now.ports[1].received_packets += 5;
    now.ports[1].queues[1].error_packets += 6;
    now.workers[0].connections_open = 3; // fewer than before
    now.events[1].count += 2;
    now.events.push_back({"NUL_in_line", "", 4});
    const Snapshot change = difference(now, before);
    CHECK(change.interval == 10 * kSecond);
    CHECK(change.ports[0].received_packets == 0);
    CHECK(change.ports[1].received_packets == 5);
    CHECK(change.ports[1].queues[1].error_packets == 6);
    CHECK(change.workers[0].connections_open == 3);
    REQUIRE(change.events.size() == 2);
    CHECK(change.events[0].count == 2);
    CHECK(change.events[1].count == 4);
    CHECK(change.totals.received_packets == 5);
}

TEST_CASE("a driver's counter that goes back is no traffic") {
    Snapshot before = at_second(1), now = at_second(2);
    before.ports[0].received_packets = 100;
    now.ports[0].received_packets = 40;
    CHECK(difference(now, before).ports[0].received_packets == 0);
}
