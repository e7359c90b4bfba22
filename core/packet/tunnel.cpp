#include "core/packet/tunnel.h"

#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"

namespace ftpsensor {
namespace {

constexpr std::uint16_t kGreChecksumPresent = 0x8000;
constexpr std::uint16_t kGreRoutingPresent = 0x4000;
constexpr std::uint16_t kGreKeyPresent = 0x2000;
constexpr std::uint16_t kGreSequencePresent = 0x1000;
constexpr std::uint16_t kGreAcknowledgmentPresent = 0x0080;
constexpr std::uint16_t kGreReservedFlags = 0x0078;
constexpr std::uint16_t kGreVersionMask = 0x0007;

constexpr std::uint16_t kGreEthernet = 0x6558;
constexpr std::uint16_t kGrePptp = 0x880b;
constexpr std::uint16_t kGreErspan12 = 0x88be;
constexpr std::uint16_t kGreErspan3 = 0x22eb;

std::optional<Inner> refuse(EventCounters& events, Event event) {
    events.count(event);
    return std::nullopt;
}

TunnelKind kind_by_port(std::uint16_t port) {
    switch (port) {
    case kVxlanPort: return TunnelKind::vxlan;
    case kGenevePort: return TunnelKind::geneve;
    case kGreInUdpPort: return TunnelKind::gre;
    default: return TunnelKind::none;
    }
}

// IP in IP and PPTP: the inner packet fills the outer one to the byte, or it is none.
std::optional<Inner> open_exact_ip(std::uint8_t proto, const Cursor& at, EventCounters& events) {
    const bool v6 = proto == kProtoIpv6;
    const std::uint32_t header = v6 ? 40 : 20;
    if (at.captured < header || at.data[0] >> 4 != (v6 ? 6 : 4)) return refuse(events, Event::inner_frame_damaged);
    const std::uint32_t total = v6 ? header + load_be16(at.data + 4) : load_be16(at.data + 2);
    if (total != at.captured) return refuse(events, Event::inner_frame_damaged);
    return Inner{at, false};
}

std::uint32_t gre_header_length(std::uint16_t flags) {
    std::uint32_t length = 4;
    if ((flags & kGreChecksumPresent) != 0) length += 4;
    if ((flags & kGreKeyPresent) != 0) length += 4;
    if ((flags & kGreSequencePresent) != 0) length += 4;
    if ((flags & kGreAcknowledgmentPresent) != 0) length += 4;
    return length;
}

// 802.11 (Aruba), which stays closed.
bool is_wireless(std::uint16_t protocol) {
    const bool low_nibble_clear = (protocol & 0x000f) == 0;
    return protocol == 0x9000 || ((protocol & 0x8200) == 0x8200 && low_nibble_clear);
}

// Bytes of the ERSPAN header that follows GRE's; empty: not whole.
std::optional<std::uint32_t> erspan_length(std::uint16_t protocol, std::uint16_t flags, const Cursor& behind_gre) {
    constexpr std::uint32_t type2 = 8;
    constexpr std::uint32_t type3 = 12;
    constexpr std::uint32_t type3_subheader = 8;
    if (protocol == kGreErspan12) return (flags & kGreSequencePresent) != 0 ? type2 : 0; // type I has none
    if (behind_gre.captured < type3) return std::nullopt;
    return (behind_gre.data[type3 - 1] & 0x01) != 0 ? type3 + type3_subheader : type3;
}

// PPTP: GRE version 1 with PPP inside, whose address and control fields are there.
std::optional<Inner> open_pptp(Cursor at, std::uint16_t protocol, EventCounters& events) {
    constexpr std::uint32_t ppp_header = 4;
    if (protocol != kGrePptp || at.captured < ppp_header) return refuse(events, Event::gre_bad_header);
    const std::uint16_t ppp_protocol = load_be16(at.data + 2);
    at.skip(ppp_header);
    if (ppp_protocol == 0x0021) return open_exact_ip(kProtoIpv4, at, events);
    if (ppp_protocol == 0x0057) return open_exact_ip(kProtoIpv6, at, events);
    return refuse(events, Event::unknown_ethertype); // PPP's own control packets
}

std::optional<Inner> open_gre(Cursor at, EventCounters& events) {
    if (at.captured < 4) return refuse(events, Event::gre_bad_header);
    const std::uint16_t flags = load_be16(at.data);
    const std::uint16_t protocol = load_be16(at.data + 2);
    const unsigned version = flags & kGreVersionMask;
    if (version > 1) return refuse(events, Event::unknown_gre_version);
    if ((flags & (kGreRoutingPresent | kGreReservedFlags)) != 0) return refuse(events, Event::gre_bad_header);
    const std::uint32_t header = gre_header_length(flags);
    if (at.captured < header) return refuse(events, Event::gre_bad_header);
    at.skip(header);
    if (version == 1) return open_pptp(at, protocol, events);
    if (protocol == kGreErspan12 || protocol == kGreErspan3) {
        const auto erspan = erspan_length(protocol, flags, at);
        if (!erspan || at.captured < *erspan + kEthernetHeaderLength) return refuse(events, Event::gre_bad_header);
        at.skip(*erspan);
        return Inner{at, true};
    }
    if (protocol == kGreEthernet) {
        if (at.captured <= kEthernetHeaderLength) return refuse(events, Event::gre_bad_header);
        return Inner{at, true};
    }
    if (is_wireless(protocol)) return refuse(events, Event::unknown_ethertype);
    return Inner{at, false}; // whatever its type says: the version nibble decides
}

std::optional<Inner> open_vxlan(Cursor at, EventCounters& events) {
    constexpr std::uint32_t header = 8;
    constexpr std::uint8_t vni_is_valid = 0x08;
    if (at.captured <= header || (at.data[0] & vni_is_valid) == 0) return refuse(events, Event::bad_vxlan_header);
    at.skip(header);
    return Inner{at, true};
}

std::optional<Inner> open_geneve(Cursor at, EventCounters& events) {
    constexpr std::uint32_t header = 8;
    if (at.captured < header || at.data[0] >> 6 != 0) return refuse(events, Event::bad_geneve_header);
    const std::uint32_t options = (at.data[0] & 0x3fu) * 4;
    if (at.captured <= header + options) return refuse(events, Event::bad_geneve_header);
    const std::uint16_t protocol = load_be16(at.data + 2);
    at.skip(header + options);
    switch (protocol) {
    case kGreEthernet: return Inner{at, true};
    case kEtherTypeIpv4:
    case kEtherTypeIpv6: return Inner{at, false};
    case kEtherTypeArp: return refuse(events, Event::arp);
    default: return refuse(events, Event::unknown_ethertype);
    }
}

// The payload of the outer packet. What the capture cut off a frame is missing from a packet over UDP likewise;
// directly over IP, Zeek takes what is there for all, and leaves out an inner packet that was longer.
Cursor inside(const Layer& layer, const Segment& segment) {
    if (layer.transport == Transport::udp) return {layer.payload, layer.payload_captured, segment.missing};
    return {segment.data, segment.captured, 0};
}

} // namespace

TunnelKind tunnel_kind(const Layer& layer) {
    if (layer.transport == Transport::udp) {
        return kind_by_port(is_tunnel_port(layer.destination_port) ? layer.destination_port : layer.source_port);
    }
    switch (layer.ip_proto) {
    case kProtoIpv4:
    case kProtoIpv6: return TunnelKind::ip_in_ip;
    case kProtoGre: return TunnelKind::gre;
    default: return TunnelKind::none;
    }
}

std::optional<Inner> open_tunnel(TunnelKind kind, const Layer& layer, const Segment& segment, std::size_t depth,
                                 EventCounters& events) {
    if (depth >= kMaxTunnelDepth) return refuse(events, Event::exceeded_tunnel_max_depth);
    Cursor at = inside(layer, segment);
    switch (kind) {
    case TunnelKind::ip_in_ip: return open_exact_ip(layer.ip_proto, at, events);
    case TunnelKind::gre: at.missing = 0; return open_gre(at, events);
    case TunnelKind::vxlan: return open_vxlan(at, events);
    case TunnelKind::geneve: return open_geneve(at, events);
    case TunnelKind::none: break;
    }
    return std::nullopt;
}

} // namespace ftpsensor
