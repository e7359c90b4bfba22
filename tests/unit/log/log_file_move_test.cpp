// A file that cannot be moved to its place: what follows waits, and in the end goes into that file.
#include "numbered_log.h"
#include "tests/support/catch.h"

#include <cerrno>
#include <filesystem>

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("a rename that fails holds the next hour back, not the packets, and catches up in order") {
    Log log;
    log.now += kHour - 3 * kSecond;
    log.seconds(2);
    log.files.rename_error = EACCES;
    log.seconds(20); // over the boundary
    CHECK(log.directory.files() == std::set<std::string>{kCurrent});
    CHECK(log.text(kCurrent) == lines(0, 3));
    CHECK(log.file.status().entries_waiting == 19);
    log.files.rename_error = 0;
    log.seconds(10);
    CHECK(log.text(kSix) == lines(0, 3));
    CHECK(log.text(kCurrent) == lines(3, 32));
    CHECK(log.file.finish());
    CHECK(log.text(kSeven) == lines(3, 32));
}

TEST_CASE("a file that can never be moved takes what follows, rather than that it is lost") {
    for (const bool mended : {true, false}) {
        Log log(300); // a few members wait
        log.now += kHour - 3 * kSecond;
        log.seconds(2);
        log.files.rename_error = ENOTDIR;
        log.seconds(40); // over the boundary
        CHECK(log.directory.files() == std::set<std::string>{kCurrent});
        CHECK(log.file.status().entries_dropped == 0);
        const auto waiting = static_cast<int>(log.file.status().entries_waiting);
        CHECK(waiting > 2);
        CHECK(log.text(kCurrent) == lines(0, 42 - waiting));
        CHECK(log.count(LogNotice::warning) == 1);
        CHECK(log.count(LogNotice::dropping) == 0);
        if (mended) {
            log.files.rename_error = 0;
            log.seconds(12);
            CHECK(log.file.finish());
            const auto files = log.directory.files();
            REQUIRE(files.size() == 2);
            const std::string longer = *files.begin();
            CHECK(longer.starts_with("2020-08-16/conn_20200816_06:00:00-07:00:")); // by what is in it
            CHECK(longer != kSix);
            CHECK(files.contains(kSeven));
            CHECK(log.text(longer) + log.text(kSeven) == lines(0, 54));
        } else {
            CHECK_FALSE(log.file.finish()); // it was not moved
            CHECK(log.file.status().entries_dropped == 0);
            CHECK(log.text(kCurrent) == lines(0, 42));
        }
    }
}

TEST_CASE("what is the disk's own trouble, or takes the room of the log that goes first, is not written beyond") {
    for (const int error : {ENOSPC, EDQUOT, EIO}) {
        Log log(300);
        log.now += kHour - 3 * kSecond;
        log.seconds(2);
        log.files.rename_error = error;
        log.seconds(40);
        CHECK(log.text(kCurrent) == lines(0, 3));
        CHECK(log.file.status().entries_dropped > 0);
    }
    Log first("ftp");
    Log log("conn", &first.file, 300);
    log.now += kHour - 3 * kSecond;
    log.seconds(2);
    log.files.rename_error = ENOTDIR;
    log.seconds(2);
    first.files.write_error = ENOSPC;
    first.seconds(2);
    REQUIRE(first.file.wants_space());
    log.seconds(40);
    CHECK(log.text(kCurrent) == lines(0, 3));
    CHECK(log.file.status().entries_dropped > 0);
}

TEST_CASE("a file that cannot be moved and is gone takes nothing") {
    Log log(300);
    log.now += kHour - 3 * kSecond;
    log.seconds(2);
    log.files.rename_error = ENOTDIR;
    log.seconds(2);
    std::filesystem::remove(log.directory / kCurrent);
    log.seconds(30);
    CHECK(log.file.status().files_lost == 1);
    CHECK(log.file.status().entries_dropped == 0);
    log.files.rename_error = 0;
    CHECK(log.file.finish());
    CHECK(log.text(kSeven) == lines(3, 34));
}

TEST_CASE("a torn part that could not be cut off is not moved to the finished files") {
    Log log;
    log.seconds(2);
    log.files.truncate_error = EIO;
    log.files.writable_bytes = 20;
    log.seconds(1);
    CHECK_FALSE(log.file.finish());                                  // and the member is dropped
    CHECK(log.directory.files() == std::set<std::string>{kCurrent}); // for recovery
    CHECK(log.file.status().entries_dropped == 1);
}

TEST_CASE("a size bound and a rename that fails: the full file takes no more, what follows waits") {
    RotationOptions by_size;
    by_size.file_bytes = 300;
    Log log(1u << 20, by_size);
    log.files.rename_error = EROFS;
    log.seconds(30);
    const std::string full = log.text(kCurrent);
    CHECK(read_file(log.directory / kCurrent).size() < 300 + 100);
    CHECK(log.file.status().entries_waiting > 20);
    log.files.rename_error = 0;
    log.seconds(12);
    CHECK(log.file.finish());
    std::string all;
    for (const std::string& name : log.directory.files()) all += log.text(name);
    CHECK(all == lines(0, 42));
    CHECK(log.directory.files().size() > 5);
}
