#include "core/packet/tunnel.h"

#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"
#include "core/packet/teredo.h"

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

struct Opening {
    EventCounters& events;
    TunnelEnd& end;

    std::optional<Inner> refuse(Event event) const {
        events.count(event);
        return std::nullopt;
    }
    // What Zeek calls a violation of its analyzer: the connection is not looked at again.
    std::optional<Inner> violate(Event event) const {
        end = TunnelEnd::refused;
        return refuse(event);
    }
};

TunnelKind kind_by_port(std::uint16_t port) {
    switch (port) {
    case kVxlanPort: return TunnelKind::vxlan;
    case kGenevePort: return TunnelKind::geneve;
    case kGreInUdpPort: return TunnelKind::gre;
    case kTeredoPort: return TunnelKind::teredo;
    case kAyiyaPort: return TunnelKind::ayiya;
    case kGtpControlPort:
    case kGtpUserPort: return TunnelKind::gtp;
    default: return TunnelKind::none;
    }
}

TunnelKind kind_by_payload(const Layer& layer) {
    if (is_ayiya(layer.payload, layer.payload_captured)) return TunnelKind::ayiya;
    if (is_teredo(layer.payload, layer.payload_captured)) return TunnelKind::teredo;
    return TunnelKind::none;
}

// The inner packet fills what is left to the byte, or it is none. Returns what is wrong with it.
std::optional<Event> inexact_ip(bool v6, const Cursor& at) {
    const std::uint32_t header = v6 ? 40 : 20;
    if (at.captured < header) return v6 ? Event::truncated_inner_IP : Event::invalid_inner_IP_version; // as Zeek
    if (at.data[0] >> 4 != (v6 ? 6 : 4)) return Event::invalid_inner_IP_version;
    const std::uint32_t total = v6 ? header + load_be16(at.data + 4) : load_be16(at.data + 2);
    if (at.captured < total) return Event::truncated_inner_IP;
    return at.captured > total ? std::optional(Event::inner_IP_payload_length_mismatch) : std::nullopt;
}

// IP in IP and PPTP.
std::optional<Inner> open_exact_ip(std::uint8_t proto, const Cursor& at, const Opening& opening) {
    if (const std::optional<Event> wrong = inexact_ip(proto == kProtoIpv6, at)) return opening.refuse(*wrong);
    return Inner{at};
}

std::uint32_t gre_header_length(std::uint16_t flags) {
    std::uint32_t length = 4;
    if ((flags & kGreChecksumPresent) != 0) length += 4;
    if ((flags & kGreKeyPresent) != 0) length += 4;
    if ((flags & kGreSequencePresent) != 0) length += 4;
    if ((flags & kGreAcknowledgmentPresent) != 0) length += 4;
    return length;
}

// Aruba's access points.
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
std::optional<Inner> open_pptp(Cursor at, std::uint16_t protocol, const Opening& opening) {
    constexpr std::uint32_t ppp_header = 4;
    if (protocol != kGrePptp) return opening.refuse(Event::egre_protocol_type);
    if (at.captured < ppp_header) return opening.refuse(Event::truncated_GRE);
    const std::uint16_t ppp_protocol = load_be16(at.data + 2);
    at.skip(ppp_header);
    if (ppp_protocol == 0x0021) return open_exact_ip(kProtoIpv4, at, opening);
    if (ppp_protocol == 0x0057) return open_exact_ip(kProtoIpv6, at, opening);
    return opening.refuse(Event::non_ip_packet_in_encap); // PPP's own control packets
}

std::optional<Inner> open_gre(Cursor at, const Opening& opening) {
    if (at.captured < 4) return opening.refuse(Event::truncated_GRE);
    const std::uint16_t flags = load_be16(at.data);
    const std::uint16_t protocol = load_be16(at.data + 2);
    const unsigned version = flags & kGreVersionMask;
    if (version > 1) return opening.refuse(Event::unknown_gre_version);
    if ((flags & kGreRoutingPresent) != 0) return opening.refuse(Event::gre_routing);
    if ((flags & kGreReservedFlags) != 0) return opening.refuse(Event::unknown_gre_flags);
    const std::uint32_t header = gre_header_length(flags);
    if (at.captured < header) return opening.refuse(Event::truncated_GRE);
    at.skip(header);
    if (version == 1) return open_pptp(at, protocol, opening);
    if (protocol == kGreErspan12 || protocol == kGreErspan3) {
        const auto erspan = erspan_length(protocol, flags, at);
        if (!erspan || at.captured < *erspan + kEthernetHeaderLength) return opening.refuse(Event::truncated_GRE);
        at.skip(*erspan);
        return Inner{at, LinkType::ethernet};
    }
    if (protocol == kGreEthernet) {
        if (at.captured <= kEthernetHeaderLength) return opening.refuse(Event::truncated_GRE);
        return Inner{at, LinkType::ethernet};
    }
    if (is_wireless(protocol)) {
        if (at.captured == 0) return opening.refuse(Event::truncated_GRE);
        return Inner{at, LinkType::ieee802_11};
    }
    return Inner{at}; // whatever its type says: the version nibble decides
}

std::optional<Inner> open_vxlan(Cursor at, const Opening& opening) {
    constexpr std::uint32_t header = 8;
    constexpr std::uint8_t vni_is_valid = 0x08;
    if (at.captured < header || (at.data[0] & vni_is_valid) == 0) return opening.violate(Event::bad_vxlan_header);
    at.skip(header);
    if (at.captured == 0) return opening.refuse(Event::vxlan_empty_packet); // odd, but no violation
    return Inner{at, LinkType::ethernet};
}

std::optional<Inner> open_geneve(Cursor at, const Opening& opening) {
    constexpr std::uint32_t header = 8;
    if (at.captured < header) return opening.violate(Event::bad_geneve_header);
    if (at.data[0] >> 6 != 0) return opening.refuse(Event::geneve_invalid_version); // no violation
    const std::uint32_t options = (at.data[0] & 0x3fu) * 4;
    if (at.captured < header + options) return opening.violate(Event::bad_geneve_header);
    const std::uint16_t protocol = load_be16(at.data + 2);
    at.skip(header + options);
    if (at.captured == 0) return opening.refuse(Event::geneve_empty_packet); // likewise
    switch (protocol) {
    case kGreEthernet: return Inner{at, LinkType::ethernet};
    case kEtherTypeIpv4:
    case kEtherTypeIpv6: return Inner{at};
    case kEtherTypeArp: return opening.refuse(Event::arp);
    default: return opening.refuse(Event::unknown_ethertype);
    }
}

// AYIYA (draft-massar-v6ops-ayiya-02): a header of 8 bytes, an identity, a signature, and what the operation says.
std::optional<Inner> open_ayiya(Cursor at, const Opening& opening) {
    constexpr std::uint32_t least = 8;
    constexpr std::uint8_t forward = 1;
    if (at.captured < least) return opening.violate(Event::bad_ayiya_header);
    const std::uint32_t identity = 1u << (at.data[0] >> 4);
    const std::uint32_t signature = (at.data[1] >> 4) * 4u;
    const std::uint32_t header = least + identity + signature;
    if (at.captured < header) return opening.violate(Event::bad_ayiya_header);
    if ((at.data[2] & 0x0f) != forward) return std::nullopt; // a heartbeat and the like
    const std::uint8_t proto = at.data[3];
    at.skip(header);
    if (at.captured == 0) return opening.refuse(Event::ayiya_empty_packet);
    if (proto != kProtoIpv4 && proto != kProtoIpv6) return opening.refuse(Event::unknown_ethertype);
    return Inner{at};
}

// GTPv1 (3GPP TS 29.060 6, 29.281 5): user packets alone carry something. Zeek refuses them one by one.
std::optional<Inner> open_gtp(Cursor at, TunnelKind carried_by, const Opening& opening) {
    constexpr std::uint32_t least = 8;
    constexpr std::uint32_t optional_fields = 4;
    constexpr std::uint8_t user_packet = 255;
    if (at.captured < least || at.data[0] >> 5 != 1 || carried_by == TunnelKind::gtp)
        return opening.refuse(Event::bad_gtp_header);
    const std::uint8_t flags = at.data[0];
    const bool is_gtp = (flags & 0x10) != 0; // else GTP', which carries charging records
    if (!is_gtp || at.data[1] != user_packet) return std::nullopt;
    at.skip(least);
    if ((flags & 0x07) != 0) {
        if (at.captured < optional_fields) return opening.refuse(Event::bad_gtp_header);
        at.skip(optional_fields);
    }
    for (bool more = (flags & 0x04) != 0; more;) { // extension headers: a length in words, and the next one's type last
        const std::uint32_t length = at.captured != 0 ? at.data[0] * 4u : 0;
        if (length == 0 || at.captured < length) return opening.refuse(Event::bad_gtp_header);
        at.skip(length);
        more = at.data[-1] != 0;
    }
    if (at.captured == 0 || inexact_ip(at.data[0] >> 4 == 6, at)) return opening.refuse(Event::bad_gtp_header);
    return Inner{at};
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
        if (is_tunnel_port(layer.destination_port)) return kind_by_port(layer.destination_port);
        if (is_tunnel_port(layer.source_port)) return kind_by_port(layer.source_port);
        return kind_by_payload(layer);
    }
    switch (layer.ip_proto) {
    case kProtoIpv4:
    case kProtoIpv6: return TunnelKind::ip_in_ip;
    case kProtoGre: return TunnelKind::gre;
    default: return TunnelKind::none;
    }
}

std::optional<Inner> open_tunnel(TunnelKind kind, const Layer& layer, const Segment& segment, std::size_t depth,
                                 EventCounters& events, TunnelEnd& end) {
    const Opening opening{events, end};
    if (depth >= kMaxTunnelDepth) {
        if (layer.transport == Transport::udp && kind != TunnelKind::gre && kind != TunnelKind::gtp)
            end = TunnelEnd::too_deep;
        return opening.refuse(kind == TunnelKind::gtp ? Event::tunnel_depth : Event::exceeded_tunnel_max_depth);
    }
    Cursor at = inside(layer, segment);
    switch (kind) {
    case TunnelKind::ip_in_ip: return open_exact_ip(layer.ip_proto, at, opening);
    case TunnelKind::gre: at.missing = 0; return open_gre(at, opening);
    case TunnelKind::vxlan: return open_vxlan(at, opening);
    case TunnelKind::geneve: return open_geneve(at, opening);
    case TunnelKind::teredo:
        if (const std::optional<Event> wrong = open_teredo(at, events)) return opening.violate(*wrong);
        return Inner{at};
    case TunnelKind::ayiya: return open_ayiya(at, opening);
    case TunnelKind::gtp: return open_gtp(at, layer.carried_by, opening);
    case TunnelKind::none: break;
    }
    return std::nullopt;
}

} // namespace ftpsensor
