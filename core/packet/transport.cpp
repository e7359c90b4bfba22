#include "core/packet/transport.h"

#include "core/packet/checksum.h"
#include "core/packet/cursor.h"
#include "core/packet/ipv6_extensions.h"
#include "core/packet/tunnel.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kTcpHeaderLength = 20;
constexpr std::uint32_t kUdpHeaderLength = 8;
constexpr std::uint32_t kIcmpHeaderLength = 8;

// Every member that the transports share, so that none is left from an earlier packet.
void start_layer(const Segment& segment, Transport transport, Layer& layer) {
    layer.source_port = 0;
    layer.destination_port = 0;
    layer.ip_proto = segment.proto;
    layer.transport = transport;
    layer.one_way = false;
    layer.bad_l4_checksum = false;
    layer.bad_header = false;
    layer.doubtful = segment.doubtful;
    layer.makes_connection = true;
    layer.l4 = segment.data;
    layer.l4_captured = segment.captured;
    layer.tcp_seq = 0;
    layer.tcp_ack = 0;
    layer.tcp_window = 0;
    layer.tcp_flags = 0;
    layer.tcp_window_scale = -1;
    layer.udp_length = 0;
}

void set_payload(const Segment& segment, std::uint32_t length, std::uint32_t header, Layer& layer) {
    layer.payload = segment.data + header;
    layer.payload_length = length - header;
    layer.payload_captured = std::min(segment.captured, length) - header;
}

// Zeek's CheckHeaderTrunc.
bool header_is_whole(const Segment& segment, std::uint32_t size, EventCounters& events) {
    if (segment.length != 0 && segment.length < size) [[unlikely]] {
        events.count(Event::truncated_header);
        return false;
    }
    if (segment.captured < size) [[unlikely]] {
        events.count(Event::internally_truncated_header);
        return false;
    }
    return true;
}

// A length of 0 is taken for offloading (Zeek), but by TCP.
std::uint32_t length_of(const Segment& segment) { return segment.length != 0 ? segment.length : segment.captured; }

[[gnu::cold]] void bad_tcp_header(const Segment& segment, bool too_small, EventCounters& events, Layer& layer) {
    events.count(too_small ? Event::bad_TCP_header_len : Event::truncated_header);
    layer.bad_header = true;
    layer.payload = segment.data + segment.captured;
    layer.payload_length = 0;
    layer.payload_captured = 0;
}

[[gnu::cold]] void check_tcp_sum(const Segment& segment, EventCounters& events, Layer& layer) {
    if (segment.captured < segment.length) return;
    if (transport_checksum_is_valid(layer.source, layer.destination, kProtoTcp, segment.data, segment.length)) return;
    events.count(Event::bad_TCP_checksum);
    layer.bad_l4_checksum = true;
}

bool read_tcp(const Segment& segment, bool check_sums, EventCounters& events, Layer& layer) {
    if (!header_is_whole(segment, kTcpHeaderLength, events)) [[unlikely]]
        return false;
    start_layer(segment, Transport::tcp, layer);
    const std::uint8_t* const header = segment.data;
    layer.source_port = load_be16(header);
    layer.destination_port = load_be16(header + 2);
    layer.tcp_seq = load_be32(header + 4);
    layer.tcp_ack = load_be32(header + 8);
    layer.tcp_flags = header[13];
    layer.tcp_window = load_be16(header + 14);
    const std::uint32_t header_length = (header[12] >> 4) * 4u;
    if (header_length < kTcpHeaderLength || header_length > std::min(segment.length, segment.captured)) [[unlikely]] {
        bad_tcp_header(segment, header_length < kTcpHeaderLength, events, layer);
        return true;
    }
    set_payload(segment, segment.length, header_length, layer);
    if ((layer.tcp_flags & kTcpSyn) != 0) {
        layer.tcp_window_scale = tcp_window_scale(header + kTcpHeaderLength, header + header_length);
    }
    if (check_sums) [[unlikely]]
        check_tcp_sum(segment, events, layer);
    return true;
}

[[gnu::cold]] void check_udp_sum(const Segment& segment, std::uint32_t length, EventCounters& events, Layer& layer) {
    if (segment.captured < length || segment.missing != 0) return;
    const bool none = load_be16(segment.data + 6) == 0;
    if (none && layer.source.is_v4()) return; // RFC 768: none computed
    if (none && layer.destination_port == kVxlanPort && length > kUdpHeaderLength + 8 + 14 &&
        (segment.data[kUdpHeaderLength] & 0x08) != 0) {
        return; // RFC 7348 5: VXLAN sends 0 over IPv6, too
    }
    if (transport_checksum_is_valid(layer.source, layer.destination, kProtoUdp, segment.data, length)) return;
    events.count(Event::bad_UDP_checksum);
    layer.bad_l4_checksum = true;
}

bool read_udp(const Segment& segment, bool check_sums, EventCounters& events, Layer& layer) {
    if (!header_is_whole(segment, kUdpHeaderLength, events)) [[unlikely]]
        return false;
    start_layer(segment, Transport::udp, layer);
    layer.source_port = load_be16(segment.data);
    layer.destination_port = load_be16(segment.data + 2);
    layer.udp_length = load_be16(segment.data + 4);
    const std::uint32_t length = length_of(segment);
    set_payload(segment, length, kUdpHeaderLength, layer);
    if (check_sums) [[unlikely]]
        check_udp_sum(segment, length, events, layer);
    if (layer.udp_length != length && !layer.bad_l4_checksum) [[unlikely]] {
        events.count(Event::UDP_datagram_length_mismatch);
    }
    return true;
}

struct IcmpPair {
    std::uint8_t request;
    std::uint8_t reply;
};

constexpr IcmpPair kIcmp4Pairs[] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
constexpr IcmpPair kIcmp6Pairs[] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};

// The type that answers `type` or is answered by it; false where there is none.
template <std::size_t N>
bool counterpart(const IcmpPair (&pairs)[N], std::uint8_t type, std::uint16_t& other) {
    for (const IcmpPair& pair : pairs) {
        if (type == pair.request || type == pair.reply) {
            other = type == pair.request ? pair.reply : pair.request;
            return true;
        }
    }
    return false;
}

bool read_icmp(const Segment& segment, bool check_sums, EventCounters& events, Layer& layer) {
    if (!header_is_whole(segment, kIcmpHeaderLength, events)) return false;
    start_layer(segment, Transport::icmp, layer);
    const bool v6 = segment.proto == kProtoIcmpv6;
    const std::uint8_t type = segment.data[0];
    layer.source_port = type;
    layer.destination_port = segment.data[1];
    layer.one_way = !(v6 ? counterpart(kIcmp6Pairs, type, layer.destination_port)
                         : counterpart(kIcmp4Pairs, type, layer.destination_port));
    const std::uint32_t length = length_of(segment);
    set_payload(segment, length, kIcmpHeaderLength, layer);
    if (!check_sums || segment.captured < length) return true;
    layer.bad_l4_checksum =
        v6 ? !transport_checksum_is_valid(layer.source, layer.destination, kProtoIcmpv6, segment.data, length)
           : !icmp_checksum_is_valid(segment.data, length);
    if (layer.bad_l4_checksum) events.count(Event::bad_ICMP_checksum);
    return true;
}

bool read_other(const Segment& segment, Layer& layer) {
    start_layer(segment, Transport::unknown, layer);
    set_payload(segment, length_of(segment), 0, layer);
    return true;
}

} // namespace

std::int8_t tcp_window_scale(const std::uint8_t* option, const std::uint8_t* end) {
    constexpr std::uint8_t end_of_options = 0;
    constexpr std::uint8_t no_operation = 1;
    constexpr std::uint8_t scale = 3;
    while (option < end && *option != end_of_options) {
        if (*option == no_operation) {
            ++option;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) return -1;
        if (*option == scale && option[1] == 3) return static_cast<std::int8_t>(std::min<std::uint8_t>(option[2], 127));
        option += option[1];
    }
    return -1;
}

bool read_transport(const Segment& segment, bool check_sums, EventCounters& events, Layer& layer) {
    switch (segment.proto) {
    case kProtoTcp: return read_tcp(segment, check_sums, events, layer);
    case kProtoUdp: return read_udp(segment, check_sums, events, layer);
    case kProtoIcmp:
    case kProtoIcmpv6: return read_icmp(segment, check_sums, events, layer);
    default: return read_other(segment, layer);
    }
}

} // namespace ftpsensor
