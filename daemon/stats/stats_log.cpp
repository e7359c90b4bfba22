#include "daemon/stats/stats_log.h"

#include "daemon/pipeline_config.h"

namespace ftpsensor {
namespace {

constexpr std::string_view kPath = "stats";
constexpr auto kEndPatience = std::chrono::seconds(1); // with a disk that is behind

LogSettings settings_of(const Config& config) {
    LogFileOptions options = log_file_options(config, log_place(config), LogKind::conn);
    options.log = kPath;
    return {std::make_shared<const Rotation>(rotation_options(config)), std::move(options)};
}

} // namespace

LogFigures log_figures_of(std::string_view log, const LogFileStatus& status) {
    return {.name = std::string(log),
            .entries = status.entries_written,
            .entries_lost = status.entries_dropped,
            .entries_waiting = status.entries_waiting,
            .text_bytes = status.text_bytes,
            .file_bytes = status.file_bytes,
            .files_rotated = status.files_rotated,
            .files_removed_by_others = status.files_lost,
            .write_errors = status.errors,
            .failing = status.failing};
}

StatsEntryOptions stats_entry_options(const Config& config) {
    const FormatOptions format = entry_options(config, {}).format;
    return {format.system_name, format.node, format.timestamps, config.metrics.log_interval};
}

StatsLog::StatsLog(const Config& config, std::shared_ptr<const Snapshot> first)
    : config_(config), entries_(stats_entry_options(config), std::move(first)),
      writer_(posix_file_system(), settings_of(config), log_notices()) {}

void StatsLog::reload(const Config& config) {
    if (!same_files(config_, config)) writer_.adopt(std::make_shared<const LogSettings>(settings_of(config)));
    entries_.set_options(stats_entry_options(config));
    config_ = config;
}

void StatsLog::tick(const std::shared_ptr<const Snapshot>& now, bool last) {
    for (const std::string& line : entries_.tick(now, last)) {
        if (batch_.text.size() + line.size() > kWaitingBytesMax) {
            ++left_out_;
            continue;
        }
        batch_.text += line;
        batch_.lines.push_back({static_cast<std::uint32_t>(line.size()), now->time});
    }
    batch_.through = now->time;
    writer_.offer(batch_);
}

std::size_t StatsLog::finish() {
    const std::size_t lines = batch_.lines.size();
    const bool all = lines == 0 || writer_.offer(batch_, kEndPatience);
    writer_.finish();
    return all ? 0 : lines;
}

LogFigures StatsLog::figures() const {
    LogFigures figures = log_figures_of(kPath, writer_.status());
    figures.entries_lost += left_out_;
    return figures;
}

} // namespace ftpsensor
