#include "tests/support/packet_builder.h"

#include "tests/support/byte_writer.h"

#include <algorithm>
#include <stdexcept>

namespace ftpsensor::test {
namespace {

constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::uint8_t kProtocolUdp = 17;
constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmp6 = 58;
constexpr std::uint8_t kNoNextHeader = 59;        // RFC 8200 4.7
constexpr std::uint8_t kProtocolExperiment = 253; // RFC 3692

// A header's surroundings while it is encoded.
struct Place {
    const std::vector<Header>& headers;
    std::size_t index;

    const Header* next() const { return index + 1 < headers.size() ? &headers[index + 1] : nullptr; }
    template <typename T>
    bool next_is() const {
        return next() != nullptr && std::holds_alternative<T>(*next());
    }
    // The nearest IP header before this one; null at the start of a packet.
    const Header* enclosing_ip() const {
        for (std::size_t i = index; i-- > 0;) {
            if (std::holds_alternative<Ipv4>(headers[i]) || std::holds_alternative<Ipv6>(headers[i])) {
                return &headers[i];
            }
        }
        return nullptr;
    }
    bool in_ipv6() const { return enclosing_ip() != nullptr && std::holds_alternative<Ipv6>(*enclosing_ip()); }
};

std::uint16_t ether_type_of_next(const Place& place) {
    if (const Header* next = place.next()) {
        if (const auto* vlan = std::get_if<Vlan>(next)) return vlan->tpid;
        if (const auto* pppoe = std::get_if<Pppoe>(next)) return pppoe->code == 0 ? 0x8864 : 0x8863;
        if (std::holds_alternative<Mpls>(*next)) return 0x8847;
        if (std::holds_alternative<Ipv4>(*next)) return 0x0800;
        if (std::holds_alternative<Ipv6>(*next)) return 0x86dd;
        if (std::holds_alternative<Ethernet>(*next)) return 0x6558; // transparent Ethernet bridging (in GRE, Geneve)
        if (std::holds_alternative<Ppp>(*next)) return 0x880b;      // PPP (in GRE version 1)
    }
    return 0x88b5; // IEEE local experimental
}

std::uint16_t ppp_protocol_of_next(const Place& place) {
    if (place.next_is<Ipv4>()) return 0x0021;
    if (place.next_is<Ipv6>()) return 0x0057;
    if (place.next_is<Mpls>()) return 0x0281;
    return 0xc021; // LCP
}

std::uint8_t ip_protocol_of(const Header& header, bool in_ipv6) {
    if (const auto* extension = std::get_if<Ipv6Extension>(&header)) return extension->kind;
    if (std::holds_alternative<Tcp>(header)) return kProtocolTcp;
    if (std::holds_alternative<Udp>(header)) return kProtocolUdp;
    if (std::holds_alternative<Icmp>(header)) return in_ipv6 ? kProtocolIcmp6 : kProtocolIcmp;
    if (std::holds_alternative<Ipv4>(header)) return 4;
    if (std::holds_alternative<Ipv6>(header)) return 41;
    if (std::holds_alternative<Ipv6Fragment>(header)) return 44;
    if (std::holds_alternative<Gre>(header)) return 47;
    if (std::holds_alternative<Mpls>(header)) return 137;
    return kProtocolExperiment;
}

std::uint8_t ip_protocol_of_next(const Place& place, bool in_ipv6) {
    return place.next() == nullptr ? kNoNextHeader : ip_protocol_of(*place.next(), in_ipv6);
}

void put_address(ByteWriter& out, const IpAddress& address, bool v6) {
    out.append(std::span(address.bytes).subspan(v6 ? 0 : 12));
}

std::uint64_t sum_of_words(std::span<const std::uint8_t> data) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < data.size(); ++i) sum += i % 2 == 0 ? std::uint64_t{data[i]} << 8 : data[i];
    return sum;
}

// What the pseudo-header of the enclosing IP header adds to a transport checksum (RFC 9293 3.1, RFC 8200 8.1).
std::uint64_t pseudo_header_sum(const Place& place, std::uint8_t protocol, std::size_t length) {
    std::uint64_t sum = protocol + length;
    const Header* enclosing = place.enclosing_ip();
    if (enclosing == nullptr) return sum;
    if (const auto* v4 = std::get_if<Ipv4>(enclosing)) {
        return sum + sum_of_words(std::span(v4->source.bytes).subspan(12)) +
               sum_of_words(std::span(v4->destination.bytes).subspan(12));
    }
    const auto& v6 = std::get<Ipv6>(*enclosing);
    return sum + sum_of_words(v6.checksum_source.value_or(v6.source).bytes) +
           sum_of_words(v6.checksum_destination.value_or(v6.destination).bytes);
}

void set_u16(Bytes& packet, std::size_t offset, std::uint16_t value) {
    packet[offset] = static_cast<std::uint8_t>(value >> 8);
    packet[offset + 1] = static_cast<std::uint8_t>(value);
}

// Each encode() gives the header followed by `body`, which is all that comes after it.

Bytes encode(const Ethernet& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.append(h.destination).append(h.source).u16(h.ether_type.value_or(ether_type_of_next(place))).append(body);
    if (packet.size() < h.minimum_size) out.zeros(h.minimum_size - packet.size());
    return packet;
}

Bytes encode(const Vlan& h, const Place& place, const Bytes& body) {
    Bytes packet;
    const auto tci =
        static_cast<std::uint16_t>((h.priority & 7) << 13 | (h.drop_eligible ? 1 << 12 : 0) | (h.id & 0xfff));
    ByteWriter(packet).u16(tci).u16(h.ether_type.value_or(ether_type_of_next(place))).append(body);
    return packet;
}

Bytes encode(const Mpls& h, const Place& place, const Bytes& body) {
    Bytes packet;
    const bool bottom = h.bottom_of_stack.value_or(!place.next_is<Mpls>());
    const std::uint32_t entry =
        h.label << 12 | (h.traffic_class & 7u) << 9 | static_cast<std::uint32_t>(bottom) << 8 | h.ttl;
    ByteWriter(packet).u32(entry).append(body);
    return packet;
}

Bytes encode(const Pppoe& h, const Place& place, const Bytes& body) {
    Bytes packet;
    const auto length = h.length.value_or(static_cast<std::uint16_t>(body.size() + 2));
    ByteWriter out(packet);
    out.u8(h.version_type).u8(h.code).u16(h.session).u16(length);
    out.u16(h.ppp_protocol.value_or(ppp_protocol_of_next(place))).append(body);
    return packet;
}

Bytes encode(const Ppp& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    if (h.hdlc_framing) out.u16(0xff03);
    out.u16(h.protocol.value_or(ppp_protocol_of_next(place))).append(body);
    return packet;
}

Bytes encode(const LinuxCooked& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.u16(h.packet_type).u16(h.arphrd_type).u16(6).append(MacAddress{0x02, 0, 0, 0, 0, 0x01}).zeros(2);
    out.u16(h.protocol.value_or(ether_type_of_next(place))).append(body);
    return packet;
}

Bytes encode(const LinuxCooked2& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.u16(h.protocol.value_or(ether_type_of_next(place))).u16(0).u32(h.interface_index).u16(h.arphrd_type);
    out.u8(h.packet_type).u8(6).append(MacAddress{0x02, 0, 0, 0, 0, 0x01}).zeros(2).append(body);
    return packet;
}

Bytes encode(const Loopback& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter(packet, !h.network_byte_order).u32(h.family.value_or(place.next_is<Ipv6>() ? 30 : 2)).append(body);
    return packet;
}

Bytes encode(const Ipv4& h, const Place& place, const Bytes& body) {
    Bytes options = h.options;
    ByteWriter(options).pad_to_multiple(4);
    const std::size_t header_size = 20 + options.size();
    const auto words = h.header_words.value_or(static_cast<std::uint8_t>(header_size / 4));
    const auto fragment = static_cast<std::uint16_t>((h.dont_fragment ? 0x4000 : 0) | (h.more_fragments ? 0x2000 : 0) |
                                                     h.fragment_offset / 8);
    Bytes packet;
    ByteWriter out(packet);
    out.u8(static_cast<std::uint8_t>(h.version.value_or(4) << 4 | (words & 0xf))).u8(h.tos);
    out.u16(h.total_length.value_or(static_cast<std::uint16_t>(header_size + body.size()))).u16(h.id).u16(fragment);
    out.u8(h.ttl).u8(h.protocol.value_or(ip_protocol_of_next(place, false))).u16(0);
    put_address(out, h.source, false);
    put_address(out, h.destination, false);
    out.append(options);
    set_u16(packet, 10, h.checksum.value_or(internet_checksum(packet)));
    out.append(body);
    return packet;
}

Bytes encode(const Ipv6& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.u32(static_cast<std::uint32_t>(h.version.value_or(6) & 0xf) << 28 |
            static_cast<std::uint32_t>(h.traffic_class) << 20 | (h.flow_label & 0xfffff));
    out.u16(h.payload_length.value_or(static_cast<std::uint16_t>(body.size())));
    out.u8(h.next_header.value_or(ip_protocol_of_next(place, true))).u8(h.hop_limit);
    put_address(out, h.source, true);
    put_address(out, h.destination, true);
    out.append(body);
    return packet;
}

Bytes encode(const Ipv6Extension& h, const Place& place, const Bytes& body) {
    constexpr std::uint8_t kAuthentication = 51;
    const std::size_t unit = h.kind == kAuthentication ? 4 : 8;
    Bytes packet;
    ByteWriter out(packet);
    out.u8(h.next_header.value_or(ip_protocol_of_next(place, true))).u8(0).append(h.body);
    out.pad_to_multiple(8);
    // RFC 8200 counts units of 8 bytes beyond the first 8, RFC 4302 units of 4 bytes less 2: both leave 8 bytes out.
    packet[1] = h.length.value_or(static_cast<std::uint8_t>((packet.size() - 8) / unit));
    out.append(body);
    return packet;
}

Bytes encode(const Ipv6Fragment& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.u8(h.next_header.value_or(ip_protocol_of_next(place, true))).u8(0);
    out.u16(static_cast<std::uint16_t>((h.offset & ~7) | (h.more ? 1 : 0))).u32(h.id).append(body);
    return packet;
}

Bytes encode_options(const TcpOptions& options) {
    Bytes encoded;
    ByteWriter out(encoded);
    if (options.mss) out.u8(2).u8(4).u16(*options.mss);
    if (options.sack_permitted) out.u8(4).u8(2);
    if (options.timestamps) {
        if (!options.sack_permitted) out.u8(1).u8(1); // keeps the two numbers on word boundaries
        out.u8(8).u8(10).u32(options.timestamps->first).u32(options.timestamps->second);
    }
    if (options.window_scale) out.u8(1).u8(3).u8(3).u8(*options.window_scale);
    out.append(options.raw).pad_to_multiple(4, 1);
    return encoded;
}

Bytes encode(const Tcp& h, const Place& place, const Bytes& body) {
    const Bytes options = encode_options(h.options);
    const auto words = h.header_words.value_or(static_cast<std::uint8_t>((20 + options.size()) / 4));
    Bytes packet;
    ByteWriter out(packet);
    out.u16(h.source_port).u16(h.destination_port).u32(h.seq).u32(h.ack);
    out.u8(static_cast<std::uint8_t>(words << 4)).u8(h.flags).u16(h.window).u16(0).u16(h.urgent_pointer);
    out.append(options).append(body);
    const std::uint64_t pseudo = pseudo_header_sum(place, kProtocolTcp, packet.size());
    set_u16(packet, 16, h.checksum.value_or(internet_checksum(packet, pseudo)));
    return packet;
}

Bytes encode(const Udp& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter out(packet);
    out.u16(h.source_port).u16(h.destination_port);
    out.u16(h.length.value_or(static_cast<std::uint16_t>(8 + body.size()))).u16(0).append(body);
    const std::uint16_t computed = internet_checksum(packet, pseudo_header_sum(place, kProtocolUdp, packet.size()));
    set_u16(packet, 6, h.checksum.value_or(computed == 0 ? 0xffff : computed)); // 0 would say: no checksum
    return packet;
}

Bytes encode(const Icmp& h, const Place& place, const Bytes& body) {
    Bytes packet;
    ByteWriter(packet).u8(h.type).u8(h.code).u16(0).u16(h.identifier).u16(h.sequence).append(body);
    const std::uint64_t pseudo = place.in_ipv6() ? pseudo_header_sum(place, kProtocolIcmp6, packet.size()) : 0;
    set_u16(packet, 2, h.checksum.value_or(internet_checksum(packet, pseudo)));
    return packet;
}

Bytes encode(const Gre& h, const Place& place, const Bytes& body) {
    const auto flags =
        static_cast<std::uint16_t>((h.with_checksum ? 0x8000 : 0) | (h.key ? 0x2000 : 0) | (h.sequence ? 0x1000 : 0) |
                                   (h.acknowledgment ? 0x0080 : 0) | (h.version & 7));
    Bytes packet;
    ByteWriter out(packet);
    out.u16(h.flags_and_version.value_or(flags)).u16(h.protocol.value_or(ether_type_of_next(place)));
    if (h.with_checksum) out.u32(0);
    if (h.key) out.u32(*h.key);
    if (h.sequence) out.u32(*h.sequence);
    if (h.acknowledgment) out.u32(*h.acknowledgment);
    out.append(body);
    if (h.with_checksum) set_u16(packet, 4, internet_checksum(packet));
    return packet;
}

Bytes encode(const Vxlan& h, const Place&, const Bytes& body) {
    Bytes packet;
    ByteWriter(packet).u8(h.flags).u24(0).u24(h.vni).u8(0).append(body);
    return packet;
}

Bytes encode(const Geneve& h, const Place& place, const Bytes& body) {
    Bytes options = h.options;
    ByteWriter(options).pad_to_multiple(4);
    const auto words = h.option_words.value_or(static_cast<std::uint8_t>(options.size() / 4));
    Bytes packet;
    ByteWriter out(packet);
    out.u8(static_cast<std::uint8_t>(h.version << 6 | (words & 0x3f))).u8(0);
    out.u16(h.protocol.value_or(ether_type_of_next(place))).u24(h.vni).u8(0).append(options).append(body);
    return packet;
}

Bytes encode(const Payload& h, const Place&, const Bytes& body) {
    Bytes packet;
    ByteWriter(packet).append(h.data).append(body);
    return packet;
}

// The headers from `first` on, with checksums over what encloses them.
Bytes build_from(const std::vector<Header>& headers, std::size_t first) {
    Bytes packet;
    for (std::size_t i = headers.size(); i-- > first;) {
        packet = std::visit([&](const auto& header) { return encode(header, Place{headers, i}, packet); }, headers[i]);
    }
    return packet;
}

std::size_t last_ip_header(const std::vector<Header>& headers) {
    for (std::size_t i = headers.size(); i-- > 0;) {
        if (std::holds_alternative<Ipv4>(headers[i]) || std::holds_alternative<Ipv6>(headers[i])) return i;
    }
    throw std::invalid_argument("build_fragments: no IP header");
}

} // namespace

IpAddress ip(std::string_view text) {
    if (const auto address = IpAddress::parse(text)) return *address;
    throw std::invalid_argument("not an IP address: " + std::string(text));
}

Bytes bytes(std::string_view text) {
    Bytes result;
    ByteWriter(result).append(text);
    return result;
}

std::uint16_t internet_checksum(std::span<const std::uint8_t> data, std::uint64_t sum) {
    sum += sum_of_words(data);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

Bytes build(const std::vector<Header>& headers) { return build_from(headers, 0); }

std::vector<Bytes> build_fragments(const std::vector<Header>& headers, std::size_t fragment_bytes,
                                   std::uint32_t ipv6_id) {
    if (fragment_bytes == 0 || fragment_bytes % 8 != 0) throw std::invalid_argument("fragments are multiples of 8");
    const std::size_t ip_index = last_ip_header(headers);
    const Bytes datagram = build_from(headers, ip_index + 1);
    const bool v6 = std::holds_alternative<Ipv6>(headers[ip_index]);
    const std::uint8_t protocol = ip_protocol_of_next(Place{headers, ip_index}, v6);
    std::vector<Bytes> fragments;
    for (std::size_t offset = 0; offset < datagram.size(); offset += fragment_bytes) {
        const std::size_t size = std::min(fragment_bytes, datagram.size() - offset);
        const bool more = offset + size < datagram.size();
        const auto place = static_cast<std::uint16_t>(offset);
        std::vector<Header> piece(headers.begin(), headers.begin() + static_cast<std::ptrdiff_t>(ip_index) + 1);
        if (v6) {
            piece.emplace_back(Ipv6Fragment{.id = ipv6_id, .offset = place, .more = more, .next_header = protocol});
        } else {
            auto& v4 = std::get<Ipv4>(piece.back());
            v4.protocol = v4.protocol.value_or(protocol);
            v4.fragment_offset = place;
            v4.more_fragments = more;
        }
        const auto begin = datagram.begin() + static_cast<std::ptrdiff_t>(offset);
        piece.emplace_back(Payload{std::string(begin, begin + static_cast<std::ptrdiff_t>(size))});
        fragments.push_back(build(piece));
    }
    return fragments;
}

} // namespace ftpsensor::test
