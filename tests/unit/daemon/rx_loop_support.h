// What the tests of RxLoop share: an Engine that keeps what it is handed, a clock that can be set back, small ports.
//
// EAL runs without huge pages, so that no privileges are needed. The Engine's methods and clock_gettime(2) of a program
// that links rx_loop_support.cpp are those that stand there.
#pragma once

#include "daemon/engine.h"
#include "daemon/live/port.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ftpsensor {

using Packets = std::vector<std::vector<std::uint8_t>>;

struct Seen { // what the Engine was handed; read once the worker has ended, but for idle_calls
    Packets packets;
    std::vector<PacketView> views; // their bytes are no longer valid
    std::size_t largest_burst = 0;
    std::atomic<int> idle_calls{0};
    std::atomic<Timestamp> idle_time{0}; // that was told last
    bool keep = true;
    int finished = 0;
    Timestamp end = 0;
    Duration burst_takes = 0;
};
extern std::array<Seen*, 2> seen_by; // by worker

extern std::atomic<long> clock_ahead_seconds; // of CLOCK_REALTIME, before it is set right

std::vector<std::uint8_t> packet(std::size_t size, std::uint8_t fill);
Config small_config();
std::unique_ptr<Port> start_port(const std::string& vdev, const Config& config);
// A port that delivers the packets once, or `without_end`.
std::unique_ptr<Port> make_port(const Packets& packets, const Config& config, bool without_end = false);

} // namespace ftpsensor
