// log.conn.entries changed while records wait to be written: which are wanted was said when their connections ended.
#include "tests/support/catch.h"
#include "tests/support/memory_pipeline.h"
#include "tests/support/tcp_talk.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

// conn entries of two connections with the same addresses, of which the second ends the first; before its own end the
// configuration changes from `before`.
std::size_t entries(std::size_t workers, bool before, bool after) {
    MemoryPipelineOptions options = small_pipeline(false);
    options.workers = workers;
    options.pipeline.ftp_only = before;
    std::size_t count = 0;
    MemoryPipeline pipeline(options, [&](LogKind log, std::string_view) { count += log == LogKind::conn; });
    Trace trace;
    const TalkOptions same{.client = {ip("10.0.0.1"), 50000}, .server = {ip("10.0.0.2"), 40000}};
    TcpTalk(trace, same).open().rst(Side::client);
    TcpTalk(trace, same).open();
    const auto views = trace.views();
    pipeline.process(views);
    options.pipeline.ftp_only = after;
    pipeline.reload(options.pipeline, options.entries);
    pipeline.finish(views.back().time + kMinute);
    return count;
}

} // namespace

TEST_CASE("what ended while only FTP was wanted is not written because that changed since, nor the other way round") {
    for (const std::size_t workers : {1, 3}) { // one knows at once what is no transfer, of three the logger does
        CAPTURE(workers);
        CHECK(entries(workers, true, true) == 0);
        CHECK(entries(workers, true, false) == 1);
        CHECK(entries(workers, false, true) == 1);
        CHECK(entries(workers, false, false) == 2);
    }
}
