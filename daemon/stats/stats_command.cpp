// `ftpsensord stats`: what a running sensor does and loses; a live table, or once as JSON.
#include "daemon/commands.h"
#include "daemon/stats/snapshot_json.h"
#include "daemon/stats/stats_socket.h"
#include "daemon/stats/stats_table.h"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr const char* kClear = "\x1b[H\x1b[J"; // to the corner, and erase what is below

Snapshot snapshot_of(const std::string& socket) {
    auto snapshot = from_json(fetch_stats(socket));
    if (!snapshot) throw std::runtime_error(socket + ": the sensor is of another version; restart it");
    return std::move(*snapshot);
}

} // namespace

int stats_command(const CommandLine& command_line) {
    const std::string& socket = command_line.config.metrics.socket;
    if (socket.empty()) throw ConfigError("metrics.socket: is \"\", so that a sensor cannot be asked; give a path");
    if (command_line.json) {
        fmt::print("{}\n", fetch_stats(socket));
        return kExitSuccess;
    }
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    Snapshot before = snapshot_of(socket);
    do {
        std::this_thread::sleep_for(kInterval);
        Snapshot now = snapshot_of(socket);
        if (now.number == before.number) continue; // asked a little faster than it counts
        fmt::print("{}{}", terminal ? kClear : "", stats_table(now, difference(now, before)));
        std::fflush(stdout);
        before = std::move(now);
        if (!terminal) break;
    } while (true);
    return kExitSuccess;
}

} // namespace ftpsensor
