// A network interface of the kernel, made fit for capture and given back as it was.
//
// Offloads that glue packets together (gro, lro; tso and gso, which on a veth pair reach the other end unsplit) are
// switched off through the ethtool ioctl: a glued packet is not what was on the wire, and may not fit its slot.
// Promiscuous mode is a membership of a socket (packet(7), PACKET_MR_PROMISC): the kernel counts memberships and drops
// ours however the process ends. (DPDK's way is the interface's flag, which stays on after a kill; it also clears the
// flag at every start, so that the guard puts it back where the administrator had set it.) Main thread.
#pragma once

#include "daemon/live/note.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ftpsensor {

// The offloads that matter, by ethtool's names.
enum class Offload : std::uint8_t { gro, lro, tso, gso };
const char* offload_name(Offload offload);

struct InterfaceState {
    bool exists = false;
    bool up = false;      // administratively
    bool running = false; // carrier
    bool loopback = false;
    bool promiscuous = false; // set by the administrator (ip link set … promisc on), not by sockets
    bool ethernet = false;    // ARPHRD_ETHER or loopback, which has Ethernet headers too
    unsigned index = 0;
    std::uint32_t mtu = 0;
    int numa_node = -1;           // of its card; -1: unknown, or the machine has one
    std::vector<Offload> glueing; // on
};

InterfaceState inspect_interface(const std::string& name);
// Bytes of the longest frame that it delivers: its MTU with an Ethernet header and two VLAN tags, and never over
// `snaplen`. Glued packets are longer, up to 64 KiB; so may be what arrives after the MTU was raised.
std::uint32_t longest_frame(const InterfaceState& state, std::uint32_t snaplen);
bool has_carrier(const std::string& name); // there, up and running: packets can come

// What became of an interface that sockets are bound to: it is its index that they know, not its name.
struct InterfaceLink {
    bool exists = false;   // under whatever name
    bool carrier = false;  // packets can come
    bool replaced = false; // it is gone, and another one has its name and a carrier, of which the sockets see nothing
};
InterfaceLink inspect_link(unsigned index, const std::string& name);

// Why the interface cannot be captured on (absent, down, not Ethernet), with the remedy; nothing where it can.
void check_interface(const std::string& name, const InterfaceState& state, Notes& notes);

// ethtool -K eth1 gro off lro off
std::vector<std::string> offload_command(const std::string& name, const std::vector<Offload>& offloads);

// A request of the SIOCETHTOOL ioctl (linux/ethtool.h), which begins with its command. False: errno says why.
bool ethtool_call(const std::string& name, void* request);

// The other end of a veth pair, where it is in this network namespace: its tso and gso arrive here unsplit.
// "": not a veth, or the other end is elsewhere. `elsewhere` tells the two apart.
std::string veth_peer(const std::string& name, bool& elsewhere);

// Holds the interface promiscuous and its offloads off.
class InterfaceGuard {
public:
    // Throws std::runtime_error where check_interface() finds a problem or promiscuous mode is refused; offloads that
    // cannot be switched off are noted only.
    InterfaceGuard(const std::string& name, Notes& notes);
    ~InterfaceGuard();
    InterfaceGuard(const InterfaceGuard&) = delete;
    InterfaceGuard& operator=(const InterfaceGuard&) = delete;

    const InterfaceState& state() const { return state_; }
    // Once a second: offloads that another program, such as a second sensor at its end, has switched on since.
    void check_offloads(Notes& notes);

private:
    void be_promiscuous();
    void switch_off(const std::string& interface, const std::vector<Offload>& offloads, Notes& notes);
    void switch_off_peer(Notes& notes);

    struct Changed {
        unsigned index; // of the interface
        Offload offload;
        bool operator==(const Changed&) const = default;
    };
    std::string name_;
    InterfaceState state_;
    int socket_ = -1;
    std::vector<Changed> changed_; // what is to be switched on again
    std::vector<Offload> refused_; // the interface's own
};

} // namespace ftpsensor
