// The figures for Prometheus: http://ADDRESS:PORT/metrics, by prometheus-cpp.
//
// Each scrape is answered from the latest snapshot on the library's own thread; nothing is kept twice. Made and ended
// by the main thread.
#pragma once

#include "config/config.h"
#include "daemon/stats/snapshot.h"

#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Collectable;
class Exposer;
struct MetricFamily;
} // namespace prometheus

namespace ftpsensor {

// Names follow Prometheus' conventions: ftpsensor_<scope>_<figure>, and _total behind a counter's.
std::vector<prometheus::MetricFamily> metric_families(const Snapshot& snapshot);

std::string place_of(const MetricsConfig& config); // "127.0.0.1:9821", "[::1]:9821"

class MetricsServer {
public:
    // Throws std::runtime_error: the address cannot be listened on. `board` outlives it.
    MetricsServer(const MetricsConfig& config, const StatsBoard& board);
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    int port() const; // that it really listens on

private:
    IpAddress address_;
    std::shared_ptr<prometheus::Collectable> collectable_; // before the exposer, which holds it weakly
    std::unique_ptr<prometheus::Exposer> exposer_;
};

} // namespace ftpsensor
