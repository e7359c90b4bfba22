// From snapshots to the lines of stats.log: figures each interval, and what was lost, when it was.
//
// An entry is about one row: the sensor, a port, a queue, a worker, a log, an event; `scope` says which. Counters are
// what came since the entry before. An entry of scope `loss` is written in the second of a loss, then at most every ten
// seconds with all that was lost meanwhile. Main thread.
#pragma once

#include "core/log/envelope.h"
#include "daemon/stats/snapshot.h"

#include <memory>
#include <string>
#include <vector>

namespace ftpsensor {

struct StatsEntryOptions {
    std::string system_name; // as in the other logs
    std::string node;
    TimestampFormat timestamps = TimestampFormat::iso8601;
    Duration interval = kMinute; // of figures; 0: none
};

class StatsEntries {
public:
    using Figures = std::shared_ptr<const Snapshot>;

    // `first`: what the first entries count from.
    StatsEntries(StatsEntryOptions options, Figures first);

    // The lines that are due at `now`, line feeds included; `last`: and all that is left.
    std::vector<std::string> tick(const Figures& now, bool last = false);
    void set_options(StatsEntryOptions options) { options_ = std::move(options); } // a reload

private:
    StatsEntryOptions options_;
    Figures at_last_figures_;
    Figures at_last_loss_;
    bool told_loss_ = false;
};

} // namespace ftpsensor
