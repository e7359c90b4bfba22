// DPDK's telemetry, as dpdk-telemetry.py asks it: /ftpsensor/stats, /ftpsensor/workers[,N], /ftpsensor/connections.
//
// The answers are of the latest snapshot. DPDK calls from threads of its own and forgets no command, so that the board
// is shared with it for as long as the process lives.
#pragma once

#include "daemon/stats/snapshot.h"

#include <memory>

namespace ftpsensor {

// Once EAL runs; main thread. Again: the new board is asked from then on.
void tell_telemetry(std::shared_ptr<const StatsBoard> board);

} // namespace ftpsensor
