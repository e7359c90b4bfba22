// One sensor a log directory, and nobody but a sensor can hold it.
#include "core/log/directory_lock.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

} // namespace

TEST_CASE("a directory belongs to one sensor") {
    const TempDirectory directory;
    const LogPlace place{directory / "new/logs", 0640, std::nullopt};
    {
        const DirectoryLock held(place);
        CHECK(std::filesystem::is_directory(directory / "new/logs/current"));
        CHECK_THROWS_WITH(DirectoryLock(place),
                          Catch::Contains("in use by another sensor") && Catch::Contains(std::to_string(::getpid())));
    }
    CHECK_NOTHROW(DirectoryLock(place)); // given back
    write_file(directory / "file", "");
    CHECK_THROWS_WITH(DirectoryLock({directory / "file/logs", 0640, std::nullopt}), Catch::Contains("Not a directory"));
}

TEST_CASE("a link in the place of the lock is not followed: what it points to stays as it is") {
    const TempDirectory directory;
    const LogPlace place{directory / "logs", 0640, std::nullopt};
    write_file(directory / "victim", "to be kept");
    std::filesystem::create_directories(directory / "logs/current");
    std::filesystem::create_symlink(directory / "victim", directory / "logs/current/.lock");
    CHECK_THROWS_WITH(DirectoryLock(place), Catch::Contains("cannot open") && Catch::Contains("current/.lock"));
    CHECK(read_file(directory / "victim") == "to be kept");
}

TEST_CASE("a directory that is removed and made again still belongs to its sensor") {
    const TempDirectory directory;
    const LogPlace place{directory / "logs", 0640, std::nullopt};
    DirectoryLock held(place);
    CHECK(held.renew());
    std::filesystem::remove_all(directory / "logs");
    CHECK(held.renew()); // nothing there to hold
    std::filesystem::create_directories(directory / "logs/current");
    CHECK(held.renew());
    CHECK_THROWS_WITH(DirectoryLock(place), Catch::Contains("in use by another sensor (process"));
    std::filesystem::remove_all(directory / "logs");
    {
        const DirectoryLock faster(place);
        CHECK_FALSE(held.renew());
    }
    CHECK(held.renew());
}

TEST_CASE("who may read the logs may not open the lock, and so not hold it") {
    const TempDirectory directory;
    const LogPlace place{directory / "logs", 0644, std::nullopt};
    const std::string lock = directory / "logs/current/.lock";
    DirectoryLock held(place);
    CHECK(mode_of(lock) == 0600);
    std::filesystem::remove_all(directory / "logs");
    write_file(lock, "");
    REQUIRE(::chmod(lock.c_str(), 0644) == 0);
    CHECK(held.renew());
    CHECK(mode_of(lock) == 0600);
}

TEST_CASE("a lock that an earlier version left open to readers is closed to them, also while it is held") {
    const TempDirectory directory;
    const LogPlace place{directory / "logs", 0640, std::nullopt};
    const std::string lock = directory / "logs/current/.lock";
    write_file(lock, "1");
    REQUIRE(::chmod(lock.c_str(), 0644) == 0);
    const int reader = ::open(lock.c_str(), O_RDONLY);
    REQUIRE(::flock(reader, LOCK_EX | LOCK_NB) == 0); // nothing but the right to open is asked for
    CHECK_THROWS_WITH(DirectoryLock(place), Catch::Contains("in use by another sensor"));
    CHECK(mode_of(lock) == 0600);
    ::close(reader);
    CHECK_NOTHROW(DirectoryLock(place));
}
