// What this process may do: effective capabilities and the memory it may lock. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/note.h"

#include <cstdint>

namespace ftpsensor {

struct Permissions {
    bool net_raw = false;   // CAP_NET_RAW: AF_PACKET sockets
    bool net_admin = false; // CAP_NET_ADMIN: net_af_packet sets the interface's address and flags when it starts a port
    bool bpf = false;       // CAP_BPF or CAP_SYS_ADMIN: the XDP program of net_af_xdp
    bool ipc_lock = false;  // CAP_IPC_LOCK: locking rings beyond the limit
    std::uint64_t memlock_bytes_max = 0;
};

Permissions read_permissions();

// What the configured ports need and the process lacks. `locked_bytes`: of all AF_PACKET rings.
void check_permissions(const Permissions& permissions, const CaptureConfig& capture, std::uint64_t locked_bytes,
                       Notes& notes);

} // namespace ftpsensor
