#include "core/log/community_id.h"

// One block of SHA-1 an entry. OpenSSL 3's EVP interface costs several times the hash itself, even with the algorithm
// fetched beforehand; the low-level functions are deprecated, not removed, and still use the processor's instructions.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/log/text_writers.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

#include <netinet/in.h>
#include <openssl/sha.h>

namespace ftpsensor {

namespace {

constexpr std::uint8_t kSctp = 132;

// ICMP types that are answered by another type (RFC 792, 950, 1256).
bool has_counterpart_v4(std::uint16_t type) {
    switch (type) {
    case 0:
    case 8: // echo
    case 9:
    case 10: // router advertisement, solicitation
    case 13:
    case 14: // timestamp
    case 15:
    case 16: // information
    case 17:
    case 18: // address mask
        return true;
    default: return false;
    }
}

// The same for ICMPv6 (RFC 4443, 4861, 2710, 4620, 6275).
bool has_counterpart_v6(std::uint16_t type) {
    switch (type) {
    case 128:
    case 129: // echo
    case 130:
    case 131: // multicast listener query, report
    case 133:
    case 134: // router solicitation, advertisement
    case 135:
    case 136: // neighbour solicitation, advertisement
    case 139:
    case 140: // node information
    case 144:
    case 145: // home agent address discovery
        return true;
    default: return false;
    }
}

struct Flow { // as it is hashed
    const IpAddress* source;
    const IpAddress* destination;
    std::uint16_t source_port; // network byte order
    std::uint16_t destination_port;
};

std::uint8_t hashed_protocol(Transport proto, std::uint8_t ip_proto, bool v4) {
    switch (proto) {
    case Transport::tcp: return IPPROTO_TCP;
    case Transport::udp: return IPPROTO_UDP;
    case Transport::icmp: // by the addresses, whatever the packet said
        if (v4) return IPPROTO_ICMP;
        return IPPROTO_ICMPV6;
    case Transport::unknown: break;
    }
    return ip_proto;
}

Flow ordered_flow(const EndpointId& id, Transport proto, bool v4) {
    Flow flow{&id.orig_h, &id.resp_h, htons(id.orig_p), htons(id.resp_p)};
    const bool one_way =
        proto == Transport::icmp && !(v4 ? has_counterpart_v4(id.orig_p) : has_counterpart_v6(id.orig_p));
    if (one_way) return flow;
    // Between equal addresses the port decides. Zeek compares the ports as they lie in memory, in network byte order
    // but as numbers of a little-endian machine, which is not the order of the specification. Its ids are what analysts
    // have; ours are the same.
    const auto key = [](std::uint16_t port) { return static_cast<std::uint16_t>((port & 0xff) << 8 | port >> 8); };
    const std::uint16_t source_key = key(id.orig_p);
    const std::uint16_t destination_key = key(id.resp_p);
    if (std::tie(id.orig_h.bytes, source_key) < std::tie(id.resp_h.bytes, destination_key)) return flow;
    std::swap(flow.source, flow.destination);
    std::swap(flow.source_port, flow.destination_port);
    return flow;
}

char* put_base64(char* out, const std::array<std::uint8_t, SHA_DIGEST_LENGTH>& digest) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto put_group = [&](std::uint32_t bits) {
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = digits[bits >> shift & 0x3f];
    };
    for (std::size_t i = 0; i < 18; i += 3)
        put_group(static_cast<std::uint32_t>(digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2]));
    put_group(static_cast<std::uint32_t>(digest[18] << 16 | digest[19] << 8));
    out[-1] = '='; // 20 bytes: the last group holds two
    return out;
}

} // namespace

char* put_community_id(char* out, const EndpointId& id, Transport proto, std::uint8_t ip_proto) {
    const bool v4 = id.orig_h.is_v4();
    const Flow flow = ordered_flow(id, proto, v4);
    const std::uint8_t protocol = hashed_protocol(proto, ip_proto, v4);

    std::array<std::uint8_t, 40> message{}; // seed (2 bytes, 0), addresses, protocol, padding, ports
    const std::size_t skip = v4 ? 12 : 0;
    std::uint8_t* p = message.data() + 2;
    p = std::copy(flow.source->bytes.begin() + skip, flow.source->bytes.end(), p);
    p = std::copy(flow.destination->bytes.begin() + skip, flow.destination->bytes.end(), p);
    *p = protocol;
    p += 2;
    if (proto != Transport::unknown || protocol == kSctp) {
        std::memcpy(p, &flow.source_port, 2);
        std::memcpy(p + 2, &flow.destination_port, 2);
        p += 4;
    }

    SHA_CTX context;
    std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest;
    SHA1_Init(&context);
    SHA1_Update(&context, message.data(), static_cast<std::size_t>(p - message.data()));
    SHA1_Final(digest.data(), &context);
    return put_base64(put(out, "1:"), digest);
}

} // namespace ftpsensor
