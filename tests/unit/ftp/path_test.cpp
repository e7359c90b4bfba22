#include "core/ftp/path.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

namespace {

std::string compressed(std::string path) {
    path.resize(compress_path(path.data(), path.size()));
    return path;
}

} // namespace

TEST_CASE("paths are compressed as the reference compresses them", "[path]") {
    const struct {
        const char* path;
        const char* want;
    } cases[] = {
        {"", ""},
        {"/", "/"},
        {"a", "a"},
        {"a/", "a"},
        {"/a/b/", "/a/b"},
        {"//", "/"},
        {"/a//b", "/a/b"},
        {"/a/./b", "/a/b"},
        {"/a/../b", "/b"},
        {"/a/b/../../c", "/c"},
        {"/..", "/.."},
        {"/../a", "/../a"},
        {"/../..", "/../.."},
        {"/a/../..", "/.."},
        {"/a/..", "/"},
        {"a/..", ""},
        {"a/../..", ".."},
        {"./a", "./a"},   // nothing to take out
        {"././a", "./a"}, // only the first "." stays
        {"./a//b", "./a/b"},
        {"./a/..", "."},
        {"./..", ".."},
        {"./../..", "../.."},
        {"~/..", "~/.."},
        {"~/../x", "~/../x"},
        {"/~/..", "/~/.."},
        {"..", ".."},
        {"../a/..", ".."},
        {"/.hidden", "/.hidden"},
        {"/a/...", "/a/..."},
        {"a/.b/../c", "a/c"},
        {"/.", "/"},
        {"c:/a/../b", "c:/b"},
        {"///a///", "/a"},
        {"/a/b/.", "/a/b"},
    };
    for (const auto& c : cases) {
        INFO(c.path);
        CHECK(compressed(c.path) == c.want);
    }
}

TEST_CASE("compressing a long climb takes time in proportion to its length", "[path]") {
    std::string down, up;
    for (int i = 0; i < 100000; ++i) down += "d/";
    for (int i = 0; i < 99999; ++i) up += "../";
    CHECK(compressed(down + up) == "d");
}

TEST_CASE("absolute paths start at a root", "[path]") {
    CHECK(is_absolute_path("/"));
    CHECK(is_absolute_path("/a"));
    CHECK(is_absolute_path("c:\\a"));
    CHECK(is_absolute_path("C:/"));
    CHECK_FALSE(is_absolute_path(""));
    CHECK_FALSE(is_absolute_path("a/b"));
    CHECK_FALSE(is_absolute_path("c:a"));
    CHECK_FALSE(is_absolute_path("1:/a"));
    CHECK_FALSE(is_absolute_path("~/a"));
}

TEST_CASE("the path in a 257 reply", "[path]") {
    CHECK(extract_path("\"/\" is current directory.") == "/");
    CHECK(extract_path("\"/pub/stats\" is the current directory") == "/pub/stats");
    CHECK(extract_path("/pub") == "/pub");
    CHECK(extract_path("\"/with blank\"") == "/with");
    CHECK(extract_path("\"/with\\ blank\"") == "/with\\ blank");
    CHECK(extract_path("\"c:\\dir\\a\"") == "c:\\dir\\a");
    CHECK(extract_path("\"c:\\ a\"") == "c:\\"); // the backslash is the root's
    CHECK(extract_path("in c:/x now") == "c:/x");
    CHECK(extract_path("no path") == "");
    CHECK(extract_path("") == "");
}

TEST_CASE("the last number in a text", "[path]") {
    CHECK(extract_last_count("Opening data connection for a1.txt (74 bytes).") == 74);
    CHECK(extract_last_count("74") == 74);
    CHECK(extract_last_count("000123 x") == 123);
    CHECK(extract_last_count("1 2 3") == 3);
    CHECK(extract_last_count("-5") == 5);
    CHECK(extract_last_count("4294967296") == 4294967296u);
    CHECK(extract_last_count("18446744073709551615") == 18446744073709551615u);
    CHECK(extract_last_count("18446744073709551616") == 18446744073709551615u);
    CHECK(extract_last_count("none") == 0);
    CHECK(extract_last_count("") == 0);
}

TEST_CASE("a step from a directory that is compressed already gives what the whole path gives") {
    constexpr std::string_view components[] = {"a", "..", ".", "", "b.c", "~", "...", "d d"};
    std::uint32_t state = 1;
    const auto random_path = [&] {
        std::string path = (state = state * 1664525 + 1013904223) >> 31 != 0 ? "/" : "x";
        for (int i = 0; i < 6; ++i) {
            state = state * 1664525 + 1013904223;
            path += '/';
            path += components[state >> 29];
        }
        return path;
    };
    for (int round = 0; round < 5000; ++round) {
        std::string directory = random_path();
        directory.resize(compress_path(directory.data(), directory.size()));
        const std::string step = random_path().substr(1);
        std::string whole = directory + "/" + step, from_it = whole;
        const bool clean = !directory.empty() && directory.back() != '/';
        whole.resize(compress_path(whole.data(), whole.size()));
        from_it.resize(compress_path(from_it.data(), from_it.size(), clean ? directory.size() : 0));
        CAPTURE(directory, step);
        REQUIRE(from_it == whole);
    }
}
