// IP addresses and networks of both families.
//
// An IPv4 address is held as the IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so that one type of 16
// bytes, compared and hashed as bytes, serves both. Plain values; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace ftpsensor {

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{}; // network byte order

    // `network_order`: 4 (IPv4) or 16 (IPv6) bytes as they stand in the packet.
    static IpAddress from_v4(const std::uint8_t* network_order) {
        IpAddress a;
        a.bytes[10] = a.bytes[11] = 0xff;
        std::memcpy(a.bytes.data() + 12, network_order, 4);
        return a;
    }
    static IpAddress from_v6(const std::uint8_t* network_order) {
        IpAddress a;
        std::memcpy(a.bytes.data(), network_order, 16);
        return a;
    }
    static IpAddress from_v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
        const std::uint8_t v4[4] = {a, b, c, d};
        return from_v4(v4);
    }

    bool is_v4() const {
        static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        return std::memcmp(bytes.data(), mapped, 12) == 0;
    }
    bool is_unspecified() const { return *this == IpAddress{}; } // "::"

    // Dotted quad or RFC 5952 text, as inet_pton(3) takes it. Empty: not an address.
    static std::optional<IpAddress> parse(std::string_view text);
    std::string to_string() const; // dotted quad, or RFC 5952
    // Writes to_string() to `out` (at least 46 bytes) and returns the number of characters; no allocation.
    std::size_t format(char* out) const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};
static_assert(sizeof(IpAddress) == 16);

// A network in CIDR notation. `prefix_bits` counts from the start of the 16 bytes: an IPv4 /24 is 120.
struct IpNetwork {
    IpAddress base;
    std::uint8_t prefix_bits = 128;

    // "10.0.0.0/8", "fe80::/10", or a lone address. Bits beyond the prefix must be 0. Empty: not a network.
    static std::optional<IpNetwork> parse(std::string_view text);
    bool contains(const IpAddress& address) const;
    std::string to_string() const;

    friend bool operator==(const IpNetwork&, const IpNetwork&) = default;
};

} // namespace ftpsensor
