// What `run` tells its operator in the journal: rates once a minute, losses as they happen, a summary at the end.
// Main thread.
#pragma once

#include "core/base/time.h"
#include "daemon/live/note.h"
#include "daemon/stats/snapshot.h"

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
    using Figures = std::shared_ptr<const Snapshot>;

    // `first`: as the sensor started.
    LiveReport(std::shared_ptr<spdlog::logger> log, std::string log_directory, Figures first);

    // Once a second. Losses are said when they begin and then at most every ten seconds; rates every minute.
    void tick(const Figures& now);
    std::string status() const; // one line, for systemctl status
    // When all is over: what was lost since the last time that was said, and the figures.
    void summary(const Figures& end, const std::vector<std::pair<std::string, std::uint64_t>>& loss_details);

private:
    void say_losses(const Figures& now, bool at_end = false);
    void say_rates(const Figures& now);
    void say_stuck_rules(const Snapshot& now);
    void say_figures(const Snapshot& end) const;

    std::shared_ptr<spdlog::logger> log_;
    std::string log_directory_; // which only a restart changes
    Figures at_last_tick_;
    Figures at_last_rates_;
    Figures at_last_loss_;
    bool said_loss_ = false;
    std::uint64_t said_stuck_ = 0; // most rules since there were none
    double packets_a_second_ = 0;
};

} // namespace ftpsensor
