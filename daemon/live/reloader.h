// SIGHUP: the configuration is read again, and the running sensor takes of it what it can.
//
// Each changed key is answered in the messages: taken, or in need of a restart. A file that is wrong is refused as a
// whole, and all stays as it was. Once the workers have taken it there is no way back: where figures can't be shown as
// it says, that is a warning. systemd is told that a reload goes on (sd_notify(3), RELOADING=1). Main thread.
#pragma once

#include "config/reload.h"
#include "daemon/cli.h"
#include "daemon/stats/snapshot.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace ftpsensor {

struct ReloadParts {
    // LiveSensor::reload(): throws before anything has changed; returns who takes it later.
    std::function<std::vector<std::string>(const Config&)> sensor;
    std::function<void(const ReloadPlan&)> outlets; // Outlets::reload()
};

class Reloader {
public:
    explicit Reloader(const CommandLine& command_line);

    void reload(const ReloadParts& parts);
    void add_figures(SensorFigures& figures) const;

private:
    void take(const ReloadParts& parts);
    void take_changes(const ReloadPlan& plan, const ReloadParts& parts);

    const CommandLine& command_line_;
    Config running_; // what is in effect
    std::shared_ptr<spdlog::logger> log_;
    std::uint64_t taken_ = 0;
    std::uint64_t refused_ = 0;
};

} // namespace ftpsensor
