#include "daemon/offline/test_delays.h"

#include "core/base/mix.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace ftpsensor {

TestDelays::TestDelays(std::size_t thread) {
    const char* const seed = std::getenv("FTPSENSOR_TEST_DELAYS");
    if (seed == nullptr || *seed == '\0') return;
    on_ = true;
    state_ = mix(std::strtoull(seed, nullptr, 10) + 1, 0x9e3779b97f4a7c15) + thread;
}

std::uint64_t TestDelays::next() {
    state_ += 0x9e3779b97f4a7c15; // any odd number will do: a Weyl sequence, mixed
    return mix(state_, 0xc2b2ae3d27d4eb4f);
}

std::size_t TestDelays::piece(std::size_t most) { return on_ ? std::min<std::size_t>(most, 1 + next() % 64) : most; }

void TestDelays::sleep() {
    const std::uint64_t dice = next() % 100;
    if (dice < 60) return;
    std::uint64_t longest = 50; // microseconds
    if (dice >= 98)
        longest = 5000;
    else if (dice >= 90)
        longest = 500;
    std::this_thread::sleep_for(std::chrono::microseconds(next() % longest));
}

} // namespace ftpsensor
