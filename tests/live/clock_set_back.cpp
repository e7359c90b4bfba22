// A host whose clock is ahead until it is set right, as a machine's is whose NTP client comes up after the sensor:
// preloaded (ld.so(8)), it stands before clock_gettime(2). CLOCK_SET_BACK is the seconds that CLOCK_REALTIME is ahead,
// for the first two.
#include <cstdlib>
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

namespace {

long seconds_of(clockid_t clock) {
    timespec now{};
    ::syscall(SYS_clock_gettime, clock, &now);
    return now.tv_sec;
}

} // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    static const long began = seconds_of(CLOCK_MONOTONIC);
    static const char* const ahead = std::getenv("CLOCK_SET_BACK");
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    constexpr long kAheadFor = 2;
    if (clock == CLOCK_REALTIME && ahead != nullptr && seconds_of(CLOCK_MONOTONIC) - began < kAheadFor)
        now->tv_sec += std::atol(ahead);
    return result;
}
