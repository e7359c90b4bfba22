// While a sensor stops, which takes as long as the entries of what is still open take: systemd is asked for time as
// long as the logs grow (sd_notify(3), EXTEND_TIMEOUT_USEC), and a second SIGTERM or SIGINT ends the process at once.
//
// Made and destroyed by the main thread, which stops the sensor between the two; it has a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace spdlog {
class logger;
}

namespace ftpsensor {

class Ending {
public:
    // `signals`: a signalfd(2), not blocking. `progress`: any thread; what gets on changes it.
    Ending(int signals, std::function<std::uint64_t()> progress, std::shared_ptr<spdlog::logger> log);
    ~Ending();
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

private:
    void run();
    void look_after_it();
    void take_signals();

    int signals_;
    std::function<std::uint64_t()> progress_;
    std::shared_ptr<spdlog::logger> log_;
    int over_; // an eventfd(2): the sensor has stopped
    std::thread thread_;
};

} // namespace ftpsensor
