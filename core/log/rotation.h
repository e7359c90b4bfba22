// When a log file ends, and what it is called then.
//
// Packet time is cut into intervals at round times of a zone's clock (each hour, each six hours from midnight, ...). An
// interval does not reach over a change of the clock that its own boundary falls on: the hour that comes twice in
// autumn is two files, 02:00:00-03:00:00+0200 and 02:00:00-03:00:00+0100. Start and end of a name are both written with
// the offset that the name gives, which is that of the start.
//
// A file may also end by its size, within its interval. Then its name has the seconds that it covers, and so has the
// next one's: 06:00:00-06:23:42 is followed by 06:23:41-07:00:00, since both may have entries of the second in which
// the first one was full. Immutable: any thread.
#pragma once

#include "core/base/time.h"
#include "core/log/time_zone.h"

#include <string>
#include <string_view>

namespace ftpsensor {

struct RotationOptions {
    Duration interval = kHour;     // 0: never, one file until the end. Else a whole number of seconds
    std::uint64_t file_bytes = 0;  // a file that has reached this ends before its interval does; 0: no such bound
    std::string time_zone = "UTC"; // tz database name
    std::string folder_name = "%Y-%m-%d"; // strftime(3) of the start; below the log directory; may be empty
    std::string file_name = "{log}_%Y%m%d_{start}-{end}{offset}.log.gz"; // the same, and {log} {start} {end} {offset}
};

struct Interval {
    Timestamp start = 0; // inclusive
    Timestamp end = 0;   // exclusive
    friend bool operator==(const Interval&, const Interval&) = default;
};

class Rotation {
public:
    // Throws std::runtime_error: an unknown time zone, a negative or broken interval.
    explicit Rotation(const RotationOptions& options);

    // The interval that `t` falls in. Without rotation: all of time.
    Interval interval_of(Timestamp t) const;
    bool rotates() const { return options_.interval != 0; }
    bool cuts_by_size() const { return options_.file_bytes != 0; }
    bool is_full(std::uint64_t file_bytes) const { return cuts_by_size() && file_bytes >= options_.file_bytes; }
    const RotationOptions& options() const { return options_; }

    // Below the log directory: "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz".
    std::string archive_path(std::string_view log, const Interval& interval) const;

    // What the clock of the zone shows at `t`, as seconds since its own epoch.
    std::int64_t local_seconds(Timestamp t) const;

private:
    RotationOptions options_;
    TimeZone zone_;
};

// The whole seconds of `interval` in which entries due from `first` to `last` lie: what a part of an interval is named
// by.
Interval seconds_of(Timestamp first, Timestamp last, const Interval& interval);

// "x.log.gz" and 1 give "x.1.log.gz"; 0 gives the path itself.
std::string numbered_path(const std::string& path, unsigned number);

} // namespace ftpsensor
