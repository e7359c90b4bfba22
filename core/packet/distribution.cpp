#include "core/packet/distribution.h"

#include "core/base/mix.h"
#include "core/packet/decode.h"
#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"
#include "core/packet/tunnel.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kIpv4HeaderLength = 20;
constexpr std::uint32_t kIpv6HeaderLength = 40;

std::uint64_t spread(const IpAddress& address) {
    std::uint64_t high = load_native64(address.bytes.data());
    std::uint64_t low = load_native64(address.bytes.data() + 8);
    // Odd constants (the golden ratio, and one of xxHash's primes); each multiplication spreads upwards, each shift
    // down.
    high = (high ^ (high >> 29)) * 0x9e3779b97f4a7c15;
    low = (low ^ (low >> 31)) * 0xc2b2ae3d27d4eb4f;
    const std::uint64_t both = (high ^ (high >> 32)) + low;
    return (both ^ (both >> 29)) * 0x9e3779b97f4a7c15;
}

bool is_transparent_tunnel(std::uint8_t proto) {
    return proto == kProtoIpv4 || proto == kProtoIpv6 || proto == kProtoGre;
}

} // namespace

// One IP packet, as far as its place among the workers goes.
struct Distribution::Ip {
    std::uint64_t addresses = 0; // symmetric
    std::uint8_t proto = 0;
    bool fragment = false;
    std::uint32_t offset = 0; // of a fragment
    std::uint32_t id = 0;
    Cursor payload;

    std::uint32_t hash() const {
        return static_cast<std::uint32_t>(((addresses ^ (addresses >> 32)) * 0xc2b2ae3d27d4eb4f) >> 32);
    }
    bool read(const Cursor& at);
    void read_ipv4(const Cursor& at);
    void read_ipv6(const Cursor& at);
    void set_payload(const Cursor& at, std::uint32_t header, std::uint32_t total);
};

// As the decoder takes it: headers that say that nothing follows, or that make no sense, bound nothing.
void Distribution::Ip::set_payload(const Cursor& at, std::uint32_t header, std::uint32_t total) {
    payload = at;
    payload.skip(std::min(header, at.captured));
    if (total > header) payload.keep(total - header);
}

void Distribution::Ip::read_ipv4(const Cursor& at) {
    addresses = spread(IpAddress::from_v4(at.data + 12)) + spread(IpAddress::from_v4(at.data + 16));
    proto = at.data[9];
    const std::uint16_t bits = load_be16(at.data + 6);
    fragment = (bits & 0x3fff) != 0;
    offset = (bits & 0x1fffu) * 8u;
    id = load_be16(at.data + 4);
    set_payload(at, std::max((at.data[0] & 0x0fu) * 4u, kIpv4HeaderLength), load_be16(at.data + 2));
}

// The addresses of the connection: a routing header or a home address stands before the fragment header, in every
// fragment alike.
void Distribution::Ip::read_ipv6(const Cursor& at) {
    Ipv6Chain chain;
    chain.source = IpAddress::from_v6(at.data + 8);
    chain.destination = IpAddress::from_v6(at.data + 24);
    chain.next_header = at.data[6];
    Cursor behind = at;
    behind.skip(kIpv6HeaderLength);
    if (is_ipv6_extension(chain.next_header)) walk_ipv6_extensions(behind, chain, nullptr);
    addresses = spread(chain.source) + spread(chain.destination);
    proto = chain.next_header;
    if (chain.fragment != nullptr) {
        fragment = true;
        offset = load_be16(chain.fragment + 2) & 0xfff8u;
        id = load_be32(chain.fragment + 4);
    }
    set_payload(at, kIpv6HeaderLength + chain.length, kIpv6HeaderLength + load_be16(at.data + 4));
}

bool Distribution::Ip::read(const Cursor& at) {
    if (at.captured < kIpv4HeaderLength) return false;
    const unsigned version = at.data[0] >> 4;
    if (version == 4) {
        read_ipv4(at);
    } else {
        if (version != 6 || at.captured < kIpv6HeaderLength) return false;
        read_ipv6(at);
    }
    return true;
}

std::uint32_t Distribution::hash(const PacketView& packet) {
    Cursor at = {packet.data, packet.captured, std::max(packet.length, packet.captured) - packet.captured};
    if (skip_link_headers(packet.link, at, nullptr)) return 0;
    time_ = packet.time;
    return hash_ip(at, 0);
}

// 0: no IP packet.
std::uint32_t Distribution::hash_ip(const Cursor& at, std::size_t depth) {
    Ip ip;
    if (!ip.read(at)) return 0;
    if (!is_transparent_tunnel(ip.proto) || depth >= kMaxTunnelDepth) [[likely]]
        return ip.hash();
    return ip.fragment ? hash_fragment(ip, depth) : hash_inside(ip, depth);
}

// Of a tunnel's packet; what can not be opened here or by the decoder makes no connection, wherever it goes.
std::uint32_t Distribution::hash_inside(const Ip& ip, std::size_t depth) {
    Inner inner{ip.payload};
    if (ip.proto == kProtoGre) {
        const Segment segment = {.data = ip.payload.data, .captured = ip.payload.captured};
        TunnelEnd end = TunnelEnd::none;
        const auto opened = open_tunnel(TunnelKind::gre, Layer{}, segment, depth, unheard_, end);
        if (!opened) return ip.hash();
        inner = *opened;
    }
    if (inner.link != LinkType::raw_ip && skip_link_headers(inner.link, inner.at, nullptr)) return ip.hash();
    const std::uint32_t hash = hash_ip(inner.at, depth + 1);
    return hash != 0 ? hash : ip.hash();
}

// The fragment that comes first decides for all: whoever has them puts them together.
std::uint32_t Distribution::hash_fragment(const Ip& ip, std::size_t depth) {
    const std::uint64_t key = mix(ip.addresses ^ secret_, (std::uint64_t{ip.proto} << 32 | ip.id) ^ ~secret_);
    Datagram& datagram = datagrams_[key % kDatagrams];
    const bool first = ip.offset == 0;
    const bool known = datagram.key == key && time_ - datagram.time <= kTogether && datagram.time - time_ <= kTogether;
    if (!known || (first && datagram.first)) datagram = {key, first ? hash_inside(ip, depth) : ip.hash(), first, time_};
    return datagram.hash;
}

} // namespace ftpsensor
