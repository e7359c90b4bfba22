// The ports that make their end the likely responder of a connection whose beginning was not seen.
//
// They are the ports that the reference's default scripts register for their protocols (Zeek's likely_server_ports).
// FTP's own are added from the configuration. Immutable after construction; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <span>

namespace ftpsensor {

class LikelyServerPorts {
public:
    explicit LikelyServerPorts(std::span<const std::uint16_t> ftp_ports);
    bool tcp(std::uint16_t port) const { return tcp_[port]; }
    bool udp(std::uint16_t port) const { return udp_[port]; }

private:
    std::bitset<65536> tcp_;
    std::bitset<65536> udp_;
};

} // namespace ftpsensor
