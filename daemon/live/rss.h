// Receive side scaling: which queue, and so which worker, a packet of a physical port goes to.
//
// The key repeats the two bytes 0x6d5a, with which Toeplitz hashing gives both directions of a connection the same
// value (Woo and Park, 2012). What the port really took is read back and said. What other ports hash by: spread.h.
// Main thread.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ftpsensor {

std::vector<std::uint8_t> symmetric_rss_key(std::size_t bytes); // a multiple of 2; ports take 40 or 52

// The RTE_ETH_RSS_* bits of `capability` to ask for. addresses: a pair of hosts on one worker: fragments, tunnels and a
// session's data connections stay with their connection, but one busy pair is one busy worker. ports: TCP and UDP ports
// too, which spreads better and parts those. auto: addresses, as fragments are then always where they belong. A card
// that cannot hash the addresses of TCP and UDP alone (i40e, ENA) is asked for their ports, too: else none of them has
// a hash, and all go to one queue.
std::uint64_t rss_hash_fields(ConfigRss rss, std::uint64_t capability);
bool hashes_ports(std::uint64_t fields);
bool spreads_tcp(std::uint64_t fields); // over IPv4, by whatever

std::string rss_key_text(const std::vector<std::uint8_t>& key); // "6d:5a:6d:5a", as ethtool takes it
std::string rss_fields_text(std::uint64_t fields);              // "addresses, TCP and UDP ports (0x…)"

} // namespace ftpsensor
