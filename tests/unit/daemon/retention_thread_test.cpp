// Finished logs are removed while the sensor runs, by what the configuration says now.
#include "core/log/gzip_member.h"
#include "daemon/retention_thread.h"
#include "tests/support/catch.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>

#include <stdlib.h>

using namespace ftpsensor;

namespace {

struct Folder {
    std::string path = "/tmp/retention_thread_test.XXXXXX";
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::string add_file(const std::string& directory, const char* name, std::chrono::hours age) {
    const std::string path = directory + '/' + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    GzipCompressor compressor(1);
    const auto member = compressor.compress("{}\n", {});
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(member.data()), std::ssize(member));
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
    return path;
}

struct OldLogs {
    Folder folder;
    LogPlace place{folder.path, 0640, std::nullopt};
    std::string older =
        add_file(folder.path, "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz", std::chrono::hours(30));
    std::string old =
        add_file(folder.path, "2020-08-16/conn_20200816_07:00:00-08:00:00+0000.log.gz", std::chrono::hours(20));
};

class StuckFileSystem final : public FileSystem {
public:
    std::atomic<bool> stuck{false};
    std::atomic<bool> asked{false};

    int list(const std::string& directory, std::vector<std::string>& names) override {
        asked = true;
        while (stuck) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return real_.list(directory, names);
    }
    int open(const std::string& path, int flags, mode_t mode) override { return real_.open(path, flags, mode); }
    int close(int fd) override { return real_.close(fd); }
    ssize_t write_at(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) override {
        return real_.write_at(fd, bytes, offset);
    }
    ssize_t read_at(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset) override {
        return real_.read_at(fd, bytes, offset);
    }
    int truncate(int fd, std::uint64_t bytes) override { return real_.truncate(fd, bytes); }
    int sync(int fd) override { return real_.sync(fd); }
    std::int64_t size(int fd) override { return real_.size(fd); }
    bool is_at(int fd, const std::string& path) override { return real_.is_at(fd, path); }
    int set_access(int fd, mode_t mode, std::optional<gid_t> group) override {
        return real_.set_access(fd, mode, group);
    }
    int rename_to_new(const std::string& from, const std::string& to) override { return real_.rename_to_new(from, to); }
    int remove(const std::string& path) override { return real_.remove(path); }
    int make_directory(const std::string& path, mode_t mode, std::optional<gid_t> group) override {
        return real_.make_directory(path, mode, group);
    }
    int status(const std::string& path, FileStatus& status) override { return real_.status(path, status); }
    int remove_directory(const std::string& path) override { return real_.remove_directory(path); }
    std::int64_t free_bytes(const std::string& directory) override { return real_.free_bytes(directory); }

private:
    FileSystem& real_ = posix_file_system();
};

bool within_seconds(int seconds, const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

} // namespace

TEST_CASE("looks at once, and again when the bounds change") {
    const OldLogs logs;
    DirectoryLock lock(logs.place);
    const auto young =
        add_file(logs.folder.path, "2020-08-16/conn_20200816_08:00:00-09:00:00+0000.log.gz", std::chrono::hours(10));
    RetentionThread retention(posix_file_system(), lock, logs.place, RotationOptions{}, {.age = 25 * kHour}, 0);
    CHECK(within_seconds(5, [&] { return !std::filesystem::exists(logs.older); }));
    CHECK(within_seconds(5, [&] { return retention.files_removed() == 1; }));
    CHECK(std::filesystem::exists(logs.old));
    retention.set_options({.age = 15 * kHour});
    CHECK(within_seconds(5, [&] { return retention.files_removed() == 2; }));
    CHECK_FALSE(std::filesystem::exists(logs.old));
    CHECK(retention.bytes_removed() > 0);
    CHECK(std::filesystem::exists(young));
}

TEST_CASE("nothing goes for its age while the clock may be ahead, what is too much does") {
    const OldLogs logs;
    DirectoryLock lock(logs.place);
    RetentionThread retention(posix_file_system(), lock, logs.place, RotationOptions{}, {.age = kHour});
    retention.set_options({.age = kHour, .bytes = std::filesystem::file_size(logs.old)});
    CHECK(within_seconds(5, [&] { return !std::filesystem::exists(logs.older); }));
    CHECK(within_seconds(5, [&] { return retention.files_removed() == 1; }));
    CHECK(std::filesystem::exists(logs.old));
}

TEST_CASE("a clock is trusted once it has kept step for so long") {
    ClockTrust trust(10 * kMinute);
    CHECK_FALSE(trust.look(1'000 * kSecond, 5 * kSecond));
    CHECK_FALSE(trust.look(1'500 * kSecond, 505 * kSecond));
    CHECK(trust.look(1'600 * kSecond, 605 * kSecond));
    CHECK(trust.look(1'615 * kSecond, 615 * kSecond)); // slewed
    for (const Timestamp step : {1'000'000 * kSecond, -500 * kSecond}) {
        CHECK_FALSE(trust.look(1'625 * kSecond + step, 625 * kSecond));
        CHECK_FALSE(trust.look(2'224 * kSecond + step, 1'224 * kSecond));
        CHECK(trust.look(2'225 * kSecond + step, 1'225 * kSecond));
        CHECK_FALSE(trust.look(1'615 * kSecond, 615 * kSecond)); // and back
        CHECK(trust.look(2'215 * kSecond, 1'215 * kSecond));
    }
    CHECK(ClockTrust(0).look(0, 0));
}

TEST_CASE("other names are taken without waiting for a disk that does not answer") {
    const Folder folder;
    const LogPlace place{folder.path, 0640, std::nullopt};
    DirectoryLock lock(place);
    const auto left = add_file(folder.path, "2020-08-16/other_20200816.gz", std::chrono::hours(30));
    StuckFileSystem files;
    files.stuck = true;
    {
        RetentionThread retention(files, lock, place, RotationOptions{}, {.age = 25 * kHour}, 0);
        CHECK(within_seconds(5, [&] { return files.asked.load(); }));
        const auto began = std::chrono::steady_clock::now();
        retention.set_files(std::make_unique<Retention>(files, place, RotationOptions{.file_name = "{log}_%Y%m%d.gz"}));
        retention.set_options({.age = 20 * kHour});
        CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(1));
        CHECK(std::filesystem::exists(left)); // not a name of the sensor's until then
        files.stuck = false;
        CHECK(within_seconds(5, [&] { return retention.files_removed() == 1; }));
        CHECK_FALSE(std::filesystem::exists(left));
    }
}
