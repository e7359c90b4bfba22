// The mission's session holds the document's counts. That the sensor makes the document's entries of it is tested end
// to end, elsewhere.
#include "tests/support/catch.h"
#include "tests/support/mission_session.h"

#include <map>
#include <tuple>

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("packets, IP bytes and payload bytes of each direction are the document's") {
    struct Count {
        unsigned packets = 0, ip_bytes = 0, payload_bytes = 0;
        bool operator==(const Count&) const = default;
    };
    std::map<unsigned, Count> by_source_port;
    const Trace session = mission_session();
    for (const TimedFrame& frame : session.frames()) {
        const auto u16 = [&](std::size_t offset) { return frame.bytes.at(offset) * 256u + frame.bytes.at(offset + 1); };
        Count& count = by_source_port[u16(34)];
        const unsigned header = 20 + 4u * (frame.bytes.at(46) >> 4);
        ++count.packets;
        count.ip_bytes += u16(16);
        count.payload_bytes += u16(16) - header;
    }
    CHECK(by_source_port[53380] == Count{20, 1232, 184});
    CHECK(by_source_port[21] == Count{17, 1343, 451});
    CHECK(by_source_port[60474] == Count{4, 216, 0});
    CHECK(by_source_port[31746] == Count{4, 290, 74});
    CHECK(by_source_port.size() == 4);
}

TEST_CASE("it starts and ends when the document says, in order") {
    const Trace trace = mission_session();
    const auto& frames = trace.frames();
    CHECK(frames.front().time == 1'597'559'161 * kSecond + 485394 * kMicrosecond);
    for (std::size_t i = 1; i < frames.size(); ++i) CHECK(frames[i - 1].time < frames[i].time);
    // The client's FIN, the last packet but the server's pure ACK.
    const Timestamp end = frames[frames.size() - 2].time;
    CHECK(zeek_seconds(end) - zeek_seconds(frames.front().time) == 3.780829906463623);
}
