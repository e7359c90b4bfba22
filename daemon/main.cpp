// ftpsensord: from the command line to the command, and from what went wrong to one sentence and an exit status.
#include "daemon/cli.h"
#include "daemon/commands.h"
#include "daemon/messages.h"

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>
#include <variant>

#include <fcntl.h>
#include <fmt/format.h>

namespace {

using namespace ftpsensor;

int run(const CommandLine& line) {
    init_messages(line.config.messages);
    switch (line.command) {
    case CommandLine::Command::run: return run_command(line);
    case CommandLine::Command::read: return read_command(line);
    case CommandLine::Command::check: return check_command(line);
    case CommandLine::Command::stats: return stats_command(line);
    }
    return kExitFailure;
}

int fail(int status, const char* sentence) {
    fmt::print(stderr, "{}: {}\n", kProgramName, sentence);
    return status;
}

int run_or_say_why(const CommandLine& line) {
    try {
        return run(line);
    } catch (const ConfigError& error) {
        return fail(kExitUsage, error.what());
    } catch (const std::bad_alloc&) {
        return fail(kExitFailure, "out of memory; lower the bounds in limits, or workers.count");
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::resource_unavailable_try_again) return fail(kExitFailure, error.what());
        return fail(kExitFailure,
                    "no further thread can be started; raise TasksMax= of the unit, or ulimit -u, or lower "
                    "workers.count");
    } catch (const std::exception& error) {
        return fail(kExitFailure, error.what());
    }
}

// What is opened later must not become standard input, output or error where those are closed.
void keep_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY); // the lowest that is free
}

int run_main(int argc, char** argv) {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* line = std::get_if<CommandLine>(&parsed)) return run_or_say_why(*line);
    const auto& exit = std::get<CommandLineExit>(parsed);
    std::fputs(exit.text.c_str(), exit.status == kExitSuccess ? stdout : stderr);
    return exit.status;
}

} // namespace

int main(int argc, char** argv) {
    keep_standard_descriptors();
    const int status = run_main(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    return fail(status == kExitSuccess ? kExitFailure : status, "standard output could not be written to the end");
}
