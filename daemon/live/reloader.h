// SIGHUP: the configuration is read again, and the running sensor takes of it what it can.
//
// Each changed key is answered in the messages: taken, or in need of a restart. A file that is wrong is refused as a
// whole, and all stays as it was. systemd is told that a reload goes on (sd_notify(3), RELOADING=1). Main thread.
#pragma once

#include "daemon/cli.h"
#include "daemon/live/live_sensor.h"
#include "daemon/stats/outlets.h"

#include <memory>

namespace ftpsensor {

class Reloader {
public:
    explicit Reloader(const CommandLine& command_line);

    void reload(LiveSensor& sensor, Outlets& outlets);
    void add_figures(SensorFigures& figures) const;

private:
    void take(LiveSensor& sensor, Outlets& outlets);

    const CommandLine& command_line_;
    Config running_; // what is in effect
    std::shared_ptr<spdlog::logger> log_;
    std::uint64_t taken_ = 0;
    std::uint64_t refused_ = 0;
};

} // namespace ftpsensor
