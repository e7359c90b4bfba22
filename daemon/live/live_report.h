// What `run` tells its operator: rates once a minute, losses as they happen, a summary at the end. Main thread.
#pragma once

#include "core/base/time.h"
#include "daemon/live/live_sensor.h"
#include "daemon/live/note.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace spdlog {
class logger;
}

namespace ftpsensor {

void log_notes(spdlog::logger& log, const Notes& notes);

class LiveReport {
public:
    LiveReport(std::shared_ptr<spdlog::logger> log, Timestamp started);

    // Once a second. Losses are said when they begin and then at most every ten seconds; rates every minute.
    void tick(const LiveTotals& totals, Timestamp now);
    std::string status(const LiveTotals& totals) const; // one line, for systemctl status
    void summary(const LiveTotals& totals, Timestamp now,
                 const std::vector<std::pair<std::string, std::uint64_t>>& loss_details) const;

private:
    void say_losses(const LiveTotals& totals, Timestamp now);
    void say_rates(const LiveTotals& totals, Timestamp now);

    std::shared_ptr<spdlog::logger> log_;
    const Timestamp started_;
    LiveTotals at_last_tick_;
    LiveTotals at_last_rates_;
    LiveTotals at_last_loss_;
    Timestamp last_tick_;
    Timestamp last_rates_;
    Timestamp last_loss_ = 0;
    double packets_a_second_ = 0;
};

} // namespace ftpsensor
