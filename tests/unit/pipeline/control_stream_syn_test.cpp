// Bytes in a SYN that is never answered: they wait, and the end of the connection is its end all the same.
#include "core/pipeline/control_stream.h"
#include "tests/support/catch.h"

#include <string_view>

using namespace ftpsensor;

namespace {

struct Nobody final : ControlSink {
    void bytes(unsigned, std::span<const std::uint8_t>, Timestamp) override { ++told; }
    void lost(unsigned, std::uint64_t, Timestamp) override { ++told; }
    void ended(unsigned, Timestamp) override {}
    std::size_t told = 0;
};

} // namespace

TEST_CASE("bytes of a SYN without an answer wait, and the end of the connection comes to an end") {
    constexpr std::string_view kText = "USER a\r\n";
    HeldBudget budget;
    EventCounters events;
    Nobody sink;
    ControlStream stream(true, budget, events);
    stream.begin(0, 101);
    stream.segment({.side = 0,
                    .seq = 101,
                    .has_ack = false,
                    .ack = 0,
                    .data = {reinterpret_cast<const std::uint8_t*>(kText.data()), kText.size()},
                    .doubtful = true},
                   0, sink);
    CHECK(stream.held_bytes() != 0);
    stream.finish(kSecond, sink);
    CHECK(stream.held_bytes() == 0);
    CHECK(budget.used == 0);
}
