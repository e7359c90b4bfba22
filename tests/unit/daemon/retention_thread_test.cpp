// Finished logs are removed while the sensor runs, by what the configuration says now.
#include "core/log/gzip_member.h"
#include "daemon/retention_thread.h"
#include "tests/support/catch.h"

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
    const Folder folder;
    const LogPlace place{folder.path, 0640, std::nullopt};
    DirectoryLock lock(place);
    const auto older =
        add_file(folder.path, "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz", std::chrono::hours(30));
    const auto old =
        add_file(folder.path, "2020-08-16/conn_20200816_07:00:00-08:00:00+0000.log.gz", std::chrono::hours(20));
    const auto young =
        add_file(folder.path, "2020-08-16/conn_20200816_08:00:00-09:00:00+0000.log.gz", std::chrono::hours(10));
    RetentionThread retention(posix_file_system(), lock, place, RotationOptions{}, {.age = 25 * kHour});
    CHECK(within_seconds(5, [&] { return !std::filesystem::exists(older); }));
    CHECK(within_seconds(5, [&] { return retention.files_removed() == 1; }));
    CHECK(std::filesystem::exists(old));
    retention.set_options({.age = 15 * kHour});
    CHECK(within_seconds(5, [&] { return retention.files_removed() == 2; }));
    CHECK_FALSE(std::filesystem::exists(old));
    CHECK(retention.bytes_removed() > 0);
    CHECK(std::filesystem::exists(young));
}
