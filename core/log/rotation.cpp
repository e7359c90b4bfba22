#include "core/log/rotation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <limits>
#include <stdexcept>

namespace ftpsensor {

namespace {

constexpr Duration kMaxInterval = 366 * 24 * kHour;
// Times within reach of the ends of what a Timestamp holds (the years 1677 and 2262: no real packet) share one
// interval, so that arithmetic on all others cannot overflow.
constexpr Timestamp kLatest = std::numeric_limits<Timestamp>::max();
constexpr Timestamp kLatestBoundary = kLatest - 2 * kMaxInterval;

std::int64_t floor_divide(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// A broken-down local time, with its offset for %z.
std::tm local_time(std::int64_t local_seconds, Duration offset) {
    using namespace std::chrono;
    const sys_seconds time{seconds{local_seconds}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    std::tm broken{};
    broken.tm_year = static_cast<int>(date.year()) - 1900;
    broken.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
    broken.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
    broken.tm_hour = static_cast<int>(clock.hours().count());
    broken.tm_min = static_cast<int>(clock.minutes().count());
    broken.tm_sec = static_cast<int>(clock.seconds().count());
    broken.tm_wday = static_cast<int>(weekday{day}.c_encoding());
    broken.tm_yday = static_cast<int>((day - sys_days{date.year() / January / 1}).count());
    broken.tm_gmtoff = static_cast<long>(offset / kSecond);
    broken.tm_zone = ""; // %Z has no meaning in a name that already carries the offset
    return broken;
}

std::string formatted(const std::string& format, const std::tm& time) {
    if (format.empty()) return {};
    std::array<char, 512> text;
    const std::size_t size = std::strftime(text.data(), text.size(), format.c_str(), &time);
    return std::string(text.data(), size);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

} // namespace

Rotation::Rotation(const RotationOptions& options) : options_(options), zone_(options.time_zone) {
    const Duration interval = options_.interval;
    if (interval < 0 || interval % kSecond != 0 || interval > kMaxInterval)
        throw std::runtime_error("rotation interval: a whole number of seconds up to 366 days, or 0 for none");
}

Interval Rotation::interval_of(Timestamp t) const {
    const Duration step = options_.interval;
    if (step == 0) return {-kLatest, kLatest};
    if (t >= kLatestBoundary) return {kLatestBoundary, kLatest};
    if (t < -kLatestBoundary) return {-kLatest, -kLatestBoundary};
    const TimeZone::Period here = zone_.period_of(t);
    const std::int64_t number = floor_divide(t + here.offset, step); // of the interval, on the zone's clock

    // A change of the clock ends an interval where the old clock showed a boundary, or the new one shows another
    // number.
    const auto parts_at = [&](Timestamp change, Duration old_offset, Duration new_offset) {
        return (change + old_offset) % step == 0 ||
               floor_divide(change - 1 + old_offset, step) != floor_divide(change + new_offset, step);
    };
    Interval interval;
    TimeZone::Period period = here;
    while (true) { // back, through changes that fall into the interval
        interval.start = number * step - period.offset;
        if (interval.start >= period.begin) break;
        const TimeZone::Period before = zone_.period_of(period.begin - 1);
        interval.start = period.begin;
        if (parts_at(period.begin, before.offset, period.offset)) break;
        period = before;
    }
    period = here;
    while (true) { // and forth
        interval.end = (number + 1) * step - period.offset;
        if (interval.end <= period.end) break;
        const TimeZone::Period after = zone_.period_of(period.end);
        interval.end = period.end;
        if (parts_at(period.end, period.offset, after.offset)) break;
        period = after;
    }
    return interval;
}

std::int64_t Rotation::local_seconds(Timestamp t) const { return floor_divide(t + zone_.period_of(t).offset, kSecond); }

std::string Rotation::archive_path(std::string_view log, const Interval& interval) const {
    const Duration offset = zone_.period_of(interval.start).offset;
    const auto local = [&](Timestamp t) {
        return local_time(floor_divide(std::clamp(t, -kLatestBoundary, kLatestBoundary) + offset, kSecond), offset);
    };
    const std::tm start = local(interval.start);
    const std::tm end = local(interval.end);
    std::string name = formatted(options_.file_name, start);
    replace_all(name, "{start}", formatted("%H:%M:%S", start));
    replace_all(name, "{end}", formatted("%H:%M:%S", end));
    replace_all(name, "{offset}", formatted("%z", start));
    replace_all(name, "{log}", log);
    const std::string folder = formatted(options_.folder_name, start);
    return folder.empty() ? name : folder + '/' + name;
}

Interval seconds_of(Timestamp first, Timestamp last, const Interval& interval) {
    const auto second = [](Timestamp t) { // an interval without end begins where no second can be told any more
        return floor_divide(std::clamp(t, -kLatestBoundary, kLatestBoundary), kSecond) * kSecond;
    };
    return {std::max(second(first), interval.start), std::min(second(last) + kSecond, interval.end)};
}

std::string numbered_path(const std::string& path, unsigned number) {
    if (number == 0) return path;
    std::size_t at = path.size();
    for (const std::string_view ending : {".log.gz", ".gz"}) {
        if (!path.ends_with(ending)) continue;
        at -= ending.size();
        break;
    }
    return path.substr(0, at) + '.' + std::to_string(number) + path.substr(at);
}

} // namespace ftpsensor
