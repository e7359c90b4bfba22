#include "core/packet/ipv6_extensions.h"

namespace ftpsensor {
namespace {

constexpr std::uint8_t kOptionPad1 = 0;
constexpr std::uint8_t kOptionHomeAddress = 201;
constexpr std::uint32_t kAddressLength = 16;
constexpr std::uint16_t kOffsetAndMore = 0xfff9; // of a fragment header

void count(EventCounters* events, Event event) {
    if (events != nullptr) events->count(event);
}

// At least two bytes of the header are there.
std::uint32_t extension_length(std::uint8_t type, const std::uint8_t* header) {
    switch (type) {
    case kProtoFragment:
    case kProtoEsp: return 8;                  // what follows the first 8 bytes of ESP is encrypted
    case kProtoAh: return 8u + 4u * header[1]; // RFC 4302: in 4-byte words, minus 2
    default: return 8u + 8u * header[1];       // in 8-byte units beyond the first
    }
}

void read_routing(const std::uint8_t* header, std::uint32_t length, Ipv6Chain& chain, EventCounters* events) {
    if (chain.final_destination_seen) return; // RFC 8200 4.1: one at most; the first counts
    const std::uint8_t units = header[1];
    const std::uint8_t type = header[2];
    const std::uint8_t segments_left = header[3];
    bool has_destination = false;
    if (type == 0) {
        count(events, Event::routing0_hdr); // deprecated by RFC 5095
        has_destination = segments_left > 0 && units >= 2 && units % 2 == 0;
    } else if (type == 2) {
        has_destination = segments_left > 0 && units == 2;
    } else {
        count(events, Event::unknown_routing_type);
    }
    if (!has_destination) return;
    chain.destination = IpAddress::from_v6(header + length - kAddressLength);
    chain.final_destination_seen = true;
}

void read_destination_options(const std::uint8_t* header, std::uint32_t length, Ipv6Chain& chain) {
    const std::uint8_t* at = header + 2;
    std::uint32_t left = length - 2;
    while (left > 0) {
        if (at[0] == kOptionPad1) {
            ++at;
            --left;
            continue;
        }
        if (left < 2 || left < 2u + at[1]) return;
        const std::uint32_t size = at[1];
        if (at[0] == kOptionHomeAddress && size == kAddressLength && !chain.home_address_seen) {
            chain.source = IpAddress::from_v6(at + 2);
            chain.home_address_seen = true;
        }
        at += 2 + size;
        left -= 2 + size;
    }
}

} // namespace

void walk_ipv6_extensions(Cursor at, Ipv6Chain& chain, EventCounters* events) {
    chain.last_header = kProtoIpv6;
    chain.length = 0;
    chain.fragment = nullptr;
    while (is_ipv6_extension(chain.next_header)) { // each takes 8 bytes at least
        if (at.captured < 2) return;
        const std::uint8_t type = chain.next_header;
        const std::uint32_t length = extension_length(type, at.data);
        if (length > at.captured) return;
        if (type == kProtoRouting) read_routing(at.data, length, chain, events);
        if (type == kProtoDestinationOptions) read_destination_options(at.data, length, chain);
        chain.last_header = type;
        chain.last_data = at.data;
        chain.next_header = type == kProtoEsp ? kProtoNone : at.data[0];
        chain.length += length;
        if (type == kProtoFragment) {
            if ((load_be16(at.data + 2) & kOffsetAndMore) != 0) {
                chain.fragment = at.data;
                return;
            }
            chain.atomic_length += length;
        }
        at.skip(length);
        if (type == kProtoEsp || type == kProtoMobility) return;
    }
}

} // namespace ftpsensor
