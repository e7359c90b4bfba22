// What the tests of LogFile on a disk that fails share: a log whose entries are numbered lines, one a second.
#pragma once

#include "core/log/log_file.h"
#include "log_test_support.h"

#include <string>
#include <utility>
#include <vector>

namespace ftpsensor::test {

inline constexpr Timestamp kHourStart = 1597557600 * kSecond;
inline const std::string kSix = "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz";
inline const std::string kSeven = "2020-08-16/conn_20200816_07:00:00-08:00:00+0000.log.gz";
inline const std::string kCurrent = "current/conn.log.gz";

inline std::string line(int number) { return "{\"n\":" + std::to_string(number) + "}\n"; }

inline std::string lines(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += line(i);
    return text;
}

struct Log {
    TempDirectory directory;
    FaultyFileSystem files;
    Rotation rotation{RotationOptions{}};
    std::vector<std::pair<LogNotice, std::string>> notices;
    LogFile file;
    Timestamp now = kHourStart;
    int next = 0;

    explicit Log(std::size_t waiting_bytes_max = 1u << 20, const RotationOptions& rotation_options = {})
        : rotation(rotation_options), file(files, rotation, options("conn", nullptr, waiting_bytes_max), notify()) {}
    explicit Log(const char* name, const LogFile* first = nullptr, std::size_t waiting_bytes_max = 1u << 20)
        : file(files, rotation, options(name, first, waiting_bytes_max), notify()) {}

    LogNoticeHook notify() {
        return [this](LogNotice notice, const std::string& message) { notices.emplace_back(notice, message); };
    }
    LogFileOptions options(const char* name, const LogFile* first, std::size_t waiting_bytes_max) const {
        LogFileOptions o;
        o.place.directory = directory.path();
        o.log = name;
        o.first = first;
        o.waiting_bytes_max = waiting_bytes_max;
        return o;
    }
    void seconds(int count) { // one entry, one member a second
        for (int i = 0; i < count; ++i) {
            file.append(line(next++), now);
            now += kSecond;
            file.tick(now);
        }
    }
    int count(LogNotice kind) const {
        int n = 0;
        for (const auto& [notice, message] : notices) n += notice == kind;
        return n;
    }
    std::string text(const std::string& name) const { return gunzip_file(directory / name); }
};

} // namespace ftpsensor::test
