// How a port spreads packets over its queues, and whether packets have to go to other workers for that
// (capture.resteer).
//
// What each kind of port really hashes: AF_PACKET's fan-out group (DPDK's driver: PACKET_FANOUT_HASH with DEFRAG and
// ROLLOVER) takes the kernel's symmetric hash of addresses and ports, inside of GRE and IP in IP, outside of tunnels
// over UDP, whose two directions have other ports; and where a ring has little room, any other queue. AF_XDP takes what
// the card does, as ethtool told it. A physical port takes the symmetric key, or does not (rss.h). Pure; any thread.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ftpsensor {

enum class PortKind : std::uint8_t { interface, af_xdp, physical, virtual_device };

struct PortSpread {
    std::string name;
    PortKind kind = PortKind::physical;
    std::uint32_t queues = 1;
    // Why the two directions of a connection, or packets of a tunnel, may reach two queues; empty: they do not.
    std::string parts = {};
    // What decides which queue a hash goes to, and what is hashed; ports of two cards may differ in it. Empty: not
    // ours.
    std::string hash = {};
};

// Of a port that spreads over several queues by a hash that is not ours to choose.
std::string parts_by_kind(PortKind kind);

// Why packets go to the workers that own them; empty: a worker keeps what it receives.
std::string resteer_reason(const Config& config, const std::vector<PortSpread>& ports);

} // namespace ftpsensor
