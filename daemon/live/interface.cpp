#include "daemon/live/interface.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kVlanTagBytes = 4;

class ControlSocket { // for interface ioctls
public:
    ControlSocket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~ControlSocket() {
        if (fd_ >= 0) close(fd_);
    }
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;
    bool call(unsigned long request, ifreq& argument) const { return ioctl(fd_, request, &argument) == 0; }

private:
    int fd_;
};

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    return request;
}

struct OffloadCommands { // ethtool's commands to read and to set one; LRO is a bit of the flags
    Offload offload;
    const char* name;
    std::uint32_t get;
    std::uint32_t set;
    std::uint32_t mask;
};
constexpr std::array<OffloadCommands, 4> kOffloads{{
    {Offload::gro, "gro", ETHTOOL_GGRO, ETHTOOL_SGRO, 1},
    {Offload::lro, "lro", ETHTOOL_GFLAGS, ETHTOOL_SFLAGS, ETH_FLAG_LRO},
    {Offload::tso, "tso", ETHTOOL_GTSO, ETHTOOL_STSO, 1},
    {Offload::gso, "gso", ETHTOOL_GGSO, ETHTOOL_SGSO, 1},
}};
const OffloadCommands& commands_of(Offload offload) { return kOffloads[static_cast<std::size_t>(offload)]; }

std::optional<std::uint32_t> ethtool_get(const std::string& name, std::uint32_t command) {
    ethtool_value value{.cmd = command, .data = 0};
    if (!ethtool_call(name, &value)) return std::nullopt;
    return value.data;
}

bool offload_is_on(const std::string& name, Offload offload) {
    const auto& commands = commands_of(offload);
    return (ethtool_get(name, commands.get).value_or(0) & commands.mask) != 0;
}

// False: errno says why.
bool set_offload(const std::string& name, Offload offload, bool on) {
    const auto& commands = commands_of(offload);
    const std::uint32_t others = ethtool_get(name, commands.get).value_or(0) & ~commands.mask;
    ethtool_value value{.cmd = commands.set, .data = others | (on ? commands.mask : 0)};
    return ethtool_call(name, &value);
}

unsigned read_sysfs_number(const std::string& path) {
    std::ifstream file(path);
    unsigned value = 0;
    file >> value;
    return file ? value : 0;
}

std::string name_now(unsigned index) { // "": there is none
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(index, name.data()) != nullptr ? name.data() : "";
}

} // namespace

bool ethtool_call(const std::string& name, void* request) {
    ifreq carrier = request_for(name);
    carrier.ifr_data = static_cast<char*>(request);
    return ControlSocket().call(SIOCETHTOOL, carrier);
}

const char* offload_name(Offload offload) { return commands_of(offload).name; }

std::vector<std::string> offload_command(const std::string& name, const std::vector<Offload>& offloads) {
    std::vector<std::string> command{"ethtool", "-K", name};
    for (const Offload offload : offloads) command.insert(command.end(), {offload_name(offload), "off"});
    return command;
}

InterfaceState inspect_interface(const std::string& name) {
    InterfaceState state;
    state.index = name.size() < IFNAMSIZ ? if_nametoindex(name.c_str()) : 0;
    state.exists = state.index != 0;
    if (!state.exists) return state;
    const ControlSocket control;
    ifreq request = request_for(name);
    if (control.call(SIOCGIFFLAGS, request)) {
        const auto flags = static_cast<unsigned>(request.ifr_flags);
        state.up = (flags & IFF_UP) != 0;
        state.running = (flags & IFF_RUNNING) != 0;
        state.loopback = (flags & IFF_LOOPBACK) != 0;
        state.promiscuous = (flags & IFF_PROMISC) != 0;
    }
    request = request_for(name);
    if (control.call(SIOCGIFMTU, request)) state.mtu = static_cast<std::uint32_t>(request.ifr_mtu);
    request = request_for(name);
    if (control.call(SIOCGIFHWADDR, request)) {
        const auto family = request.ifr_hwaddr.sa_family;
        state.ethernet = family == ARPHRD_ETHER || family == ARPHRD_LOOPBACK;
    }
    std::ifstream node("/sys/class/net/" + name + "/device/numa_node");
    if (!(node >> state.numa_node)) state.numa_node = -1;
    for (const auto& offload : kOffloads)
        if (offload_is_on(name, offload.offload)) state.glueing.push_back(offload.offload);
    return state;
}

std::uint32_t longest_frame(const InterfaceState& state, std::uint32_t snaplen) {
    if (state.mtu == 0) return snaplen; // unknown
    const std::uint64_t longest = std::uint64_t{state.mtu} + ETH_HLEN + 2 * kVlanTagBytes;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(longest, snaplen));
}

bool has_carrier(const std::string& name) {
    ifreq request = request_for(name);
    return ControlSocket().call(SIOCGIFFLAGS, request) &&
           (static_cast<unsigned>(request.ifr_flags) & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
}

InterfaceLink inspect_link(unsigned index, const std::string& name) {
    const std::string now = name_now(index);
    InterfaceLink link;
    link.exists = !now.empty();
    link.carrier = link.exists && has_carrier(now);
    link.replaced = !link.exists && has_carrier(name);
    return link;
}

void check_interface(const std::string& name, const InterfaceState& state, Notes& notes) {
    if (!state.exists) {
        add_note(notes, NoteLevel::problem, name + ": there is no such network interface", "ip -brief link");
        return;
    }
    if (!state.ethernet)
        add_note(notes, NoteLevel::problem, name + ": not an Ethernet interface, which net_af_packet asks for",
                 "set capture.ports to an Ethernet interface");
    if (!state.up)
        add_fixable_note(notes, NoteLevel::problem, name + ": the interface is down",
                         {"ip", "link", "set", name, "up"});
    else if (!state.running)
        add_note(notes, NoteLevel::warning, name + ": no carrier: nothing will be seen until the link comes up");
}

std::string veth_peer(const std::string& name, bool& elsewhere) {
    elsewhere = false;
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    if (!ethtool_call(name, &info) || std::strcmp(info.driver, "veth") != 0) return {};
    // iflink is the other end's number in its own namespace; it is ours if that interface points back.
    const unsigned peer = read_sysfs_number("/sys/class/net/" + name + "/iflink");
    std::array<char, IF_NAMESIZE> buffer{};
    if (if_indextoname(peer, buffer.data()) != nullptr &&
        read_sysfs_number(std::string("/sys/class/net/") + buffer.data() + "/iflink") == if_nametoindex(name.c_str()))
        return buffer.data();
    elsewhere = true;
    return {};
}

InterfaceGuard::InterfaceGuard(const std::string& name, Notes& notes) : name_(name), state_(inspect_interface(name)) {
    Notes found;
    check_interface(name, state_, found);
    throw_first_problem(found);
    notes.insert(notes.end(), found.begin(), found.end());
    be_promiscuous();
    if (state_.loopback) return; // its packets are glued by the sender; switching that off would slow the machine
    switch_off(name_, state_.glueing, notes);
    switch_off_peer(notes);
}

void InterfaceGuard::be_promiscuous() {
    socket_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); // protocol 0: receives nothing
    if (socket_ < 0)
        throw std::runtime_error(name_ + ": cannot open an AF_PACKET socket (" + std::strerror(errno) +
                                 "): run as root or with CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in the unit)");
    packet_mreq membership{};
    membership.mr_ifindex = static_cast<int>(state_.index);
    membership.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(socket_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
        const int error = errno;
        close(socket_);
        throw std::runtime_error(name_ + ": cannot be made promiscuous (" + std::strerror(error) +
                                 "); try: ip link set " + name_ + " promisc on");
    }
}

void InterfaceGuard::switch_off(const std::string& interface, const std::vector<Offload>& offloads, Notes& notes) {
    const unsigned index = if_nametoindex(interface.c_str());
    std::vector<Offload> refused;
    int error = 0;
    std::string done;
    for (const Offload offload : offloads) {
        if (!set_offload(interface, offload, false) || offload_is_on(interface, offload)) {
            error = errno;
            refused.push_back(offload);
            if (index == state_.index) refused_.push_back(offload);
            continue;
        }
        const Changed changed{index, offload};
        if (std::find(changed_.begin(), changed_.end(), changed) == changed_.end()) changed_.push_back(changed);
        done += fmt::format("{}{}", done.empty() ? "" : ", ", offload_name(offload));
    }
    if (!done.empty()) add_note(notes, NoteLevel::info, interface + ": switched off for the capture: " + done);
    if (!refused.empty())
        add_note(notes, NoteLevel::warning,
                 fmt::format("{}: offloads that glue packets together stay on ({}): glued packets count as one, and "
                             "those over its MTU or capture.snaplen are cut",
                             interface, std::strerror(error)),
                 shell_words(offload_command(interface, refused)));
}

void InterfaceGuard::check_offloads(Notes& notes) {
    const std::string name = name_now(state_.index);
    if (state_.loopback || name.empty()) return;
    std::vector<Offload> on;
    for (const auto& each : kOffloads)
        if (std::find(refused_.begin(), refused_.end(), each.offload) == refused_.end() &&
            offload_is_on(name, each.offload))
            on.push_back(each.offload);
    if (!on.empty()) switch_off(name, on, notes);
}

void InterfaceGuard::switch_off_peer(Notes& notes) {
    bool elsewhere = false;
    const std::string peer = veth_peer(name_, elsewhere);
    if (elsewhere)
        add_note(notes, NoteLevel::info,
                 name_ + ": the other end of this veth pair is in another network namespace; where its tso or gso is "
                         "on, packets arrive glued together",
                 "in that namespace: ethtool -K OTHER_END tso off gso off");
    if (peer.empty()) return;
    std::vector<Offload> senders;
    for (const Offload offload : inspect_interface(peer).glueing)
        if (offload == Offload::tso || offload == Offload::gso) senders.push_back(offload);
    switch_off(peer, senders, notes);
}

// By index: meanwhile it may have another name, and another interface its own. One that is gone needs nothing.
InterfaceGuard::~InterfaceGuard() {
    for (auto changed = changed_.rbegin(); changed != changed_.rend(); ++changed)
        if (const std::string name = name_now(changed->index); !name.empty()) set_offload(name, changed->offload, true);
    ifreq request = request_for(name_now(state_.index));
    const ControlSocket control;
    if (state_.promiscuous && control.call(SIOCGIFFLAGS, request)) {
        request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_PROMISC);
        control.call(SIOCSIFFLAGS, request);
    }
    close(socket_);
}

} // namespace ftpsensor
