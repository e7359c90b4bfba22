#include "daemon/live/rss.h"

#include <fmt/format.h>
#include <rte_ethdev.h>

namespace ftpsensor {

std::vector<std::uint8_t> symmetric_rss_key(std::size_t bytes) {
    std::vector<std::uint8_t> key(bytes);
    for (std::size_t i = 0; i < bytes; ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
    return key;
}

std::uint64_t rss_hash_fields(ConfigRss rss, std::uint64_t capability) {
    constexpr std::uint64_t addresses = RTE_ETH_RSS_IP;
    constexpr std::uint64_t ports = RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;
    return (rss == ConfigRss::ports ? addresses | ports : addresses) & capability;
}

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
    add(RTE_ETH_RSS_IP, "addresses");
    add(RTE_ETH_RSS_TCP, "TCP ports");
    add(RTE_ETH_RSS_UDP, "UDP ports");
    add(RTE_ETH_RSS_SCTP, "SCTP ports");
    return fmt::format("{} (hash fields {:#x})", text.empty() ? "nothing" : text, fields);
}

} // namespace ftpsensor
