// Numbers, addresses, ids and times as text, against the plain ways to write them.
#include "core/log/text_writers.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <random>
#include <string>

using namespace ftpsensor;

namespace {

template <typename Put>
std::string text_of(Put put_value) {
    char buffer[64];
    return std::string(buffer, put_value(buffer));
}

std::string double_text(double value) {
    return text_of([&](char* out) { return put_double(out, value); });
}

std::string iso_text(Timestamp t) {
    IsoTimeWriter writer;
    return text_of([&](char* out) { return writer.put(out, t); });
}

} // namespace

TEST_CASE("doubles as Zeek's JSON writer lays them out") {
    CHECK(double_text(0.0) == "0.0");
    CHECK(double_text(1.0) == "1.0");
    CHECK(double_text(2.0) == "2.0");
    CHECK(double_text(100.0) == "100.0");
    CHECK(double_text(3.780829906463623) == "3.780829906463623");
    CHECK(double_text(0.9965000152587891) == "0.9965000152587891");
    CHECK(double_text(0.0000050067901611328125) == "0.0000050067901611328125");
    CHECK(double_text(0.000001) == "0.000001");
    CHECK(double_text(9.5367431640625e-07) == "9.5367431640625e-7"); // the smallest difference of two times
    CHECK(double_text(5e-324) == "5e-324");
    CHECK(double_text(1e20) == "100000000000000000000.0");
    CHECK(double_text(1.5e21) == "1.5e21");
    CHECK(double_text(-1.5) == "-1.5");
    CHECK(double_text(std::numeric_limits<double>::infinity()) == "null");
    CHECK(double_text(std::numeric_limits<double>::quiet_NaN()) == "null");
}

TEST_CASE("doubles read back as themselves") {
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::uint64_t bits = random();
        double value;
        std::memcpy(&value, &bits, sizeof value);
        if (!(value == value) || value - value != 0) continue; // not a number, infinite
        if (std::strtod(double_text(value).c_str(), nullptr) != value) FAIL(double_text(value));
    }
}

TEST_CASE("addresses as the base writes them") {
    std::mt19937_64 random(2);
    for (int i = 0; i < 50'000; ++i) {
        std::uint8_t bytes[16];
        // runs of zeros are what matters: each word is 0, small or large
        for (std::size_t word = 0; word < 8; ++word) {
            const std::uint64_t r = random();
            const unsigned value = r % 3 == 0 ? 0 : r % 3 == 1 ? r >> 32 & 0xff : r >> 32 & 0xffff;
            bytes[2 * word] = static_cast<std::uint8_t>(value >> 8);
            bytes[2 * word + 1] = static_cast<std::uint8_t>(value);
        }
        const IpAddress v6 = IpAddress::from_v6(bytes);
        const IpAddress v4 = IpAddress::from_v4(bytes);
        for (const IpAddress& address : {v6, v4})
            if (text_of([&](char* out) { return put_address(out, address); }) != address.to_string())
                FAIL(address.to_string());
    }
    for (const char* text : {"::", "::1", "1::", "::1.2.3.4", "::ffff:0:0", "fe80::1", "1:0:0:2::3", "0.0.0.0",
                             "255.255.255.255", "1:2:3:4:5:6:7:0", "0:1:0:1:0:1:0:1", "::2:3:4:5:6:7:8"})
        CHECK(text_of([&](char* out) { return put_address(out, *IpAddress::parse(text)); }) ==
              IpAddress::parse(text)->to_string());
}

TEST_CASE("ids as the base writes them") {
    std::mt19937_64 random(3);
    for (int i = 0; i < 20'000; ++i) {
        Id96 id{static_cast<std::uint32_t>(random()), random()};
        if (i % 4 == 1) id.high = 0;
        if (i % 4 == 2) id = {0, id.low >> (i % 64)};
        if (i == 0) id = {};
        if (i == 4) id = {0xffffffff, ~0ull};
        if (text_of([&](char* out) { return put_id(out, 'C', id); }) != id.to_string('C')) FAIL(id.to_string('C'));
    }
}

TEST_CASE("ISO times") {
    CHECK(iso_text(1597559161485394000) == "2020-08-16T06:26:01.485394Z");
    CHECK(iso_text(1597559161485394999) == "2020-08-16T06:26:01.485394Z"); // cut, not rounded
    CHECK(iso_text(0) == "1970-01-01T00:00:00.000000Z");
    CHECK(iso_text(-1) == "1969-12-31T23:59:59.999999Z");
    CHECK(iso_text(951782400 * kSecond) == "2000-02-29T00:00:00.000000Z");
    CHECK(iso_text(std::numeric_limits<Timestamp>::max()) == "2262-04-11T23:47:16.854775Z");
    CHECK(iso_text(std::numeric_limits<Timestamp>::min()) == "1677-09-21T00:12:43.145224Z");
}

TEST_CASE("a kept second does not show in another") {
    IsoTimeWriter writer;
    char text[kTimeChars];
    const auto write = [&](Timestamp t) { return std::string(text, writer.put(text, t)); };
    for (const Timestamp t : {5 * kSecond, 5 * kSecond + 1000, 4 * kSecond, 5 * kSecond, 100 * kHour})
        CHECK(write(t) == iso_text(t));
}

TEST_CASE("epoch times are the double's own digits") {
    std::mt19937_64 random(4);
    for (int i = 0; i < 20'000; ++i) {
        const Timestamp t = static_cast<Timestamp>(random() % 0xffffffff) * kSecond +
                            static_cast<Timestamp>(random() % 1'000'000) * kMicrosecond;
        const auto epoch = text_of([&](char* out) { return put_epoch_json(out, t); });
        if (epoch != double_text(zeek_seconds(t))) FAIL(epoch);
        const auto fixed = text_of([&](char* out) { return put_epoch_tsv(out, t); });
        if (fixed != text_of([&](char* out) { return put_fixed6(out, zeek_seconds(t)); })) FAIL(fixed);
    }
    CHECK(text_of([](char* out) { return put_epoch_json(out, -1500 * kMillisecond); }) == "-1.5");
    CHECK(text_of([](char* out) { return put_epoch_tsv(out, -1500 * kMillisecond); }) == "-1.500000");
    CHECK(text_of([](char* out) { return put_epoch_json(out, kMicrosecond); }) == "0.000001");
}

TEST_CASE("six decimals") {
    CHECK(text_of([](char* out) { return put_fixed6(out, 2.0); }) == "2.000000");
    CHECK(text_of([](char* out) { return put_fixed6(out, 3.780829906463623); }) == "3.780830");
    CHECK(text_of([](char* out) { return put_fixed6(out, 1e300); }) == "-");
}
