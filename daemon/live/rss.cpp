#include "daemon/live/rss.h"

#include <fmt/format.h>
#include <rte_ethdev.h>

namespace ftpsensor {
namespace {

constexpr std::uint64_t kPorts = RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
constexpr std::uint64_t kAddresses = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6;

} // namespace

std::vector<std::uint8_t> symmetric_rss_key(std::size_t bytes) {
    std::vector<std::uint8_t> key(bytes);
    for (std::size_t i = 0; i < bytes; ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    return key;
}

std::uint64_t rss_hash_fields(ConfigRss rss, std::uint64_t capability) {
    constexpr std::uint64_t ipv4_ports =
        RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_SCTP;
    std::uint64_t fields = RTE_ETH_RSS_IP;
    if (rss == ConfigRss::ports || (capability & RTE_ETH_RSS_IPV4) == 0) fields |= ipv4_ports;
    if (rss == ConfigRss::ports || (capability & RTE_ETH_RSS_IPV6) == 0) fields |= kPorts & ~ipv4_ports;
    return fields & capability;
}

bool hashes_ports(std::uint64_t fields) { return (fields & kPorts) != 0; }

bool spreads_tcp(std::uint64_t fields) { return (fields & (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP)) != 0; }

std::string rss_key_text(const std::vector<std::uint8_t>& key) {
    std::string text;
    for (const std::uint8_t byte : key) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", byte);
    return text;
}

std::string rss_fields_text(std::uint64_t fields) {
    std::string text;
    const auto add = [&](std::uint64_t bits, const char* what) {
        if ((fields & bits) != 0) text += (text.empty() ? "" : ", ") + std::string(what);
    };
    add(kAddresses, "addresses");
    if ((fields & kAddresses) == 0) add(RTE_ETH_RSS_IP, "addresses of fragments and of other protocols");
    add(RTE_ETH_RSS_TCP, "TCP ports");
    add(RTE_ETH_RSS_UDP, "UDP ports");
    add(RTE_ETH_RSS_SCTP, "SCTP ports");
    return fmt::format("{} (hash fields {:#x})", text.empty() ? "nothing" : text, fields);
}

} // namespace ftpsensor
