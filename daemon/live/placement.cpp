// check_placement(): ports and CPUs of the config against this machine.
#include "core/base/memory_node.h"
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

// -1: not known. Virtual devices have none.
int numa_node_of(const PortConfig& port) {
    if (!port.pci.empty()) return inspect_pci(port.pci).numa_node;
    const std::string name = port.interface + port.af_xdp; // one of them, or none
    return name.empty() ? -1 : inspect_interface(name).numa_node;
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
        const int node = numa_node_of(port);
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

std::vector<int> worker_nodes(const Config& config, Notes& notes) {
    std::set<int> of_ports;
    for (const auto& port : config.capture.ports) of_ports.insert(numa_node_of(port));
    std::vector<int> nodes(config.workers.count, of_ports.size() == 1 ? *of_ports.begin() : -1);
    for (std::size_t worker = 0; worker < std::min(nodes.size(), config.workers.cpus.size()); ++worker)
        nodes[worker] = numa_node_of_cpu(config.workers.cpus[worker]);
    for (const int node : std::set<int>(nodes.begin(), nodes.end()))
        if (!node_gives_memory(node))
            add_note(notes, NoteLevel::warning,
                     fmt::format("NUMA node {} gives no memory to workers there: their tables lie on another one, and "
                                 "every packet crosses between them",
                                 node),
                     fmt::format("see what fills it: cat /sys/devices/system/node/node{}/meminfo; or move "
                                 "workers.cpus",
                                 node));
    return nodes;
}

} // namespace ftpsensor
