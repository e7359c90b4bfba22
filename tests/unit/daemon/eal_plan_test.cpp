// plan_eal(): EAL's arguments from the config.
#include "daemon/live/eal.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace ftpsensor;

namespace {

const std::vector<HugepagePool> kNoHugepages;
const std::vector<HugepagePool> kManyHugepages{{2u << 20, 1024, 1024}};

std::vector<std::string> arguments(const Config& config, const std::vector<HugepagePool>& pools = kNoHugepages) {
    return plan_eal(config, pools, {0, 1, 2, 5}, 4711).arguments;
}

bool has(const std::vector<std::string>& arguments, const std::string& argument) {
    return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
}

std::string value_of(const std::vector<std::string>& arguments, const std::string& option) {
    const auto at = std::find(arguments.begin(), arguments.end(), option);
    return at == arguments.end() || at + 1 == arguments.end() ? "" : *(at + 1);
}

PortConfig interface_port() { return {.interface = "eth1", .pci = "", .vdev = ""}; }
PortConfig pci_port(const char* address) { return {.interface = "", .pci = address, .vdev = ""}; }

} // namespace

TEST_CASE("the main thread floats over the allowed CPUs and the prefix is the process's own") {
    const auto out = arguments(Config());
    CHECK(value_of(out, "--lcores") == "0@(0-2,5)");
    CHECK(value_of(out, "--file-prefix") == "ftpsensor-4711");
    CHECK_FALSE(has(out, "--no-telemetry")); // dpdk-telemetry.py asks for /ftpsensor/...
}

TEST_CASE("without huge pages the heap has a fixed size and --in-memory, which EAL refuses then, is left out") {
    Config config;
    config.eal.memory = 256u << 20;
    const auto out = arguments(config);
    CHECK(has(out, "--no-huge"));
    CHECK(has(out, "--no-shconf"));
    CHECK(value_of(out, "-m") == "320"); // 64 MiB for DPDK's own tables
    CHECK_FALSE(has(out, "--in-memory"));
}

TEST_CASE("with huge pages nothing is left on disk") {
    const auto out = arguments(Config(), kManyHugepages);
    CHECK(has(out, "--in-memory"));
    CHECK_FALSE(has(out, "--no-huge"));
    CHECK_FALSE(has(out, "-m"));
}

TEST_CASE("PCI is left alone unless a PCI port is configured, and then all but that port") {
    Config config;
    config.capture.ports = {interface_port()};
    CHECK(has(arguments(config), "--no-pci"));
    CHECK_FALSE(has(arguments(config), "-a"));
    config.capture.ports = {pci_port("0000:3b:00.0"), pci_port("0000:3b:00.1")};
    const auto out = arguments(config);
    CHECK_FALSE(has(out, "--no-pci"));
    CHECK(std::count(out.begin(), out.end(), "-a") == 2);
    CHECK(has(out, "0000:3b:00.1"));
}

TEST_CASE("an option in eal_args takes the place of the computed one, whatever its form") {
    Config config;
    config.eal.eal_args = {"-l0-3", "--file-prefix=mine", "-m512", "--telemetry", "--log-level=pmd:debug"};
    const auto out = arguments(config);
    CHECK_FALSE(has(out, "--lcores"));
    CHECK_FALSE(has(out, "--file-prefix"));
    CHECK_FALSE(has(out, "-m"));
    CHECK_FALSE(has(out, "--no-telemetry"));
    CHECK(out.back() == "--log-level=pmd:debug");
    CHECK(plan_eal(config, kNoHugepages, {0}, 1).given == 5); // whose fault a wrong one is
    CHECK(plan_eal(Config(), kNoHugepages, {0}, 1).given == 0);
}

TEST_CASE("an option that only begins like another does not stand for it") {
    Config config;
    config.eal.eal_args = {"--main-lcore=0", "--match-allocations"};
    CHECK(has(arguments(config), "-m"));
    CHECK(has(arguments(config), "--lcores"));
}

TEST_CASE("lists of CPUs are written in ranges") {
    CHECK(cpu_list({}).empty());
    CHECK(cpu_list({3}) == "3");
    CHECK(cpu_list({0, 1, 2, 4, 6, 7}) == "0-2,4,6-7");
    CHECK(cpu_list({128, 129, 130}) == "128,129-130"); // of 128-130 EAL would take 130 alone
    CHECK(cpu_list({126, 127, 128, 129}) == "126-129");
}
