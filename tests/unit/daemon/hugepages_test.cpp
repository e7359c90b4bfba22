// plan_memory() and read_hugepage_pools(): huge pages there, missing, demanded.
#include "daemon/live/hugepages.h"
#include "tests/support/catch.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace ftpsensor;

namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr HugepagePool kSmall{2 * kMiB, 300, 300};
constexpr HugepagePool kLarge{1024 * kMiB, 4, 4};

EalConfig eal(ConfigHugepages choice) {
    EalConfig config;
    config.hugepages = choice;
    config.memory = 512 * kMiB;
    return config;
}

} // namespace

TEST_CASE("the largest page that is there in sufficient number is taken") {
    Notes notes;
    const auto plan = plan_memory(eal(ConfigHugepages::automatic), {kSmall, kLarge}, false, notes);
    CHECK(plan.hugepages);
    CHECK(plan.page_bytes == kLarge.page_bytes);
    CHECK(plan.pages_needed == 1);
    CHECK(plan_memory(eal(ConfigHugepages::automatic), {kSmall}, false, notes).pages_needed == 288); // 512 + 64 MiB
}

TEST_CASE("too few pages: ordinary ones, with the command that reserves what is missing beside what is in use") {
    Notes notes;
    const auto plan = plan_memory(eal(ConfigHugepages::automatic), {{2 * kMiB, 100, 60}}, false, notes);
    CHECK_FALSE(plan.hugepages);
    CHECK(plan.possible);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::info);
    CHECK(notes[0].remedy == "sysctl -w vm.nr_hugepages=328"); // 40 in use, 288 needed
}

TEST_CASE("a port bound to a DPDK driver makes missing huge pages a warning") {
    Notes notes;
    plan_memory(eal(ConfigHugepages::automatic), {}, true, notes);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::warning);
}

TEST_CASE("demanded and missing is a problem, not wanted is none") {
    Notes notes;
    CHECK_FALSE(plan_memory(eal(ConfigHugepages::on), {{2 * kMiB, 0, 0}}, false, notes).possible);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::problem);
    CHECK(notes[0].remedy == "sysctl -w vm.nr_hugepages=288");
    notes.clear();
    CHECK(plan_memory(eal(ConfigHugepages::off), {kSmall}, false, notes).possible);
    CHECK_FALSE(plan_memory(eal(ConfigHugepages::off), {kSmall}, false, notes).hugepages);
}

TEST_CASE("pages of another size than 2 MiB have no sysctl of their own") {
    Notes notes;
    plan_memory(eal(ConfigHugepages::on), {{1024 * kMiB, 0, 0}}, false, notes);
    CHECK(notes.at(0).remedy == "echo 1 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages");
}

TEST_CASE("the pools are read from sysfs, what is not a pool is passed over") {
    namespace fs = std::filesystem;
    const fs::path sysfs = fs::temp_directory_path() / ("hugepages_test." + std::to_string(getpid()));
    for (const char* folder : {"hugepages-2048kB", "hugepages-1048576kB", "hugepages-xkB", "other"})
        fs::create_directories(sysfs / folder);
    std::ofstream(sysfs / "hugepages-2048kB" / "nr_hugepages") << "128\n";
    std::ofstream(sysfs / "hugepages-2048kB" / "free_hugepages") << "28\n";
    const auto pools = read_hugepage_pools(sysfs.string());
    fs::remove_all(sysfs);
    REQUIRE(pools.size() == 2);
    CHECK(pools[0].page_bytes == 2 * kMiB);
    CHECK(pools[0].total == 128);
    CHECK(pools[0].free == 28);
    CHECK(pools[1].total == 0);
    CHECK(read_hugepage_pools("/nonexistent").empty());
}
