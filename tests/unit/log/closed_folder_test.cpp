// Files behind folders that let nobody in. Skipped for a root that may be nobody else.
#include "core/log/file_system.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("a file behind a folder that lets nobody in is not taken for removed") {
    // Root is let in everywhere.
    if (::geteuid() == 0 && ::seteuid(65534) != 0) test::skip_program("root may not become somebody else here");
    {
        const TempDirectory directory;
        write_file(directory / "folder/file", "x");
        FileSystem& files = posix_file_system();
        const int fd = files.open(directory / "folder/file", O_RDONLY, 0);
        REQUIRE(fd >= 0);
        std::filesystem::permissions(directory / "folder", std::filesystem::perms::none);
        CHECK(files.is_at(fd, directory / "folder/file"));
        std::filesystem::permissions(directory / "folder", std::filesystem::perms::owner_all);
        CHECK(files.is_at(fd, directory / "folder/file"));
        std::filesystem::remove(directory / "folder/file");
        CHECK_FALSE(files.is_at(fd, directory / "folder/file"));
        files.close(fd);
    }
    if (::getuid() == 0) REQUIRE(::seteuid(0) == 0);
}
