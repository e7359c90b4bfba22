#include "daemon/cli.h"

#include "config/nearest.h"
#include "config/units.h"
#include "core/log/time_zone.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

using Command = CommandLine::Command;

constexpr const char* kFooter = R"(Examples:
  ftpsensord read -o logs capture.pcap      conn.log and ftp.log of a capture, below logs/
  tcpdump -i eth1 -w - | ftpsensord read -  a capture from standard input
  ftpsensord check                          is the configuration good, and what will be done?
  ftpsensord run                            watch the ports of /etc/ftpsensor/ftpsensor.yaml

Files:
  /etc/ftpsensor/ftpsensor.yaml   the configuration, each key explained
  /var/log/ftpsensor              logs of run: current/conn.log.gz and current/ftp.log.gz while they are
                                  written, then 2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz.
                                  zgrep UID 2020-08-16/* finds all that was logged of a connection.

Exit status:
  0  done
  1  it failed: what it needs was not there (an interface, a sensor to ask), or broke while at work; of check: run
     cannot start; of read: no packet was in the captures and one of them was damaged or none, entries were lost, or
     files could not be finished (a file that is read up to its damage is no failure). systemd tries again.
  2  an option, a file or the configuration is wrong; nothing was done. systemd does not try again.

Messages go to standard error. `ftpsensord COMMAND --help` tells more of each command.)";

constexpr const char* kRunFooter =
    R"(Captures from capture.ports until SIGTERM or SIGINT, then records what is open and exits with 0.
Logs go to log.directory of the configuration (/var/log/ftpsensor).

Examples:
  ftpsensord run --set 'capture.ports=[{interface: eth1}]' --set workers.count=2
  ftpsensord run -c lab.yaml --set log.directory=/tmp/logs --set messages=debug)";

constexpr const char* kReadFooter =
    R"(Captures are pcap, nanosecond pcap or pcapng; several are read one after another, as one. A damaged file is
read up to the damage, which is said and counted. Time is the packets' own. At the end all files are finished
and a summary is printed. Logs go to -o, never to the log.directory of the -c file. SIGINT (Ctrl-C) or SIGTERM
ends the reading early, with all of that and status 0; of a pipe, what was already sent is read. A second one
ends at once, and what was not written yet is lost.

Examples:
  ftpsensord read capture.pcap              logs below the current folder, such as 2020-08-16/conn_….log.gz
  ftpsensord read -o logs --workers 4 span.0.pcap span.1.pcap
  ftpsensord read --set ftp.extended=false --seed 1 capture.pcap
                                            Zeek's fields alone, the same ids each time)";

constexpr const char* kCheckFooter =
    R"(Reads the configuration and says what `run` would do with it, and of what is missing the command that mends it.
Exit status 0: run can start; 1: it cannot. It changes nothing but with --fix, which runs those commands that are
safe: an interface up, offloads off, a symmetric RSS key for a card of AF_XDP with several workers, huge pages where
memory is plenty. They last until the machine restarts.

Examples:
  ftpsensord check --fix                    as root
  ftpsensord check -c new.yaml && mv new.yaml /etc/ftpsensor/ftpsensor.yaml)";

constexpr const char* kStatsFooter =
    R"(Asks the sensor that runs with this configuration (metrics.socket; of ftpsensor@NAME, whose unit sets that: give
--socket), each second, and shows what it does and loses; Ctrl-C ends it. Where standard output is no terminal, it is
shown once.

Examples:
  ftpsensord stats
  ftpsensord stats --json | jq .totals
  ftpsensord stats --socket /run/ftpsensor-dmz/stats.sock
                                            the sensor ftpsensor@dmz)";

struct Options { // as typed
    std::string config_path;
    std::vector<std::string> sets;
    std::string seed;
    std::string output = ".";
    std::string workers;
    std::string socket;
    bool json = false;
    bool fix = false;
    std::vector<std::string> captures;
};

// One usable sentence, without the program's name.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string version_text() { return fmt::format("{} {}", kProgramName, FTPSENSOR_VERSION); }

CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* footer, Options& options) {
    CLI::App* command = app.add_subcommand(name, summary);
    command->footer(footer);
    command->set_version_flag("--version", version_text(), "Print the version");
    const std::string without = name == std::string_view("read") ? "built-in defaults" : kInstalledConfig;
    command->add_option("-c,--config", options.config_path, fmt::format("The configuration (default: {})", without))
        ->type_name("FILE");
    command->add_option("--set", options.sets, "Override a key of the configuration; the last of two for one key wins")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false) // else it would swallow the captures after it
        ->take_all();
    return command;
}

void add_seed(CLI::App* command, Options& options) {
    command->add_option("--seed", options.seed, "Fix the ids of connections and files, for repeatable output")
        ->type_name("N");
}

void declare(CLI::App& app, Options& options) {
    app.name(std::string(kProgramName));
    app.description("ftpsensord watches FTP on the wire and writes Zeek-compatible conn.log and ftp.log.");
    app.footer(kFooter);
    app.set_version_flag("--version", version_text(), "Print the version");
    app.require_subcommand(1);
    add_seed(add_command(app, "run", "Live: watch ports until told to stop", kRunFooter, options), options);
    CLI::App* check = add_command(app, "check", "Say what run would do, or why it cannot", kCheckFooter, options);
    check->add_flag("--fix", options.fix, "Mend what can be mended safely, and say what was done");
    add_seed(check, options);
    CLI::App* stats = add_command(app, "stats", "Show what the running sensor does", kStatsFooter, options);
    stats->add_flag("--json", options.json, "Print all figures once, as one line of JSON");
    stats->add_option("--socket", options.socket, "Ask the sensor at this socket (metrics.socket)")->type_name("PATH");
    CLI::App* read = add_command(app, "read", "Offline: read capture files", kReadFooter, options);
    add_seed(read, options);
    read->add_option("-o,--output", options.output, "Write logs below this folder (default: .)")->type_name("DIR");
    read->add_option("--workers", options.workers, "Analyse with so many threads (workers.count)")->type_name("N");
    read->add_option("CAPTURE", options.captures, "Capture files, - is standard input")->type_name("")->required();
}

// A word that no command or option took, said with what was likely meant.
std::string unknown_word(const CLI::App& app, const std::string& word) {
    const auto chosen = app.get_subcommands();
    const CLI::App& command = chosen.empty() ? app : *chosen.front();
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options())
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    if (chosen.empty())
        for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; }))
            names.push_back(each->get_name());
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto near = nearest_name(word.substr(0, word.find('=')), views);
    const char* kind = word.starts_with("-") ? "option" : chosen.empty() ? "command" : "argument";
    const std::string help = chosen.empty() ? "--help" : chosen.front()->get_name() + " --help";
    return near.empty() ? fmt::format("unknown {} '{}'; see {} {}", kind, word, kProgramName, help)
                        : fmt::format("unknown {} '{}'; did you mean {}?", kind, word, near);
}

std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    if (const auto rest = app.remaining(true); !rest.empty()) return unknown_word(app, rest.front());
    if (chosen.empty())
        return fmt::format("no command; give run, check, stats or read, or see {} --help", kProgramName);
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
        return fmt::format("no capture; give {} read one or more files, or - for standard input", kProgramName);
    return fmt::format("{}; see {} {} --help", error.what(), kProgramName, chosen.front()->get_name());
}

std::uint64_t parse_seed(const std::string& text) {
    try {
        return parse_uint(text);
    } catch (const BadValue& bad) {
        throw UsageError(fmt::format("--seed: {}; give a number from 0 to {}", bad.what(), ~std::uint64_t{0}));
    }
}

void require_captures(const std::vector<std::string>& captures) {
    bool standard_input = false;
    for (const std::string& path : captures) {
        if (path == kStandardInput) {
            if (std::exchange(standard_input, true))
                throw UsageError("- (standard input) is given twice; it can be read once");
            continue;
        }
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0)
            throw UsageError(fmt::format("{}: {}; give capture files that can be read", path, std::strerror(errno)));
        if (S_ISDIR(status.st_mode)) throw UsageError(fmt::format("{}: is a folder; give capture files", path));
    }
}

// Errors of the flag that stands for a key speak of the flag.
void apply_flag(Config& config, std::string_view flag, std::string_view key, const std::string& value) {
    try {
        apply_override(config, fmt::format("{}={}", key, value));
    } catch (const ConfigError& error) {
        const std::string prefix = fmt::format("--set: {}", key);
        throw UsageError(fmt::format("{}{}", flag, std::string_view(error.what()).substr(prefix.size())));
    }
}

void apply_read_options(Config& config, const Options& options) {
    if (options.output.empty()) throw UsageError("-o: is empty; give a folder");
    config.log.directory = options.output; // a folder's name is not YAML
    if (options.workers.empty()) return;
    apply_flag(config, "--workers", "workers.count", options.workers);
    // CPUs that a file lists for another number of workers say nothing of these.
    if (config.workers.cpus.size() != config.workers.count) config.workers.cpus.clear();
}

// The tz database has files that are no zones to the library that reads it (posix/Europe/Berlin): which, only that
// says.
void validate_time_zone(const std::string& name) {
    try {
        TimeZone{name};
    } catch (const std::runtime_error& error) {
        throw ConfigError(fmt::format(
            "log.rotation.time_zone: {}; give a name of the tz database such as Europe/Berlin, or UTC", error.what()));
    }
}

void validate_command_line(const CommandLine& line) {
    try {
        validate(line.config);
        validate_time_zone(line.config.log.rotation.time_zone);
        const bool captures = line.command == Command::run || line.command == Command::check;
        if (captures && line.config.capture.ports.empty())
            throw ConfigError("capture.ports: names no port; give the one to watch, such as [{interface: eth1}]");
    } catch (const ConfigError& error) {
        throw UsageError(line.config_path.empty() ? error.what()
                                                  : fmt::format("{}: {}", line.config_path, error.what()));
    }
}

CommandLine resolve(Command command, const Options& options) {
    CommandLine line;
    line.command = command;
    line.captures = options.captures;
    line.json = options.json;
    line.fix = options.fix;
    line.config_path = options.config_path;
    const bool needs_file = command != Command::read && options.socket.empty();
    if (line.config_path.empty() && needs_file) line.config_path = kInstalledConfig;
    if (!line.config_path.empty()) line.config = load_config(line.config_path);
    if (command == Command::read) apply_read_options(line.config, options);
    line.overrides = options.sets;
    for (const std::string& set : line.overrides) apply_override(line.config, set);
    if (!options.socket.empty()) line.config.metrics.socket = options.socket; // a path is not YAML
    if (!options.seed.empty()) line.seed = parse_seed(options.seed);
    validate_command_line(line);
    require_captures(line.captures);
    return line;
}

Command command_of(const std::string& name) {
    return name == "run"     ? Command::run
           : name == "read"  ? Command::read
           : name == "stats" ? Command::stats
                             : Command::check;
}

} // namespace

Config read_config_again(const CommandLine& command_line) {
    CommandLine line = command_line;
    if (!line.config_path.empty()) line.config = load_config(line.config_path);
    for (const std::string& set : line.overrides) apply_override(line.config, set);
    try {
        validate_command_line(line);
    } catch (const UsageError& error) {
        throw ConfigError(error.what());
    }
    return line.config;
}

std::variant<CommandLine, CommandLineExit> parse_command_line(int argc, const char* const* argv) {
    Options options;
    CLI::App app;
    declare(app, options);
    const auto refuse = [](std::string_view sentence) {
        return CommandLineExit{kExitUsage, fmt::format("{}: {}\n", kProgramName, printable(sentence))};
    };
    try {
        app.parse(argc, argv);
        return resolve(command_of(app.get_subcommands().front()->get_name()), options);
    } catch (const CLI::CallForHelp&) {
        return CommandLineExit{kExitSuccess, app.help()};
    } catch (const CLI::CallForVersion&) {
        return CommandLineExit{kExitSuccess, version_text() + "\n"};
    } catch (const CLI::ParseError& error) {
        return refuse(usage_sentence(app, error));
    } catch (const UsageError& error) {
        return refuse(error.what());
    } catch (const ConfigError& error) {
        return refuse(error.what());
    }
}

} // namespace ftpsensor
