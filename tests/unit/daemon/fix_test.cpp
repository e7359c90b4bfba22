// `check --fix`: the commands of notes that are safe are run, once each, and what came of them is told.
#include "daemon/live/fix.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace ftpsensor;

TEST_CASE("words are quoted as a shell takes them") {
    CHECK(shell_words({"ip", "link", "set", "eth1", "up"}) == "ip link set eth1 up");
    CHECK(shell_words({"install", "-d", "/a b", "it's", "$(reboot)", ""}) ==
          "install -d '/a b' 'it'\\''s' '$(reboot)' ''");
}

TEST_CASE("only notes with a safe command are mended, each command once") {
    char path[] = "/tmp/fix_test.XXXXXX";
    REQUIRE(::mkdtemp(path) != nullptr);
    const std::string file = std::string(path) + "/a file";
    Notes notes;
    add_note(notes, NoteLevel::problem, "bound to the kernel's driver", "touch " + file + ".unsafe");
    add_fixable_note(notes, NoteLevel::problem, "not there", {"mkdir", file}); // which works only once
    add_fixable_note(notes, NoteLevel::warning, "not there, said again", {"mkdir", file});
    CHECK(notes[1].remedy == "mkdir '" + file + "'");
    const auto results = run_fixes(notes);
    REQUIRE(results.size() == 1);
    CHECK(results[0].done);
    CHECK(results[0].said.empty());
    CHECK(std::filesystem::is_directory(file));
    CHECK_FALSE(std::filesystem::exists(file + ".unsafe"));
    std::filesystem::remove_all(path);
}

TEST_CASE("what fails says why, and the next is tried all the same") {
    Notes notes;
    add_fixable_note(notes, NoteLevel::problem, "a", {"mkdir", "/nonexistent/folder"});
    add_fixable_note(notes, NoteLevel::problem, "b", {"no-such-program-here"});
    add_fixable_note(notes, NoteLevel::problem, "c", {"true"});
    const auto results = run_fixes(notes);
    REQUIRE(results.size() == 3);
    CHECK_FALSE(results[0].done);
    CHECK_THAT(results[0].said, Catch::Contains("/nonexistent/folder"));
    CHECK_FALSE(results[1].done);
    CHECK_THAT(results[1].said, Catch::Contains("No such file"));
    CHECK(results[2].done);
}
