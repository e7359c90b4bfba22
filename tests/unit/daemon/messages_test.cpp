#include "daemon/messages.h"
#include "tests/support/catch.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

// Standard error goes to a file while this lives. `journal`: JOURNAL_STREAM names it, as systemd would.
class CapturedError {
public:
    explicit CapturedError(bool journal) : original_(::dup(STDERR_FILENO)) {
        char path[] = "/tmp/messages_test.XXXXXX";
        const int file = ::mkstemp(path);
        REQUIRE(file >= 0);
        path_ = path;
        ::dup2(file, STDERR_FILENO);
        ::close(file);
        struct stat status {};
        ::fstat(STDERR_FILENO, &status);
        if (journal) ::setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
    }
    ~CapturedError() {
        ::dup2(original_, STDERR_FILENO);
        ::close(original_);
        ::unlink(path_.c_str());
        ::unsetenv("JOURNAL_STREAM");
    }
    CapturedError(const CapturedError&) = delete;
    CapturedError& operator=(const CapturedError&) = delete;

    std::string text() const {
        std::fflush(stderr);
        std::ostringstream all;
        all << std::ifstream(path_).rdbuf();
        return all.str();
    }

private:
    int original_;
    std::string path_;
};

void say_all() {
    const auto log = messages("capture");
    log->debug("a {}", 1);
    log->info("b");
    log->warn("c");
    log->error("d");
}

} // namespace

TEST_CASE("under systemd: priorities of the journal, no time") {
    const CapturedError captured(true);
    init_messages(ConfigLevel::debug);
    CHECK(message_form() == MessageForm::journal);
    say_all();
    CHECK(captured.text() == "<7>capture: a 1\n<6>capture: b\n<4>capture: c\n<3>capture: d\n");
}

TEST_CASE("in a file: a time, the level, the name") {
    const CapturedError captured(false);
    init_messages(ConfigLevel::warning);
    CHECK(message_form() == MessageForm::plain);
    say_all();
    const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d )";
    CHECK(std::regex_match(captured.text(), std::regex(time + "warning: capture: c\n" + time + "error: capture: d\n")));
}

TEST_CASE("JOURNAL_STREAM of another process's standard error does not count") {
    const CapturedError captured(false);
    ::setenv("JOURNAL_STREAM", "1:2", 1);
    CHECK(message_form() == MessageForm::plain);
}

TEST_CASE("on a terminal: the level and the name alone") {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    REQUIRE(terminal >= 0);
    REQUIRE(::grantpt(terminal) == 0);
    REQUIRE(::unlockpt(terminal) == 0);
    const int other_end = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
    REQUIRE(other_end >= 0);
    const int original = ::dup(STDERR_FILENO);
    ::dup2(other_end, STDERR_FILENO);
    const MessageForm form = message_form();
    init_messages(ConfigLevel::info);
    messages("config")->warn("unusual");
    ::dup2(original, STDERR_FILENO);
    char line[100]{};
    const auto n = ::read(terminal, line, sizeof line);
    ::close(original);
    ::close(other_end);
    ::close(terminal);
    CHECK(form == MessageForm::terminal);
    REQUIRE(n > 0);
    CHECK(std::string(line, static_cast<std::size_t>(n)) == "warning: config: unusual\r\n");
}

TEST_CASE("loggers made before a change of level follow it; a name is one logger") {
    const CapturedError captured(true);
    init_messages(ConfigLevel::error);
    const auto early = messages("early");
    early->info("not yet");
    init_messages(ConfigLevel::info);
    early->info("now");
    messages("late")->debug("still not");
    CHECK(captured.text() == "<6>early: now\n");
    CHECK(messages("early") == early);
}
