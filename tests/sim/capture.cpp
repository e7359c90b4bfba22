// collect(), capture() and views() of world.h.
#include "core/packet/decode.h"
#include "tests/sim/world.h"

#include <algorithm>

namespace ftpsensor::test {

namespace {

struct Tap {
    unsigned late_percent = 0;
    Duration late_most = 0; // how much later than it was sent
    std::uint64_t lost_of_10000 = 0;
    unsigned twice_percent = 0;
    bool is_clean() const { return late_percent == 0 && lost_of_10000 == 0 && twice_percent == 0; }
};

// Four worlds of ten are captured as they are, three out of order, the others with losses, too.
Tap draw_tap(Random& random) {
    const Duration mosts[] = {2 * kMillisecond, 50 * kMillisecond, 400 * kMillisecond};
    const auto dice = random.below(10);
    Tap tap;
    if (dice < 4) return tap;
    if (dice != 7) {
        tap.late_percent = static_cast<unsigned>(random.between(1, 20));
        tap.late_most = random.pick(mosts);
        tap.twice_percent = random.percent(50) ? 2 : 0;
    }
    if (dice >= 7) tap.lost_of_10000 = random.between(5, 300);
    return tap;
}

} // namespace

void collect(const Trace& trace, World& world) {
    EventCounters events;
    Decoder decoder({.fragment_bytes_max = 1u << 16, .fragment_datagrams_max = 1}, events); // there are no fragments
    for (const PacketView& view : trace.views()) {
        DecodedPacket decoded;
        decoder.decode(view, decoded);
        const Layer& layer = decoded.layers[0];
        const TalkEnd from{layer.source, layer.source_port}, to{layer.destination, layer.destination_port};
        TrueFrame frame;
        frame.sent = view.time;
        frame.connection = world.find(from, to).value();
        const TrueConnection& c = world.connections[frame.connection];
        frame.from_opener = c.from.address == from.address && c.from.port == from.port;
        frame.flags = layer.tcp_flags;
        frame.seq = layer.tcp_seq;
        frame.payload = layer.payload_length;
        frame.bytes.assign(view.data, view.data + view.captured);
        world.frames.push_back(std::move(frame));
    }
}

void capture(World& world, Random& random) {
    const Tap tap = draw_tap(random);
    world.is_clean = tap.is_clean();
    std::vector<TrueFrame> captured;
    for (TrueFrame& frame : world.frames) {
        if (random.below(10'000) < tap.lost_of_10000) {
            ++world.connections[frame.connection].lost;
            continue;
        }
        frame.time = frame.sent;
        if (random.percent(tap.late_percent)) frame.time += random.up_to(tap.late_most);
        captured.push_back(frame);
        if ((frame.flags & kFlagSyn) == 0 && random.percent(tap.twice_percent)) { // another SYN is another connection
            captured.push_back(captured.back());
            captured.back().again = true;
            captured.back().time += random.up_to(tap.late_most);
        }
    }
    std::stable_sort(captured.begin(), captured.end(),
                     [](const TrueFrame& a, const TrueFrame& b) { return a.time < b.time; });
    Timestamp last = 0;
    for (TrueFrame& frame : captured) {
        frame.time = std::max(frame.time / kMicrosecond * kMicrosecond, last + kMicrosecond);
        last = frame.time;
    }
    world.frames = std::move(captured);
}

std::vector<PacketView> World::views() const {
    std::vector<PacketView> views;
    for (const TrueFrame& frame : frames) {
        PacketView view;
        view.data = frame.bytes.data();
        view.captured = view.length = static_cast<std::uint32_t>(frame.bytes.size());
        view.time = view.now = frame.time;
        view.number = views.size() + 1;
        views.push_back(view);
    }
    return views;
}

std::optional<std::size_t> World::find(const TalkEnd& a, const TalkEnd& b) const {
    for (const Ends& ends : {Ends{a.address, a.port, b.address, b.port}, Ends{b.address, b.port, a.address, a.port}})
        if (const auto found = by_ends.find(ends); found != by_ends.end()) return found->second;
    return std::nullopt;
}

} // namespace ftpsensor::test
