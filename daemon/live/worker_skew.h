// Whether one worker has more than its share of the packets, and which. Pure; any thread.
#pragma once

#include "daemon/stats/snapshot.h"

#include <cstddef>
#include <optional>

namespace ftpsensor {

struct WorkerSkew {
    std::size_t worker = 0; // from 0
    double share = 0;       // of all packets
};

// `change`: what an interval added. None: there is one worker, too few packets to tell, or nobody has half as many
// again as the mean.
std::optional<WorkerSkew> worker_skew(const Snapshot& change);

} // namespace ftpsensor
