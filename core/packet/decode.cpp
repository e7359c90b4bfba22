#include "core/packet/decode.h"

#include "core/packet/cursor.h"
#include "core/packet/fast_path.h"
#include "core/packet/fragments.h"
#include "core/packet/ip.h"
#include "core/packet/link.h"
#include "core/packet/transport.h"
#include "core/packet/tunnel.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ftpsensor {
struct Decoder::State {
    State(const DecodeOptions& options, EventCounters& event_counters)
        : checksums(options.checksums), events(event_counters),
          fragments(options.fragment_bytes_max, options.fragment_datagrams_max, options.fragment_timeouts,
                    options.doubt_fragments, event_counters) {
        for (auto& buffer : reassembled) buffer = std::make_unique_for_overwrite<std::uint8_t[]>(kMaxDatagramPayload);
    }

    bool read_layer(const PacketView& packet, const Cursor& at, std::size_t depth, Layer& layer, Segment& segment);
    [[gnu::noinline]] void decode_any(const PacketView& packet, DecodedPacket& out);
    void decode_frame(const PacketView& packet, Cursor at, DecodedPacket& out);
    void decode_subframe(const PacketView& packet, std::size_t depth, DecodedPacket& out);
    void open_tunnels(const PacketView& packet, TunnelKind kind, Segment segment, DecodedPacket& out);

    ChecksumPolicy checksums;
    EventCounters& events;
    FragmentTable fragments;
    // A buffer a layer, since an outer datagram is still pointed to while an inner one is put together.
    std::array<std::unique_ptr<std::uint8_t[]>, kMaxTunnelDepth + 1> reassembled;
    // What is left of an aggregate whose frames hold the layer of this index.
    struct Rest {
        Cursor at = {};
        TunnelKind carried_by = TunnelKind::none;
    };
    std::array<Rest, kMaxTunnelDepth + 1> rests;
    bool rests_are_left = false;
};

Decoder::Decoder(const DecodeOptions& options, EventCounters& events)
    : state_(std::make_unique<State>(options, events)) {}

Decoder::~Decoder() = default;

void Decoder::set_fragment_timeouts(const FragmentTimeouts& timeouts) { state_->fragments.set_timeouts(timeouts); }

bool Decoder::State::read_layer(const PacketView& packet, const Cursor& at, std::size_t depth, Layer& layer,
                                Segment& segment) {
    // The port knows of the outermost packet alone.
    const bool trusted = packet.checksum_known_good && depth == 0;
    const ChecksumPolicy policy = trusted ? ChecksumPolicy::ignore : checksums;
    const IpContext context = {.events = events,
                               .fragments = fragments,
                               .reassembly_buffer = reassembled[depth].get(),
                               .now = packet.now,
                               .checksums = policy,
                               .drop_zero_length = checksums == ChecksumPolicy::verify};
    if (!read_ip(at, context, layer, segment)) return false;
    const bool check_sums = checksums != ChecksumPolicy::ignore && (!trusted || segment.reassembled);
    return read_transport(segment, check_sums, events, layer);
}

void Decoder::decode(const PacketView& packet, DecodedPacket& out) {
    out.tunnel_end = TunnelEnd::none;
    const bool sums_settled = state_->checksums == ChecksumPolicy::ignore || packet.checksum_known_good;
    if (sums_settled && decode_plain(packet, out.layers[0])) [[likely]] {
        out.layer_count = 1;
        out.borrowed = false;
        return;
    }
    state_->decode_any(packet, out);
}

void Decoder::State::decode_any(const PacketView& packet, DecodedPacket& out) {
    out.layer_count = out.told = 0;
    out.borrowed = false;
    if (rests_are_left) rests.fill({}); // nobody asked for them
    rests_are_left = false;
    decode_frame(packet, {packet.data, packet.captured, std::max(packet.length, packet.captured) - packet.captured},
                 out);
    out.borrowed |= rests_are_left;
}

void Decoder::State::decode_frame(const PacketView& packet, Cursor at, DecodedPacket& out) {
    const std::optional<Event> stopped = skip_link_headers(packet.link, at, &events, &rests[0].at);
    rests_are_left = rests[0].at.captured != 0;
    if (stopped) {
        events.count(*stopped);
        return;
    }
    Layer& layer = out.layers[0];
    layer.carried_by = TunnelKind::none;
    Segment segment;
    if (!read_layer(packet, at, 0, layer, segment)) return;
    out.borrowed = segment.reassembled;
    out.layer_count = 1;
    open_tunnels(packet, tunnel_kind(layer), segment, out);
}

// From the last layer inwards, until there is nothing more inside or it can not be read.
void Decoder::State::open_tunnels(const PacketView& packet, TunnelKind kind, Segment segment, DecodedPacket& out) {
    while (kind != TunnelKind::none) {
        Layer& outer = out.layers[out.layer_count - 1];
        outer.makes_connection = outer.transport != Transport::unknown;
        if (outer.bad_l4_checksum && checksums == ChecksumPolicy::verify) return;
        std::optional<Inner> inner = open_tunnel(kind, outer, segment, out.layer_count - 1u, events, out.tunnel_end);
        if (!inner) {
            out.refused = kind;
            return;
        }
        if (inner->link != LinkType::raw_ip) {
            Rest& rest = rests[out.layer_count];
            rest.carried_by = kind;
            const std::optional<Event> stopped = skip_link_headers(inner->link, inner->at, &events, &rest.at);
            rests_are_left |= rest.at.captured != 0;
            if (stopped) {
                events.count(*stopped);
                return;
            }
        }
        Layer& layer = out.layers[out.layer_count];
        layer.carried_by = kind;
        const bool doubtful = outer.doubtful;
        if (!read_layer(packet, inner->at, out.layer_count, layer, segment)) return;
        layer.doubtful |= doubtful;
        out.borrowed |= segment.reassembled;
        ++out.layer_count;
        kind = tunnel_kind(layer);
    }
}

// Depth first, as they lie in the packet.
bool Decoder::decode_more(const PacketView& packet, DecodedPacket& out) {
    State& s = *state_;
    for (std::size_t depth = s.rests.size(); s.rests_are_left && depth-- > 0;) {
        if (s.rests[depth].at.captured == 0) continue;
        s.decode_subframe(packet, depth, out);
        return true;
    }
    s.rests_are_left = false;
    out.layer_count = out.told = 0;
    return false;
}

void Decoder::State::decode_subframe(const PacketView& packet, std::size_t depth, DecodedPacket& out) {
    out.layer_count = out.told = 0;
    out.tunnel_end = TunnelEnd::none;
    Cursor at = std::exchange(rests[depth].at, {});
    if (const std::optional<Event> stopped = skip_subframe_headers(at, &events, rests[depth].at)) {
        events.count(*stopped);
        return;
    }
    Layer& layer = out.layers[depth];
    layer.carried_by = rests[depth].carried_by;
    Segment segment;
    if (!read_layer(packet, at, depth, layer, segment)) return;
    layer.doubtful |= depth != 0 && out.layers[depth - 1].doubtful;
    out.told = static_cast<std::uint8_t>(depth);
    out.layer_count = static_cast<std::uint8_t>(depth + 1);
    open_tunnels(packet, tunnel_kind(layer), segment, out);
}

} // namespace ftpsensor
