// The Internet checksum (RFC 1071) and the pseudo-headers of TCP, UDP and ICMPv6 (RFC 9293 3.1, RFC 8200 8.1).
//
// Internal to core/packet. Plain functions; any thread.
#pragma once

#include "core/base/ip_address.h"

#include <cstdint>

namespace ftpsensor {

// The one's complement sum of big-endian 16-bit words. Pieces are added at even offsets, so that only the last one may
// have an odd length. A block that holds its own checksum sums up to 0xffff.
class OnesComplementSum {
public:
    void add(const std::uint8_t* data, std::uint32_t size);
    void add_number(std::uint32_t value); // as 32 bits in network byte order
    // Independent of byte order as far as 0xffff is concerned.
    bool is_valid() const;

private:
    std::uint64_t sum_ = 0; // of 32-bit words as the machine reads them; never overflows below 16 GiB
};

bool ipv4_header_checksum_is_valid(const std::uint8_t* header, std::uint32_t size);

// `size` bytes of transport header and payload; the addresses are those of Layer (final destination, home address).
bool transport_checksum_is_valid(const IpAddress& source, const IpAddress& destination, std::uint8_t ip_proto,
                                 const std::uint8_t* segment, std::uint32_t size);

// ICMP over IPv4 has no pseudo-header.
bool icmp_checksum_is_valid(const std::uint8_t* message, std::uint32_t size);

} // namespace ftpsensor
