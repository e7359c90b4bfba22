// Capture files as libpcap's own documentation lays them out, and the clock of a Trace.
#include "tests/support/capture_writer.h"
#include "tests/support/catch.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kTime = 0x5f38c479 * kSecond + 123'456'789;
const TimedFrame kFrame{kTime, {1, 2, 3, 4, 5}, 60};

Bytes tail(const Bytes& data, std::size_t size) {
    return Bytes(data.end() - static_cast<std::ptrdiff_t>(size), data.end());
}

} // namespace

TEST_CASE("pcap in microseconds") {
    CaptureWriter writer;
    writer.add(kFrame);
    CHECK(writer.bytes() == Bytes{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4,  0, 0, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    4,    0, 1, 0,  0, 0, 0x79, 0xc4, 0x38, 0x5f, 0x40, 0xe2,
                                  1,    0,    5,    0,    0, 0, 60, 0, 0, 0,    1,    2,    3,    4,    5});
}

TEST_CASE("pcap in nanoseconds, big-endian, cut at the snap length") {
    CaptureWriter writer(
        {.format = CaptureFormat::pcap_nano, .link = LinkType::linux_cooked2, .snaplen = 2, .little_endian = false});
    writer.add(kFrame);
    CHECK(writer.bytes() == Bytes{0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, 0, 0,  0,    0,    0,    0,
                                  0,    0,    0,    0,    0, 2, 0, 0, 1, 20, 0x5f, 0x38, 0xc4, 0x79,
                                  0x07, 0x5b, 0xcd, 0x15, 0, 0, 0, 2, 0, 0,  0,    60,   1,    2});
}

TEST_CASE("pcapng: blocks are multiples of four and end with their length") {
    CaptureWriter writer({.format = CaptureFormat::pcapng});
    const std::size_t before = writer.bytes().size();
    CHECK(before == 28 + 32);
    writer.add(kFrame);
    const Bytes block = tail(writer.bytes(), writer.bytes().size() - before);
    const std::uint64_t time = static_cast<std::uint64_t>(kTime);
    CHECK(block.size() == 40);
    CHECK(block[0] == 6);
    CHECK(block[4] == 40);
    CHECK(block[12] == static_cast<std::uint8_t>(time >> 32));
    CHECK(block[16] == static_cast<std::uint8_t>(time));
    CHECK(tail(block, 12) == Bytes{1, 2, 3, 4, 5, 0, 0, 0, 40, 0, 0, 0});
}

TEST_CASE("a trace stamps frames by its clock") {
    Trace trace(10 * kSecond, kMillisecond);
    trace.add(Bytes{1}).wait(kSecond).add(Bytes{2}, 1500).at(5 * kSecond).add(Bytes{3});
    REQUIRE(trace.frames().size() == 3);
    CHECK(trace.frames()[1].time == 11 * kSecond + kMillisecond);
    const auto views = trace.views();
    CHECK(views[1].captured == 1);
    CHECK(views[1].length == 1500);
    CHECK(views[2].time == 5 * kSecond); // time goes back, `now` does not
    CHECK(views[2].now == 11 * kSecond + kMillisecond);
    CHECK(views[2].number == 3);
}

TEST_CASE("frames that trade places leave time in order") {
    Trace trace(0, 1);
    trace.add(Bytes{1}).add(Bytes{2}).swap_last_two();
    CHECK(trace.frames()[0].bytes == Bytes{2});
    CHECK(trace.frames()[0].time == 0);
    CHECK_THROWS_AS(Trace().swap_last_two(), std::logic_error);
}
