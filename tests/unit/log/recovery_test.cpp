// What an earlier run left: cut, rotated under its own times, or set aside.
#include "core/log/gzip_member.h"
#include "core/log/recovery.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <unistd.h>

using namespace ftpsensor;

namespace {

constexpr Timestamp kHourStart = 1597557600 * kSecond; // 2020-08-16 06:00 UTC
const std::string kArchived = "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz";

std::string member(const std::string& text, Timestamp first, Timestamp last) {
    GzipCompressor compressor(1);
    const auto bytes = compressor.compress(text, {first, last});
    return {bytes.begin(), bytes.end()};
}

struct Left { // a directory with one leftover file
    TempDirectory directory;
    LogPlace place{directory.path(), 0640, std::nullopt};
    Rotation rotation{RotationOptions{}};
    std::string path = directory / "current/conn.log.gz";

    explicit Left(const std::string& bytes) { write_file(path, bytes); }
    RecoveryReport recover(FileSystem& files = posix_file_system()) {
        const auto reports = recover_directory(files, place, rotation);
        REQUIRE(reports.size() == 1);
        return reports[0];
    }
};

} // namespace

TEST_CASE("a whole file is rotated under its first time") {
    Left left(member("a\n", kHourStart + kSecond, kHourStart + 2 * kSecond) +
              member("b\n", kHourStart + 2 * kSecond, kHourStart + 3 * kSecond));
    const RecoveryReport report = left.recover();
    CHECK(report.outcome == RecoveryOutcome::rotated);
    CHECK(report.members == 2);
    CHECK(report.bytes_cut == 0);
    CHECK(left.directory.files() == std::set<std::string>{kArchived});
    CHECK(gunzip_file(left.directory / kArchived) == "a\nb\n");
    CHECK(recover_directory(posix_file_system(), left.place, left.rotation).empty()); // once is enough
}

TEST_CASE("cut at every byte of its last member, the members before it survive") {
    const std::string whole =
        member("first\n", kHourStart, kHourStart) + member("second\n", kHourStart, kHourStart + 1);
    const std::string last = member("the last one, torn\n", kHourStart + 2, kHourStart + 3);
    for (std::size_t size = 0; size < last.size(); ++size) {
        CAPTURE(size);
        Left left(whole + last.substr(0, size));
        const RecoveryReport report = left.recover();
        REQUIRE(report.outcome == RecoveryOutcome::rotated);
        REQUIRE(report.members == 2);
        REQUIRE(report.bytes_cut == size);
        REQUIRE(gunzip_file(left.directory / kArchived) == "first\nsecond\n");
        REQUIRE(left.directory.files().size() == 1);
    }
}

TEST_CASE("a length that is damaged is not taken for the torn end: nothing is cut, wherever it is") {
    const std::string noise = [] { // of which a member is larger than what is looked through at a time
        std::string text;
        for (std::uint64_t n = 1; text.size() < 700'000; n = n * 6364136223846793005u + 1442695040888963407u)
            text += static_cast<char>(n >> 56);
        return text;
    }();
    const std::vector<std::string> members{member("a\n", kHourStart, kHourStart),
                                           member(noise, kHourStart, kHourStart + 1),
                                           member("c\n", kHourStart + 2, kHourStart + 3)};
    for (std::size_t damaged = 0; damaged < members.size(); ++damaged) {
        CAPTURE(damaged);
        std::string file;
        for (std::size_t i = 0; i < members.size(); ++i) {
            std::string bytes = members[i];
            if (i == damaged) bytes.replace(16, 4, "\xff\xff\xff\x7f", 4);
            file += bytes;
        }
        Left left(file);
        const RecoveryReport report = left.recover();
        CHECK(report.outcome == RecoveryOutcome::set_aside);
        CHECK(report.bytes_cut == 0);
        CHECK(read_file(left.path + ".damaged") == file);
    }
}

TEST_CASE("nor is one that reaches over a whole member, or one with zeros behind it") {
    const std::string second = member("b\n", kHourStart, kHourStart), third = member("c\n", kHourStart, kHourStart);
    std::string over = second;
    over[16] = static_cast<char>(second.size() + third.size());
    std::string zeros = second + std::string(20, '\0');
    zeros[16] = static_cast<char>(zeros.size());
    for (const std::string& rest : {over + third, zeros}) {
        const std::string file = member("a\n", kHourStart, kHourStart) + rest;
        Left left(file);
        CHECK(left.recover().outcome == RecoveryOutcome::set_aside);
        CHECK(read_file(left.path + ".damaged") == file);
    }
}

TEST_CASE("a member that is cut off before others is no torn end either") {
    const std::string torn = member("torn\n", kHourStart, kHourStart).substr(0, kMemberHeaderBytes + 3);
    const std::string file = member("a\n", kHourStart, kHourStart) + torn + member("b\n", kHourStart, kHourStart);
    Left left(file);
    CHECK(left.recover().outcome == RecoveryOutcome::set_aside);
    CHECK(read_file(left.path + ".damaged") == file);
}

TEST_CASE("with nothing but a torn member there is nothing to keep") {
    const std::string only = member("torn\n", kHourStart, kHourStart);
    for (std::size_t size = 0; size < only.size(); ++size) {
        Left left(only.substr(0, size));
        const RecoveryReport report = left.recover();
        REQUIRE(report.outcome == RecoveryOutcome::removed);
        REQUIRE(left.directory.files().empty());
    }
}

TEST_CASE("after a power failure: lengths without bytes") {
    const std::string good = member("kept\n", kHourStart, kHourStart);
    std::string hollow = member("its bytes never reached the disk\n", kHourStart, kHourStart);
    std::fill(hollow.begin() + kMemberHeaderBytes, hollow.end(), '\0');
    for (const std::string& tail : {hollow, hollow + hollow, std::string(10'000, '\0'), std::string(3, '\0')}) {
        Left left(good + tail);
        const RecoveryReport report = left.recover();
        CHECK(report.outcome == RecoveryOutcome::rotated);
        CHECK(report.bytes_cut == tail.size());
        CHECK(gunzip_file(left.directory / kArchived) == "kept\n");
    }
}

TEST_CASE("what is not ours is set aside whole, and not looked at again") {
    const std::string good = member("kept\n", kHourStart, kHourStart);
    std::string broken_header = member("x\n", kHourStart, kHourStart);
    broken_header[13] = 'X';
    for (const std::string& bytes : {std::string("plain text, longer than a header would be\n"), std::string("no"),
                                     good + "garbage", good + broken_header + good}) {
        Left left(bytes);
        const RecoveryReport report = left.recover();
        CHECK(report.outcome == RecoveryOutcome::set_aside);
        CHECK(left.directory.files() == std::set<std::string>{"current/conn.log.gz.damaged"});
        CHECK(read_file(left.directory / "current/conn.log.gz.damaged") == bytes);
        CHECK(recover_directory(posix_file_system(), left.place, left.rotation).empty());
        write_file(left.path, "again"); // a second one does not replace the first
        CHECK(left.recover().moved_to.ends_with(".damaged.1"));
    }
}

TEST_CASE("members damaged one after the other to the front of what is checked: nothing is cut") {
    std::string bad = member("bad\n", kHourStart, kHourStart);
    bad[kMemberHeaderBytes + 2] = static_cast<char>(bad[kMemberHeaderBytes + 2] ^ 0x55);
    std::string bytes = member("good\n", kHourStart, kHourStart);
    for (int i = 0; i < 40; ++i) bytes += bad;
    Left left(bytes);
    CHECK(left.recover().outcome == RecoveryOutcome::set_aside);
    CHECK(read_file(left.directory / "current/conn.log.gz.damaged") == bytes);
}

TEST_CASE("a taken name is not overwritten") {
    Left left(member("new\n", kHourStart, kHourStart));
    write_file(left.directory / kArchived, "old");
    const RecoveryReport report = left.recover();
    CHECK(report.moved_to == left.directory / "2020-08-16/conn_20200816_06:00:00-07:00:00+0000.1.log.gz");
    CHECK(read_file(left.directory / kArchived) == "old");
    CHECK(gunzip_file(report.moved_to) == "new\n");
}

TEST_CASE("a crash between its two names, where there is no rename that never replaces: one file in the end") {
    Left left(member("once\n", kHourStart, kHourStart));
    FaultyFileSystem files;
    files.has_no_replace = false;
    std::filesystem::create_directories(left.directory / "2020-08-16");
    std::filesystem::create_hard_link(left.path, left.directory / kArchived);
    CHECK(left.recover(files).outcome == RecoveryOutcome::rotated);
    CHECK(left.directory.files() == std::set<std::string>{kArchived});
    CHECK(gunzip_file(left.directory / kArchived) == "once\n");
}

TEST_CASE("without rotation it is named by its first and last time") {
    Left left(member("a\n", kHourStart + kMinute, kHourStart + kMinute) +
              member("b\n", kHourStart + kHour, kHourStart + 2 * kHour));
    RotationOptions never;
    never.interval = 0;
    left.rotation = Rotation(never);
    left.recover();
    CHECK(left.directory.files() == std::set<std::string>{"2020-08-16/conn_20200816_06:01:00-08:00:00+0000.log.gz"});
}

TEST_CASE("where files end by size, it is named by the seconds of its entries") {
    Left left(member("a\n", kHourStart + 90 * kSecond + 5, kHourStart + 100 * kSecond));
    RotationOptions by_size;
    by_size.file_bytes = 1 << 20;
    const auto reports = recover_directory(posix_file_system(), left.place, Rotation(by_size));
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].moved_to == left.directory / "2020-08-16/conn_20200816_06:01:30-06:01:41+0000.log.gz");
}

TEST_CASE("a rename that fails leaves the file for the next start") {
    Left left(member("a\n", kHourStart, kHourStart) + "\x1f");
    FaultyFileSystem files;
    files.rename_error = EROFS;
    const RecoveryReport failed = left.recover(files);
    CHECK(failed.outcome == RecoveryOutcome::failed);
    CHECK_THAT(failed.message(), Catch::Contains("Read-only file system"));
    files.rename_error = 0;
    CHECK(left.recover(files).outcome == RecoveryOutcome::rotated);
}

TEST_CASE("every log of the directory, and nothing else") {
    Left left(member("c\n", kHourStart, kHourStart));
    write_file(left.directory / "current/ftp.log.gz", member("f\n", kHourStart, kHourStart));
    write_file(left.directory / "current/notes.txt", "mine");
    write_file(left.directory / "current/.lock", "");
    CHECK(recover_directory(posix_file_system(), left.place, left.rotation).size() == 2);
    CHECK(left.directory.files() == std::set<std::string>{kArchived,
                                                          "2020-08-16/ftp_20200816_06:00:00-07:00:00+0000.log.gz",
                                                          "current/notes.txt"});
}

TEST_CASE("a link or a folder in the place of a log is set aside, and what it points to stays as it is") {
    const std::string zeros(100, '\0'); // a file whose bytes did not reach the disk would be cut
    for (const bool link : {true, false}) {
        Left left("");
        std::filesystem::remove(left.path);
        write_file(left.directory / "victim", zeros);
        if (link)
            std::filesystem::create_symlink(left.directory / "victim", left.path);
        else
            std::filesystem::create_directory(left.path);
        const RecoveryReport report = left.recover();
        CHECK(report.outcome == RecoveryOutcome::set_aside);
        CHECK(std::filesystem::is_symlink(left.path + ".damaged") == link);
        CHECK(std::filesystem::is_directory(left.path + ".damaged") == !link);
        CHECK(read_file(left.directory / "victim") == zeros);
    }
}

TEST_CASE("a member that is damaged before a whole one: set aside untouched, for readers would stop at it") {
    std::string damaged = member("its bytes are not what they were\n", kHourStart, kHourStart);
    damaged[kMemberHeaderBytes + 4] ^= 1;
    const std::string file = member("kept\n", kHourStart, kHourStart) + damaged + member("b\n", kHourStart, kHourStart);
    Left left(file);
    const RecoveryReport report = left.recover();
    CHECK(report.outcome == RecoveryOutcome::set_aside);
    CHECK(read_file(left.directory / "current/conn.log.gz.damaged") == file);
}

TEST_CASE("a read that fails says nothing of where the file is torn: nothing is cut") {
    const std::string first = member("first\n", kHourStart, kHourStart);
    const std::string file =
        first + member("second\n", kHourStart, kHourStart) + member("third\n", kHourStart, kHourStart);
    Left left(file);
    FaultyFileSystem files;
    files.bad_byte = first.size(); // where the second one's header is
    const RecoveryReport report = left.recover(files);
    CHECK(report.outcome == RecoveryOutcome::set_aside);
    CHECK(report.bytes_cut == 0);
    CHECK_THAT(report.message(), Catch::Contains("set aside") && Catch::Contains("Input/output error"));
    CHECK(read_file(left.path + ".damaged") == file);
}

TEST_CASE("wherever a read fails, only what is known to be torn is cut") {
    const std::string whole = member("first\n", kHourStart, kHourStart) + member("second\n", kHourStart, kHourStart);
    for (const std::size_t torn : {0u, 1u, 20u, 40u}) {
        const std::string file = whole + member("the last one, torn\n", kHourStart, kHourStart).substr(0, torn);
        for (std::size_t bad = 0; bad < file.size(); ++bad) {
            CAPTURE(torn, bad);
            Left left(file);
            FaultyFileSystem files;
            files.bad_byte = bad;
            const RecoveryReport report = left.recover(files);
            if (report.outcome == RecoveryOutcome::rotated) {
                REQUIRE(bad >= whole.size() + kMemberHeaderBytes); // it need not be read
                REQUIRE(read_file(report.moved_to) == whole);
            } else {
                REQUIRE(report.outcome == RecoveryOutcome::set_aside);
                REQUIRE(report.problem.error == EIO);
                REQUIRE(read_file(report.moved_to) == file);
            }
        }
    }
}
