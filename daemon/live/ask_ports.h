// What ports of DPDK's own drivers would take, for `check`: they are opened and started as `run` does, and closed
// again. Nothing is captured. Starts EAL, which a process can do once. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/eal.h"
#include "daemon/live/note.h"
#include "daemon/live/spread.h"

#include <vector>

namespace ftpsensor {

// Whether there is something to ask: how a port spreads matters from two workers on.
bool wants_to_ask(const Config& config);

// A port that does not open is no problem of the config: a sensor that runs may have it. Adds what was found.
std::vector<PortSpread> ask_ports(const Config& config, const EalPlan& plan, Notes& notes);

} // namespace ftpsensor
