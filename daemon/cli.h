// The command line: from argv to one plain struct.
//
// Precedence: built-in defaults, then the file of -c, then the options in this order: --workers and -o, --set (the last
// of two wins). What comes back is validated. Main thread.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ftpsensor {

inline constexpr std::string_view kProgramName = "ftpsensord";
inline constexpr std::string_view kStandardInput = "-";                          // as a capture
inline constexpr const char* kInstalledConfig = "/etc/ftpsensor/ftpsensor.yaml"; // of run, check and stats without -c

// Exit statuses. Usage and configuration share one, so that a service manager need not restart what cannot work
// (systemd: RestartPreventExitStatus=2).
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

struct CommandLine {
    enum class Command : std::uint8_t { run, read, check, stats };

    Command command = Command::run;
    Config config;                      // defaults, file and options, validated
    std::string config_path;            // empty: built-in defaults (read without -c)
    std::vector<std::string> captures;  // read: one or more, each a readable file or kStandardInput (once)
    std::optional<std::uint64_t> seed;  // --seed: fixes the ids of connections and files
    bool fix = false;                   // check: --fix
    bool json = false;                  // stats: --json
    std::vector<std::string> overrides; // of --set, in their order
};

// There is nothing to run: help and version (status 0, for standard output) or an error (status 2, one sentence for
// standard error).
struct CommandLineExit {
    int status = kExitSuccess;
    std::string text; // ends with a newline
};

// The configuration again, as it stands in the file now, with the overrides of the command line. Throws ConfigError.
Config read_config_again(const CommandLine& command_line);

// Never throws for what the user typed or what stands in the configuration file.
std::variant<CommandLine, CommandLineExit> parse_command_line(int argc, const char* const* argv);

} // namespace ftpsensor
