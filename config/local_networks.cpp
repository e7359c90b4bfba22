#include "config/config.h"

#include <array>
#include <string_view>

namespace ftpsensor {
namespace {

// Zeek's private address space (Site::private_address_space): the special-purpose registries of IANA (RFC 6890) without
// what is globally reachable. Each IPv4 network stands again as 6to4 (RFC 3056: 2002:aabb:ccdd::/48 of a.b.c.d).
// clang-format off
constexpr auto kPrivateNetworks = std::to_array<std::string_view>({
    "0.0.0.0/8", "2002::/24",                      // this network, RFC 791
    "10.0.0.0/8", "2002:a00::/24",                 // private use, RFC 1918
    "100.64.0.0/10", "2002:6440::/26",             // shared address space, RFC 6598
    "127.0.0.0/8", "2002:7f00::/24",               // loopback, RFC 1122
    "169.254.0.0/16", "2002:a9fe::/32",            // link local, RFC 3927
    "172.16.0.0/12", "2002:ac10::/28",             // private use, RFC 1918
    "192.0.0.0/24", "2002:c000::/40",              // IETF protocol assignments, RFC 6890
    "192.0.2.0/24", "2002:c000:200::/40",          // documentation, RFC 5737
    "192.168.0.0/16", "2002:c0a8::/32",            // private use, RFC 1918
    "198.18.0.0/15", "2002:c612::/31",             // benchmarking, RFC 2544
    "198.51.100.0/24", "2002:c633:6400::/40",      // documentation, RFC 5737
    "203.0.113.0/24", "2002:cb00:7100::/40",       // documentation, RFC 5737
    "224.0.0.0/24", "2002:e000::/40",              // local network control multicast, RFC 5771
    "239.0.0.0/8", "2002:ef00::/24",               // administratively scoped multicast, RFC 2365
    "240.0.0.0/4", "2002:f000::/20",               // reserved, RFC 1112
    "255.255.255.255/32", "2002:ffff:ffff::/48",   // limited broadcast, RFC 919
    "::/128",                                      // unspecified, RFC 4291
    "::1/128",                                     // loopback, RFC 4291
    "64:ff9b:1::/48",                              // IPv4-IPv6 translation, RFC 8215
    "100::/64",                                    // discard only, RFC 6666
    "2001::/23",                                   // IETF protocol assignments, RFC 2928
    "2001:2::/48",                                 // benchmarking, RFC 5180
    "2001:db8::/32",                               // documentation, RFC 3849
    "fc00::/7",                                    // unique local, RFC 4193
    "fe80::/10",                                   // link local, RFC 4291
    "fec0::/10",                                   // site local, deprecated by RFC 3879
});
// clang-format on

} // namespace

Config::Config() {
    for (const auto text : kPrivateNetworks) local_networks.push_back(IpNetwork::parse(text).value());
}

} // namespace ftpsensor
