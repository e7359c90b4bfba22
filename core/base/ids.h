// Connection and file ids.
//
// An id is a keyed hash (SipHash-2-4, 128 bits, cut to 96 as Zeek's bits_per_uid) of what makes the connection one of
// its kind: never a counter, so that it does not depend on the number of workers. With the same seed the same capture
// gives the same ids. Plain functions; any thread.
#pragma once

#include "core/base/ip_address.h"
#include "core/base/time.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ftpsensor {

// The key of all ids of a run: random (daemon/) or from --seed.
struct IdKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
    static IdKey from_seed(std::uint64_t seed);
};

// 96 bits; written in base 62 (0-9A-Za-z) after a letter of its kind: "C" a connection, "F" a file.
struct Id96 {
    std::uint32_t high = 0;
    std::uint64_t low = 0;

    // Writes `letter` and the base-62 digits to `out` (at least 18 bytes); returns the number of characters.
    std::size_t format(char letter, char* out) const;
    std::string to_string(char letter) const;
    bool empty() const { return high == 0 && low == 0; }
    friend auto operator<=>(const Id96&, const Id96&) = default;
};

// What makes a connection one of its kind. Endpoints in either order give the same uid.
struct ConnIdentity {
    IpAddress orig_h;
    IpAddress resp_h;
    std::uint16_t orig_p = 0;
    std::uint16_t resp_p = 0;
    std::uint8_t ip_proto = 0;
    std::uint16_t ordinal = 0;   // of connections with the same endpoints that start in the same nanosecond
    std::uint32_t first_seq = 0; // TCP sequence number of the first packet; 0 where there is none
    Timestamp start = 0;
};

Id96 connection_uid(const IdKey& key, const ConnIdentity& identity);
// The file that one direction of a connection carries.
Id96 file_uid(const IdKey& key, const Id96& connection, bool from_originator);

// SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, 2012).
std::array<std::uint64_t, 2> siphash128(const IdKey& key, const void* data, std::size_t size);

} // namespace ftpsensor
