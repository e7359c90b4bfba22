#include "daemon/live/ask_ports.h"

#include "daemon/live/pci.h"
#include "daemon/live/port.h"

#include <algorithm>
#include <exception>
#include <memory>

namespace ftpsensor {
namespace {

bool is_dpdks_own(const PortConfig& port) { return !port.pci.empty() || !port.vdev.empty(); }

// vfio-pci gives a device to one process alone. At uio a second one would reset it, and a driver that shares it with
// the kernel (mlx5) would let both have it.
bool is_open_to_others(const PortConfig& port) {
    return !port.pci.empty() && inspect_pci(port.pci).driver != "vfio-pci";
}

} // namespace

bool wants_to_ask(const Config& config) {
    return config.workers.count > 1 &&
           std::any_of(config.capture.ports.begin(), config.capture.ports.end(), is_dpdks_own);
}

std::vector<PortSpread> ask_ports(const Config& config, const EalPlan& plan, Notes& notes) {
    std::vector<PortSpread> spreads;
    try {
        const Eal eal(plan);
        std::vector<std::unique_ptr<Port>> ports; // all at once: they share the memory
        for (const PortConfig& port : config.capture.ports) {
            if (!is_dpdks_own(port)) continue;
            if (is_open_to_others(port)) {
                add_note(notes, NoteLevel::info,
                         port.pci +
                             ": not asked how it spreads packets: its driver lets several processes have it, and a "
                             "sensor may; run tells it as it starts");
                continue;
            }
            ports.push_back(std::make_unique<Port>(port, config, ports.size(), notes));
            ports.back()->ask(notes);
            spreads.push_back(ports.back()->spread());
        }
    } catch (const std::exception& error) {
        add_note(notes, NoteLevel::warning,
                 "a port could not be asked how it spreads packets (does a sensor have it?): " +
                     std::string(error.what()));
    }
    return spreads;
}

} // namespace ftpsensor
