// What an entry says of a transfer that is still open does not depend on what connections of others say meanwhile.
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"
#include "tests/support/memory_pipeline.h"

#include <string>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint8_t kStrangers = 100;

struct Said {
    std::string bytes;       // data_channel.bytes of RETR's entries
    std::uint64_t taken = 0; // samples that made room and may have been asked for
};

// Connections that nobody awaits, of so many segments each.
void strangers(Trace& trace, std::size_t segments) {
    for (std::uint8_t i = 0; i < kStrangers; ++i) {
        TcpTalk talk(
            trace,
            {.client = {IpAddress::from_v4(10, 9, 0, i), 40000}, .server = {ip("10.9.1.1"), 9000}, .acks = false});
        talk.open();
        for (std::size_t segment = 0; segment < segments; ++segment) talk.client("x");
    }
}

// `early`: the transfer is under way when it is announced.
Trace stopped_transfer(Duration step, std::size_t segments, bool early = false) {
    Trace trace(Trace::kDefaultStart, step);
    FtpTalk ftp(trace);
    ftp.login();
    const auto announce = [&] {
        ftp.client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
        ftp.client("RETR a").server("150 Now.");
    };
    if (!early) announce();
    strangers(trace, segments);
    TcpTalk data = ftp.passive(40000);
    for (int i = 0; i < 50; ++i) data.server("0123456789");
    if (early) announce();
    ftp.client("ABOR"); // the turn of RETR is over
    for (int i = 0; i < 50; ++i) data.server("0123456789");
    ftp.server("426 Gone.").server("226 Done.");
    data.close(Side::server);
    ftp.quit();
    return trace;
}

// Two of them, packet by packet in turn.
Trace two_stopped_transfers(Duration step) {
    Trace trace(Trace::kDefaultStart, step);
    FtpTalk one(trace), two(trace, {.client = {ip("10.0.1.1"), 40000}, .server = {ip("10.0.1.2"), 21}});
    one.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
    two.login().client("PASV").server("227 Entering Passive Mode (10,0,1,2,156,64).");
    one.client("RETR a").server("150 Now.");
    two.client("RETR b").server("150 Now.");
    TcpTalk data_of_one = one.passive(40000), data_of_two = two.passive(40000);
    for (int i = 0; i < 100; ++i) {
        data_of_one.server("0123456789");
        data_of_two.server("0123456789");
        if (i == 29) one.client("ABOR");
        if (i == 59) two.client("ABOR");
    }
    one.server("426 Gone.").server("226 Done.");
    two.server("426 Gone.").server("226 Done.");
    data_of_one.close(Side::server);
    data_of_two.close(Side::server);
    return trace;
}

Said said(const Trace& trace, std::uint32_t blocks = 32) {
    MemoryPipelineOptions options = small_pipeline(true);
    options.pipeline.progress_max = blocks;
    Said result;
    MemoryPipeline pipeline(options, [&](LogKind, std::string_view line) {
        constexpr std::string_view kName = R"("data_channel.bytes":)";
        const std::size_t at = line.find(kName);
        if (at == std::string_view::npos || line.find(R"("RETR")") == std::string_view::npos) return;
        const std::string_view rest = line.substr(at + kName.size());
        result.bytes += (result.bytes.empty() ? "" : " ") + std::string(rest.substr(0, rest.find_first_of(",}")));
    });
    const auto views = trace.views();
    pipeline.process(views);
    pipeline.finish(views.back().time + kMinute);
    result.taken = pipeline.count(Event::progress_memory);
    return result;
}

} // namespace

TEST_CASE("connections that say one thing take no room") {
    for (const Duration step : {Duration{0}, kMillisecond}) { // time may stand still: then nothing is settled
        const Said s = said(stopped_transfer(step, 1));
        CHECK(s.bytes == "500");
        CHECK(s.taken == 0);
    }
}

TEST_CASE("connections that say more take none of an announced transfer") {
    const Said s = said(stopped_transfer(kMillisecond, 3));
    CHECK(s.bytes == "500");
    const Said still = said(stopped_transfer(0, 3));
    CHECK(still.bytes == "500");
    CHECK(still.taken > 0); // of the strangers'
}

TEST_CASE("nor of one that is announced later") {
    const Said s = said(stopped_transfer(kMillisecond, 3, true));
    CHECK(s.bytes == "500");
    CHECK(s.taken == 0);
}

TEST_CASE("where announced transfers alone have all the room, they are told earlier") {
    for (const Duration step : {Duration{0}, kMicrosecond, kMillisecond}) {
        const Said s = said(two_stopped_transfers(step), 1);
        CHECK(s.bytes == "300 600");
        CHECK(s.taken == 0);
    }
}
