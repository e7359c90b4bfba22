// The headers between a tunnel's outer packet and the inner one: IP in IP, GRE (RFC 2784, 2890, PPTP's RFC 2637, ERSPAN
// I to III, also over UDP: RFC 8086), VXLAN (RFC 7348), Geneve (RFC 8926), Teredo (RFC 4380), AYIYA, GTPv1.
//
// Zeek's rules: a tunnel over UDP is told by its port, Teredo and AYIYA on other ports by what they look like. Closed
// stays the routing field of RFC 1701's GRE. Internal to core/packet. No state but the event counters; a Decoder's
// thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/cursor.h"
#include "core/packet/decode.h"
#include "core/packet/ip.h"
#include "core/packet/teredo.h"

#include <cstdint>
#include <optional>

namespace ftpsensor {

inline constexpr std::uint16_t kVxlanPort = 4789;
inline constexpr std::uint16_t kGenevePort = 6081;
inline constexpr std::uint16_t kGreInUdpPort = 4754;
inline constexpr std::uint16_t kAyiyaPort = 5072;
inline constexpr std::uint16_t kGtpControlPort = 2123;
inline constexpr std::uint16_t kGtpUserPort = 2152;

inline constexpr bool is_tunnel_port(std::uint16_t port) {
    constexpr std::uint16_t lowest = kGtpControlPort;
    constexpr std::uint16_t highest = kGenevePort;
    if (port < lowest || port > highest) return false; // nearly all
    return port == kVxlanPort || port == kGenevePort || port == kGreInUdpPort || port == kTeredoPort ||
           port == kAyiyaPort || port == kGtpControlPort || port == kGtpUserPort;
}

inline bool is_ayiya(const std::uint8_t* payload, std::uint32_t size) {
    return size >= 3 && payload[1] == 0x52 && payload[2] == 0x11; // its signature's usual length and kind, "forward"
}

// Whether a UDP packet on no tunnel's port is one by its payload.
inline bool looks_like_tunnel(const std::uint8_t* payload, std::uint32_t size) {
    return is_ayiya(payload, size) || (size >= kTeredoLeast && may_be_teredo(payload) && is_teredo(payload, size));
}

// What a layer may carry, by its protocol or ports; none where it is no tunnel. The port looked at is the likely
// responder's: the destination's, else the source's.
TunnelKind tunnel_kind(const Layer& layer);

// A packet inside, and what it starts with.
struct Inner {
    Cursor at;
    LinkType link = LinkType::raw_ip;
};

// `depth`: tunnels around `layer`. Empty: nothing inside that can be read; counted. `end` is set where the connection
// has to know.
std::optional<Inner> open_tunnel(TunnelKind kind, const Layer& layer, const Segment& segment, std::size_t depth,
                                 EventCounters& events, TunnelEnd& end);

} // namespace ftpsensor
