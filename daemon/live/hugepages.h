// Huge pages: what the kernel has, what the packet buffers need, and the command that closes the gap.
//
// Pure but for read_hugepage_pools(), which reads sysfs. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/note.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ftpsensor {

struct HugepagePool { // one size of page, all NUMA nodes together
    std::uint64_t page_bytes = 0;
    std::uint64_t total = 0; // pages
    std::uint64_t free = 0;
};

// /sys/kernel/mm/hugepages; empty where the kernel has no huge pages at all.
std::vector<HugepagePool> read_hugepage_pools(const std::string& sysfs = "/sys/kernel/mm/hugepages");

std::uint64_t available_memory_bytes(); // MemAvailable of proc(5); 0: unknown

struct MemoryPlan {
    bool hugepages = false;
    std::uint64_t page_bytes = 0;   // of the pages that are, or would be, used; 0: the kernel has none
    std::uint64_t pages_needed = 0; // for `bytes`
    std::uint64_t bytes = 0;        // what EAL may take: packet buffers and DPDK's own tables
    bool possible = true;           // false: hugepages are demanded (eal.hugepages: on) and not there
};

// DPDK's own tables beside the packet buffers (rings' index arrays, device data, lcore state).
inline constexpr std::uint64_t kEalOverheadBytes = 64ull << 20;

// Chooses between huge and ordinary pages and says in `notes` what the choice costs and how to change it.
// `physical_ports`: a port bound to a DPDK driver is among them; without huge pages those need an IOMMU.
MemoryPlan plan_memory(const EalConfig& config, const std::vector<HugepagePool>& pools, bool physical_ports,
                       Notes& notes);

} // namespace ftpsensor
