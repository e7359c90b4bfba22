#include "daemon/live/af_xdp.h"

#include "daemon/live/rss.h"
#include "daemon/live/service_unit.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kRssKeyMax = 256; // bytes
constexpr std::uint32_t kRssTableMax = 65536;
constexpr std::uint32_t kFrameOverhead = 14 + 2 * 4; // Ethernet with two tags: not counted by the MTU

// Of the card, by two requests: how long it is, then the key itself behind the table of queues.
std::vector<std::uint8_t> rss_key(const std::string& name) {
    ethtool_rxfh sizes{};
    sizes.cmd = ETHTOOL_GRSSH;
    if (!ethtool_call(name, &sizes) || sizes.key_size == 0 || sizes.key_size > kRssKeyMax ||
        sizes.indir_size > kRssTableMax)
        return {};
    const std::size_t table = sizes.indir_size * sizeof(std::uint32_t);
    std::vector<std::uint32_t> memory((sizeof sizes + table + sizes.key_size) / sizeof(std::uint32_t) + 1);
    std::memcpy(memory.data(), &sizes, sizeof sizes);
    if (!ethtool_call(name, memory.data())) return {};
    const auto* key = reinterpret_cast<const std::uint8_t*>(memory.data()) + sizeof sizes + table;
    return {key, key + sizes.key_size};
}

// Two bytes again and again (rss.h). A card that tells no key is not judged.
bool is_symmetric(const std::vector<std::uint8_t>& key) {
    for (std::size_t i = 2; i < key.size(); ++i)
        if (key[i] != key[i - 2]) return false;
    return true;
}

} // namespace

std::string allow_af_xdp(const std::string& unit) {
    return fmt::format("by systemctl edit {}: [Service] AmbientCapabilities=CAP_BPF CapabilityBoundingSet=CAP_BPF "
                       "SystemCallFilter=bpf (each on a line of its own)",
                       unit);
}

AfXdpState inspect_af_xdp(const std::string& name) {
    AfXdpState state;
    const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    state.error = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    state.rss_key = rss_key(name);
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
                 "run as root, or " + allow_af_xdp(kService));
    if (state.queues > std::min(state.served, workers))
        add_note(notes, NoteLevel::problem,
                 fmt::format("{}: receives on {} queues, AF_XDP would see the packets of {} alone", name, state.queues,
                             std::min(state.served, workers)),
                 state.served < state.queues
                     ? fmt::format("ethtool -L {} rx 1", name)
                     : fmt::format("ethtool -L {} combined {}, or workers.count: {}", name, workers, state.queues));
    if (workers > 1 && !is_symmetric(state.rss_key))
        add_fixable_note(notes, NoteLevel::warning,
                         name + ": its RSS is not symmetric: the two directions of a connection may reach two workers",
                         {"ethtool", "-X", name, "hkey", rss_key_text(symmetric_rss_key(state.rss_key.size()))});
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
