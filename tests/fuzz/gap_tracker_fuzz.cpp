// Fuzzes GapTracker, and holds it against a slow one that keeps a flag a byte.
//
// An input: segments and acknowledgements of two ends, within 8 KiB, where the reference's own limits (16 KiB beyond a
// hole, 10 MiB in all) do not end the tracking; the same in so little room that ranges are lost, from where on it may
// miss what the slow one does not, but nothing the other way round; and the input again without those limits, in a pool
// of two blocks.
#include "core/conn/gap_tracker.h"
#include "tests/fuzz/fuzz_input.h"

#include <cstring>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::uint64_t kWindow = 8192;
constexpr std::size_t kStepsMax = 400;

class SlowTracker {
public:
    bool data(std::uint64_t seq, std::uint64_t size) {
        if (seq + size <= acked_) return false;
        const std::uint64_t from = std::max(seq, acked_);
        std::memset(&seen_[from], 1, seq + size - from);
        delivered = next(0, delivered);
        return true;
    }
    std::vector<GapTracker::Gap> acknowledged(std::uint64_t seq) {
        std::vector<GapTracker::Gap> gaps;
        acked_ = std::max(acked_, seq);
        while (delivered < seq) {
            const std::uint64_t end = std::min(next(1, delivered), seq);
            if (end != delivered) gaps.push_back({delivered, end - delivered});
            delivered = next(0, end);
        }
        delivered = next(0, delivered);
        return gaps;
    }
    std::uint64_t delivered = 1;

private:
    // From `at` on, the first that was seen or was not. By memchr(3): in a loop of ours each byte would be looked at by
    // the sanitizers, too, and that was nearly all that this fuzzer did.
    std::uint64_t next(int seen, std::uint64_t at) const {
        const void* found = std::memchr(&seen_[at], seen, seen_.size() - at);
        return found == nullptr ? seen_.size()
                                : static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(found) - seen_.data());
    }
    std::vector<std::uint8_t> seen_ = std::vector<std::uint8_t>(2 * kWindow + 2); // a byte each: 0 or 1
    std::uint64_t acked_ = 1;
};

// Numbers begin anywhere and come round, as TcpTracker counts them.
void begin(Endpoint& end, std::uint32_t start) { end.start_seq = end.ack_seq = end.last_seq = start; }

void acknowledge(GapTracker& tracker, Endpoint& end, std::uint64_t seq, bool partial = false) {
    if (seq > end.acked_rel()) {
        const auto ack = static_cast<std::uint32_t>(end.start_seq + seq);
        for (std::uint64_t turns = (end.start_seq + seq) >> 32; end.ack_wraps() < turns;) end.ack_seq_wraps();
        end.ack_seq = ack;
    }
    tracker.acknowledged(end, seq, partial);
}

void send(Endpoint& end, std::uint64_t upper) {
    if (upper <= end.last_rel()) return;
    for (std::uint64_t turns = (end.start_seq + upper) >> 32; end.seq_wraps() < turns;) end.last_seq_wraps();
    end.last_seq = static_cast<std::uint32_t>(end.start_seq + upper);
}

// Where ranges were lost, holes are wider or more; but what the slow one misses is missed.
bool covered(const std::vector<GapTracker::Gap>& gaps, const GapTracker::Gap& hole) {
    std::uint64_t upto = hole.seq;
    for (const GapTracker::Gap& gap : gaps)
        if (gap.seq <= upto) upto = std::max(upto, gap.seq + gap.size);
    return upto >= hole.seq + hole.size;
}

void compare(const std::vector<GapTracker::Gap>& gaps, const std::vector<GapTracker::Gap>& expected, bool lost) {
    if (lost) {
        for (const GapTracker::Gap& hole : expected) require(covered(gaps, hole), "no hole goes unseen");
        return;
    }
    require(gaps.size() == expected.size(), "as many gaps");
    for (std::size_t i = 0; i < expected.size(); ++i)
        require(gaps[i].seq == expected[i].seq && gaps[i].size == expected[i].size, "the same gaps");
}

void play(FuzzInput input, std::uint32_t ranges_max) {
    EventCounters events;
    GapTracker tracker(ranges_max, events);
    Endpoint ends[2];
    SlowTracker slow[2];
    for (Endpoint& end : ends) begin(end, input.u32());
    bool lost = false;
    for (std::size_t step = 0; step < kStepsMax && !input.empty(); ++step) {
        const std::uint8_t option = input.u8();
        Endpoint& end = ends[option & 1];
        SlowTracker& model = slow[option & 1];
        const std::uint64_t seq = 1 + input.u16() % kWindow;
        if ((option & 2) != 0) {
            acknowledge(tracker, end, seq);
            const auto expected = seq > 1 ? model.acknowledged(seq) : std::vector<GapTracker::Gap>{};
            compare(tracker.gaps(), expected, lost);
        } else {
            const std::uint64_t size = 1 + input.u16() % (kWindow / 4);
            send(end, seq + size);
            require(tracker.data(end, ends[(option & 1) ^ 1], seq, size) == model.data(seq, size),
                    "new when it is new");
            if (!lost && events.value(Event::reassembly_memory) != 0) {
                // A list of 32 blocks, or all blocks, none of them empty; then one list lost all but one of its.
                lost = true;
                const std::uint32_t blocks =
                    std::min(RangePool::kBlocksOfListMax, ranges_max / RangePool::kBlockRanges);
                require(tracker.ranges_used() + events.value(Event::reassembly_memory) >= blocks,
                        "full, and not before");
            }
        }
        require(lost ? end.delivered_rel <= model.delivered : end.delivered_rel == model.delivered, "delivered as far");
        require(tracker.ranges_used() <= ranges_max, "within its bound");
        require(!end.skip_deliveries, "no limit was reached");
    }
    for (Endpoint& end : ends) tracker.forget(end);
    require(tracker.ranges_used() == 0, "all ranges are given back");
}

void play_wild(FuzzInput input) {
    EventCounters events;
    GapTracker tracker(16, events);
    Endpoint ends[2];
    for (Endpoint& end : ends) begin(end, input.u32());
    while (!input.empty()) {
        const std::uint8_t option = input.u8(), more = input.u8();
        Endpoint& end = ends[option & 1];
        // Nearly up to 2^48, which is as far as an Endpoint counts.
        const std::uint64_t number = std::uint64_t{input.u32()} << 16 | input.u16();
        const std::uint64_t seq = 1 + (number >> (more % 48)) % ((std::uint64_t{1} << 48) - (std::uint64_t{2} << 32));
        if ((option & 8) != 0 && !end.fin_seen) {
            end.fin_seen = true;
            end.fin_rel = seq;
        }
        if ((option & 16) != 0) end.state = static_cast<TcpState>((option >> 5) % 7);
        if ((option & 2) != 0) {
            acknowledge(tracker, end, seq, (option & 4) != 0);
        } else {
            const std::uint64_t size = 1 + input.u16();
            send(end, seq + size);
            tracker.data(end, ends[(option & 1) ^ 1], seq, size);
        }
        require(tracker.ranges_used() <= 16, "within its bound");
        tracker.pending(end, ends[(option & 1) ^ 1]);
    }
    for (Endpoint& end : ends) tracker.forget(end);
    require(tracker.ranges_used() == 0, "all ranges are given back");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    play({data, size}, 1024);
    play({data, size}, 3 * RangePool::kBlockRanges);
    play({data, size}, RangePool::kBlockRanges); // either end takes the other's
    play_wild({data, size});
    return 0;
}
