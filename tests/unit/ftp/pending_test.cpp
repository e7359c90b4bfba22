#include "core/ftp/pending.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

namespace {

PendingCommands queue_of(std::initializer_list<std::pair<const char*, const char*>> commands) {
    PendingCommands pending;
    pending.reset(20);
    for (const auto& [name, argument] : commands) pending.push(find_command(name), name, argument, 0);
    return pending;
}

std::string matched(PendingCommands pending, std::uint32_t code, const char* text) {
    const PendingCommand* best = pending.best_match(code, text);
    if (best == nullptr) return "none";
    return std::string(pending.name(*best)) + " " + std::string(pending.argument(*best));
}

} // namespace

TEST_CASE("a reply goes to the command its code answers", "[pending]") {
    CHECK(matched(queue_of({{"TYPE", "I"}, {"PASV", "x"}, {"RETR", "f"}}), 227, "Entering") == "PASV x");
    CHECK(matched(queue_of({{"TYPE", "I"}, {"PASV", "x"}, {"RETR", "f"}}), 226, "Done") == "RETR f");
}

TEST_CASE("the command's name in the reply counts less than the code, its argument less than that", "[pending]") {
    CHECK(matched(queue_of({{"PASV", "x"}, {"TYPE", "y"}}), 227, "TYPE y") == "PASV x");
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", "two"}}), 299, "about BBB") == "BBB two");
    CHECK(matched(queue_of({{"RETR", "one"}, {"RETR", "two"}}), 150, "Opening two") == "RETR two");
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", "two"}}), 299, "AAA, or two") == "AAA one");
}

TEST_CASE("no argument counts as one that the reply repeats", "[pending]") {
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", ""}}), 299, "x") == "BBB ");
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", ""}}), 299, "") == "BBB ");
}

TEST_CASE("of equals the first sent is taken", "[pending]") {
    CHECK(matched(queue_of({{"NOOP", ""}, {"NOOP", ""}, {"TYPE", ""}}), 200, "ok") == "NOOP ");
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", "two"}}), 299, "x") == "AAA one");
    CHECK(matched(queue_of({{"AAA", "one"}, {"BBB", "two"}}), 500, "x") == "AAA one"); // 500 answers everything
}

TEST_CASE("nothing pending, nothing matched", "[pending]") { CHECK(matched(queue_of({}), 200, "ok") == "none"); }

TEST_CASE("commands leave from anywhere and the others keep their text", "[pending]") {
    PendingCommands pending = queue_of({{"AAA", "one"}, {"BBB", "two"}, {"CCC", ""}, {"DDD", "four"}});
    pending.remove(*pending.find(2));
    CHECK(pending.find(2) == nullptr);
    REQUIRE(pending.size() == 3);
    CHECK(pending.name(pending.all()[1]) == "CCC");
    CHECK(pending.argument(pending.all()[2]) == "four");
    pending.remove(*pending.find(1));
    pending.remove(*pending.find(4));
    CHECK(pending.name(pending.all()[0]) == "CCC");
    pending.push(FtpCommand::unknown, "EEE", "five", 9);
    CHECK(pending.find(5)->sent == 9);
    CHECK(pending.argument(*pending.find(5)) == "five");
}

TEST_CASE("arguments share a bound and are cut at it", "[pending]") {
    PendingCommands pending;
    pending.reset(20);
    const std::string half(kFtpPendingBytesMax / 2 - 4, 'a');
    CHECK(pending.push(FtpCommand::cwd, "CWDX", half, 0));
    CHECK(pending.push(FtpCommand::cwd, "CWDX", half, 0)); // at the limit
    CHECK_FALSE(pending.push(FtpCommand::cwd, "CWDX", "", 0));
    CHECK(pending.size() == 2);
    pending.remove(*pending.find(2));
    CHECK_FALSE(pending.push(FtpCommand::cwd, "CWDX", half + "b", 0)); // one beyond
    CHECK(pending.argument(pending.all()[1]) == half);
    CHECK(pending.capacity_bytes() <= kFtpPendingBytesMax + 20 * sizeof(PendingCommand));
}
