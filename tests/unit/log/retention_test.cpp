// Old log files go, oldest first; nothing else ever does.
#include "core/log/gzip_member.h"
#include "core/log/retention.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <sys/stat.h>

using namespace ftpsensor;

namespace {

constexpr Timestamp kNow = 1'700'000'000 * kSecond;
constexpr Duration kDay = 24 * kHour;

std::string member_of_ours() {
    GzipCompressor compressor(1);
    const auto bytes = compressor.compress("{}\n", {});
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Logs {
    TempDirectory directory;
    FaultyFileSystem files;
    const std::string member = member_of_ours();

    void set_time(const std::string& path, Timestamp t) {
        const timespec times[2] = {{t / kSecond, 0}, {t / kSecond, 0}};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
    }
    // `bytes` long, last written so long ago.
    std::string add(const std::string& name, Duration age, std::size_t bytes = 10'000) {
        std::string content = member;
        content.resize(bytes, 'x');
        write_file(directory / name, content);
        set_time(directory / name, kNow - age);
        return name;
    }
    static std::string name(int day, int hour, const char* log = "conn") {
        char text[80];
        std::snprintf(text, sizeof text, "2020-08-%02d/%s_202008%02d_%02d:00:00-%02d:00:00+0000.log.gz", day, log, day,
                      hour, hour + 1);
        return text;
    }
    RetentionReport apply(const RetentionOptions& options, const RotationOptions& rotation = {}) {
        LogPlace place;
        place.directory = directory.path();
        return Retention(files, place, rotation).apply(options, kNow);
    }
};

} // namespace

TEST_CASE("by age: what was finished longer ago goes, what was not stays") {
    Logs logs;
    logs.add(Logs::name(1, 1), 40 * kDay);
    logs.add(Logs::name(1, 1, "ftp"), 31 * kDay);
    const auto young = logs.add(Logs::name(2, 1), 29 * kDay);
    const RetentionReport report = logs.apply({.age = 30 * kDay});
    CHECK(report.removed_for_age == 2);
    CHECK(report.bytes_removed == 20'000);
    CHECK(logs.directory.files() == std::set<std::string>{young});
    CHECK_THAT(report.message(), Catch::Contains("removed 2 files of 20000 bytes, 2020-08-01/conn") &&
                                     Catch::Contains("log.retention.age"));
}

TEST_CASE("by size: oldest first, no more than needed, the current file counts and stays") {
    Logs logs;
    logs.add("current/conn.log.gz", 50 * kDay, 30'000);
    for (int hour = 1; hour <= 5; ++hour) logs.add(Logs::name(1, hour), (10 - hour) * kDay);
    const RetentionReport report = logs.apply({.bytes = 55'000}); // 80,000 are there
    CHECK(report.removed_for_bytes == 3);
    CHECK(logs.directory.files() == std::set<std::string>{"current/conn.log.gz", Logs::name(1, 4), Logs::name(1, 5)});
    CHECK_FALSE(report.over_bytes);
    CHECK(logs.apply({.bytes = 55'000}).removed() == 0);

    const RetentionReport impossible = logs.apply({.bytes = 20'000});
    CHECK(impossible.removed_for_bytes == 2);
    CHECK(impossible.over_bytes); // said, and the current file is there
    CHECK(logs.directory.files() == std::set<std::string>{"current/conn.log.gz"});
}

TEST_CASE("by free space: oldest first until enough is free") {
    Logs logs;
    for (int hour = 1; hour <= 5; ++hour) logs.add(Logs::name(1, hour), (10 - hour) * kDay, 64 << 10);
    logs.files.free = 1 << 20;
    CHECK(logs.apply({.free_bytes = 1 << 20}).removed() == 0);
    const RetentionReport report = logs.apply({.free_bytes = (1 << 20) + (100 << 10)});
    CHECK(report.removed_for_free == 2); // 64 KiB each on the disk
    CHECK_FALSE(report.short_of_free);
    CHECK(logs.directory.files() == std::set<std::string>{Logs::name(1, 3), Logs::name(1, 4), Logs::name(1, 5)});
    CHECK(logs.apply({.free_bytes = 1ull << 40}).short_of_free);
    CHECK(logs.directory.files().empty());
}

TEST_CASE("more free space than the disk has in all: said, and nothing goes for it") {
    Logs logs;
    logs.add(Logs::name(1, 1), 9 * kDay);
    logs.add(Logs::name(1, 2), kDay);
    logs.files.disk = 1 << 30;
    logs.files.free = 1 << 20;
    RetentionReport report = logs.apply({.free_bytes = 1ull << 40});
    CHECK(report.removed() == 0);
    CHECK(report.impossible_free);
    report = logs.apply({.age = 2 * kDay, .free_bytes = 1ull << 40}); // another bound is kept all the same
    CHECK(report.removed_for_age == 1);
    CHECK(report.removed() == 1);
    CHECK_FALSE(logs.apply({.free_bytes = 1 << 20}).impossible_free);
}

TEST_CASE("no bound, nothing removed") {
    Logs logs;
    logs.add(Logs::name(1, 1), 10'000 * kDay);
    logs.files.free = 0;
    CHECK(logs.apply({}).removed() == 0);
    CHECK(logs.directory.files().size() == 1);
}

TEST_CASE("files that are not ours stay, whatever their age and name") {
    Logs logs;
    const std::set<std::string> others = {
        logs.add("2020-08-01/notes.txt", 900 * kDay),
        logs.add("2020-08-01/conn_20200801_01:00:00-02:00:00+0000.log", 900 * kDay),
        logs.add("2020-08-01/" + Logs::name(1, 1), 900 * kDay), // deeper than ours are
        logs.add("keep/conn_20200801_01:00:00-02:00:00+0000.log.gz", 900 * kDay),
        logs.add("conn_20200801_01:00:00-02:00:00+0000.log.gz", 900 * kDay),
        logs.add("current/conn.log.gz", 900 * kDay),
        logs.add("current/conn_20200801_01:00:00-02:00:00+0000.log.gz", 900 * kDay),
        logs.add("current/conn.log.gz.damaged", 900 * kDay),
    };
    // Our name, but another's content: too short, or a gzip file of another program.
    write_file(logs.directory / Logs::name(2, 1), "x");
    write_file(logs.directory / Logs::name(2, 2), std::string("\x1f\x8b\x08\x00", 4) + std::string(5000, 'x'));
    logs.set_time(logs.directory / Logs::name(2, 1), kNow - 900 * kDay);
    logs.set_time(logs.directory / Logs::name(2, 2), kNow - 900 * kDay);
    logs.files.free = 0;
    const RetentionReport report = logs.apply({.age = kDay, .bytes = 1, .free_bytes = 1ull << 40});
    CHECK(report.removed() == 0);
    std::set<std::string> expected = others;
    expected.insert({Logs::name(2, 1), Logs::name(2, 2)});
    CHECK(logs.directory.files() == expected);
}

TEST_CASE("another's large file does not cost ours their place") {
    Logs logs;
    const auto ours = logs.add(Logs::name(1, 1), 9 * kDay);
    write_file(logs.directory / Logs::name(1, 2), std::string(1 << 20, 'x'));
    CHECK(logs.apply({.bytes = 100'000}).removed() == 0);
    CHECK(logs.directory.files().contains(ours));
}

TEST_CASE("symbolic links are not followed and not removed") {
    Logs logs, elsewhere;
    const auto target = elsewhere.add(Logs::name(1, 1), 900 * kDay);
    std::filesystem::create_directories(logs.directory / "2020-08-02");
    std::filesystem::create_symlink(elsewhere.directory / target, logs.directory / Logs::name(2, 1));
    std::filesystem::create_directory_symlink(elsewhere.directory / "2020-08-01", logs.directory / "2020-08-01");
    CHECK(logs.apply({.age = kDay}).removed() == 0);
    CHECK(std::filesystem::exists(elsewhere.directory / target));
    CHECK(std::filesystem::is_symlink(logs.directory / Logs::name(2, 1)));
}

TEST_CASE("an empty dated folder goes once nobody has touched it for a minute, another's does not") {
    Logs logs;
    logs.add(Logs::name(1, 1), 900 * kDay);
    std::filesystem::create_directories(logs.directory / "mine");
    logs.set_time(logs.directory / "mine", kNow - kDay);
    logs.apply({.age = kDay});
    logs.set_time(logs.directory / "2020-08-01", kNow - 30 * kSecond);
    logs.apply({.age = kDay});
    CHECK(std::filesystem::exists(logs.directory / "2020-08-01"));
    logs.set_time(logs.directory / "2020-08-01", kNow - 2 * kMinute);
    logs.apply({.age = kDay});
    CHECK_FALSE(std::filesystem::exists(logs.directory / "2020-08-01"));
    CHECK(std::filesystem::exists(logs.directory / "mine"));
}

TEST_CASE("without dated folders, files lie in the log directory itself") {
    Logs logs;
    RotationOptions rotation;
    rotation.folder_name = "";
    logs.add("conn_20200801_01:00:00-02:00:00+0000.log.gz", 900 * kDay);
    const auto in_folder = logs.add(Logs::name(1, 1), 900 * kDay);
    CHECK(logs.apply({.age = kDay}, rotation).removed_for_age == 1);
    CHECK(logs.directory.files() == std::set<std::string>{in_folder});
}

TEST_CASE("a file that cannot be removed is said, and the rest waits for the next time") {
    Logs logs;
    logs.add(Logs::name(1, 1), 9 * kDay);
    logs.add(Logs::name(1, 2), 8 * kDay);
    logs.files.remove_error = EROFS;
    RetentionReport report = logs.apply({.age = kDay});
    CHECK(report.removed() == 0);
    CHECK_THAT(report.problem.message(), Catch::Contains("Read-only file system") && Catch::Contains(Logs::name(1, 1)));
    logs.files.remove_error = 0;
    report = logs.apply({.age = kDay});
    CHECK(report.removed() == 2);
    CHECK(logs.files.removed.front() == logs.directory / Logs::name(1, 1));
}

TEST_CASE("a file that somebody locked is said, and neither keeps the others nor costs them their place") {
    for (const RetentionOptions& bound : {RetentionOptions{.age = 2 * kDay}, RetentionOptions{.bytes = 25'000}}) {
        Logs logs;
        const auto locked = logs.add(Logs::name(1, 1), 9 * kDay, 100'000);
        logs.add(Logs::name(1, 2), 8 * kDay);
        const auto young = logs.add(Logs::name(1, 3), kDay);
        const auto younger = logs.add(Logs::name(1, 4), kHour);
        logs.files.remove_error = EPERM;
        logs.files.kept = locked;
        const RetentionReport report = logs.apply(bound);
        CHECK(logs.directory.files() == std::set<std::string>{locked, young, younger});
        CHECK_THAT(report.problem.message(), Catch::Contains("not permitted") && Catch::Contains(locked));
    }
}

TEST_CASE("what others put into current/ costs no finished file its place") {
    Logs logs;
    logs.add("current/conn.log.gz.damaged", kDay, 1'000'000);
    logs.add("current/evidence.pcap", kDay, 1'000'000);
    const auto finished = logs.add(Logs::name(1, 1), 9 * kDay);
    CHECK(logs.apply({.bytes = 50'000}).removed() == 0);
    CHECK(logs.directory.files().contains(finished));
}

TEST_CASE("a log directory that is gone") {
    Logs logs;
    std::filesystem::remove_all(logs.directory.path());
    CHECK(logs.apply({.age = kDay, .bytes = 1}).removed() == 0);
    CHECK_FALSE(logs.apply({.free_bytes = 1}).problem.ok());
}
