// Renaming without replacing, on file systems that can't.
#include "core/log/file_system.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

const std::set<std::string> kBoth{"from", "to"};

struct Names {
    TempDirectory directory;
    std::string from = directory / "from";
    std::string to = directory / "to";

    Names() { write_file(from, "moved"); }
};

} // namespace

TEST_CASE("a folder is made, whatever its group: who may not give it that one still writes") {
    constexpr uid_t kNobody = 65534;
    TempDirectory directory;
    const std::string path = directory / "2020-08-16";
    REQUIRE(::chmod((directory / ".").c_str(), 0777) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
            ::_exit(100);
        ::_exit(-posix_file_system().make_directory(path, 0750, gid_t{0}));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    struct stat made {};
    REQUIRE(::stat(path.c_str(), &made) == 0);
    CHECK((made.st_mode & 07777) == 0750);
}

TEST_CASE("a file gets its new name and loses the old one") {
    Names names;
    CHECK(link_and_remove(names.from, names.to) == 0);
    CHECK(names.directory.files() == std::set<std::string>{"to"});
    CHECK(read_file(names.to) == "moved");
}

TEST_CASE("another file is never replaced") {
    Names names;
    write_file(names.to, "there before");
    CHECK(link_and_remove(names.from, names.to) == -EEXIST);
    CHECK(read_file(names.from) == "moved");
    CHECK(read_file(names.to) == "there before");
}

TEST_CASE("a move that a crash interrupted, with both names there, is ended") {
    Names names;
    std::filesystem::create_hard_link(names.from, names.to);
    CHECK(names.directory.files() == kBoth);
    CHECK(link_and_remove(names.from, names.to) == 0);
    CHECK(names.directory.files() == std::set<std::string>{"to"});
    CHECK(read_file(names.to) == "moved");
}

TEST_CASE("a symbolic link to the file is not its second name") {
    Names names;
    std::filesystem::create_symlink(names.from, names.to);
    CHECK(link_and_remove(names.from, names.to) == -EEXIST);
    CHECK(read_file(names.to) == "moved");
}

TEST_CASE("the only name of a file stays") {
    Names names;
    CHECK(link_and_remove(names.from, names.from) == -EEXIST);
    CHECK(read_file(names.from) == "moved");
}

TEST_CASE("what is not there can't be moved") {
    Names names;
    CHECK(link_and_remove(names.directory / "other", names.to) == -ENOENT);
    CHECK(names.directory.files() == std::set<std::string>{"from"});
}
