// Interim records that a full queue refuses: counted, and what they would have told is in the next one that gets
// through.
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/tcp_talk.h"

#include <map>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;
constexpr unsigned kConnections = 40;
constexpr std::size_t kQueue = 16; // of which connections may fill twelve

struct Told {
    std::uint64_t packets = 0;
    unsigned parts = 0;
    InterimPart last = InterimPart::none;
};

} // namespace

TEST_CASE("what was refused is told later, once") {
    Trace trace;
    for (unsigned i = 0; i < kConnections; ++i) {
        trace.at(kStart + i * 100 * kMillisecond);
        TcpTalk(trace, {.client = {IpAddress::from_v4(10, 0, 0, 1), static_cast<std::uint16_t>(40000 + i)}}).open();
    }
    PipelineOptions options;
    options.conn.connections_max = 1024;
    options.conn.interims = {kMinute, 1024};
    options.emitter.queue_records = kQueue;
    SharedState shared(1);
    Worker worker(0, options, shared);
    worker.process_burst(trace.views());

    std::map<std::uint16_t, Told> told;
    const auto drain = [&] {
        worker.emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view) {
            Told& t = told[r.id.orig_p];
            t.packets += r.orig_pkts;
            t.parts += r.interim == InterimPart::part;
            t.last = r.interim;
        });
    };
    worker.idle(kStart + 70 * kSecond); // all are due, and nobody takes them
    drain();
    const std::size_t got_through = told.size();
    CHECK(got_through == kQueue * 3 / 4);
    CHECK(worker.events().value(Event::conn_record_dropped) == kConnections - got_through);

    for (Timestamp now = kStart + 70 * kSecond; now < kStart + 6 * kMinute; now += 100 * kMillisecond) {
        worker.idle(now);
        drain();
    }
    CHECK(worker.events().value(Event::conn_record_dropped) == kConnections - got_through); // none since
    REQUIRE(told.size() == kConnections);
    for (const auto& [port, t] : told) {
        CAPTURE(port);
        CHECK(t.packets == 2); // SYN and ACK, once
        CHECK(t.last == InterimPart::rest);
        CHECK(t.parts == (port < 40000 + got_through ? 5 : 4));
    }
}
