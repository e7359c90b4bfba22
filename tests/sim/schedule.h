// A world's packets through several workers and the logger, on one thread, in an order that dice choose.
//
// The parts are the program's own: Worker, AnnouncementBoard, ReleaseBound, RecordMerge, EntryBuilder. What threads
// would leave to chance is drawn here: which connection goes to which worker, who works when and on how many packets,
// how far the workers fall apart, and what happens between two steps of the logger. One thread.
#pragma once

#include "tests/sim/world.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ftpsensor::test {

struct ScheduleOptions {
    std::uint64_t seed = 0; // of the dice
    std::size_t workers = 1;
    bool extended = true;
    Duration lag_most = kSecond;       // of packet time, of a worker behind the first
    std::optional<Duration> hold = {}; // live: most that the logger waits; without: as long as it takes
    // Reloads come between any two steps, and each worker and the logger take them when they get to it. That of nothing
    // changes no line; that of times changes when connections end that nobody hears any more.
    enum class Reloads { none, of_nothing, of_times } reloads = Reloads::none;
};

struct ScheduleResult {
    std::string text; // both logs, line by line as they were written
    std::uint64_t late = 0;
    std::string broken; // a rule that was broken on the way; empty: none
};

ScheduleResult run_schedule(const World& world, const ScheduleOptions& options);

} // namespace ftpsensor::test
