#include "daemon/live/pci.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace ftpsensor {
namespace {

constexpr std::array<std::string_view, 3> kUserSpaceDrivers{"vfio-pci", "uio_pci_generic", "igb_uio"};
constexpr std::array<std::string_view, 3> kSharingDrivers{"mlx4_core", "mlx5_core", "mana"};

} // namespace

PciState inspect_pci(const std::string& address, const std::string& sysfs) {
    const std::filesystem::path device = std::filesystem::path(sysfs) / address;
    std::error_code error;
    PciState state;
    state.exists = std::filesystem::exists(device, error);
    state.driver = std::filesystem::read_symlink(device / "driver", error).filename().string();
    state.iommu_group = std::filesystem::read_symlink(device / "iommu_group", error).filename().string();
    std::ifstream node(device / "numa_node");
    if (!(node >> state.numa_node)) state.numa_node = -1;
    return state;
}

void check_pci(const std::string& address, const PciState& state, Notes& notes) {
    if (!state.exists) {
        add_note(notes, NoteLevel::problem, address + ": there is no such PCI device",
                 "dpdk-devbind.py --status-dev net");
        return;
    }
    if (std::count(kUserSpaceDrivers.begin(), kUserSpaceDrivers.end(), state.driver) != 0) return;
    if (std::count(kSharingDrivers.begin(), kSharingDrivers.end(), state.driver) != 0) return;
    add_note(notes, NoteLevel::problem,
             address + ": bound to " + (state.driver.empty() ? "no driver" : "the kernel's driver " + state.driver) +
                 ", DPDK cannot take it",
             "modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci " + address);
}

int numa_node_of_cpu(unsigned cpu, const std::string& sysfs) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(sysfs + "/cpu" + std::to_string(cpu), error)) {
        const std::string name = entry.path().filename().string();
        int node = -1;
        if (name.starts_with("node") &&
            std::from_chars(name.data() + 4, name.data() + name.size(), node).ec == std::errc())
            return node;
    }
    return -1;
}

} // namespace ftpsensor
