#include "daemon/live/rss.h"

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

} // namespace ftpsensor
