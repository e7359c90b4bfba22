// Renaming without replacing, on file systems that can't.
#include "core/log/file_system.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

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
