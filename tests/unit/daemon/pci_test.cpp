// PCI ports: there, and bound to a driver that DPDK can work with.
#include "daemon/live/pci.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace ftpsensor;

namespace {

Notes notes_on(const char* driver) {
    Notes notes;
    check_pci("0000:3b:00.0", {.exists = true, .driver = driver, .numa_node = 0}, notes);
    return notes;
}

} // namespace

TEST_CASE("user-space drivers and those that share the device with DPDK will do") {
    CHECK(notes_on("vfio-pci").empty());
    CHECK(notes_on("mlx5_core").empty());
}

TEST_CASE("a device of the kernel's, of nobody's, or none is a problem with the command that binds it") {
    const auto notes = notes_on("ixgbe");
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::problem);
    CHECK(notes[0].remedy == "modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0");
    CHECK(notes_on("").size() == 1);
    Notes absent;
    check_pci("0000:3b:00.0", {}, absent);
    CHECK(absent.at(0).remedy == "dpdk-devbind.py --status-dev net");
}

TEST_CASE("driver, IOMMU group and NUMA node are read from sysfs") {
    namespace fs = std::filesystem;
    const fs::path root = fs::temp_directory_path() / ("pci_test." + std::to_string(getpid()));
    fs::create_directories(root / "0000:01:00.0");
    fs::create_directories(root / "drivers" / "vfio-pci");
    fs::create_directory_symlink(root / "drivers" / "vfio-pci", root / "0000:01:00.0" / "driver");
    std::ofstream(root / "0000:01:00.0" / "numa_node") << "1\n";
    fs::create_directory_symlink("../../../kernel/iommu_groups/12", root / "0000:01:00.0" / "iommu_group");
    fs::create_directories(root / "cpu3" / "node1");
    const auto state = inspect_pci("0000:01:00.0", root.string());
    const auto absent = inspect_pci("0000:02:00.0", root.string());
    const int node = numa_node_of_cpu(3, root.string());
    const int unknown = numa_node_of_cpu(4, root.string());
    fs::remove_all(root);
    CHECK(state.exists);
    CHECK(state.driver == "vfio-pci");
    CHECK(state.numa_node == 1);
    CHECK(state.iommu_group == "12");
    CHECK(absent.iommu_group.empty());
    CHECK_FALSE(absent.exists);
    CHECK(node == 1);
    CHECK(unknown == -1);
}
