// Fuzzes ControlStream, and holds it against a slow one that keeps a cell a byte.
//
// An input: options and first sequence numbers, then segments, acknowledgements and ends. Strict, the stream must
// deliver what the slow one does: each byte as it came first, holes where they were given up. Patient, it may wait:
// what it delivers must be those bytes, in order, without anything lost that came, and nothing must be left at the end.
// Patient, a second time, by numbers of all kinds and in little room: patient_play.h. Strict, too: what it says
// contradicts bytes that came before, does. Where peers are heard, nothing is lost that they have not acknowledged,
// however far ahead others send.
#include "core/pipeline/control_stream.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/patient_play.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::size_t kStepsMax = 200; // fewer than kHeldSegmentsMax: nothing is refused
constexpr std::uint32_t kWindow = 1024;
constexpr std::int64_t kFar = 0x7fffffff - 4 * kWindow; // half the numbers away, but for what comes before

struct Step {
    enum class Kind : std::uint8_t { segment, give_up, end, look };
    Kind kind = Kind::segment;
    unsigned side = 0;
    std::int64_t at = 0; // relative to the stream's beginning
    bool has_ack = false;
    std::int64_t ack = 0;
    Duration wait = 0;
    std::string_view data;
};

struct Told final : ControlSink {
    void bytes(unsigned side, std::span<const std::uint8_t> data, Timestamp) override {
        require(!data.empty() && !ended_[side], "bytes, and before the end");
        for (const std::uint8_t b : data) stream[side].push_back(b);
    }
    void lost(unsigned side, std::uint64_t size, Timestamp) override {
        require(size != 0 && size <= 1u << 20, "a hole of a size that was sent");
        stream[side].insert(stream[side].end(), size, kLost);
    }
    void ended(unsigned side, Timestamp) override {
        require(!ended_[side], "one end");
        ended_[side] = true;
    }

    static constexpr int kLost = -1;
    std::vector<int> stream[2]; // a byte, or kLost

private:
    bool ended_[2] = {false, false};
};

class SlowStream {
public:
    // The first that came counts, also where it lies beyond a hole.
    void segment(std::int64_t at, std::string_view data) {
        for (std::size_t i = 0; i < data.size(); ++i) {
            const std::int64_t place = at + static_cast<std::int64_t>(i);
            if (place >= static_cast<std::int64_t>(stream.size()))
                first_.try_emplace(place, static_cast<std::uint8_t>(data[i]));
        }
        deliver();
    }
    void give_up(std::int64_t below) {
        while (static_cast<std::int64_t>(stream.size()) < below) {
            stream.push_back(Told::kLost);
            const auto held = first_.find(static_cast<std::int64_t>(stream.size()) - 1);
            if (held != first_.end()) stream.back() = held->second;
        }
        deliver();
    }
    // Of the bytes from `from` on, those that wait or that follow the last hole are still known.
    bool contradicts(std::int64_t at, std::string_view data, std::int64_t from) const {
        const auto hole = std::find(stream.rbegin(), stream.rend(), Told::kLost);
        from =
            std::max({from, static_cast<std::int64_t>(stream.rend() - hole),
                      static_cast<std::int64_t>(stream.size() - std::min(stream.size(), ControlStream::kComparedMax))});
        for (std::size_t i = 0; i < data.size(); ++i) {
            const std::int64_t place = at + static_cast<std::int64_t>(i);
            const auto first = first_.find(place);
            if (place >= from && first != first_.end() && first->second != static_cast<std::uint8_t>(data[i]))
                return true;
        }
        return false;
    }
    std::vector<int> stream;

private:
    void deliver() {
        for (auto next = first_.find(static_cast<std::int64_t>(stream.size())); next != first_.end();
             next = first_.find(static_cast<std::int64_t>(stream.size())))
            stream.push_back(next->second);
    }
    std::map<std::int64_t, std::uint8_t> first_;
};

std::vector<Step> read_steps(FuzzInput& input, bool heard) {
    std::vector<Step> steps;
    while (!input.empty() && steps.size() < kStepsMax) {
        Step s;
        const std::uint8_t option = input.u8();
        s.side = option & 1;
        s.kind = (option & 6) == 6 ? Step::Kind::give_up : (option & 14) == 12 ? Step::Kind::end : Step::Kind::segment;
        s.has_ack = (option & 16) != 0;
        s.wait = (option & 32) != 0 ? kSecond / 3 : kMillisecond;
        s.at = input.u16() % kWindow;
        if (heard && s.kind == Step::Kind::segment && (option & 64) != 0) s.at += kFar;
        if (heard && s.kind == Step::Kind::segment && (option & 192) == 192) { // on either side of the half
            s.kind = Step::Kind::look;
            s.at += 3 * kWindow + kWindow / 2;
        }
        if (s.has_ack) s.ack = input.u16() % kWindow;
        if (s.kind == Step::Kind::segment || s.kind == Step::Kind::look) s.data = input.text();
        steps.push_back(s);
    }
    return steps;
}

void play(const std::vector<Step>& steps, bool patient, bool heard, const std::uint32_t* isn) {
    HeldBudget budget;
    EventCounters events;
    Told told;
    SlowStream slow[2];
    std::set<std::pair<std::int64_t, int>> sent[2]; // a later one may count where the first waits, patient
    bool ended[2] = {false, false};
    std::int64_t acked[2] = {0, 0};
    {
        ControlStream stream(patient, budget, events);
        for (const unsigned side : {0u, 1u}) stream.begin(side, isn[side]);
        Timestamp now = 0;
        for (const Step& s : steps) {
            now += s.wait;
            const auto at = static_cast<std::uint32_t>(isn[s.side] + s.at);
            if (ended[s.side]) continue; // nothing follows a FIN: the tracker sees to that
            if (s.kind == Step::Kind::give_up) {
                stream.give_up(s.side, at, now, told);
                if (!patient) slow[s.side].give_up(s.at);
            } else if (s.kind == Step::Kind::end) {
                stream.end(s.side, now, told);
                ended[s.side] = true;
            } else {
                const std::vector<std::uint8_t> own(s.data.begin(), s.data.end());
                const ControlStream::Segment segment = {s.side, at, s.has_ack,
                                                        static_cast<std::uint32_t>(isn[s.side ^ 1] + s.ack), own};
                if (s.kind == Step::Kind::look) {
                    stream.contradicts(segment); // what it says is nobody's business
                    continue;
                }
                stream.acknowledged(s.side, static_cast<std::uint32_t>(isn[s.side] + acked[s.side]));
                const bool contradicts = stream.contradicts(segment);
                if (!patient)
                    require(contradicts == slow[s.side].contradicts(s.at, s.data, acked[s.side]), "contradicts");
                if (s.has_ack) acked[s.side ^ 1] = std::max(acked[s.side ^ 1], s.ack);
                for (const unsigned side : {0u, 1u})
                    if (heard)
                        stream.acknowledged_by_now(side, static_cast<std::uint32_t>(isn[side] + acked[side]), true);
                stream.segment(segment, now, told);
                slow[s.side].segment(s.at, s.data);
                for (std::size_t i = 0; i < s.data.size(); ++i)
                    sent[s.side].insert({s.at + static_cast<std::int64_t>(i), static_cast<std::uint8_t>(s.data[i])});
            }
            require(stream.held_bytes() <= ControlStream::kHeldBytesMax && stream.held_bytes() == budget.used,
                    "bounds");
            if (!patient)
                for (const unsigned side : {0u, 1u})
                    require(told.stream[side] == slow[side].stream, "strict: as the slow one, after each step");
        }
        stream.finish(now, told);
        require(stream.held_bytes() == 0, "nothing left");
    }
    require(budget.used == 0, "the budget is given back");
    require(events.value(Event::reassembly_memory) == 0, "nothing was refused");
    for (const unsigned side : {0u, 1u}) {
        const auto& got = told.stream[side];
        slow[side].give_up(static_cast<std::int64_t>(got.size())); // and what it holds behind comes out
        const auto& all = slow[side].stream;
        require(got.size() <= all.size(), "no more than was sent");
        for (std::size_t i = 0; i < got.size(); ++i)
            require(got[i] == all[i] || (patient && (got[i] == Told::kLost ||
                                                     sent[side].contains({static_cast<std::int64_t>(i), got[i]}))),
                    "the bytes that came first");
        if (heard && patient) {
            const auto lost = std::find(got.rbegin(), got.rend(), Told::kLost);
            require(got.rend() - lost <= acked[side], "nothing lost that was not acknowledged");
        }
        if (!patient) require(got.size() == all.size(), "strict: all of it");
    }
}

std::string play_wild(WildPlay& play, const std::vector<WildStep>& steps, const std::uint32_t* base) {
    Timestamp now = 0;
    for (const WildStep& s : steps) play.step(s, base, now += s.wait);
    return play.finish(now);
}

void play_in_little_room(const std::vector<WildStep>& steps, const std::uint32_t* base) {
    HeldBudget budget{.limit = 2000};
    WildPlay plays[2] = {{budget, false}, {budget, false}};
    Timestamp now = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        plays[i / 3 % 2].step(steps[i], base, now += steps[i].wait);
        require(budget.used <= budget.limit, "the room");
        require(budget.used == plays[0].stream.held_bytes() + plays[1].stream.held_bytes(), "as is used");
        require((budget.used == 0) == (budget.oldest == nullptr), "and its order");
    }
    for (WildPlay& play : plays) play.finish(now);
    require(budget.used == 0, "the room is given back");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::uint32_t isn[2] = {input.u32(), input.u32()};
    const bool heard = (isn[0] & 3) == 3;
    const std::vector<Step> steps = read_steps(input, heard);
    play(steps, false, heard, isn);
    play(steps, true, heard, isn);

    FuzzInput again(data, size);
    const std::uint32_t base[2] = {again.u32(), again.u32()};
    const std::vector<WildStep> wild = read_wild_steps(again, 3 * kStepsMax);
    HeldBudget budget;
    WildPlay roomy(budget, wild.size() < ControlStream::kHeldSegmentsMax / 2);
    const std::string first = play_wild(roomy, wild, base);
    require(first == play_wild(roomy, wild, base), "a stream that was used before says the same");
    play_in_little_room(wild, base);
    return 0;
}
