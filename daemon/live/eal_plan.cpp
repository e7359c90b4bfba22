// plan_eal(): arguments only. Free of rte_* headers, so that `check` and tests need no DPDK.
#include "daemon/live/eal.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include <fmt/format.h>
#include <sched.h>

namespace ftpsensor {
namespace {

// RTE_MAX_LCORE as Debian builds it: of a range that begins there EAL takes the last CPU alone.
constexpr std::uint32_t kNotInARange = 128;

// EAL takes "--file-prefix x" and "--file-prefix=x", "-m 512" and "-m512".
bool names_option(std::string_view argument, std::string_view option) {
    if (argument == option) return true;
    const bool long_form = option.starts_with("--");
    if (long_form) return argument.starts_with(option) && argument[option.size()] == '=';
    return argument.starts_with(option) && !argument.starts_with("--");
}

bool given(const std::vector<std::string>& eal_args, std::initializer_list<std::string_view> options) {
    return std::any_of(eal_args.begin(), eal_args.end(), [&](std::string_view argument) {
        return std::any_of(options.begin(), options.end(),
                           [&](std::string_view option) { return names_option(argument, option); });
    });
}

void add_memory(const MemoryPlan& memory, const std::vector<std::string>& theirs, std::vector<std::string>& out) {
    // No files in hugetlbfs or /var/run: a kill -9 leaves no more behind than an empty folder, and sensors do not see
    // each other. EAL refuses --in-memory without huge pages, where all that is left of it is --no-shconf.
    if (memory.hugepages) { // taken as the pools ask for them
        if (!given(theirs, {"--in-memory", "--legacy-mem", "--huge-dir", "--no-huge"})) out.emplace_back("--in-memory");
        return;
    }
    if (!given(theirs, {"--no-shconf"})) out.emplace_back("--no-shconf");
    if (!given(theirs, {"--no-huge"})) out.emplace_back("--no-huge");
    if (given(theirs, {"-m", "--socket-mem"})) return;
    out.emplace_back("-m"); // without huge pages the heap is one mapping of a fixed size
    out.push_back(std::to_string((memory.bytes + (1 << 20) - 1) >> 20));
}

void add_devices(const Config& config, const std::vector<std::string>& theirs, std::vector<std::string>& out) {
    bool pci = false;
    for (const auto& port : config.capture.ports) {
        if (port.pci.empty()) continue;
        pci = true;
        out.emplace_back("-a"); // an allow list: EAL leaves every other device alone
        out.push_back(port.pci);
    }
    if (!pci && !given(theirs, {"--no-pci", "-a", "--allow", "-b", "--block"})) out.emplace_back("--no-pci");
}

} // namespace

std::string cpu_list(const std::vector<std::uint32_t>& cpus) {
    std::string text;
    for (std::size_t first = 0; first < cpus.size();) {
        std::size_t last = first;
        if (cpus[first] != kNotInARange)
            while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
        if (!text.empty()) text += ',';
        text += last == first ? std::to_string(cpus[first]) : fmt::format("{}-{}", cpus[first], cpus[last]);
        first = last + 1;
    }
    return text;
}

std::vector<std::uint32_t> allowed_cpus() {
    std::vector<std::uint32_t> cpus;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
    for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
}

EalPlan plan_eal(const Config& config, const std::vector<HugepagePool>& pools, const std::vector<std::uint32_t>& cpus,
                 int pid) {
    const auto& theirs = config.eal.eal_args;
    const bool physical = std::any_of(config.capture.ports.begin(), config.capture.ports.end(),
                                      [](const PortConfig& port) { return !port.pci.empty(); });
    EalPlan plan;
    plan.memory = plan_memory(config.eal, pools, physical, plan.notes);

    auto& out = plan.arguments;
    if (!given(theirs, {"-l", "-c", "-S", "--lcores"})) {
        out.emplace_back("--lcores");
        out.push_back("0@(" + cpu_list(cpus) + ")");
    }
    if (!given(theirs, {"--file-prefix"})) {
        out.emplace_back("--file-prefix");
        out.push_back(fmt::format("ftpsensor-{}", pid));
    }
    add_memory(plan.memory, theirs, out);
    add_devices(config, theirs, out);
    out.emplace_back("--log-level=lib.telemetry:error"); // 22.11 warns each time of a socket that nobody wants
    out.insert(out.end(), theirs.begin(), theirs.end());
    plan.given = theirs.size();
    return plan;
}

} // namespace ftpsensor
