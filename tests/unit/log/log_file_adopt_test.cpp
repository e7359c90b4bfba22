// A reload of how a log is written: the file under way ends under its old name, nothing is lost, a failing disk is
// waited for.
#include "core/log/log_file.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

using namespace ftpsensor;

namespace {

constexpr Timestamp kHourStart = 1597557600 * kSecond; // 2020-08-16 06:00 UTC
const std::string kHourly = "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz";
const std::string kMinutely = "daily/conn_0615.log.gz";
const std::string kCurrent = "current/conn.log.gz";

std::string line(int number) { return "{\"n\":" + std::to_string(number) + "}\n"; }

RotationOptions minutely() {
    RotationOptions options;
    options.interval = kMinute;
    options.folder_name = "daily";
    options.file_name = "{log}_%H%M.log.gz";
    return options;
}

struct Log {
    TempDirectory directory;
    FaultyFileSystem files;
    Rotation hourly{RotationOptions{}};
    Rotation next{minutely()};
    LogFile file{files, hourly, options(), [](LogNotice, const std::string&) {}};

    static void end(std::int64_t, TextBuffer& text) { text.append("#close\n"); }

    LogFileOptions options() const {
        LogFileOptions o;
        o.place.directory = directory.path();
        o.log = "conn";
        return o;
    }
    std::string text(const std::string& name) const { return gunzip_file(directory / name); }
};

} // namespace

TEST_CASE("the file under way ends under its old name; what comes goes by the new one") {
    Log log;
    const Timestamp quarter = kHourStart + 15 * kMinute;
    log.file.append(line(1), kHourStart);
    log.file.append(line(2), quarter); // not yet flushed
    LogFileOptions options = log.options();
    options.place.file_mode = 0600;
    REQUIRE(log.file.adopt(log.next, options));
    CHECK(log.directory.files() == std::set<std::string>{kHourly});
    CHECK(log.text(kHourly) == line(1) + line(2));

    log.file.append(line(3), quarter + kSecond);
    log.file.tick(quarter + 2 * kSecond);
    CHECK(log.text(kCurrent) == line(3));
    struct stat status {};
    REQUIRE(::stat((log.directory / kCurrent).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    log.file.tick(quarter + kMinute); // the new rotation's boundary
    CHECK(log.text(kMinutely) == line(3));
    CHECK(log.file.finish());
    CHECK(log.file.status().entries_written == 3); // counters go on
}

TEST_CASE("without a file there is nothing to end") {
    Log log;
    REQUIRE(log.file.adopt(log.next, log.options()));
    CHECK(log.directory.files().empty());
    log.file.append(line(1), kHourStart + 15 * kMinute);
    CHECK(log.file.finish());
    CHECK(log.text(kMinutely) == line(1));
}

TEST_CASE("on a disk that fails all stays as it was, and is taken once it works") {
    Log log;
    Timestamp now = kHourStart + 15 * kMinute;
    log.file.append(line(1), now);
    log.file.tick(now += 2 * kSecond);
    log.files.write_error = ENOSPC;
    log.file.append(line(2), now);
    log.file.tick(now += 2 * kSecond);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(log.file.adopt(log.next, log.options()));
    CHECK(log.file.status().entries_waiting == 1);
    log.file.append(line(3), now);
    log.files.write_error = 0;
    bool adopted = false;
    for (int i = 0; i < 30 && !adopted; ++i) {
        log.file.tick(now += kSecond);
        adopted = log.file.adopt(log.next, log.options());
    }
    CHECK(adopted);
    CHECK(log.text(kHourly) == line(1) + line(2) + line(3));
    CHECK(log.file.status().entries_dropped == 0);
}

TEST_CASE(
    "while the disk fails, what comes waits as it would without a reload: a member a second, not one an attempt") {
    Log log;
    Timestamp now = kHourStart + 15 * kMinute;
    log.files.write_error = EIO;
    log.file.append(line(0), now);
    log.file.tick(now += 2 * kSecond);
    CHECK_FALSE(log.file.adopt(log.next, log.options()));
    const std::uint64_t before = log.file.status().bytes_waiting;
    for (int i = 1; i <= 9; ++i) { // within the first delay of the next attempt
        log.file.append(line(i), now += 10 * kMillisecond);
        log.file.tick(now);
        CHECK_FALSE(log.file.adopt(log.next, log.options()));
    }
    CHECK(log.file.status().bytes_waiting == before);
    CHECK(log.file.status().entries_waiting == 10);
}

TEST_CASE("a file that cannot be renamed stays the current one until it can") {
    Log log;
    Timestamp now = kHourStart + 15 * kMinute;
    log.file.append(line(1), now);
    log.file.tick(now += 2 * kSecond);
    log.files.rename_error = EACCES;
    CHECK_FALSE(log.file.adopt(log.next, log.options()));
    log.files.rename_error = 0;
    bool adopted = false;
    for (int i = 0; i < 30 && !adopted; ++i) {
        log.file.tick(now += kSecond);
        adopted = log.file.adopt(log.next, log.options());
    }
    CHECK(adopted);
    CHECK(log.text(kHourly) == line(1));
}

TEST_CASE("a file that was ended but not renamed, and goes on, ends once, behind all that it holds") {
    Log log;
    LogFileOptions with_end = log.options();
    with_end.hooks.footer = Log::end;
    REQUIRE(log.file.adopt(log.hourly, with_end));
    Timestamp now = kHourStart + 15 * kMinute;
    log.file.append(line(1), now);
    log.file.tick(now += 2 * kSecond);
    log.files.rename_error = EACCES;
    CHECK_FALSE(log.file.adopt(log.next, with_end));
    log.file.append(line(2), now);
    log.files.truncate_error = EIO; // the end cannot be cut off: the entry waits
    log.file.tick(now += 2 * kSecond);
    CHECK(log.file.status().entries_waiting == 1);
    log.files.truncate_error = 0;
    log.file.tick(now += LogFile::kRetryDelayMax);
    CHECK(log.text(kCurrent) == line(1) + line(2));
    CHECK(log.files.unsynced_writes == 1);
    log.files.rename_error = 0;
    CHECK(log.file.finish());
    CHECK(log.files.unsynced_writes == 0);
    CHECK(log.text(kHourly) == line(1) + line(2) + "#close\n");
}
