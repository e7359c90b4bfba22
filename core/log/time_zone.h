// A zone's clock: how far local time is from UTC, and for how long.
//
// The rules are the tz database's, by name ("Europe/Berlin"). They are read by the standard library where it has them
// (libstdc++ from GCC 14) and by Howard Hinnant's date library, its model, before; both without touching TZ or
// tzset(3), which belong to the whole process. Immutable: any thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <string>

namespace ftpsensor {

class TimeZone {
public:
    // A stretch of time with one offset from UTC.
    struct Period {
        Timestamp begin = 0; // inclusive
        Timestamp end = 0;   // exclusive
        Duration offset = 0; // local = UTC + offset
    };

    // Throws std::runtime_error where there is no such zone. "UTC" needs no tz database.
    explicit TimeZone(const std::string& name);

    Period period_of(Timestamp t) const;

private:
    const void* rules_ = nullptr; // the library's, of static storage; nullptr: UTC
};

} // namespace ftpsensor
