// Packets that are made to exhaust the sensor: each attack of docs/hostile-input.md as an endless row of frames.
//
// Frames are built once and patched, so that making them costs little beside reading them. The same number gives the
// same frame. One thread.
#pragma once

#include "core/base/events.h"
#include "core/base/time.h"
#include "tests/support/packet_builder.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ftpsensor::test {

struct Attack {
    std::string name;
    std::string bound;            // what ends it, in words
    std::optional<Event> counter; // that tells it was reached
    Duration length = 20 * kSecond;
    std::function<void(std::uint64_t number, Bytes& frame)> frame; // the frame of a number, from 0
};

// `connections`: how many connections the sensor's table has, which the attacks go beyond.
std::vector<Attack> attacks(std::uint32_t connections);

} // namespace ftpsensor::test
