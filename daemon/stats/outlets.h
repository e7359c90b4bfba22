// Where a running sensor's figures are seen: metrics, the socket of `ftpsensord stats`, stats.log; from one snapshot.
//
// None of them is worth the capture: one that cannot be opened is said and left out. Main thread.
#pragma once

#include "config/reload.h"
#include "daemon/stats/metrics.h"
#include "daemon/stats/snapshot.h"
#include "daemon/stats/stats_log.h"
#include "daemon/stats/stats_socket.h"

#include <memory>
#include <optional>

namespace spdlog {
class logger;
}

namespace ftpsensor {

class Outlets {
public:
    // `first`: the figures as the sensor starts. stats.log throws as the Engine does where it cannot be.
    Outlets(const Config& config, Snapshot first, std::shared_ptr<spdlog::logger> log);

    // Once a second. What it returns has the derived figures, and those of stats.log.
    std::shared_ptr<const Snapshot> publish(Snapshot snapshot);
    // The last figures, when all is over: stats.log ends with them.
    std::shared_ptr<const Snapshot> finish(Snapshot snapshot);
    std::shared_ptr<const Snapshot> latest() const { return board_->latest(); }
    // Changed keys that `plan` takes. Throws where stats.log can't take them; the others have done so by then.
    void reload(const ReloadPlan& plan);
    const std::shared_ptr<StatsBoard>& board() const { return board_; }

private:
    void open_metrics(const MetricsConfig& config);
    void open_socket(const MetricsConfig& config);

    std::shared_ptr<spdlog::logger> log_;
    std::shared_ptr<StatsBoard> board_ = std::make_shared<StatsBoard>();
    std::optional<StatsLog> stats_log_;
    std::optional<MetricsServer> metrics_;
    std::optional<StatsSocket> socket_;
};

} // namespace ftpsensor
