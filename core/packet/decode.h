// From a frame to its IP packets: link layers, VLAN tags, MPLS, PPPoE, IP of both versions, fragments, tunnels.
//
// A packet may hold several IP packets, one inside the other (GRE, IP in IP, VXLAN, Geneve, Teredo, AYIYA, GTP): they
// come out as layers, the outermost first, and the innermost one that could be read last. Or side by side, in an
// aggregate of a wireless LAN (A-MSDU): they come out one after another. The rules, names and limits are Zeek's packet
// analyzers'. Network input never trips an assertion: it counts a named event.
//
// A Decoder belongs to one worker (it holds fragments under reassembly). Layers point into the packet, or, for a
// reassembled datagram, into the Decoder, until the next call of decode().
#pragma once

#include "core/base/events.h"
#include "core/base/ip_address.h"
#include "core/packet/packet_view.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace ftpsensor {

enum class Transport : std::uint8_t { tcp, udp, icmp, unknown }; // conn.log's `proto`; icmp serves ICMPv6 too

// How a layer's packet was carried in the one before it.
enum class TunnelKind : std::uint8_t { none, ip_in_ip, gre, vxlan, geneve, teredo, ayiya, gtp };

inline constexpr std::size_t kMaxTunnelDepth = 4; // Zeek's Tunnel::max_depth

// One IP packet, whole (fragments reassembled) as far as it was captured. Ports and numbers in host byte order.
struct Layer {
    IpAddress source;
    IpAddress destination;
    // TCP, UDP: the ports. ICMP: the type, and the type that answers it, or, where nothing answers (one_way), the code.
    // Else 0.
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t ip_proto = 0; // IPv4 protocol or IPv6 next header, after extension headers
    Transport transport = Transport::unknown;
    TunnelKind carried_by = TunnelKind::none; // how, in the layer before this one
    // False: GRE or IP in IP, which is no connection and only carries the next layer, as a parent that its addresses
    // tell. It may also be the last layer, where nothing inside could be read.
    bool makes_connection = true;
    bool one_way = false;         // ICMP: nothing answers this type
    bool bad_l4_checksum = false; // only where checksums are looked at, and the whole segment is there
    bool bad_header = false;      // TCP: data offset wrong or beyond the packet; the connection exists, nothing counts
    bool doubtful = false;        // it came in fragments that many hosts throw away (DecodeOptions::doubt_fragments)
    // By the IP header, all of it: what orig_ip_bytes adds up. Of a reassembled datagram, that of the whole, with the
    // headers of one fragment. 0 where an IPv4 header says 0 (segmentation offloading): so counts Zeek; the payload is
    // what is there.
    std::uint32_t ip_length = 0;

    const std::uint8_t* l4 = nullptr;      // the transport header
    std::uint32_t l4_captured = 0;         // bytes there at `l4`
    const std::uint8_t* payload = nullptr; // behind the transport header
    std::uint32_t payload_length = 0;      // by the IP header's lengths (of UDP, too: see udp_length)
    std::uint32_t payload_captured = 0;    // bytes there, at most payload_length

    // TCP only
    std::uint32_t tcp_seq = 0;
    std::uint32_t tcp_ack = 0;
    std::uint16_t tcp_window = 0;
    std::uint8_t tcp_flags = 0;        // FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128
    std::int8_t tcp_window_scale = -1; // of a SYN; -1: no such option
    std::uint16_t udp_length = 0;      // UDP only: the length field of its header
};

// Why the last layer's tunnel over UDP was left closed, where the connection has to know.
enum class TunnelEnd : std::uint8_t {
    none,
    refused,  // not this tunnel's protocol after all: no later packet of the connection is opened either
    too_deep, // kMaxTunnelDepth reached: the history tells
};

struct DecodedPacket {
    // 0: nothing that makes a connection (counted by name where it is odd). Layers beyond it hold leftovers.
    std::uint8_t layer_count = 0;
    TunnelEnd tunnel_end = TunnelEnd::none;
    TunnelKind refused = TunnelKind::none; // with TunnelEnd::refused
    // To be used up before the next decode(): a layer points into the Decoder, or decode_more() is due.
    bool borrowed = false;
    // So many layers are those of the frame before it in an aggregate, which has counted for them.
    std::uint8_t told = 0;
    std::array<Layer, kMaxTunnelDepth + 1> layers;
};

// ignore: nothing is computed. verify: a packet with a wrong IPv4 header checksum gives no layer, and a tunnel over UDP
// with a wrong one is not opened. mark: such packets are decoded as if right. Wrong checksums are counted by the
// decoder; what bad_l4_checksum means for a connection is the connection's business.
enum class ChecksumPolicy : std::uint8_t { ignore, verify, mark };

// From a datagram's first fragment on, in packet time. As long as most hosts (Linux, the BSDs) remember one by default:
// a sensor that remembers for longer puts together what no receiver does, one that forgets sooner misses what some do.
struct FragmentTimeouts {
    Duration ipv4 = 30 * kSecond;
    Duration ipv6 = kMinute; // RFC 8200 4.5
};

struct DecodeOptions {
    ChecksumPolicy checksums = ChecksumPolicy::ignore;
    // Of this Decoder: memory for the bytes of all datagrams under reassembly, and how many there are (another 360
    // bytes each). Reserved at once, touched when used. The oldest datagram makes room.
    std::size_t fragment_bytes_max = 32u << 20;
    std::size_t fragment_datagrams_max = 16384;
    FragmentTimeouts fragment_timeouts = {};
    // Fragments that contradict one another are also read as Linux reads them, and Zeek's reading is marked
    // (Layer::doubtful). Else there is Zeek's alone.
    bool doubt_fragments = false;
};

class Decoder {
public:
    Decoder(const DecodeOptions& options, EventCounters& events);
    ~Decoder();
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    // Decodes one packet, whose `now` must not go back. The outermost IP header must be whole for a connection to come
    // of it; a fragment that does not complete its datagram gives no layer. What is damaged or closed inside of a
    // tunnel leaves the layers around it standing.
    void decode(const PacketView& packet, DecodedPacket& out);
    // The next frame of an aggregate, behind a decode() or decode_more() of the same packet into `out`, whose outer
    // layers are still there; false: there is none. To be asked where decode() says `borrowed`. A frame that could not
    // be read gives no layer.
    bool decode_more(const PacketView& packet, DecodedPacket& out);
    void set_fragment_timeouts(const FragmentTimeouts& timeouts); // of datagrams that begin from now on

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace ftpsensor
