// The patient half of control_stream_fuzz: what packets can say of a stream's numbers, near, behind and far.
//
// What comes out must be bytes that were sent for their numbers, in order, and what is told as lost must not have come.
// Beginnings come late, twice or never; acknowledgements are of anything; each peer is heard from some step on. Played
// once with room for all, once more on the same stream after reset(), which must say the same, and once with two
// streams in a room so small that bytes make room: there the bounds have to hold, and order. One thread.
#pragma once

#include "core/pipeline/control_stream.h"
#include "tests/fuzz/fuzz_input.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ftpsensor::test {

struct WildStep {
    enum class Kind : std::uint8_t { segment, begin, end, heard, in_syn, answered, anew };
    Kind kind = Kind::segment;
    unsigned side = 0;
    std::uint32_t at = 0; // relative to base
    bool has_ack = false;
    std::uint32_t ack = 0;
    Duration wait = 0;
    std::string_view data;
};

inline std::uint32_t wild_number(FuzzInput& input) {
    const std::uint16_t near = input.u16();
    switch (near >> 13) { // mostly near
    case 7: return input.u32();
    case 6: return 0x7fffffffu - 64 + near % 128;
    case 5: return 0u - near % 1024;
    default: return near % 1024;
    }
}

inline std::vector<WildStep> read_wild_steps(FuzzInput& input, std::size_t most) {
    std::vector<WildStep> steps;
    while (!input.empty() && steps.size() < most) {
        WildStep s;
        const std::uint8_t option = input.u8();
        s.side = option & 1;
        const unsigned kind = option >> 1 & 15;
        s.kind = kind < 7 ? static_cast<WildStep::Kind>(kind) : WildStep::Kind::segment;
        s.has_ack = (option & 32) != 0;
        s.wait = (option & 64) != 0 ? kSecond / 3 : kMillisecond;
        s.at = wild_number(input);
        if (s.has_ack) s.ack = wild_number(input);
        if (s.kind == WildStep::Kind::segment || s.kind == WildStep::Kind::in_syn)
            s.data = (option & 128) != 0 ? input.long_text() : input.text();
        steps.push_back(s);
    }
    return steps;
}

// One stream, and what was sent for each of its numbers. Places are relative to where a direction began.
class WildPlay final : public ControlSink {
public:
    WildPlay(HeldBudget& budget, bool roomy) : stream(true, budget, events_), roomy_(roomy) {}

    void bytes(unsigned side, std::span<const std::uint8_t> data, Timestamp) override {
        require(!data.empty() && !ended_[side], "bytes, and before the end");
        for (const std::uint8_t b : data) {
            const auto sent = sent_[side].find(place_[side]);
            require(sent != sent_[side].end() && sent->second.contains(b), "a byte that was sent for this number");
            sent_[side].erase(sent);
            ++place_[side];
        }
        log.append(side == 0 ? "<" : ">").append(data.begin(), data.end());
    }
    void lost(unsigned side, std::uint64_t size, Timestamp) override {
        require(size != 0 && size < 1u << 31, "a hole");
        const std::int64_t upper = place_[side] + static_cast<std::int64_t>(size);
        const auto come = sent_[side].lower_bound(place_[side]);
        if (roomy_ && !left_out_[side])
            require(come == sent_[side].end() || come->first >= upper, "what is lost had not come");
        sent_[side].erase(come, sent_[side].lower_bound(upper));
        place_[side] = upper;
        log.append("-").append(std::to_string(size));
    }
    void ended(unsigned side, Timestamp) override {
        require(!ended_[side], "one end");
        ended_[side] = true;
        log.append(".");
    }

    void step(const WildStep& s, const std::uint32_t* base, Timestamp now) {
        const std::uint32_t seq = base[s.side] + s.at;
        switch (s.kind) {
        case WildStep::Kind::begin: begin(s.side, seq); return;
        case WildStep::Kind::end:
            over_[s.side] = true;
            stream.end(s.side, now, *this);
            return;
        case WildStep::Kind::heard: heard_[s.side] = true; return;
        case WildStep::Kind::answered:
            tell();
            left_out_[s.side] = true;
            stream.answered(s.side, now, *this);
            return;
        case WildStep::Kind::anew:
            if (over_[s.side]) return;
            stream.begin_anew(s.side, seq);
            begun_[s.side] = false;
            sent_[s.side].clear();
            begin(s.side, seq);
            return;
        default: segment(s, seq, base[s.side ^ 1] + s.ack, now);
        }
    }
    std::string finish(Timestamp now) {
        tell();
        stream.finish(now, *this);
        require(stream.held_bytes() == 0, "nothing left");
        stream.reset();
        for (const unsigned side : {0u, 1u}) {
            begun_[side] = ended_[side] = over_[side] = heard_[side] = left_out_[side] = false;
            sent_[side].clear();
            place_[side] = 0;
        }
        return std::exchange(log, {});
    }

private:
    EventCounters events_; // before the stream, which counts in it

public:
    ControlStream stream;
    std::string log;

private:
    static constexpr std::int64_t kHalf = std::int64_t{1} << 31; // of all numbers

    void begin(unsigned side, std::uint32_t seq) {
        stream.begin(side, seq);
        if (begun_[side]) return;
        begun_[side] = true;
        place_[side] = 0;
        first_[side] = acked_[side] = seq;
    }
    // In the tracker's way: the furthest by numbers that wrap.
    void tell() {
        for (const unsigned side : {0u, 1u}) stream.acknowledged_by_now(side, acked_[side], heard_[side]);
    }
    void sent(unsigned side, std::int64_t place, const std::vector<std::uint8_t>& data) {
        for (const std::uint8_t b : data) {
            if (place >= place_[side]) sent_[side][place].insert(b);
            ++place;
        }
    }
    void segment(const WildStep& s, std::uint32_t seq, std::uint32_t ack, Timestamp now) {
        const unsigned other = s.side ^ 1;
        if (over_[s.side] || s.data.empty()) return; // nothing follows a FIN: the tracker sees to that
        begin(s.side, seq);
        if (s.has_ack && begun_[other] && static_cast<std::int32_t>(ack - acked_[other]) > 0) acked_[other] = ack;
        const std::vector<std::uint8_t> own(s.data.begin(), s.data.end());
        const bool in_syn = s.kind == WildStep::Kind::in_syn;
        const ControlStream::Segment segment = {s.side, seq, s.has_ack, ack, own, in_syn};
        stream.acknowledged(s.side, acked_[s.side]);
        stream.contradicts(segment);
        tell();
        const auto next = static_cast<std::uint32_t>(first_[s.side] + place_[s.side]);
        const std::int64_t ahead = static_cast<std::int32_t>(seq - next), at = place_[s.side] + ahead;
        const std::int64_t end = ahead + static_cast<std::int64_t>(own.size());
        sent(s.side, at, own);
        if (end > kHalf || ahead < static_cast<std::int64_t>(ControlStream::kHeldBytesMax) - kHalf) {
            // Left out; but what is held may come out before it, and then it is nearer, or no longer behind.
            left_out_[s.side] = true;
            if (ahead < 0) sent(s.side, at + 2 * kHalf, own);
        }
        stream.segment(segment, now, *this);
    }
    bool roomy_;
    bool begun_[2] = {}, ended_[2] = {}, over_[2] = {}, heard_[2] = {};
    bool left_out_[2] = {}; // of what had come: by an answer, or nobody can tell where it came
    std::uint32_t first_[2] = {}, acked_[2] = {};
    std::int64_t place_[2] = {};
    std::map<std::int64_t, std::set<std::uint8_t>> sent_[2];
};

} // namespace ftpsensor::test
