#include "daemon/cli.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace ftpsensor;

namespace {

// A folder with a capture and a configuration, gone at the end.
class CliFolder {
public:
    CliFolder() {
        char path[] = "/tmp/cli_test.XXXXXX";
        REQUIRE(::mkdtemp(path) != nullptr);
        path_ = path;
        std::ofstream(file("a.pcap")) << "x";
        std::ofstream(file("b.pcap")) << "x";
    }
    ~CliFolder() { std::filesystem::remove_all(path_); }
    CliFolder(const CliFolder&) = delete;
    CliFolder& operator=(const CliFolder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }
    std::string config(const std::string& text) const {
        std::ofstream(file("f.yaml")) << text;
        return file("f.yaml");
    }

private:
    std::string path_;
};

std::variant<CommandLine, CommandLineExit> parse(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"ftpsensord"};
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

CommandLine accepted(std::vector<std::string> arguments) {
    auto result = parse(std::move(arguments));
    if (const auto* exit = std::get_if<CommandLineExit>(&result)) FAIL(exit->text);
    return std::get<CommandLine>(std::move(result));
}

// The sentence, without the program's name and the line's end.
std::string refused(std::vector<std::string> arguments) {
    const auto result = parse(std::move(arguments));
    const auto* exit = std::get_if<CommandLineExit>(&result);
    if (exit == nullptr) return "accepted";
    CHECK(exit->status == kExitUsage);
    CHECK(exit->text.starts_with("ftpsensord: "));
    CHECK(exit->text.find('\n') == exit->text.size() - 1); // one line
    return exit->text.substr(12, exit->text.size() - 13);
}

std::string printed(std::vector<std::string> arguments) {
    const auto result = parse(std::move(arguments));
    const auto* exit = std::get_if<CommandLineExit>(&result);
    REQUIRE(exit != nullptr);
    CHECK(exit->status == kExitSuccess);
    return exit->text;
}

const std::string kPort = "capture: {ports: [{interface: eth1}]}\n";

} // namespace

TEST_CASE("read: built-in defaults, logs below the current folder") {
    const CliFolder folder;
    const auto line = accepted({"read", folder.file("a.pcap"), "-", folder.file("b.pcap")});
    CHECK(line.command == CommandLine::Command::read);
    CHECK(line.captures == std::vector<std::string>{folder.file("a.pcap"), "-", folder.file("b.pcap")});
    CHECK(line.config_path.empty());
    CHECK_FALSE(line.seed.has_value());
    CHECK(line.config.log.directory == ".");
    Config expected;
    expected.log.directory = ".";
    CHECK(describe(line.config) == describe(expected));
}

TEST_CASE("read: options stand before, between and after captures") {
    const CliFolder folder;
    const auto line = accepted({"read", "--set", "ftp.extended=false", folder.file("a.pcap"), "-o", "/tmp/a b: {c}",
                                folder.file("b.pcap"), "--workers", "3", "--seed=7", "--set=messages=error"});
    CHECK(line.captures == std::vector<std::string>{folder.file("a.pcap"), folder.file("b.pcap")});
    CHECK_FALSE(line.config.ftp.extended);
    CHECK(line.config.log.directory == "/tmp/a b: {c}"); // as it is, not YAML
    CHECK(line.config.workers.count == 3);
    CHECK(line.config.messages == ConfigLevel::error);
    CHECK(line.seed == 7);
    CHECK(accepted({"read", "--seed", "18446744073709551615", "-"}).seed == ~std::uint64_t{0});
    CHECK(accepted({"read", "--", folder.file("a.pcap")}).captures.size() == 1);
}

TEST_CASE("precedence: defaults, then the file, then the options; of two --set the last") {
    const CliFolder folder;
    const auto path =
        folder.config(kPort + "messages: debug\nftp: {extended: false}\nworkers: {count: 2, cpus: [0, 1]}\n"
                              "log: {directory: /var/log/live, node: from-file}\n");
    const auto line = accepted({"read", "-c", path, "-", "--set", "log.node=first", "--set", "log.node=last"});
    CHECK(line.config_path == path);
    CHECK(line.config.messages == ConfigLevel::debug);
    CHECK_FALSE(line.config.ftp.extended);
    CHECK(line.config.log.node == "last");
    CHECK(line.config.log.directory == "."); // never into the folder of a live sensor unasked
    CHECK(accepted({"read", "-c", path, "-", "--set", "log.directory=/x"}).config.log.directory == "/x");
    CHECK(accepted({"read", "-c", path, "-", "-o", "y", "--set", "log.directory=/x"}).config.log.directory == "/x");
    CHECK(accepted({"run", "-c", path}).config.log.directory == "/var/log/live");
    CHECK(accepted({"check", "-c", path, "--set", "log.directory=/x"}).config.log.directory == "/x");
}

TEST_CASE("read --workers sets aside the CPUs that the file lists for another number") {
    const CliFolder folder;
    const auto path = folder.config("workers: {count: 2, cpus: [0, 1]}\n");
    CHECK(accepted({"read", "-c", path, "-", "--workers", "2"}).config.workers.cpus.size() == 2);
    CHECK(accepted({"read", "-c", path, "-", "--workers", "3"}).config.workers.cpus.empty());
    CHECK(refused({"read", "-c", path, "-", "--set", "workers.count=3"}) ==
          path + ": workers.cpus: lists 2 CPUs for 3 workers; give one a worker, or [], or set workers.count to 2");
}

TEST_CASE("run and check: a port is needed, captures are not taken") {
    const CliFolder folder;
    const auto path = folder.config(kPort);
    CHECK(accepted({"run", "-c", path, "--seed", "1"}).command == CommandLine::Command::run);
    CHECK(accepted({"check", "--config", path}).command == CommandLine::Command::check);
    CHECK(refused({"run", "-c", folder.config("messages: info\n")}) ==
          path + ": capture.ports: names no port; give the one to watch, such as [{interface: eth1}]");
    CHECK(refused({"run", "-c", path, "a.pcap"}) == "unknown argument 'a.pcap'; see ftpsensord run --help");
    CHECK(refused({"check", "-c", path, "--workers", "2"}) ==
          "unknown option '--workers'; see ftpsensord check --help");
}

TEST_CASE("a file of the tz database that is no zone to the library is refused before anything is done") {
    const CliFolder folder;
    // (Factory is one to the standard library, which Debian 13's compiler has.)
    for (const char* zone : {"posix/Europe/Berlin", "posixrules", "right/UTC"}) {
        const auto path = folder.config(kPort + "log: {rotation: {time_zone: " + zone + "}}\n");
        const bool installed = std::filesystem::exists(std::string("/usr/share/zoneinfo/") + zone);
        for (const char* command : {"check", "run"}) {
            const std::string sentence = refused({command, "-c", path});
            CHECK(sentence.find("log.rotation.time_zone: ") != std::string::npos);
            CHECK(sentence.find(std::string("'") + zone + "' is not in ") != std::string::npos);
            CHECK(sentence.ends_with("; give a name of the tz database such as Europe/Berlin, or UTC"));
            // The file's own check says which line; the library is asked behind it.
            CHECK((sentence.find("tz database of this machine") != std::string::npos) == installed);
        }
    }
}

TEST_CASE("commands and options that are unknown") {
    CHECK(refused({}) == "no command; give run, check, stats or read, or see ftpsensord --help");
    CHECK(refused({"reed", "a.pcap"}) == "unknown command 'reed'; did you mean read?");
    CHECK(refused({"start"}) == "unknown command 'start'; see ftpsensord --help");
    CHECK(refused({"--verbose"}) == "unknown option '--verbose'; see ftpsensord --help");
    CHECK(refused({"read", "--wokers", "2", "-"}) == "unknown option '--wokers'; did you mean --workers?");
    CHECK(refused({"read", "--ouptut=x", "-"}) == "unknown option '--ouptut=x'; did you mean --output?");
    CHECK(refused({"read", "-x", "-"}) == "unknown option '-x'; see ftpsensord read --help");
    CHECK(refused({"run", "check"}) == "unknown argument 'check'; see ftpsensord run --help");
    CHECK(refused({"read", "-", "--set"}).starts_with("--set: "));
}

TEST_CASE("files that are missing") {
    const CliFolder folder;
    CHECK(refused({"read"}) == "no capture; give ftpsensord read one or more files, or - for standard input");
    CHECK(refused({"read", folder.file("a.pcap"), folder.file("c.pcap")}) ==
          folder.file("c.pcap") + ": No such file or directory; give capture files that can be read");
    CHECK(refused({"read", folder.file("")}) == folder.file("") + ": is a folder; give capture files");
    CHECK(refused({"read", folder.file("a\x1b[2J.pcap")}) ==
          folder.file("a\\x1b[2J.pcap") + ": No such file or directory; give capture files that can be read");
    CHECK(refused({"read", "-", "-"}) == "- (standard input) is given twice; it can be read once");
    CHECK(refused({"run", "-c", folder.file("no.yaml")}) ==
          folder.file("no.yaml") + ": No such file or directory; give a configuration file that can be read");
}

TEST_CASE("values that are wrong") {
    const CliFolder folder;
    CHECK(refused({"read", "-", "--workers", "0"}) == "--workers: 0 is out of range; give a number from 1 to 128");
    CHECK(refused({"read", "-", "--workers", "two"}) ==
          "--workers: 'two' is not a whole number; give a number from 1 to 128");
    CHECK(refused({"read", "-", "--seed", "-1"}) ==
          "--seed: '-1' is not a whole number; give a number from 0 to 18446744073709551615");
    CHECK(refused({"read", "-", "-o", ""}) == "-o: is empty; give a folder");
    CHECK(refused({"read", "-", "--set", "ftp.extnded=false"}) ==
          "--set: ftp.extnded: unknown key; did you mean ftp.extended?");
    CHECK(refused({"read", "-", "--set", "ftp.extended"}) ==
          "--set: 'ftp.extended' has no '='; give KEY=VALUE, such as ftp.extended=false");
    const auto path = folder.config("ftp:\n  extended: maybe\n");
    CHECK(refused({"check", "-c", path}) ==
          path + ":2:13: ftp.extended: 'maybe' is not one of the choices; give true or false");
    CHECK(refused({"read", "-", "--set", "workers.cpus=[1, 2]"}) ==
          "workers.cpus: lists 2 CPUs for 1 workers; give one a worker, or [], or set workers.count to 2");
}

TEST_CASE("help teaches: examples, files, statuses; each command has its own") {
    for (const auto& arguments : {std::vector<std::string>{"--help"}, {"-h"}}) {
        const auto text = printed(arguments);
        for (const char* part : {"Usage: ftpsensord", "Examples:", "/etc/ftpsensor/ftpsensor.yaml",
                                 "/var/log/ftpsensor", "zgrep", "Exit status:", "run", "read", "check"}) {
            INFO(part);
            CHECK(text.find(part) != std::string::npos);
        }
    }
    CHECK(printed({"read", "--help"}).find("--workers N") != std::string::npos);
    CHECK(printed({"run", "--help"}).find("SIGTERM") != std::string::npos);
    CHECK(printed({"check", "-h"}).find("--set KEY=VALUE") != std::string::npos);
    CHECK(printed({"stats", "--help"}).find("ftpsensor@NAME") != std::string::npos); // whose socket is its unit's
    CHECK(printed({"--help"}).find("systemd does not try again") != std::string::npos);
    CHECK(printed({"--version"}) == "ftpsensord " FTPSENSOR_VERSION "\n");
    CHECK(printed({"read", "--version"}) == "ftpsensord " FTPSENSOR_VERSION "\n");
}
