// The headers between a tunnel's outer packet and the inner one: IP in IP, GRE (RFC 2784, 2890, PPTP's RFC 2637, ERSPAN
// I to III, also over UDP: RFC 8086), VXLAN (RFC 7348), Geneve (RFC 8926).
//
// Zeek's rules: a tunnel over UDP is told by its port. Closed stay Teredo, AYIYA, GTPv1, 802.11 inside of GRE, and the
// routing field of RFC 1701's GRE. Internal to core/packet. No state but the event counters; a Decoder's thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/cursor.h"
#include "core/packet/decode.h"
#include "core/packet/ip.h"

#include <cstdint>
#include <optional>

namespace ftpsensor {

inline constexpr std::uint16_t kVxlanPort = 4789;
inline constexpr std::uint16_t kGenevePort = 6081;
inline constexpr std::uint16_t kGreInUdpPort = 4754;

inline constexpr bool is_tunnel_port(std::uint16_t port) {
    return port == kVxlanPort || port == kGenevePort || port == kGreInUdpPort;
}

// What a layer may carry, by its protocol or ports; none where it is no tunnel. The port looked at is the likely
// responder's: the destination's, else the source's.
TunnelKind tunnel_kind(const Layer& layer);

// A packet inside: a frame that starts with Ethernet, or IP at once.
struct Inner {
    Cursor at;
    bool is_ethernet = false;
};

// `depth`: tunnels around `layer`. Empty: nothing inside that can be read; counted.
std::optional<Inner> open_tunnel(TunnelKind kind, const Layer& layer, const Segment& segment, std::size_t depth,
                                 EventCounters& events);

} // namespace ftpsensor
