// A disk that fails: entries wait, oldest are dropped at the bound and counted, the file stays valid, writing resumes.
#include "numbered_log.h"
#include "tests/support/catch.h"

#include <random>

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("a disk that never took an entry: no empty file is left, which gunzip would complain of") {
    Log log;
    log.files.write_error = EFBIG;
    log.seconds(3);
    CHECK_FALSE(log.file.finish());
    CHECK(log.directory.files().empty());
    CHECK(log.file.status().entries_dropped == 3);
    CHECK(log.file.status().files_rotated == 0);
}

TEST_CASE("a full disk: entries wait, said once, and all are written when there is room") {
    Log log;
    log.seconds(3);
    log.files.write_error = ENOSPC;
    log.seconds(30);
    CHECK(log.text(kCurrent) == lines(0, 3));
    CHECK(log.file.status().failing);
    CHECK(log.file.status().entries_waiting == 30);
    CHECK(log.file.status().bytes_waiting > 0);
    CHECK(log.file.status().entries_dropped == 0);
    CHECK(log.count(LogNotice::failing) == 1);
    CHECK_THAT(log.notices[0].second, Catch::Contains("No space left on device") && Catch::Contains(kCurrent));
    log.files.write_error = 0;
    log.seconds(10); // longer than the longest pause between attempts
    CHECK_FALSE(log.file.status().failing);
    CHECK(log.text(kCurrent) == lines(0, 43));
    CHECK(log.file.status().bytes_waiting == 0);
    CHECK(log.count(LogNotice::resumed) == 1);
    CHECK(log.file.finish());
    CHECK(log.text(kSix) == lines(0, 43));
    CHECK(log.file.status().entries_written == 43);
}

TEST_CASE("attempts become rarer") {
    Log log;
    log.files.write_error = EIO;
    log.seconds(60);
    const auto errors = log.file.status().errors;
    CHECK(errors >= 8);  // after 0.1, 0.2, 0.4 ... 6.4, 10, 10 seconds, at whole seconds
    CHECK(errors <= 15); // not each second
}

TEST_CASE("disk full in the middle of a member, at every byte: the file is valid throughout") {
    Log probe;
    probe.seconds(2);
    const std::uint64_t two_members = read_file(probe.directory / kCurrent).size();
    for (std::uint64_t room = 0; room <= two_members; ++room) {
        CAPTURE(room);
        Log log;
        log.files.writable_bytes = room;
        log.seconds(2);
        const int whole = static_cast<int>(log.file.status().entries_written);
        REQUIRE(gunzip_file(log.directory / kCurrent) == lines(0, whole)); // throws where it is not valid
        log.files.writable_bytes = ~0ull;
        log.seconds(10);
        REQUIRE(log.text(kCurrent) == lines(0, 12));
    }
}

TEST_CASE("even where the torn part cannot be cut off, the next attempt writes over it") {
    Log log;
    log.seconds(1);
    log.files.truncate_error = EIO;
    log.files.writable_bytes = 20;
    log.seconds(1);
    CHECK_THROWS(log.text(kCurrent)); // torn for now
    log.files.writable_bytes = ~0ull;
    log.seconds(10);
    CHECK(log.text(kCurrent) == lines(0, 12));
}

TEST_CASE("the bound on what waits: the oldest entries are dropped, whole, and counted") {
    const std::size_t bound = 1000;
    Log log(bound);
    log.seconds(1);
    log.files.write_error = ENOSPC;
    for (int i = 0; i < 100; ++i) {
        log.seconds(1);
        CHECK(log.file.status().bytes_waiting <= bound);
    }
    const LogFileStatus status = log.file.status();
    CHECK(status.entries_dropped > 50);
    CHECK(status.entries_waiting > 5);
    CHECK(status.entries_written + status.entries_dropped + status.entries_waiting == 101);
    CHECK(log.count(LogNotice::dropping) == 1);
    log.files.write_error = 0;
    log.seconds(15);
    const int first_kept = 1 + static_cast<int>(log.file.status().entries_dropped);
    CHECK(log.text(kCurrent) == line(0) + lines(first_kept, 116));
    CHECK_THAT(log.notices.back().second, Catch::Contains("lost meanwhile: " + std::to_string(first_kept - 1)));
}

TEST_CASE("a member larger than the bound is dropped by itself") {
    Log log(10);
    log.files.write_error = ENOSPC;
    log.seconds(5);
    CHECK(log.file.status().bytes_waiting == 0);
    CHECK(log.file.status().entries_dropped == 5);
}

TEST_CASE("no file can be created: entries wait") {
    for (const int error : {EACCES, EROFS, EMFILE}) {
        Log log;
        log.files.open_error = error;
        log.seconds(5);
        CHECK(log.file.status().entries_waiting == 5);
        log.files.open_error = 0;
        log.seconds(10);
        CHECK(log.text(kCurrent) == lines(0, 15));
    }
}

TEST_CASE("the directory cannot be made: entries wait") {
    Log log;
    log.files.mkdir_error = EROFS;
    log.seconds(5);
    CHECK(log.file.status().failing);
    log.files.mkdir_error = 0;
    log.seconds(10);
    CHECK(log.text(kCurrent) == lines(0, 15));
}

TEST_CASE("several hours of failure: every hour gets its own file afterwards") {
    Log log;
    log.files.write_error = ENOSPC;
    for (int hour = 0; hour < 3; ++hour) {
        log.now = kHourStart + hour * kHour;
        log.seconds(2);
    }
    log.files.write_error = 0;
    log.now = kHourStart + 3 * kHour;
    log.seconds(1);
    CHECK(log.file.finish());
    CHECK(log.text(kSix) == lines(0, 2));
    CHECK(log.text(kSeven) == lines(2, 4));
    CHECK(log.text("2020-08-16/conn_20200816_08:00:00-09:00:00+0000.log.gz") == lines(4, 6));
    CHECK(log.text("2020-08-16/conn_20200816_09:00:00-10:00:00+0000.log.gz") == lines(6, 7));
}

TEST_CASE("an fsync that fails is said, and the file is rotated") {
    Log log;
    log.seconds(1);
    log.files.sync_error = EIO;
    CHECK(log.file.finish());
    CHECK(log.text(kSix) == lines(0, 1));
    CHECK(log.count(LogNotice::warning) >= 1);
    CHECK_THAT(log.notices[0].second, Catch::Contains("sync") && Catch::Contains("Input/output error"));
}

TEST_CASE("a group that cannot be set is said, and the file is written") {
    Log log;
    log.files.access_error = EPERM;
    log.seconds(3);
    CHECK(log.text(kCurrent) == lines(0, 3));
    CHECK(log.count(LogNotice::warning) == 1);
}

TEST_CASE("the directory is removed while it is written to: what follows is in a new one") {
    Log log;
    log.seconds(3);
    std::filesystem::remove_all(log.directory / "current");
    log.seconds(3);
    CHECK(log.text(kCurrent) == lines(3, 6));
    CHECK(log.file.status().files_lost == 1);
    CHECK(log.count(LogNotice::warning) == 1);
    std::filesystem::remove(log.directory / kCurrent); // and at the very end
    CHECK(log.file.finish());
    CHECK(log.file.status().files_lost == 2);
}

TEST_CASE("a file that is in the way is recovered, not written over") {
    Log left;
    left.seconds(2);
    Log log;
    write_file(log.directory / kCurrent, read_file(left.directory / kCurrent));
    log.seconds(3);
    CHECK(log.text(kSix) == lines(0, 2));
    CHECK(log.text(kCurrent) == lines(0, 3));
    CHECK(log.file.finish());
    CHECK(log.text("2020-08-16/conn_20200816_06:00:00-07:00:00+0000.1.log.gz") == lines(0, 3));
}

TEST_CASE("the end with a disk that still fails: said, counted, and the rest left for recovery") {
    Log log;
    log.seconds(2);
    log.files.write_error = ENOSPC;
    log.seconds(3);
    log.files.rename_error = EROFS;
    CHECK_FALSE(log.file.finish());
    CHECK(log.file.status().entries_dropped == 3);
    CHECK(log.text(kCurrent) == lines(0, 2));
}

TEST_CASE("the dated folder is removed, and the whole log directory: both are made again") {
    Log log;
    log.seconds(2);
    log.now = kHourStart + kHour;
    log.seconds(2);
    std::filesystem::remove_all(log.directory / "2020-08-16");
    log.now = kHourStart + 2 * kHour;
    log.seconds(2);
    CHECK(log.text(kSeven) == lines(2, 4));
    std::filesystem::remove_all(log.directory.path());
    log.seconds(2);
    CHECK(log.text(kCurrent) == lines(6, 8));
    CHECK(log.file.status().files_lost == 1);
    CHECK(log.file.finish());
}

TEST_CASE("a file in the way that cannot be recovered for now is said once, not at each attempt") {
    Log left;
    left.seconds(2);
    Log log;
    write_file(log.directory / kCurrent, read_file(left.directory / kCurrent));
    log.files.rename_error = EROFS;
    log.seconds(60);
    CHECK(log.notices.size() == 1);
    CHECK(log.file.status().entries_waiting == 60);
    log.files.rename_error = 0;
    log.seconds(12);
    CHECK(log.text(kSix) == lines(0, 2));
    CHECK(log.text(kCurrent) == lines(0, 72));
}

TEST_CASE("little room: the log that goes first gets it, the other waits, and says so once") {
    Log ftp("ftp");
    Log conn("conn", &ftp.file);
    const auto second = [&] {
        conn.seconds(1); // asks first each time, and yet does not get it
        ftp.seconds(1);
    };
    second();
    ftp.files.write_error = ENOSPC; // the same disk: room for conn's smaller members, none for ftp's
    for (int i = 0; i < 30; ++i) second();
    const auto conn_written = conn.file.status().entries_written;
    CHECK(conn_written <= 3);
    CHECK(conn.file.status().entries_waiting == 31 - conn_written);
    CHECK(conn.count(LogNotice::failing) == 1);
    CHECK_THAT(conn.notices[0].second, Catch::Contains("the log that goes first"));
    ftp.files.write_error = 0;
    for (int i = 0; i < 12; ++i) second();
    CHECK(ftp.file.status().entries_waiting == 0);
    CHECK(conn.file.status().entries_waiting == 0);
    CHECK(conn.text(kCurrent) == lines(0, 43));
    CHECK(conn.count(LogNotice::resumed) == 1);
}

TEST_CASE("a log that has nothing to write does not fail because another one waits for room") {
    Log ftp("ftp");
    Log conn("conn", &ftp.file);
    conn.seconds(1);
    ftp.files.write_error = ENOSPC;
    ftp.seconds(3);
    for (int i = 0; i < 3; ++i) conn.file.tick(conn.now += kSecond);
    CHECK_FALSE(conn.file.status().failing);
    conn.file.tick(conn.now += kHour); // a file to rotate, which takes room
    CHECK(conn.file.status().failing);
    ftp.files.write_error = 0;
    ftp.seconds(20);
    for (int i = 0; i < 20; ++i) conn.file.tick(conn.now += kSecond);
    CHECK_FALSE(conn.file.status().failing);
    CHECK(conn.directory.files() == std::set<std::string>{kSix});
}

TEST_CASE("a failure that has become needless is over, without an entry") {
    Log log;
    log.seconds(1);
    log.files.rename_error = EACCES;
    log.file.tick(log.now += kHour);
    CHECK(log.file.status().failing);
    std::filesystem::remove(log.directory / kCurrent);
    for (int i = 0; i < 20; ++i) log.file.tick(log.now += kSecond);
    CHECK(log.file.status().files_lost == 1);
    CHECK_FALSE(log.file.status().failing);
    CHECK(log.count(LogNotice::resumed) == 1);
}

TEST_CASE("a log that goes first and lost all that waited, or has ended, holds nobody back") {
    for (const bool ends : {false, true}) {
        Log ftp("ftp", nullptr, ends ? 1u << 20 : 10);
        Log conn("conn", &ftp.file);
        ftp.files.write_error = ENOSPC;
        ftp.seconds(3);
        if (ends) ftp.file.finish();
        conn.seconds(3);
        CHECK(conn.text(kCurrent) == lines(0, 3));
    }
}

TEST_CASE("another failure than a full disk holds the other log not back") {
    Log ftp("ftp");
    Log conn("conn", &ftp.file);
    ftp.files.write_error = EIO;
    ftp.seconds(3);
    conn.seconds(3);
    CHECK(conn.text(kCurrent) == lines(0, 3));
}

TEST_CASE("failures come and go at random: nothing is lost below the bound, nothing twice, order kept") {
    for (unsigned seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Log log;
        for (int i = 0; i < 300; ++i) {
            const auto r = static_cast<unsigned>(random());
            log.files.write_error = r % 5 == 0 ? ENOSPC : 0;
            log.files.rename_error = r % 7 == 0 ? EACCES : 0;
            log.files.open_error = r % 11 == 0 ? EMFILE : 0;
            log.files.sync_error = r % 13 == 0 ? EIO : 0;
            log.files.writable_bytes = r % 17 == 0 ? r % 60 : ~0ull;
            if (r % 19 == 0) log.now += 20 * kMinute;
            log.seconds(1);
        }
        log.files.write_error = log.files.rename_error = log.files.open_error = log.files.sync_error = 0;
        log.files.writable_bytes = ~0ull;
        REQUIRE(log.file.finish());
        std::string all;
        for (const std::string& name : log.directory.files()) all += log.text(name); // names sort by time
        REQUIRE(all == lines(0, 300));
    }
}
