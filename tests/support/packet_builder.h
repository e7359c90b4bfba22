// Packets for tests, built header by header, in memory.
//
// build() takes the headers from the outside in. What a header leaves open is filled in as a correct sender would: the
// type of what follows, lengths, padding, checksums (the transport's over the nearest IP header before it). Every such
// field has an override, so that a test can be wrong in one place alone:
//
//     build({Ethernet{}, Ipv4{}, Tcp{.seq = 7, .flags = kFlagSyn}})
//     build({Ethernet{}, Vlan{.id = 9}, Ipv6{}, Udp{.length = 4}, Payload{"cut short"}})
//     build({Ipv4{}, Udp{.destination_port = 4789}, Vxlan{.vni = 5}, Ethernet{}, Ipv4{}, Tcp{}, Payload{"inside"}})
//
// Numbers are in host byte order. Plain values and functions; any thread. Errors (an address that is none, mostly)
// throw std::invalid_argument, since only a test's own text can be wrong here.
#pragma once

#include "core/base/ip_address.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ftpsensor::test {

using Bytes = std::vector<std::uint8_t>;
using MacAddress = std::array<std::uint8_t, 6>;

// The address of `text`, of either family.
IpAddress ip(std::string_view text);
Bytes bytes(std::string_view text);

// The Internet checksum (RFC 1071) of `data`; `sum` is what a pseudo-header adds up to.
std::uint16_t internet_checksum(std::span<const std::uint8_t> data, std::uint64_t sum = 0);

// TCP flags (RFC 9293 3.1).
inline constexpr std::uint8_t kFlagFin = 0x01;
inline constexpr std::uint8_t kFlagSyn = 0x02;
inline constexpr std::uint8_t kFlagRst = 0x04;
inline constexpr std::uint8_t kFlagPsh = 0x08;
inline constexpr std::uint8_t kFlagAck = 0x10;
inline constexpr std::uint8_t kFlagUrg = 0x20;

// Link layers -------------------------------------------------------------------------------------------------------

struct Ethernet {
    MacAddress destination = {0x02, 0, 0, 0, 0, 0x02};
    MacAddress source = {0x02, 0, 0, 0, 0, 0x01};
    std::optional<std::uint16_t> ether_type = {};
    std::size_t minimum_size = 0; // 60: padded as a port pads it
};

struct Vlan { // 802.1Q; QinQ is two of them
    std::uint16_t id = 1;
    std::uint8_t priority = 0;
    bool drop_eligible = false;
    std::uint16_t tpid = 0x8100; // how the header before announces this tag; 0x88a8: service tag of 802.1ad
    std::optional<std::uint16_t> ether_type = {};
};

struct Mpls { // RFC 3032
    std::uint32_t label = 16;
    std::uint8_t traffic_class = 0;
    std::uint8_t ttl = 64;
    std::optional<bool> bottom_of_stack = {}; // default: true unless Mpls follows
};

struct Pppoe { // RFC 2516, with the PPP protocol field of the session stage
    std::uint16_t session = 1;
    std::uint8_t code = 0;
    std::uint8_t version_type = 0x11;
    std::optional<std::uint16_t> length = {};
    std::optional<std::uint16_t> ppp_protocol = {};
};

struct Ppp {                   // RFC 1661, 1662
    bool hdlc_framing = false; // the address and control bytes ff 03
    std::optional<std::uint16_t> protocol = {};
};

struct LinuxCooked { // LINKTYPE_LINUX_SLL
    std::uint16_t packet_type = 0;
    std::uint16_t arphrd_type = 1;
    std::optional<std::uint16_t> protocol = {};
};

struct LinuxCooked2 { // LINKTYPE_LINUX_SLL2
    std::uint32_t interface_index = 1;
    std::uint16_t arphrd_type = 1;
    std::uint8_t packet_type = 0;
    std::optional<std::uint16_t> protocol = {};
};

struct Loopback {                             // LINKTYPE_NULL, LINKTYPE_LOOP
    bool network_byte_order = false;          // LOOP; else little-endian, as most hosts are
    std::optional<std::uint32_t> family = {}; // default: 2 for IPv4, 30 (Darwin) for IPv6
};

// Network layer -----------------------------------------------------------------------------------------------------

struct Ipv4 { // RFC 791
    IpAddress source = IpAddress::from_v4(10, 0, 0, 1);
    IpAddress destination = IpAddress::from_v4(10, 0, 0, 2);
    std::uint8_t tos = 0;
    std::uint16_t id = 1;
    bool dont_fragment = false;
    bool more_fragments = false;
    std::uint16_t fragment_offset = 0; // bytes, a multiple of 8
    std::uint8_t ttl = 64;
    Bytes options = {}; // padded with zeros to a multiple of 4
    std::optional<std::uint8_t> protocol = {};
    std::optional<std::uint8_t> version = {};
    std::optional<std::uint8_t> header_words = {};
    std::optional<std::uint16_t> total_length = {};
    std::optional<std::uint16_t> checksum = {};
};

struct Ipv6 { // RFC 8200
    IpAddress source = ip("2001:db8::1");
    IpAddress destination = ip("2001:db8::2");
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0;
    std::uint8_t hop_limit = 64;
    std::optional<std::uint8_t> next_header = {};
    std::optional<std::uint8_t> version = {};
    std::optional<std::uint16_t> payload_length = {};
    // What the transport's pseudo-header holds where it differs: the home address of a Home Address option, the last
    // hop of a routing header with segments left.
    std::optional<IpAddress> checksum_source = {};
    std::optional<IpAddress> checksum_destination = {};
};

// An extension header of the general form: next header, length in 8 bytes beyond the first 8, body.
struct Ipv6Extension {
    std::uint8_t kind = 0; // 0 hop-by-hop, 43 routing, 60 destination options, 135 mobility (51, AH, counts in 4 bytes)
    Bytes body = {};       // padded with zeros to whole units
    std::optional<std::uint8_t> next_header = {};
    std::optional<std::uint8_t> length = {};
};

struct Ipv6Fragment {
    std::uint32_t id = 1;
    std::uint16_t offset = 0; // bytes, a multiple of 8
    bool more = false;
    std::optional<std::uint8_t> next_header = {};
};

// Transport ---------------------------------------------------------------------------------------------------------

struct TcpOptions { // in the order in which Linux sends them, padded with NOP to a multiple of 4
    std::optional<std::uint16_t> mss = {};
    bool sack_permitted = false;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> timestamps = {}; // value, echo reply
    std::optional<std::uint8_t> window_scale = {};
    Bytes raw = {}; // as they stand, after the others
};

struct Tcp { // RFC 9293, 7323
    std::uint16_t source_port = 40000;
    std::uint16_t destination_port = 80;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint8_t flags = kFlagAck;
    std::uint16_t window = 65535;
    std::uint16_t urgent_pointer = 0;
    TcpOptions options = {};
    std::optional<std::uint8_t> header_words = {}; // data offset
    std::optional<std::uint16_t> checksum = {};
};

struct Udp { // RFC 768
    std::uint16_t source_port = 40000;
    std::uint16_t destination_port = 53;
    std::optional<std::uint16_t> length = {};
    std::optional<std::uint16_t> checksum = {};
};

struct Icmp { // RFC 792; behind IPv6: ICMPv6 (RFC 4443), with its pseudo-header
    std::uint8_t type = 8;
    std::uint8_t code = 0;
    std::uint16_t identifier = 1; // the two halves of the second word, whatever the type calls them
    std::uint16_t sequence = 1;
    std::optional<std::uint16_t> checksum = {};
};

// Tunnels (IP in IP needs no header of its own) -----------------------------------------------------------------------

struct Gre { // RFC 2784, 2890; version 1: RFC 2637
    bool with_checksum = false;
    std::optional<std::uint32_t> key = {};
    std::optional<std::uint32_t> sequence = {};
    std::optional<std::uint32_t> acknowledgment = {}; // version 1 only
    std::uint8_t version = 0;
    std::optional<std::uint16_t> protocol = {};
    std::optional<std::uint16_t> flags_and_version = {};
};

struct Vxlan { // RFC 7348
    std::uint32_t vni = 1;
    std::uint8_t flags = 0x08;
};

struct Geneve { // RFC 8926
    std::uint32_t vni = 1;
    Bytes options = {}; // padded with zeros to a multiple of 4
    std::uint8_t version = 0;
    std::optional<std::uint8_t> option_words = {};
    std::optional<std::uint16_t> protocol = {};
};

// Bytes as they are: application data, or a header that has no type here.
struct Payload {
    std::string data = {};
};

using Header = std::variant<Ethernet, Vlan, Mpls, Pppoe, Ppp, LinuxCooked, LinuxCooked2, Loopback, Ipv4, Ipv6,
                            Ipv6Extension, Ipv6Fragment, Tcp, Udp, Icmp, Gre, Vxlan, Geneve, Payload>;

// The packet made of `headers`, the outermost first. It may begin at any layer.
Bytes build(const std::vector<Header>& headers);

// The same, with what follows the last IP header cut into fragments of `fragment_bytes` (a multiple of 8) each but the
// last. IPv4 fragments carry the header's `id`, IPv6 ones `ipv6_id`.
std::vector<Bytes> build_fragments(const std::vector<Header>& headers, std::size_t fragment_bytes,
                                   std::uint32_t ipv6_id = 1);

} // namespace ftpsensor::test
