#include "core/log/time_zone.h"

#include <chrono>
#include <limits>
#include <stdexcept>

#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
namespace tz = std::chrono;
#else
#include <date/tz.h>
namespace tz = date;
#endif

namespace ftpsensor {

namespace {

constexpr Timestamp kEarliest = std::numeric_limits<Timestamp>::min();
constexpr Timestamp kLatest = std::numeric_limits<Timestamp>::max();

// The libraries' periods may reach beyond what a Timestamp holds.
Timestamp clamped(std::chrono::seconds since_epoch) {
    if (since_epoch.count() <= kEarliest / kSecond) return kEarliest;
    if (since_epoch.count() >= kLatest / kSecond) return kLatest;
    return since_epoch.count() * kSecond;
}

std::chrono::seconds floor_seconds(Timestamp t) {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds{t});
}

} // namespace

TimeZone::TimeZone(const std::string& name) {
    if (name == "UTC") return;
    try {
        rules_ = tz::locate_zone(name);
    } catch (const std::runtime_error&) {
        throw std::runtime_error("time zone '" + name +
                                 "' is not in the tz database of this machine (/usr/share/zoneinfo)");
    }
}

TimeZone::Period TimeZone::period_of(Timestamp t) const {
    if (rules_ == nullptr) return {kEarliest, kLatest, 0};
    using Seconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;
    const auto info = static_cast<const tz::time_zone*>(rules_)->get_info(Seconds{floor_seconds(t)});
    return {clamped(info.begin.time_since_epoch()), clamped(info.end.time_since_epoch()),
            info.offset.count() * kSecond};
}

} // namespace ftpsensor
