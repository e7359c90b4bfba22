// Which bytes were seen: holes, their filling, and the bounds.
#include "core/conn/gap_tracker.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

struct Tracked {
    EventCounters events;
    GapTracker gaps{1000, events};
    Endpoint end;
    Endpoint peer;

    // As though the peer had acknowledged up to `seq`.
    void acknowledge(std::uint64_t seq, bool partial = false) {
        end.ack_seq = static_cast<std::uint32_t>(seq);
        gaps.acknowledged(end, seq, partial);
    }
    bool data(std::uint64_t seq, std::uint64_t size) {
        end.last_seq = std::max(end.last_seq, static_cast<std::uint32_t>(seq + size));
        return gaps.data(end, peer, seq, size);
    }
};

} // namespace

TEST_CASE("bytes in order leave no hole") {
    Tracked t;
    CHECK(t.data(1, 100));
    CHECK(t.data(101, 50));
    CHECK(t.end.delivered_rel == 151);
    t.acknowledge(151);
    CHECK(t.gaps.gaps().empty());
}

TEST_CASE("all payload that was captured is counted, again where it was sent again") {
    Tracked t;
    t.data(1, 100);
    t.data(1, 100);
    t.gaps.count_missed(7);
    t.gaps.count_missed(3);
    CHECK(t.gaps.payload_bytes() == 200);
    CHECK(t.gaps.missed_bytes() == 10);
}

TEST_CASE("a hole that is filled late is no hole") {
    Tracked t;
    t.data(101, 50);
    t.data(201, 50);
    t.data(151, 50);
    CHECK(t.end.delivered_rel == 1);
    t.data(1, 100);
    CHECK(t.end.delivered_rel == 251);
    CHECK(t.gaps.ranges_used() == 0);
}

TEST_CASE("what was acknowledged and not seen is missing, hole by hole") {
    Tracked t;
    t.data(1, 10);
    t.data(21, 10);
    t.data(41, 10);
    t.acknowledge(61);
    REQUIRE(t.gaps.gaps().size() == 3);
    CHECK(t.gaps.gaps()[0].seq == 11);
    CHECK(t.gaps.gaps()[0].size == 10);
    CHECK(t.gaps.gaps()[1].seq == 31);
    CHECK(t.gaps.gaps()[2].seq == 51);
    CHECK(t.end.delivered_rel == 61);
}

TEST_CASE("what was acknowledged before it came is old") {
    Tracked t;
    t.acknowledge(101);
    CHECK_FALSE(t.data(1, 100));
    CHECK(t.data(51, 100)); // its second half is new
    CHECK(t.end.delivered_rel == 151);
}

TEST_CASE("the start of a partial connection is not missing") {
    Tracked t;
    t.acknowledge(2, true);
    CHECK(t.gaps.gaps().empty());
    Tracked whole;
    whole.acknowledge(2, false);
    CHECK(whole.gaps.gaps().size() == 1);
}

TEST_CASE("a FIN that was acknowledged takes no byte") {
    Tracked t;
    t.data(1, 10);
    t.end.fin_seen = true;
    t.end.fin_rel = 12;
    t.acknowledge(12);
    CHECK(t.gaps.gaps().empty());
}

TEST_CASE("data beyond a hole without any acknowledgement ends the tracking at 16 KiB") {
    Tracked t;
    t.data(101, 16284);
    CHECK_FALSE(t.end.skip_deliveries);
    t.data(16385, 1);
    CHECK(t.end.skip_deliveries);
    CHECK(t.events.value(Event::above_hole_data_without_any_acks) == 1);
    CHECK(t.gaps.ranges_used() == 0);
}

TEST_CASE("ranges of one end have a bound, and what does not fit is counted") {
    Tracked t;
    t.acknowledge(2);
    for (std::uint64_t i = 0; i < 400; ++i) t.data(10 + 10 * i, 5);
    CHECK(t.gaps.ranges_used() == 256);
    CHECK(t.events.value(Event::reassembly_memory) == 144);
    t.gaps.forget(t.end);
    CHECK(t.gaps.ranges_used() == 0);
}

TEST_CASE("ranges of all ends together have a bound") {
    EventCounters events;
    GapTracker gaps(16, events); // two blocks: two ends
    Endpoint ends[4], peer;
    for (Endpoint& end : ends) {
        end.ack_seq = 2;
        for (std::uint64_t i = 0; i < 4; ++i) gaps.data(end, peer, 10 + 10 * i, 5);
    }
    CHECK(gaps.ranges_used() == 8);
    CHECK(events.value(Event::reassembly_memory) == 8);
}

TEST_CASE("whoever fills the room of all with holes takes no other end's swapped segments") {
    EventCounters events;
    GapTracker gaps(4 * RangePool::kBlockRanges, events);
    Endpoint greedy[2], end, peer;
    for (Endpoint& e : greedy) {
        e.ack_seq = 2;
        for (std::uint64_t i = 0; i < 200; ++i) gaps.data(e, peer, 10 + 10 * i, 5);
    }
    CHECK(gaps.ranges_used() == 4 * RangePool::kBlockRanges);
    const std::uint64_t counted = events.value(Event::reassembly_memory);
    const std::uint32_t used = gaps.ranges_used();
    end.ack_seq = 1;
    gaps.data(end, peer, 11, 10); // before the ten bytes that were sent before it
    CHECK(used + 1 - gaps.ranges_used() == events.value(Event::reassembly_memory) - counted);
    CHECK(events.value(Event::reassembly_memory) > counted);
    gaps.data(end, peer, 1, 10);
    gaps.acknowledged(end, 21, false);
    CHECK(gaps.gaps().empty());
    CHECK(end.delivered_rel == 21);
}

TEST_CASE("a range that bridges others swallows them") {
    Tracked t;
    t.acknowledge(2);
    t.data(10, 5);
    t.data(20, 5);
    t.data(30, 5);
    t.data(12, 20);
    CHECK(t.gaps.ranges_used() == 1);
    t.data(1, 9);
    CHECK(t.end.delivered_rel == 35);
}

TEST_CASE("numbers of 48 bits and more are not followed") {
    constexpr std::uint64_t kEnd = std::uint64_t{1} << 48;
    Tracked t;
    t.acknowledge(2);
    CHECK_FALSE(t.gaps.data(t.end, t.peer, kEnd + 10, 1)); // it came back to nothing, and was looked for for ever
    t.gaps.acknowledged(t.end, kEnd + 11, false);
    CHECK(t.gaps.gaps().empty());
    CHECK(t.gaps.ranges_used() == 0);
    CHECK(t.end.skip_deliveries);
}

TEST_CASE("a FIN from before the beginning does not say where the stream ends") {
    Tracked t;
    t.data(1, 4);
    t.end.fin_seen = true;
    t.end.fin_rel = 0;
    t.acknowledge(5);
    CHECK(t.gaps.gaps().empty());
    CHECK(t.end.trimmed_rel == 5);
}
