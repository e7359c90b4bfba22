// A PCI device as the kernel sees it, before DPDK takes it: there, and bound to which driver. Main thread.
#pragma once

#include "daemon/live/note.h"

#include <string>

namespace ftpsensor {

struct PciState {
    bool exists = false;
    std::string driver;        // "vfio-pci", "mlx5_core", "ixgbe"; empty: none
    int numa_node = -1;        // -1: unknown, or the machine has one
    std::string iommu_group{}; // "12"; empty: none
};

PciState inspect_pci(const std::string& address, const std::string& sysfs = "/sys/bus/pci/devices");

// Whether DPDK can take the device: bound to a user-space driver, or to one that shares it with DPDK (mlx4, mlx5,
// mana).
void check_pci(const std::string& address, const PciState& state, Notes& notes);

// The NUMA node of a logical CPU; -1: unknown.
int numa_node_of_cpu(unsigned cpu, const std::string& sysfs = "/sys/devices/system/cpu");

} // namespace ftpsensor
