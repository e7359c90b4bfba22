#include "daemon/live/af_packet_stats.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

namespace ftpsensor {
namespace {

bool is_packet_socket_on(int fd, unsigned interface_index) {
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_PACKET) return false;
    sockaddr_ll address{};
    size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    return address.sll_ifindex == static_cast<int>(interface_index);
}

} // namespace

std::vector<int> find_packet_sockets(unsigned interface_index) {
    std::vector<int> sockets;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
        const std::string name = entry.path().filename().string();
        int fd = -1;
        if (std::from_chars(name.data(), name.data() + name.size(), fd).ec != std::errc()) continue;
        if (is_packet_socket_on(fd, interface_index)) sockets.push_back(fd);
    }
    std::sort(sockets.begin(), sockets.end());
    return sockets;
}

bool PacketSocketStats::lost_their_interface() const {
    return std::any_of(sockets_.begin(), sockets_.end(), [](int socket) {
        sockaddr_ll address{};
        socklen_t size = sizeof address;
        return getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sll_ifindex <= 0;
    });
}

bool PacketSocketStats::poll() {
    bool all = true;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
        tpacket_stats stats{};
        socklen_t size = sizeof stats;
        if (getsockopt(sockets_[i], SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) {
            all = false;
            continue;
        }
        counts_.packets += stats.tp_packets;
        counts_.drops += stats.tp_drops;
        drops_[i] += stats.tp_drops;
    }
    return all;
}

void PacketSocketStats::forget() {
    counts_ = {};
    std::fill(drops_.begin(), drops_.end(), 0);
}

bool drop_outgoing(int socket) {
    // A = packet type; return nothing of an outgoing packet, all of any other.
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0x7fffffff),
    };
    const sock_fprog program{.len = 4, .filter = code};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

} // namespace ftpsensor
