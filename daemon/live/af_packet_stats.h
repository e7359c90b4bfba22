// What the kernel dropped before net_af_packet saw it, and the driver's sockets themselves.
//
// The driver (DPDK 22.11 and 24.11) counts what it delivered and keeps its sockets to itself; what found its ring full
// is known to the kernel alone (packet(7), PACKET_STATISTICS). The sockets are found by walking /proc/self/fd for
// AF_PACKET sockets bound to the interface. A read resets the kernel's figures, so one reader accumulates them.
// Main thread; the sockets stay the driver's and live until its port is closed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ftpsensor {

// This process's AF_PACKET sockets bound to the interface, in ascending order: the driver opens them one after the
// other before any other thread runs, so that this is the order of its queues.
std::vector<int> find_packet_sockets(unsigned interface_index);

struct KernelCounts {
    std::uint64_t packets = 0; // that the kernel handed to the sockets, dropped ones included
    std::uint64_t drops = 0;   // of these, found the ring full
};

class PacketSocketStats {
public:
    explicit PacketSocketStats(std::vector<int> sockets) : sockets_(std::move(sockets)), drops_(sockets_.size(), 0) {}
    // Reads and resets the kernel's figures, adds them up. False: a socket could not be asked (closed).
    bool poll();
    void forget(); // what came before the capture began
    // The kernel took them off it, which it does for good when an interface is removed or leaves the network namespace.
    bool lost_their_interface() const;
    const KernelCounts& counts() const { return counts_; }
    std::uint64_t drops_of(std::size_t socket) const { return socket < drops_.size() ? drops_[socket] : 0; }
    const std::vector<int>& sockets() const { return sockets_; }

private:
    std::vector<int> sockets_;
    std::vector<std::uint64_t> drops_; // of each
    KernelCounts counts_;
};

// A loopback interface hands every packet to AF_PACKET twice, sent and received; this drops the sent one in the kernel.
bool drop_outgoing(int socket);

} // namespace ftpsensor
