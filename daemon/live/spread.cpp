#include "daemon/live/spread.h"

namespace ftpsensor {

std::string parts_by_kind(PortKind kind) {
    switch (kind) {
    case PortKind::interface:
        return "the kernel spreads by ports, so that the directions of a tunnel part, and elsewhere when a ring fills";
    case PortKind::af_xdp: return "the card spreads as ethtool told it";
    case PortKind::physical:
    case PortKind::virtual_device: break;
    }
    return "it can not be told how to spread";
}

std::string resteer_reason(const Config& config, const std::vector<PortSpread>& ports) {
    if (config.workers.count < 2 || config.capture.resteer == ConfigResteer::off) return {};
    if (config.capture.resteer == ConfigResteer::on) return "on";
    for (const PortSpread& port : ports) {
        if (!port.parts.empty()) return port.name + ": " + port.parts;
        const PortSpread& first = ports.front();
        if (port.kind != first.kind || port.queues != first.queues || port.hash != first.hash)
            return port.name + ": spreads otherwise than " + ports.front().name;
    }
    return {};
}

} // namespace ftpsensor
