// A log on a disk that works: members, rotation, names, late entries, access.
#include "core/log/format.h"
#include "core/log/log_file.h"
#include "core/log/recovery.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

using namespace ftpsensor;

namespace {

constexpr Timestamp kHourStart = 1597557600 * kSecond; // 2020-08-16 06:00 UTC
const std::string kSix = "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz";
const std::string kSeven = "2020-08-16/conn_20200816_07:00:00-08:00:00+0000.log.gz";
const std::string kCurrent = "current/conn.log.gz";

struct Log {
    TempDirectory directory;
    FaultyFileSystem files; // counts; nothing fails here
    Rotation rotation;
    std::vector<std::string> notices;
    LogFile file;

    explicit Log(RotationOptions rotation_options = {}, LogFileOptions options = {})
        : rotation(rotation_options),
          file(files, rotation, placed(std::move(options)),
               [this](LogNotice, const std::string& message) { notices.push_back(message); }) {}

    LogFileOptions placed(LogFileOptions options) const {
        options.place.directory = directory.path();
        options.log = "conn";
        return options;
    }
    std::string text(const std::string& name) const { return gunzip_file(directory / name); }
};

std::string line(int number) { return "{\"n\":" + std::to_string(number) + "}\n"; }

} // namespace

TEST_CASE("a member a second of packet time, each by one write, readable at each moment") {
    Log log;
    log.file.append(line(1), kHourStart);
    log.file.append(line(2), kHourStart + 999 * kMillisecond);
    CHECK(log.directory.files().empty()); // nothing is written before a flush
    log.file.append(line(3), kHourStart + kSecond);
    CHECK(log.text(kCurrent) == line(1) + line(2) + line(3));
    log.file.append(line(4), kHourStart + 1500 * kMillisecond);
    log.file.tick(kHourStart + 2400 * kMillisecond);
    CHECK(log.files.writes == 1);
    log.file.tick(kHourStart + 2500 * kMillisecond);
    CHECK(log.files.writes == 2);
    CHECK(log.text(kCurrent) == line(1) + line(2) + line(3) + line(4));
    log.file.tick(kHourStart + 9 * kSecond);
    CHECK(log.files.writes == 2); // no empty members
    const LogFileStatus status = log.file.status();
    CHECK(status.members == 2);
    CHECK(status.entries_written == 4);
    CHECK(status.entries_waiting == 0);
    CHECK(status.file_bytes == read_file(log.directory / kCurrent).size());
    CHECK(status.text_bytes == log.text(kCurrent).size());
}

TEST_CASE("a member each so many bytes") {
    LogFileOptions options;
    options.flush_bytes = 100;
    Log log({}, options);
    for (int i = 0; i < 50; ++i) log.file.append(line(10 + i), kHourStart);
    CHECK(log.files.writes == 4); // 9 bytes a line: 12 lines reach the 100
    CHECK(log.file.status().entries_waiting == 2);
}

TEST_CASE("an hour ends with the first entry of the next, or with time alone") {
    Log log;
    log.file.append(line(1), kHourStart + 59 * kMinute);
    log.file.append(line(2), kHourStart + kHour - 1);
    log.file.append(line(3), kHourStart + kHour);
    CHECK(log.directory.files() == std::set<std::string>{kSix});
    CHECK(log.text(kSix) == line(1) + line(2));
    log.file.tick(kHourStart + 2 * kHour);
    CHECK(log.directory.files() == std::set<std::string>{kSix, kSeven});
    CHECK(log.text(kSeven) == line(3));
    CHECK(log.file.status().files_rotated == 2);
}

TEST_CASE("hours without entries leave no files") {
    Log log;
    log.file.append(line(1), kHourStart);
    log.file.append(line(2), kHourStart + 30 * kHour);
    for (int hour = 31; hour < 40; ++hour) log.file.tick(kHourStart + hour * kHour);
    CHECK(log.file.finish());
    CHECK(log.directory.files() ==
          std::set<std::string>{kSix, "2020-08-17/conn_20200817_12:00:00-13:00:00+0000.log.gz"});
}

TEST_CASE("the end rotates a partly filled hour under the whole hour's name") {
    Log log;
    log.file.append(line(1), kHourStart + 26 * kMinute);
    CHECK(log.file.finish());
    CHECK(log.directory.files() == std::set<std::string>{kSix});
    CHECK(log.notices.empty());
}

TEST_CASE("nothing at all leaves nothing") {
    Log log;
    log.file.tick(kHourStart);
    CHECK(log.file.finish());
    CHECK(log.directory.files().empty());
}

TEST_CASE("late entries go to the current file") {
    Log log;
    log.file.append(line(1), kHourStart + kHour);
    log.file.append(line(2), kHourStart + kHour - kSecond);
    CHECK(log.file.finish());
    CHECK(log.directory.files() == std::set<std::string>{kSeven});
    CHECK(log.text(kSeven) == line(1) + line(2));
}

TEST_CASE("an hour that time has ended is not opened again for a late entry") {
    Log log;
    log.file.append(line(1), kHourStart);
    log.file.tick(kHourStart + kHour);
    log.file.append(line(2), kHourStart + 1);
    CHECK(log.file.finish());
    CHECK(log.directory.files() == std::set<std::string>{kSix, kSeven});
    CHECK(log.text(kSeven) == line(2));
}

TEST_CASE("a late entry does not mislead recovery") {
    Log log;
    log.file.append(line(1), kHourStart + kHour);
    log.file.append(line(2), kHourStart - 9 * kHour);
    log.file.tick(kHourStart + kHour + kSecond);
    // as after a crash: the file is recovered from under the writer
    const RecoveryReport report = recover_file(log.files, {log.directory.path(), 0640, {}}, log.rotation, "conn");
    CHECK(report.moved_to == log.directory / kSeven);
}

TEST_CASE("a name that is taken is never overwritten") {
    for (int run = 0; run < 3; ++run) {
        static const TempDirectory directory;
        LogFileOptions options;
        options.place.directory = directory.path();
        options.log = "conn";
        const Rotation rotation{RotationOptions{}};
        LogFile file(posix_file_system(), rotation, options, [](LogNotice, const std::string&) {});
        file.append(line(run), kHourStart);
        CHECK(file.finish());
        const std::string name = "2020-08-16/conn_20200816_06:00:00-07:00:00+0000";
        for (int i = 0; i <= run; ++i)
            CHECK(gunzip_file(directory / (name + (i == 0 ? "" : '.' + std::to_string(i)) + ".log.gz")) == line(i));
    }
}

TEST_CASE("without rotation: one file from the first entry to the last") {
    RotationOptions never;
    never.interval = 0;
    Log log(never);
    log.file.append(line(1), kHourStart);
    log.file.append(line(2), kHourStart + 25 * kHour + 5 * kSecond);
    CHECK(log.file.finish());
    CHECK(log.directory.files() == std::set<std::string>{"2020-08-16/conn_20200816_06:00:00-07:00:05+0000.log.gz"});
}

TEST_CASE("files and folders can be read by whom the mode says, whatever the umask") {
    const mode_t before = ::umask(0077);
    Log log;
    log.file.append(line(1), kHourStart);
    CHECK(log.file.finish());
    ::umask(before);
    const auto mode = [&](const std::string& name) {
        struct stat status {};
        REQUIRE(::stat((log.directory / name).c_str(), &status) == 0);
        return status.st_mode & 07777;
    };
    CHECK(mode(kSix) == 0640);
    CHECK(mode("2020-08-16") == 0750);
    CHECK(mode("current") == 0750);
}

TEST_CASE("who may write the files may not remove them, or put others in their place: folders are the sensor's") {
    CHECK(directory_mode(0600) == 0700);
    CHECK(directory_mode(0640) == 0750);
    CHECK(directory_mode(0660) == 0750);
    CHECK(directory_mode(0666) == 0755);
}

TEST_CASE("header and end of the tab-separated form are in every file") {
    const FormatOptions format{LogFormat::tsv, TimestampFormat::epoch, "", "", false};
    const Formatter formatter(format);
    LogFileOptions options;
    options.hooks.header = [&](std::int64_t local, TextBuffer& text) {
        formatter.append_header(LogKind::conn, local, text);
    };
    options.hooks.footer = [&](std::int64_t local, TextBuffer& text) { formatter.append_footer(local, text); };
    Log log({}, options);
    log.file.append("row one\n", kHourStart + 5 * kSecond);
    log.file.append("row two\n", kHourStart + kHour);
    CHECK(log.file.finish());
    const std::string six = log.text(kSix);
    CHECK(six.starts_with("#separator \\x09\n"));
    CHECK(six.find("#open\t2020-08-16-06-00-05\n") != std::string::npos);
    CHECK(six.ends_with("string\nrow one\n#close\t2020-08-16-06-00-05\n"));
    CHECK(log.text(kSeven).ends_with("string\nrow two\n#close\t2020-08-16-07-00-00\n"));
}

TEST_CASE("options that cannot be") {
    LogFileOptions options;
    options.flush_bytes = 0;
    CHECK_THROWS_AS(Log({}, options), std::invalid_argument);
    options = {};
    options.flush_interval = 0;
    CHECK_THROWS_AS(Log({}, options), std::invalid_argument);
    options = {};
    options.compression_level = 4;
    CHECK_THROWS_AS(Log({}, options), std::invalid_argument);
    CHECK_THROWS_WITH(group_id("no such group"), Catch::Contains("no such group"));
}

TEST_CASE("a size bound: files end earlier, named by the seconds that they cover, seamless, none written over") {
    RotationOptions by_size;
    by_size.file_bytes = 400;
    Log log(by_size);
    std::string all;
    Timestamp now = kHourStart + 100 * kMillisecond;
    for (int i = 0; i < 60; ++i) {
        log.file.append(line(i), now);
        all += line(i);
        now += kSecond;
        log.file.tick(now);
    }
    CHECK(log.file.finish());
    const auto files = log.directory.files();
    CHECK(files.size() > 5);
    CHECK(files.begin()->starts_with("2020-08-16/conn_20200816_06:00:00-06:00:0"));
    CHECK(files.rbegin()->ends_with("-07:00:00+0000.log.gz"));
    std::string found, end_of_last = "06:00:01";
    for (const std::string& name : files) { // names sort by time
        CAPTURE(name, end_of_last);
        const std::string begin = name.substr(25, 8), end = name.substr(34, 8);
        CHECK(begin < end_of_last); // the second in which the last one was full is in both
        end_of_last = end;
        CHECK(read_file(log.directory / name).size() < 400 + 100);
        found += log.text(name);
    }
    CHECK(found == all);
    CHECK(log.file.status().files_rotated == files.size());
}

TEST_CASE("several full files within one second are numbered") {
    RotationOptions by_size;
    by_size.file_bytes = 100;
    LogFileOptions options;
    options.flush_bytes = 10;
    Log log(by_size, options);
    std::string all;
    for (int i = 0; i < 40; ++i) {
        log.file.append(line(i), kHourStart + i);
        all += line(i);
    }
    CHECK(log.file.finish());
    const auto files = log.directory.files();
    CHECK(files.size() > 5);
    std::size_t bytes = 0;
    for (const std::string& name : files) bytes += log.text(name).size();
    CHECK(bytes == all.size());
}

TEST_CASE("a size bound without intervals") {
    RotationOptions by_size;
    by_size.interval = 0;
    by_size.file_bytes = 400;
    Log log(by_size);
    for (int i = 0; i < 30; ++i) {
        log.file.append(line(i), kHourStart + i * kSecond);
        log.file.tick(kHourStart + (i + 1) * kSecond);
    }
    CHECK(log.file.finish());
    CHECK(log.directory.files().size() > 2);
    CHECK(log.directory.files().begin()->starts_with("2020-08-16/conn_20200816_06:00:00-06:00:0"));
}
