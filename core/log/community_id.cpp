#include "core/log/community_id.h"

// One block of SHA-1 an entry, padded here. OpenSSL 3's EVP interface costs several times the hash itself, even with
// the algorithm fetched beforehand; the low-level functions are deprecated, not removed, and still use the processor's
// instructions.
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

struct Base64Pair {
    char text[2];
};

constexpr std::array<Base64Pair, 4096> make_base64_pairs() {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::array<Base64Pair, 4096> pairs{};
    for (unsigned bits = 0; bits < pairs.size(); ++bits) pairs[bits] = {{digits[bits >> 6], digits[bits & 0x3f]}};
    return pairs;
}
constexpr std::array<Base64Pair, 4096> kBase64Pairs = make_base64_pairs(); // 12 bits each

// The hash of a message of one block: the five words of the state, as numbers.
std::array<std::uint32_t, 5> sha1_of_block(const std::array<std::uint8_t, SHA_CBLOCK>& block) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Transform(&context, block.data());
    return {context.h0, context.h1, context.h2, context.h3, context.h4};
}

char* put_base64(char* out, const std::array<std::uint32_t, 5>& words) {
    const auto put_pair = [&out](std::uint64_t bits) {
        std::memcpy(out, kBase64Pairs[bits & 0xfff].text, 2);
        out += 2;
    };
    // 160 bits in groups of 12: 60 of the first two words, the other 4 and 56 of the next two, and so on.
    const std::uint64_t first = std::uint64_t{words[0]} << 32 | words[1];
    const std::uint64_t second = std::uint64_t{words[2]} << 32 | words[3];
    for (int shift = 52; shift >= 4; shift -= 12) put_pair(first >> shift);
    put_pair(first << 8 | second >> 56);
    for (int shift = 44; shift >= 8; shift -= 12) put_pair(second >> shift);
    put_pair(second << 4 | words[4] >> 28);
    put_pair(words[4] >> 16);
    put_pair(words[4] >> 4);
    put_pair(std::uint64_t{words[4]} << 8); // the last four bits, and eight that stand for nothing
    out[-1] = '=';
    return out;
}

} // namespace

char* put_community_id(char* out, const EndpointId& id, Transport proto, std::uint8_t ip_proto) {
    const bool v4 = id.orig_h.is_v4();
    const Flow flow = ordered_flow(id, proto, v4);
    const std::uint8_t protocol = hashed_protocol(proto, ip_proto, v4);

    // Seed (2 bytes, 0), addresses, protocol, padding, ports: 40 bytes at most; then what SHA-1 pads with.
    std::array<std::uint8_t, SHA_CBLOCK> message{};
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

    const auto bits = static_cast<std::uint16_t>((p - message.data()) * 8);
    *p = 0x80;
    message[SHA_CBLOCK - 2] = static_cast<std::uint8_t>(bits >> 8);
    message[SHA_CBLOCK - 1] = static_cast<std::uint8_t>(bits);
    return put_base64(put(out, "1:"), sha1_of_block(message));
}

} // namespace ftpsensor
