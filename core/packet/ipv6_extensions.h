// The chain of IPv6 extension headers (RFC 8200 4), and the two places in it that replace an address: the last hop of a
// routing header with segments left (types 0 and 2), and the Home Address option of Mobile IPv6 (RFC 6275 6.3).
//
// Internal to core/packet. Zeek's rules: the chain ends with a fragment, ESP or mobility header, and before a header
// that is not whole, whose type is then taken for the protocol. Not Zeek's: a fragment header of a whole datagram
// ("atomic") ends nothing, since its receiver holds it against no other fragment (RFC 6946). No state; any thread.
#pragma once

#include "core/base/events.h"
#include "core/base/ip_address.h"
#include "core/packet/cursor.h"

#include <cstdint>

namespace ftpsensor {

inline constexpr std::uint8_t kProtoIcmp = 1;
inline constexpr std::uint8_t kProtoIpv4 = 4;
inline constexpr std::uint8_t kProtoTcp = 6;
inline constexpr std::uint8_t kProtoUdp = 17;
inline constexpr std::uint8_t kProtoIpv6 = 41;
inline constexpr std::uint8_t kProtoRouting = 43;
inline constexpr std::uint8_t kProtoFragment = 44;
inline constexpr std::uint8_t kProtoGre = 47;
inline constexpr std::uint8_t kProtoEsp = 50;
inline constexpr std::uint8_t kProtoAh = 51;
inline constexpr std::uint8_t kProtoIcmpv6 = 58;
inline constexpr std::uint8_t kProtoNone = 59;
inline constexpr std::uint8_t kProtoDestinationOptions = 60;
inline constexpr std::uint8_t kProtoMobility = 135;

inline constexpr bool is_ipv6_extension(std::uint8_t next_header) {
    switch (next_header) {
    case 0: // hop-by-hop options
    case kProtoRouting:
    case kProtoFragment:
    case kProtoEsp:
    case kProtoAh:
    case kProtoDestinationOptions:
    case kProtoMobility: return true;
    default: return false;
    }
}

struct Ipv6Chain {
    IpAddress source;      // in: of the IPv6 header; out: of the connection
    IpAddress destination; // likewise
    bool home_address_seen = false;
    bool final_destination_seen = false;

    std::uint8_t next_header = kProtoNone;   // in: type of the first; out: what follows the last
    std::uint8_t last_header = 0;            // type of the last extension header; kProtoIpv6 where there is none
    const std::uint8_t* last_data = nullptr; // and where it is
    const std::uint8_t* fragment = nullptr;  // the fragment header that ends the chain, if one does
    std::uint32_t length = 0;                // of all extension headers
    std::uint32_t atomic_length = 0;         // of those that are atomic fragments'
};

// Walks the extension headers at `at`. `events` may be null: nothing is counted.
void walk_ipv6_extensions(Cursor at, Ipv6Chain& chain, EventCounters* events);

} // namespace ftpsensor
