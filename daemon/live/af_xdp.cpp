#include "daemon/live/af_xdp.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kFrameOverhead = 14 + 2 * 4; // Ethernet with two tags: not counted by the MTU

} // namespace

AfXdpState inspect_af_xdp(const std::string& name) {
    AfXdpState state;
    const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    state.error = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    if (!ethtool_call(name, &channels)) return state; // a driver without channels has one queue
    state.queues = std::max(channels.rx_count + channels.combined_count, 1u);
    state.served = channels.max_combined == 0 ? 1 : std::max(channels.combined_count, 1u);
    return state;
}

void check_af_xdp(const std::string& name, const InterfaceState& interface, const AfXdpState& state,
                  std::uint32_t workers, Notes& notes) {
    if (state.error == EAFNOSUPPORT)
        add_note(notes, NoteLevel::problem, name + ": this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)",
                 "AF_PACKET instead: capture.ports: [{interface: " + name + "}]");
    else if (state.error != 0)
        add_note(notes, NoteLevel::problem,
                 fmt::format("{}: no AF_XDP socket can be opened ({})", name, std::strerror(state.error)),
                 "run as root, or give the unit AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_IPC_LOCK");
    if (state.queues > std::min(state.served, workers))
        add_note(notes, NoteLevel::problem,
                 fmt::format("{}: receives on {} queues, AF_XDP would see the packets of {} alone", name, state.queues,
                             std::min(state.served, workers)),
                 state.served < state.queues
                     ? fmt::format("ethtool -L {} rx 1", name)
                     : fmt::format("ethtool -L {} combined {}, or workers.count: {}", name, workers, state.queues));
    if (interface.mtu + kFrameOverhead > kAfXdpFrameMax)
        add_note(notes, NoteLevel::warning,
                 fmt::format("{}: its MTU is {}, AF_XDP loses frames longer than {} bytes", name, interface.mtu,
                             kAfXdpFrameMax),
                 fmt::format("ip link set {} mtu {}, or AF_PACKET instead: {{interface: {}}}", name,
                             kAfXdpFrameMax - kFrameOverhead, name));
}

std::string af_xdp_arguments(const std::string& name, std::uint32_t queues) {
    return fmt::format("iface={},start_queue=0,queue_count={}", name, queues);
}

} // namespace ftpsensor
