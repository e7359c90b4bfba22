// The straight line for plain segments against the general path: the same records, the same events, and the same bytes
// for who reads them, whatever comes.
#include "core/conn/conn_tracker.h"
#include "tests/support/catch.h"

#include <random>

using namespace ftpsensor;

namespace {

struct Told { // of a segment whose bytes have a reader
    std::uint64_t packet;
    std::uint64_t data_rel;
    unsigned side;
    bool has_payload;
    bool has_data;
    friend bool operator==(const Told&, const Told&) = default;
};

struct Ended final : ConnObserver {
    const ConnTracker* tracker = nullptr;
    std::vector<ConnRecord> records;
    std::vector<Told> told;

    void opened(Connection& c, std::uint32_t, const PacketView&) override { c.content = ContentUse::control; }
    void flipped(Connection&, std::uint32_t, const PacketView&) override {}
    void segment(Connection&, std::uint32_t, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                 const PacketView& packet) override {
        // Of a plain segment without payload nobody is told: it says nothing to them.
        const bool ended = outcome.ended[0] || outcome.ended[1];
        if (layer.payload_length == 0 && !outcome.has_gaps && !ended && !(layer.tcp_flags & (kSyn | kFin | kRst)))
            return;
        told.push_back(
            {packet.number, outcome.has_payload ? outcome.data_rel : 0, side, outcome.has_payload, outcome.has_data});
    }
    bool interim(Connection&, std::uint32_t, Timestamp, ConnRecord&) override { return false; }
    void coming_through(Connection&, const Layer&, unsigned) override {}
    void removed(Connection& c, std::uint32_t, Timestamp due, std::uint64_t) override {
        std::string text;
        ConnRecord record;
        tracker->fill_record(c, record, text);
        record.key.time = due;
        records.push_back(record);
    }
};

// A tracker that takes the straight line, or one that never does: without a candidate it can not.
struct Tracked {
    explicit Tracked(bool straight) : straight_line(straight) {
        options.connections_max = 16;
        ended.tracker = &tracker;
    }
    void take(const Layer& layer, const PacketView& packet) {
        DecodedPacket decoded;
        decoded.layer_count = 1;
        decoded.layers[0] = layer;
        ConnTracker::Lookup lookup;
        tracker.look_up(layer, lookup);
        if (straight_line) tracker.prefetch_connection(lookup, layer);
        if (lookup.candidate != FlowTable::kNone && tracker[lookup.candidate].calm) ++calm;
        tracker.process(decoded, lookup, packet);
        tracker.advance(packet.now);
    }

    bool straight_line;
    ConnOptions options;
    EventCounters events;
    Ended ended;
    ConnTracker tracker{options, ended, events};
    std::uint64_t calm = 0; // segments that found their connection calm
};

// Segments of one conversation; `oddity` of a hundred are not what a tidy pair of hosts would send.
class Conversation {
public:
    Conversation(unsigned seed, unsigned oddity) : random_(seed), oddity_(oddity) {
        next_[0] = seed % 3 == 0 ? 0xffffff00u : 1000; // wraps soon
        next_[1] = seed % 5 == 0 ? 0x7fffff00u : 70000;
        start_[0] = next_[0];
        start_[1] = next_[1];
    }

    Layer segment(std::size_t number) {
        unsigned side = below(2);
        std::uint8_t flags = kAck;
        std::uint32_t length = below(3) == 0 ? 0 : below(1400) + 1;
        if (number < 2) {
            side = static_cast<unsigned>(number);
            flags = number == 0 ? kSyn : kSyn | kAck;
            length = 0;
        }
        std::uint32_t seq = next_[side], ack = next_[side ^ 1];
        std::uint16_t window = 500;
        std::uint32_t captured = length;
        if (number >= 2 && below(100) < oddity_) make_odd(side, flags, length, captured, seq, ack, window);
        Layer layer = layer_of(side, flags, length, captured, seq, ack, window);
        const std::uint32_t end = seq + length + ((flags & kSyn) != 0) + ((flags & kFin) != 0);
        if (static_cast<std::int32_t>(end - next_[side]) > 0) next_[side] = end;
        return layer;
    }

    Duration pause() { return below(200) == 0 ? below(400) * kSecond : below(1000) * kMicrosecond; }

private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

    void make_odd(unsigned side, std::uint8_t& flags, std::uint32_t& length, std::uint32_t& captured,
                  std::uint32_t& seq, std::uint32_t& ack, std::uint16_t& window) {
        switch (below(16)) {
        case 0: flags |= kFin; break;
        case 1: flags = below(2) != 0 ? kRst : kRst | kAck; break;
        case 2: flags = kSyn; break;
        case 3: flags |= kUrg | kPsh; break;
        case 4: seq -= below(3000); break; // again
        case 5: seq += below(3000); break; // before something that is missing
        case 6: ack += below(3000); break; // of something that was not seen
        case 7: ack -= below(3000); break; // an old one
        case 8: window = 0; break;
        case 9: captured = length / 2; break;
        case 10: seq = start_[side]; break;
        case 11: ack = 0; break;
        case 12: seq += 0x7ff00000; break; // gigabytes later
        case 13: flags = kSyn | kFin | kRst; break;
        case 14:
            length = 65000;
            captured = length;
            break;
        default: ack += 0x70000000; break;
        }
    }

    static Layer layer_of(unsigned side, std::uint8_t flags, std::uint32_t length, std::uint32_t captured,
                          std::uint32_t seq, std::uint32_t ack, std::uint16_t window) {
        static const std::uint8_t header[20] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50};
        static const std::vector<std::uint8_t> payload(65536);
        const IpAddress hosts[2] = {IpAddress::from_v4(10, 0, 0, 1), IpAddress::from_v4(10, 0, 0, 2)};
        const std::uint16_t ports[2] = {40000, 8080};
        Layer layer;
        layer.source = hosts[side];
        layer.destination = hosts[side ^ 1];
        layer.source_port = ports[side];
        layer.destination_port = ports[side ^ 1];
        layer.ip_proto = 6;
        layer.transport = Transport::tcp;
        layer.ip_length = 40 + length;
        layer.l4 = header;
        layer.l4_captured = sizeof header;
        layer.payload = payload.data();
        layer.payload_length = length;
        layer.payload_captured = captured;
        layer.tcp_seq = seq;
        layer.tcp_ack = ack;
        layer.tcp_window = window;
        layer.tcp_flags = flags;
        return layer;
    }

    std::mt19937 random_;
    unsigned oddity_;
    std::uint32_t next_[2];
    std::uint32_t start_[2];
};

bool same(const ConnRecord& a, const ConnRecord& b) {
    return a.key.time == b.key.time && a.start == b.start && a.last == b.last && a.state == b.state &&
           a.orig_bytes == b.orig_bytes && a.resp_bytes == b.resp_bytes && a.missed_bytes == b.missed_bytes &&
           a.orig_pkts == b.orig_pkts && a.resp_pkts == b.resp_pkts && a.orig_ip_bytes == b.orig_ip_bytes &&
           a.resp_ip_bytes == b.resp_ip_bytes && a.id.orig_p == b.id.orig_p && a.first_seq == b.first_seq &&
           a.ordinal == b.ordinal &&
           std::string_view(a.history, sizeof a.history) == std::string_view(b.history, sizeof b.history);
}

// Segments that found their connection calm.
std::uint64_t compare(unsigned seed, unsigned oddity, std::size_t segments) {
    Conversation conversation(seed, oddity);
    Tracked straight(true), general(false);
    PacketView packet;
    packet.time = packet.now = 1'600'000'000 * kSecond;
    for (std::size_t n = 0; n < segments; ++n) {
        const Layer layer = conversation.segment(n);
        packet.time += conversation.pause();
        packet.now = packet.time;
        packet.number = n + 1;
        straight.take(layer, packet);
        general.take(layer, packet);
    }
    straight.tracker.finish(packet.now, true);
    general.tracker.finish(packet.now, true);
    INFO("seed " << seed << ", oddity " << oddity);
    REQUIRE(straight.ended.records.size() == general.ended.records.size());
    for (std::size_t i = 0; i < straight.ended.records.size(); ++i)
        REQUIRE(same(straight.ended.records[i], general.ended.records[i]));
    REQUIRE(straight.ended.told == general.ended.told);
    for (std::size_t e = 0; e < kEventCount; ++e)
        REQUIRE(straight.events.value(static_cast<Event>(e)) == general.events.value(static_cast<Event>(e)));
    return straight.calm;
}

} // namespace

TEST_CASE("a tidy conversation is calm, and tells the same either way") {
    for (unsigned seed = 1; seed <= 50; ++seed) CHECK(compare(seed, 0, 1000) > 100);
}

TEST_CASE("so does one in which something is odd now and then") {
    std::uint64_t calm = 0;
    for (unsigned seed = 1; seed <= 400; ++seed) calm += compare(seed, 2, 300);
    CHECK(calm > 1000);
}

TEST_CASE("and one in which hardly anything is as it should be") {
    for (unsigned seed = 1; seed <= 400; ++seed) compare(seed, 40, 100);
}
