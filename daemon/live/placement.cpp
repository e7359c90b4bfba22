// check_placement(): ports and CPUs of the config against this machine.
#include "daemon/live/live_sensor.h"
#include "daemon/live/pci.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

void check_ports(const CaptureConfig& capture, Notes& notes) {
    if (capture.ports.empty())
        add_note(notes, NoteLevel::problem, "capture.ports: there is nothing to capture on",
                 "--set 'capture.ports=[{interface: eth1}]' or the same in the config");
    std::set<std::string> seen;
    for (const auto& port : capture.ports) {
        const std::string name = port.interface + port.af_xdp + port.pci + port.vdev; // one of them is set
        if (!seen.insert(name).second)
            add_note(notes, NoteLevel::problem,
                     "capture.ports: " + name + " is named twice: every packet would count twice",
                     "name it once; workers.count gives it several queues");
    }
}

} // namespace

void check_placement(const Config& config, const std::vector<std::uint32_t>& allowed, Notes& notes) {
    check_ports(config.capture, notes);
    for (const std::uint32_t cpu : config.workers.cpus)
        if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end())
            add_note(notes, NoteLevel::problem,
                     fmt::format("workers.cpus: this process may not run on CPU {}, but on {}", cpu, cpu_list(allowed)),
                     "choose among these, or widen CPUAffinity= of the unit");
    if (config.workers.cpus.empty() && config.workers.count > allowed.size())
        add_note(notes, NoteLevel::warning,
                 fmt::format("workers.count is {}, the process has {} CPUs: workers take turns", config.workers.count,
                             allowed.size()),
                 fmt::format("set workers.count: {}", allowed.size()));
    for (const auto& port : config.capture.ports) {
        const std::string name = port.interface + port.af_xdp + port.pci; // one of them, or a virtual device
        if (name.empty()) continue;
        const int node = port.pci.empty() ? inspect_interface(name).numa_node : inspect_pci(port.pci).numa_node;
        for (const std::uint32_t cpu : config.workers.cpus) {
            const int cpu_node = numa_node_of_cpu(cpu);
            if (node < 0 || cpu_node < 0 || node == cpu_node) continue;
            add_note(notes, NoteLevel::warning,
                     fmt::format("CPU {} is on NUMA node {}, the port {} on node {}: every packet crosses between them",
                                 cpu, cpu_node, name, node),
                     fmt::format("set workers.cpus to some of: cat /sys/devices/system/node/node{}/cpulist", node));
        }
    }
}

} // namespace ftpsensor
