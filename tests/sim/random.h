// The dice of the simulator: the same numbers from the same seed, with any library. One thread.
#pragma once

#include "core/base/time.h"

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace ftpsensor::test {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() { // splitmix64
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }
    std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
    bool percent(unsigned chance) { return below(100) < chance; }
    Duration up_to(Duration most) { return static_cast<Duration>(below(static_cast<std::uint64_t>(most) + 1)); }
    template <class List>
    auto& pick(List& list) {
        return list[static_cast<std::size_t>(below(std::size(list)))];
    }

private:
    std::uint64_t state_;
};

} // namespace ftpsensor::test
