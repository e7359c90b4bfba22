#include "core/packet/link.h"

#include "core/packet/wireless.h"

namespace ftpsensor {
namespace {

constexpr std::uint32_t kVlanTagLength = 4;
constexpr std::uint32_t kMplsLabelLength = 4;
constexpr std::uint32_t kPppoeHeaderLength = 6;
constexpr std::uint32_t kPppProtocolLength = 2;
constexpr std::uint32_t kHdlcLength = 2; // address 0xff, control 0x03
constexpr std::uint32_t kLoopbackHeaderLength = 4;
constexpr std::uint32_t kCookedHeaderLength = 16;
constexpr std::uint32_t kCooked2HeaderLength = 20;
constexpr std::uint32_t kFabricPathLength = 16;
constexpr std::uint32_t kBackboneTagLength = 4; // 802.1ah I-TAG behind its EtherType; the customer's frame follows
constexpr std::uint32_t kVnTagLength = 6;
constexpr std::uint32_t kFddiHeaderLength = 13 + 8; // with 802.2 and SNAP
constexpr std::uint32_t kNflogHeaderLength = 4;
constexpr std::uint32_t kNflogFieldLength = 4; // of a field's own length and type

constexpr std::uint16_t kEtherTypeRarp = 0x8035;
constexpr std::uint16_t kEtherTypeMpls = 0x8847;
constexpr std::uint16_t kEtherTypePppoeSession = 0x8864;
constexpr std::uint16_t kEtherTypeFabricPath = 0x8903;
constexpr std::uint16_t kEtherTypeLowest = 1536;   // IEEE 802.3: from here on a type,
constexpr std::uint16_t kEthernetLengthMax = 1500; // up to here a length

constexpr std::uint16_t kPppIpv4 = 0x0021;
constexpr std::uint16_t kPppIpv6 = 0x0057;
constexpr std::uint16_t kPppMpls = 0x0281;

// What the next header is. A walker reads it and says what follows; `ip` and `stop` end the walk.
enum class Next : std::uint8_t { ethernet, ethertype, ppp, pppoe, mpls, ip, stop };

struct Walker {
    Cursor& at;
    EventCounters* events;
    Cursor* rest;                        // of an aggregate; may be null
    std::uint16_t protocol = 0;          // EtherType for Next::ethertype
    Event stopped = Event::empty_packet; // why, once a step gives Next::stop

    Next stop(Event event) {
        stopped = event;
        return Next::stop;
    }
    Next ethertype(std::uint16_t type) {
        protocol = type;
        return Next::ethertype;
    }

    Next first(LinkType link);
    Next step(Next next);
    Next ethernet();
    Next type_or_length(std::uint16_t value, bool tagged);
    Next snap();
    Next vlan();
    Next mpls();
    Next pppoe();
    Next ppp();
    Next ppp_protocol(std::uint16_t value);
    Next loopback();
    Next fddi();
    Next wireless();
    Next wireless_payload(const WirelessPayload& payload);
    Next radiotap();
    Next nflog();
    Next unknown();
    Next dispatch();
};

Next Walker::first(LinkType link) {
    switch (link) {
    case LinkType::ethernet: return Next::ethernet;
    case LinkType::raw_ip: return at.captured == 0 ? stop(Event::empty_packet) : Next::ip;
    case LinkType::null_host:
    case LinkType::loop_network: return loopback();
    case LinkType::linux_cooked: // protocol in the last two bytes
        if (at.captured <= kCookedHeaderLength) return stop(Event::truncated_Linux_SLL_header);
        at.skip(kCookedHeaderLength);
        return ethertype(load_be16(at.data - 2));
    case LinkType::linux_cooked2: { // protocol in the first two
        if (at.captured <= kCooked2HeaderLength) return stop(Event::truncated_Linux_SLL2_header);
        const std::uint16_t type = load_be16(at.data);
        at.skip(kCooked2HeaderLength);
        return ethertype(type);
    }
    case LinkType::ppp: return Next::ppp;
    case LinkType::ppp_serial:
        if (at.captured <= kHdlcLength + kPppProtocolLength) return stop(Event::truncated_ppp_serial_header);
        at.skip(kHdlcLength + kPppProtocolLength);
        return ppp_protocol(load_be16(at.data - 2));
    case LinkType::pppoe: return Next::pppoe;
    case LinkType::fddi: return fddi();
    case LinkType::ieee802_11: return wireless();
    case LinkType::radiotap: return radiotap();
    case LinkType::nflog: return nflog();
    case LinkType::unknown: break;
    }
    return unknown();
}

Next Walker::step(Next next) {
    switch (next) {
    case Next::ethernet: return ethernet();
    case Next::ethertype: return dispatch();
    case Next::ppp: return ppp();
    case Next::pppoe: return pppoe();
    case Next::mpls: return mpls();
    case Next::ip:
    case Next::stop: break;
    }
    return next;
}

Next Walker::ethernet() {
    // Zeek's lower bound: more than 16 bytes, so that the two behind the header can be looked at.
    if (at.captured <= kEthernetHeaderLength + 2) return stop(Event::truncated_ethernet_frame);
    if (load_be16(at.data + 12) == kEtherTypeFabricPath) {
        if (at.captured <= kFabricPathLength + kEthernetHeaderLength + 2) return stop(Event::truncated_link_header_cfp);
        at.skip(kFabricPathLength);
    }
    at.skip(kEthernetHeaderLength);
    return type_or_length(load_be16(at.data - 2), false);
}

// The field behind the addresses of a frame or in a VLAN tag: an EtherType, or the length of an 802.3 frame.
Next Walker::type_or_length(std::uint16_t value, bool tagged) {
    if (value >= kEtherTypeLowest) return ethertype(value);
    if (value > kEthernetLengthMax) return stop(tagged ? Event::undefined_vlan_protocol : Event::undefined_ether_type);
    if (at.captured < 2) return stop(tagged ? Event::truncated_VLAN_header : Event::truncated_ethernet_frame);
    at.keep(value);
    if (at.captured >= 2 && at.data[0] == 0xaa && at.data[1] == 0xaa) return snap();
    return stop(Event::unknown_ethertype); // 802.2 (spanning tree and the like) and Novell's IPX: no IP in them
}

Next Walker::snap() {
    constexpr std::uint32_t organisation_and_type = 5;
    if (at.captured < 3) return stop(Event::truncated_snap_llc_header);
    const std::uint32_t llc = (at.data[2] & 0x03) == 0x03 ? 3 : 4; // an unnumbered control field has one byte
    if (at.captured < llc + organisation_and_type) return stop(Event::truncated_snap_header);
    at.skip(llc);
    const std::uint32_t organisation = load_be32(at.data) >> 8;
    const std::uint16_t type = load_be16(at.data + 3);
    at.skip(organisation_and_type);
    return organisation == 0 ? ethertype(type) : stop(Event::unknown_ethertype);
}

Next Walker::vlan() {
    if (at.captured <= kVlanTagLength) return stop(Event::truncated_VLAN_header);
    at.skip(kVlanTagLength);
    return type_or_length(load_be16(at.data - 2), true);
}

// RFC 3032: what follows the last label is not said. Zeek takes it for IP, by its version nibble, and so it is here;
// Ethernet pseudowires (RFC 4448) stay closed.
Next Walker::mpls() {
    for (unsigned labels = 0; labels < kMaxMplsLabels; ++labels) {
        if (at.captured <= kMplsLabelLength) return stop(Event::truncated_link_header);
        const bool last = (at.data[2] & 0x01) != 0;
        at.skip(kMplsLabelLength);
        if (last) return Next::ip;
    }
    return stop(Event::max_packet_analyzer_depth_exceeded);
}

Next Walker::pppoe() {
    if (at.captured <= kPppoeHeaderLength + kPppProtocolLength) return stop(Event::truncated_pppoe_header);
    const std::uint16_t length = load_be16(at.data + 4); // of PPP protocol and payload
    if (length != at.captured - kPppoeHeaderLength && events != nullptr)
        events->count(length < at.captured - kPppoeHeaderLength ? Event::pppoe_extra_data_after_payload
                                                                : Event::pppoe_truncated_payload);
    at.skip(kPppoeHeaderLength);
    const std::uint16_t protocol_number = load_be16(at.data);
    at.skip(kPppProtocolLength);
    at.keep(length >= kPppProtocolLength ? length - kPppProtocolLength : 0);
    return ppp_protocol(protocol_number);
}

Next Walker::ppp() {
    if (at.captured <= kPppProtocolLength) return stop(Event::truncated_ppp_header);
    if (at.data[0] == 0xff && at.data[1] == 0x03) {
        if (at.captured <= kHdlcLength + kPppProtocolLength) return stop(Event::truncated_ppp_hdlc_header);
        at.skip(kHdlcLength);
    }
    at.skip(kPppProtocolLength);
    return ppp_protocol(load_be16(at.data - 2));
}

Next Walker::ppp_protocol(std::uint16_t value) {
    switch (value) {
    case kPppIpv4:
    case kPppIpv6: return Next::ip;
    case kPppMpls: return Next::mpls;
    default: return stop(Event::unknown_ethertype);
    }
}

// The family is in the byte order of the machine that captured, which the file does not tell; both are tried.
// AF_INET is 2 everywhere; AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (Darwin) or 10 (Linux).
Next Walker::loopback() {
    if (at.captured <= kLoopbackHeaderLength) return stop(Event::null_analyzer_failed);
    const std::uint32_t big = load_be32(at.data);
    const std::uint32_t family = big > 0xffff ? __builtin_bswap32(big) : big;
    at.skip(kLoopbackHeaderLength);
    switch (family) {
    case 2:
    case 10:
    case 24:
    case 28:
    case 30: return Next::ip;
    default: return stop(Event::unknown_ethertype);
    }
}

// Zeek passes over the header and takes what follows for IP.
Next Walker::fddi() {
    if (at.captured <= kFddiHeaderLength) return stop(Event::FDDI_analyzer_failed);
    at.skip(kFddiHeaderLength);
    return Next::ip;
}

Next Walker::wireless() { return wireless_payload(skip_wireless_header(at)); }

Next Walker::wireless_payload(const WirelessPayload& payload) {
    if (rest != nullptr && payload.rest.captured != 0) *rest = payload.rest;
    if (payload.stopped) return stop(*payload.stopped);
    switch (payload.ether_type) {
    case kEtherTypeIpv4:
    case kEtherTypeIpv6:
    case kEtherTypeArp:
    case kEtherTypeRarp: return ethertype(payload.ether_type);
    default: return stop(Event::unknown_ethertype);
    }
}

Next Walker::radiotap() {
    constexpr std::uint32_t least = 4;
    if (at.captured < least) return stop(Event::truncated_radiotap_header);
    const std::uint32_t length = at.data[2] | static_cast<std::uint32_t>(at.data[3]) << 8; // little-endian
    if (at.captured <= length) return stop(Event::truncated_radiotap_header);
    at.skip(length);
    return wireless();
}

// Fields of length, type and value until the one with the packet; each begins at a multiple of 4 bytes.
Next Walker::nflog() {
    constexpr std::uint16_t payload = 9;
    if (at.captured <= kNflogHeaderLength) return stop(Event::truncated_nflog_header);
    if (at.data[1] != 0) return stop(Event::unknown_nflog_version);
    const std::uint8_t family = at.data[0];
    at.skip(kNflogHeaderLength);
    for (;;) {
        if (at.captured <= kNflogFieldLength) return stop(Event::nflog_no_pcap_payload);
        std::uint16_t field[2]; // length and type, in host byte order
        std::memcpy(field, at.data, sizeof field);
        if (field[1] == payload) break;
        const std::uint32_t length = (field[0] + 3u) & ~3u;
        if (field[0] < kNflogFieldLength || length > at.captured) return stop(Event::nflog_bad_tlv_len);
        at.skip(length);
    }
    at.skip(kNflogFieldLength);
    return family == 2 || family == 10 ? Next::ip : stop(Event::unknown_ethertype); // Linux: AF_INET, AF_INET6
}

// Zeek's default for a link type that it does not know.
Next Walker::unknown() {
    const unsigned version = at.captured != 0 ? at.data[0] >> 4 : 0;
    return version == 4 || version == 6 ? Next::ip : stop(Event::unknown_link_type);
}

Next Walker::dispatch() {
    switch (protocol) {
    case kEtherTypeIpv4:
    case kEtherTypeIpv6: return Next::ip;
    case kEtherTypeVlan:
    case 0x88a8: // 802.1ad
    case 0x9100: return vlan();
    case kEtherTypeMpls: return Next::mpls;
    case kEtherTypePppoeSession: return Next::pppoe;
    case kEtherTypeArp:
    case kEtherTypeRarp: return stop(Event::arp);
    case 0x88e7: // 802.1ah
        if (at.captured <= kBackboneTagLength + kEthernetHeaderLength) return stop(Event::truncated_PBB_header);
        at.skip(kBackboneTagLength);
        return Next::ethernet;
    case 0x8926: // VN-Tag
        if (at.captured <= kVnTagLength) return stop(Event::truncated_vntag_header);
        at.skip(kVnTagLength);
        return ethertype(load_be16(at.data - 2));
    default: return stop(Event::unknown_ethertype);
    }
}

std::optional<Event> walk(Walker& walker, Next next) {
    for (unsigned headers = 0; headers < kMaxLinkHeaders; ++headers) {
        if (next == Next::ip) return std::nullopt;
        if (next == Next::stop) return walker.stopped;
        next = walker.step(next);
    }
    if (next == Next::ip) return std::nullopt;
    return next == Next::stop ? walker.stopped : Event::max_packet_analyzer_depth_exceeded;
}

} // namespace

std::optional<Event> skip_link_headers(LinkType link, Cursor& at, EventCounters* events, Cursor* rest) {
    Walker walker{at, events, rest};
    return walk(walker, walker.first(link));
}

std::optional<Event> skip_subframe_headers(Cursor& at, EventCounters* events, Cursor& rest) {
    Walker walker{at, events, &rest};
    return walk(walker, walker.wireless_payload(skip_subframe_header(at)));
}

} // namespace ftpsensor
