#include "config/units.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

template <typename Parse>
std::string fault_of(Parse parse, std::string_view text) {
    try {
        parse(text);
        return "accepted";
    } catch (const BadValue& bad) {
        return bad.what();
    }
}

} // namespace

TEST_CASE("sizes: binary units are powers of 1024, decimal ones of 1000, none is bytes") {
    CHECK(parse_size("9216") == 9216);
    CHECK(parse_size("0") == 0);
    CHECK(parse_size("7B") == 7);
    CHECK(parse_size("64KiB") == 65536);
    CHECK(parse_size("512MiB") == 512ull << 20);
    CHECK(parse_size("2GiB") == 2ull << 30);
    CHECK(parse_size("1TiB") == 1ull << 40);
    CHECK(parse_size("1KB") == 1'000);
    CHECK(parse_size("1MB") == 1'000'000);
    CHECK(parse_size("3GB") == 3'000'000'000);
    CHECK(parse_size("1TB") == 1'000'000'000'000);
    CHECK(parse_size("2 GiB") == 2ull << 30);
    CHECK(parse_size("18446744073709551615") == ~0ull);
}

TEST_CASE("sizes: what is not one is said") {
    CHECK(fault_of(parse_size, "2gib") == "'2gib' has an unknown unit");
    CHECK(fault_of(parse_size, "2M") == "'2M' has an unknown unit");
    CHECK(fault_of(parse_size, "2  MiB") == "'2  MiB' has an unknown unit");
    CHECK(fault_of(parse_size, "2 ") == "'2 ' has an unknown unit");
    CHECK(fault_of(parse_size, "1.5GiB") == "'1.5GiB' is not a whole number");
    CHECK(fault_of(parse_size, "-1") == "'-1' is not a whole number");
    CHECK(fault_of(parse_size, "+1") == "'+1' is not a whole number");
    CHECK(fault_of(parse_size, "0x10") == "'0x10' has an unknown unit");
    CHECK(fault_of(parse_size, "GiB") == "'GiB' is not a whole number");
    CHECK(fault_of(parse_size, "") == "'' is not a whole number");
    CHECK(fault_of(parse_size, "18446744073709551616") == "'18446744073709551616' is too large");
    CHECK(fault_of(parse_size, "16777216TiB") == "'16777216TiB' is too large");
    CHECK(parse_size("16777215TiB") == 16777215ull << 40); // the last that fits
}

TEST_CASE("durations: each unit; only 0 goes without") {
    CHECK(parse_duration("0") == 0);
    CHECK(parse_duration("0s") == 0);
    CHECK(parse_duration("100us") == 100 * kMicrosecond);
    CHECK(parse_duration("200ms") == 200 * kMillisecond);
    CHECK(parse_duration("1s") == kSecond);
    CHECK(parse_duration("5min") == 5 * kMinute);
    CHECK(parse_duration("1h") == kHour);
    CHECK(parse_duration("2d") == 48 * kHour);
    CHECK(parse_duration("5 min") == 5 * kMinute);
    CHECK(fault_of(parse_duration, "5") == "'5' has no unit");
    CHECK(fault_of(parse_duration, "00") == "'00' has no unit");
    CHECK(fault_of(parse_duration, "5m") == "'5m' has an unknown unit");
    CHECK(fault_of(parse_duration, "0.5s") == "'0.5s' is not a whole number");
    CHECK(fault_of(parse_duration, "-5s") == "'-5s' is not a whole number");
    CHECK(fault_of(parse_duration, "200000000d") == "'200000000d' is too large");
}

TEST_CASE("what is written is the largest exact unit, and reads back") {
    CHECK(format_size(0) == "0");
    CHECK(format_size(9216) == "9KiB");
    CHECK(format_size(9217) == "9217");
    CHECK(format_size(64ull << 20) == "64MiB");
    CHECK(format_size(1'000'000) == "1000000");
    CHECK(format_duration(0) == "0");
    CHECK(format_duration(5 * kMinute) == "5min");
    CHECK(format_duration(90 * kMinute) == "90min");
    CHECK(format_duration(24 * kHour) == "1d");
    CHECK(format_duration(1500 * kMillisecond) == "1500ms");
    for (std::uint64_t n = 1; n < (1ull << 60); n = n * 3 + 1) {
        CHECK(parse_size(format_size(n)) == n);
        const auto d = static_cast<Duration>(n) / kMicrosecond * kMicrosecond;
        CHECK(parse_duration(format_duration(d)) == d);
    }
}
