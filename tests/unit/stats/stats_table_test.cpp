// The table for a person: every row is there, numbers fit their columns.
#include "daemon/stats/stats_table.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

#include <sstream>

using namespace ftpsensor;

TEST_CASE("numbers are short, and right to three digits") {
    CHECK(short_number(0) == "0");
    CHECK(short_number(999) == "999");
    CHECK(short_number(999.6) == "1.00 k");
    CHECK(short_number(1234567) == "1.23 M");
    CHECK(short_number(12345678) == "12.3 M");
    CHECK(short_number(999'600'000) == "1.00 G");
    CHECK(short_number(1e18) == "1000000 T");
}

TEST_CASE("the table names every port, worker and log, with rates of the time between") {
    const Snapshot before = sample_snapshot();
    Snapshot now = sample_snapshot();
    now.time += 2 * kSecond;
    now.sensor.uptime_seconds += 2;
    now.ports[0].received_packets += 3000;
    now.ports[1].link_up = false;
    now.logs[0].failing = true;
    const std::string text = stats_table(now, difference(now, before));
    for (const char* part :
         {"eth1", "eth2", "worker-01", "worker-02", "conn", "ftp", "DOWN", "FAILING", "1.50 k", "bad_TCP_checksum"})
        CHECK_THAT(text, Catch::Contains(part));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        CHECK(line.size() <= 100);
    }
}
