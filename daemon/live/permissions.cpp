#include "daemon/live/permissions.h"

#include "daemon/live/af_xdp.h"
#include "daemon/live/service_unit.h"

#include <algorithm>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/resource.h>

namespace ftpsensor {
namespace {

constexpr const char* kRaiseCapabilities =
    "run as root, or give the unit AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN CAP_IPC_LOCK, or: "
    "setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep $(command -v ftpsensord)";

std::uint64_t effective_capabilities() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("CapEff:")) return std::stoull(line.substr(7), nullptr, 16);
    return 0;
}

} // namespace

Permissions read_permissions() {
    const std::uint64_t effective = effective_capabilities();
    const auto has = [&](unsigned capability) { return (effective >> capability & 1) != 0; };
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    return {.net_raw = has(CAP_NET_RAW),
            .net_admin = has(CAP_NET_ADMIN),
            .bpf = has(CAP_BPF) || has(CAP_SYS_ADMIN),
            .ipc_lock = has(CAP_IPC_LOCK),
            .memlock_bytes_max = limit.rlim_cur};
}

void check_permissions(const Permissions& permissions, const CaptureConfig& capture, std::uint64_t locked_bytes,
                       Notes& notes) {
    const bool interfaces = std::any_of(capture.ports.begin(), capture.ports.end(), [](const PortConfig& port) {
        return !port.interface.empty() || !port.af_xdp.empty();
    });
    if (!interfaces) return;
    if (!permissions.net_raw)
        add_note(notes, NoteLevel::problem, "capturing on a network interface needs CAP_NET_RAW", kRaiseCapabilities);
    if (!permissions.net_admin)
        add_note(
            notes, NoteLevel::problem,
            "capturing on a network interface needs CAP_NET_ADMIN (net_af_packet sets its flags; offloads that glue "
            "packets together are switched off)",
            kRaiseCapabilities);
    const bool xdp = std::any_of(capture.ports.begin(), capture.ports.end(),
                                 [](const PortConfig& port) { return !port.af_xdp.empty(); });
    if (xdp && !permissions.bpf)
        add_note(notes, NoteLevel::problem, "AF_XDP needs CAP_BPF for its XDP program",
                 "run as root, or " + allow_af_xdp(kService));
    if (!permissions.ipc_lock && locked_bytes > permissions.memlock_bytes_max)
        add_note(notes, NoteLevel::problem,
                 fmt::format("the rings lock {} MiB of memory, the limit of this process is {} MiB", locked_bytes >> 20,
                             permissions.memlock_bytes_max >> 20),
                 "LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited, or CAP_IPC_LOCK, or a smaller "
                 "capture.ring_bytes");
}

} // namespace ftpsensor
