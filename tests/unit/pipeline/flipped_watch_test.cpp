// A connection whose roles flip after its silent watch was given up does not begin anew: how old it is does not depend
// on when the worker's time moved on.
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"

#include <algorithm>
#include <vector>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr Timestamp kStart = Trace::kDefaultStart;
constexpr std::uint16_t kDataPort = 40003;

// Of the data connection the SYN was not captured: the roles flip with its first data, `later` than its beginning, and
// just after it was announced.
Trace announced_before_data(Duration later) {
    Trace trace;
    const TalkEnd server{ip("10.0.0.2"), 21}, client{ip("10.0.0.1"), 1025};
    TcpTalk data(trace, {.client = {server.address, 40100}, .server = {client.address, kDataPort}, .acks = false});
    data.before_open().lose_next().send(Side::client, {.flags = kFlagSyn});
    data.send(Side::server, {.flags = kFlagSyn | kFlagAck});
    trace.at(kStart + later);
    FtpTalk ftp(trace, {.client = client, .server = server});
    ftp.login().client("PORT 10,0,0,1,156,67").server("200 OK.");
    data.client("a file").close();
    return trace;
}

// When the connection began, by each data_open that was told.
std::vector<Timestamp> told_openings(const Trace& trace, std::size_t burst) {
    PipelineOptions options;
    options.conn.connections_max = 1024;
    SharedState shared(1);
    Worker worker(0, options, shared);
    const auto views = trace.views();
    for (std::size_t i = 0; i < views.size(); i += burst)
        worker.process_burst(std::span(views).subspan(i, std::min(burst, views.size() - i)));
    std::vector<Timestamp> told;
    worker.emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view) {
        if (r.kind == FtpRecordKind::data_open) told.push_back(r.key.time - kStart);
    });
    return told;
}

} // namespace

TEST_CASE("a connection too old for its announcement is not made younger by a flip") {
    const Trace trace = announced_before_data(3 * kSecond);
    const auto at_once = told_openings(trace, 1000);
    REQUIRE(at_once.size() == 2); // its beginning, and the flip
    CHECK(at_once[0] < kSecond);
    CHECK(told_openings(trace, 1).empty()); // nothing that may count: its watch was given up
}

TEST_CASE("a connection young enough is told with its beginning, and its flip") {
    const Trace trace = announced_before_data(500 * kMillisecond);
    for (const std::size_t burst : {1u, 2u, 1000u}) {
        CAPTURE(burst);
        const auto told = told_openings(trace, burst);
        REQUIRE(told.size() == 2);
        CHECK(told[0] < 100 * kMillisecond);
        CHECK(told[1] > 500 * kMillisecond);
    }
}
