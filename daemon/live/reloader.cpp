#include "daemon/live/reloader.h"

#include "daemon/messages.h"

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <time.h>

namespace ftpsensor {
namespace {

// systemd tells by it whether the reload that it asked for has begun.
std::uint64_t monotonic_usec() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

Reloader::Reloader(const CommandLine& command_line)
    : command_line_(command_line), running_(command_line.config), log_(messages("reload")) {}

void Reloader::reload(const ReloadParts& parts) {
    sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_usec()).c_str());
    try {
        take(parts);
        ++taken_;
    } catch (const std::runtime_error& error) { // ConfigError is one
        ++refused_;
        log_->error("refused, everything stays as it was: {}", error.what());
    } catch (const std::bad_alloc&) { // limits.connections_max says how much it is
        ++refused_;
        log_->error("refused, everything stays as it was: there is no memory for it");
    }
    sd_notify(0, "READY=1");
}

void Reloader::take_changes(const ReloadPlan& plan, const ReloadParts& parts) {
    const auto waiting = parts.sensor(plan.config);
    running_ = plan.config;
    for (const auto& who : waiting) log_->warn("{} has not got to it within 2 s, and takes it later", who);
    try {
        init_messages(plan.config.messages);
        parts.outlets(plan);
    } catch (const std::exception& error) {
        log_->warn("taken, but not all figures are shown as it says: {}; try: a restart once that is mended",
                   error.what());
    }
}

void Reloader::take(const ReloadParts& parts) {
    const ReloadPlan plan = plan_reload(running_, read_config_again(command_line_));
    const bool anything = std::any_of(plan.changes.begin(), plan.changes.end(), [](const auto& c) { return c.taken; });
    if (anything) take_changes(plan, parts);
    std::size_t left = 0;
    for (const auto& change : plan.changes) {
        if (change.taken) {
            log_->info("{}: {} -> {}: taken", change.key, change.from, change.to);
        } else {
            ++left;
            log_->warn("{}: {} -> {}: needs a restart", change.key, change.from, change.to);
        }
    }
    if (plan.changes.empty())
        log_->info("done, nothing has changed");
    else
        log_->info("done, {} taken, {} need a restart", plan.changes.size() - left, left);
}

void Reloader::add_figures(SensorFigures& figures) const {
    figures.reloads = taken_;
    figures.reloads_refused = refused_;
}

} // namespace ftpsensor
