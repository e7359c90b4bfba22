// The packets that nearly all traffic consists of, decoded in a straight line: Ethernet with at most one VLAN tag, IPv4
// without options or IPv6 without extension headers, no fragment, TCP or UDP that is no tunnel, nothing odd.
//
// It says no more than the general path (link.h, ip.h, transport.h) would, a few times faster, and gives way to it
// wherever a rule would have to be looked up; tests/unit/packet/decode_test.cpp holds the two against each other.
// Internal to core/packet; any thread.
#pragma once

#include "core/packet/cursor.h"
#include "core/packet/decode.h"
#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"
#include "core/packet/transport.h"
#include "core/packet/tunnel.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ftpsensor {

// In the order of the members, so that neighbours are stored together.
inline void fill_plain_layer(const std::uint8_t* l4, std::uint32_t l4_length, std::uint32_t l4_captured,
                             std::uint32_t header, Layer& layer) {
    layer.source_port = load_be16(l4);
    layer.destination_port = load_be16(l4 + 2);
    layer.carried_by = TunnelKind::none;
    layer.makes_connection = true;
    layer.one_way = false;
    layer.bad_l4_checksum = false;
    layer.bad_header = false;
    layer.doubtful = false;
    layer.l4 = l4;
    layer.l4_captured = l4_captured;
    layer.payload = l4 + header;
    layer.payload_length = l4_length - header;
    layer.payload_captured = l4_captured - header;
}

inline bool fill_plain_tcp(const std::uint8_t* l4, std::uint32_t l4_length, std::uint32_t l4_captured, Layer& layer) {
    constexpr std::uint32_t shortest = 20;
    if (l4_captured < shortest) [[unlikely]]
        return false;
    const std::uint32_t header = (l4[12] >> 4) * 4u;
    if (header < shortest || header > l4_captured) [[unlikely]]
        return false;
    fill_plain_layer(l4, l4_length, l4_captured, header, layer);
    layer.ip_proto = kProtoTcp;
    layer.transport = Transport::tcp;
    layer.tcp_seq = load_be32(l4 + 4);
    layer.tcp_ack = load_be32(l4 + 8);
    layer.tcp_window = load_be16(l4 + 14);
    layer.tcp_flags = l4[13];
    layer.tcp_window_scale = -1;
    layer.udp_length = 0;
    if ((l4[13] & kTcpSyn) != 0) [[unlikely]]
        layer.tcp_window_scale = tcp_window_scale(l4 + shortest, l4 + header);
    return true;
}

inline bool fill_plain_udp(const std::uint8_t* l4, std::uint32_t l4_length, std::uint32_t l4_captured, Layer& layer) {
    constexpr std::uint32_t header = 8;
    if (l4_captured < header || load_be16(l4 + 4) != l4_length) [[unlikely]]
        return false;
    fill_plain_layer(l4, l4_length, l4_captured, header, layer);
    if (is_tunnel_port(layer.source_port) || is_tunnel_port(layer.destination_port) ||
        looks_like_tunnel(layer.payload, layer.payload_captured)) [[unlikely]]
        return false;
    layer.ip_proto = kProtoUdp;
    layer.transport = Transport::udp;
    layer.tcp_seq = 0;
    layer.tcp_ack = 0;
    layer.tcp_window = 0;
    layer.tcp_flags = 0;
    layer.tcp_window_scale = -1;
    layer.udp_length = static_cast<std::uint16_t>(l4_length);
    return true;
}

// False: not one of these; `layer` then holds leftovers. Checksums are not looked at.
inline bool decode_plain(const PacketView& packet, Layer& layer) {
    constexpr std::uint32_t vlan_tag = 4;
    constexpr std::uint32_t ipv4_header = 20;
    constexpr std::uint32_t ipv6_header = 40;
    constexpr std::uint32_t least = kEthernetHeaderLength + vlan_tag + ipv4_header + 4; // all that is read before l4
    if (packet.link != LinkType::ethernet || packet.captured < least) [[unlikely]]
        return false;
    const std::uint8_t* ip = packet.data + kEthernetHeaderLength;
    std::uint16_t type = load_be16(ip - 2);
    if (type == kEtherTypeVlan) {
        ip += vlan_tag;
        type = load_be16(ip - 2);
    }
    const auto link = static_cast<std::uint32_t>(ip - packet.data);
    const std::uint32_t available = packet.captured - link;
    std::uint32_t header = ipv4_header;
    std::uint32_t total;
    std::uint8_t proto;
    if (type == kEtherTypeIpv4) {
        if (ip[0] != 0x45 || (load_be16(ip + 6) & 0x3fff) != 0) [[unlikely]]
            return false;
        total = load_be16(ip + 2);
        proto = ip[9];
        layer.ip_length = total;
        set_ipv4(layer.source, ip + 12);
        set_ipv4(layer.destination, ip + 16);
    } else {
        if (type != kEtherTypeIpv6 || available < ipv6_header || ip[0] >> 4 != 6) [[unlikely]]
            return false;
        header = ipv6_header;
        total = ipv6_header + load_be16(ip + 4);
        proto = ip[6];
        layer.ip_length = total;
        std::memcpy(layer.source.bytes.data(), ip + 8, 16);
        std::memcpy(layer.destination.bytes.data(), ip + 24, 16);
    }
    if (total <= header || total > std::max(packet.length, packet.captured) - link) [[unlikely]]
        return false;
    const std::uint32_t l4_captured = std::min(available, total) - header;
    if (proto == kProtoTcp) [[likely]]
        return fill_plain_tcp(ip + header, total - header, l4_captured, layer);
    return proto == kProtoUdp && fill_plain_udp(ip + header, total - header, l4_captured, layer);
}

} // namespace ftpsensor
