// stats.log on disk: rotated, compressed and recovered as the other logs are, by a writer of its own.
//
// The main thread never waits for the disk: where that is behind, lines wait here up to a bound, then the newest are
// left out and counted. Main thread.
#pragma once

#include "config/config.h"
#include "core/log/rotation.h"
#include "daemon/log_writer.h"
#include "daemon/stats/stats_entries.h"

#include <memory>

namespace ftpsensor {

class StatsLog {
public:
    // The Engine of the same config holds the folder. Throws std::runtime_error as that does.
    StatsLog(const Config& config, std::shared_ptr<const Snapshot> first);

    void tick(const std::shared_ptr<const Snapshot>& now, bool last = false);
    // `config` is in effect from now on. Throws std::runtime_error: an unknown group.
    void reload(const Config& config);
    // Writes and rotates. Returns how many lines the disk did not take in time.
    std::size_t finish();
    LogFigures figures() const;

private:
    static constexpr std::size_t kWaitingBytesMax = 1u << 20;

    Config config_;
    StatsEntries entries_;
    LogWriter writer_;
    LogWriter::Batch batch_;
    std::uint64_t left_out_ = 0;
};

LogFigures log_figures_of(std::string_view log, const LogFileStatus& status);
StatsEntryOptions stats_entry_options(const Config& config);

} // namespace ftpsensor
