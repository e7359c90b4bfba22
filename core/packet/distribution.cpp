// distribution_hash() of decode.h.

#include "core/packet/cursor.h"
#include "core/packet/decode.h"
#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kIpv4HeaderLength = 20;
constexpr std::uint32_t kIpv6HeaderLength = 40;

std::uint64_t mix(const IpAddress& address) {
    std::uint64_t high = load_native64(address.bytes.data());
    std::uint64_t low = load_native64(address.bytes.data() + 8);
    // Odd constants (the golden ratio, and one of xxHash's primes); each multiplication spreads upwards, each shift
    // down.
    high = (high ^ (high >> 29)) * 0x9e3779b97f4a7c15;
    low = (low ^ (low >> 31)) * 0xc2b2ae3d27d4eb4f;
    const std::uint64_t both = (high ^ (high >> 32)) + low;
    return (both ^ (both >> 29)) * 0x9e3779b97f4a7c15;
}

std::uint32_t symmetric_hash(const IpAddress& a, const IpAddress& b) {
    const std::uint64_t sum = mix(a) + mix(b);
    return static_cast<std::uint32_t>(((sum ^ (sum >> 32)) * 0xc2b2ae3d27d4eb4f) >> 32);
}

// The addresses of the connection: a routing header or a home address stands before the fragment header, in every
// fragment alike.
std::uint32_t hash_ipv6(Cursor at) {
    Ipv6Chain chain;
    chain.source = IpAddress::from_v6(at.data + 8);
    chain.destination = IpAddress::from_v6(at.data + 24);
    chain.next_header = at.data[6];
    at.skip(kIpv6HeaderLength);
    if (is_ipv6_extension(chain.next_header)) walk_ipv6_extensions(at, chain, nullptr);
    return symmetric_hash(chain.source, chain.destination);
}

} // namespace

std::uint32_t distribution_hash(const PacketView& packet) {
    Cursor at = {packet.data, packet.captured, std::max(packet.length, packet.captured) - packet.captured};
    if (skip_link_headers(packet.link, at, nullptr) || at.captured < kIpv4HeaderLength) return 0;
    if (at.data[0] >> 4 == 4) {
        return symmetric_hash(IpAddress::from_v4(at.data + 12), IpAddress::from_v4(at.data + 16));
    }
    if (at.data[0] >> 4 == 6 && at.captured >= kIpv6HeaderLength) return hash_ipv6(at);
    return 0;
}

} // namespace ftpsensor
