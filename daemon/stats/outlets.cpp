#include "daemon/stats/outlets.h"

#include <stdexcept>

#include <spdlog/spdlog.h>

namespace ftpsensor {

Outlets::Outlets(const Config& config, Snapshot first, std::shared_ptr<spdlog::logger> log) : log_(std::move(log)) {
    const auto published = board_->publish(std::move(first));
    if (config.metrics.log_interval != 0) stats_log_.emplace(config, published);
    open_metrics(config.metrics);
    open_socket(config.metrics);
}

std::shared_ptr<const Snapshot> Outlets::publish(Snapshot snapshot) {
    if (stats_log_) snapshot.logs.push_back(stats_log_->figures());
    auto published = board_->publish(std::move(snapshot));
    if (stats_log_) stats_log_->tick(published);
    return published;
}

std::shared_ptr<const Snapshot> Outlets::finish(Snapshot snapshot) {
    if (!stats_log_) return board_->publish(std::move(snapshot));
    snapshot.logs.push_back(stats_log_->figures());
    auto published = board_->publish(std::move(snapshot));
    stats_log_->tick(published, true);
    if (const std::size_t lines = stats_log_->finish(); lines != 0)
        log_->warn("stats.log: its last {} lines are lost, the disk is behind", lines);
    return published;
}

void Outlets::reload(const ReloadPlan& plan) {
    const MetricsConfig& config = plan.config.metrics;
    if (plan.takes("metrics.address") || plan.takes("metrics.port")) open_metrics(config);
    if (plan.takes("metrics.socket")) open_socket(config);
    if (stats_log_)
        stats_log_->reload(plan.config);
    else if (config.log_interval != 0)
        stats_log_.emplace(plan.config, latest());
}

void Outlets::open_metrics(const MetricsConfig& config) {
    metrics_.reset(); // its port is free before it is asked for again
    if (config.port == 0) return;
    try {
        metrics_.emplace(config, *board_);
        log_->info("metrics at http://{}/metrics", place_of(config));
    } catch (const std::runtime_error& error) {
        log_->warn("{}", error.what());
    }
}

void Outlets::open_socket(const MetricsConfig& config) {
    socket_.reset();
    if (config.socket.empty()) return;
    try {
        socket_.emplace(config.socket, *board_);
    } catch (const std::runtime_error& error) {
        log_->warn("{}", error.what());
    }
}

} // namespace ftpsensor
