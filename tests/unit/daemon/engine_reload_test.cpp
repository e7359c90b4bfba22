// A reload that is refused has reached nobody: a running sensor of one worker, whose thread is this one.
#include "daemon/engine.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <stdlib.h>
#include <zlib.h>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

struct Folder {
    std::string path = "/tmp/engine_reload_test.XXXXXX";
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
};

std::string unpacked(const std::filesystem::path& path) {
    std::string text(1u << 20, '\0');
    const gzFile file = ::gzopen(path.c_str(), "rb");
    const int n = ::gzread(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
    REQUIRE(n >= 0);
    text.resize(static_cast<std::size_t>(n));
    return text;
}

std::string ftp_log(const std::string& directory) {
    std::string text;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        if (entry.is_regular_file() && entry.path().filename().string().starts_with("ftp_"))
            text += unpacked(entry.path());
    return text;
}

Config sensor_config(const std::string& directory) {
    Config config;
    config.log.directory = directory;
    config.ftp.commands = {"all"};
    config.limits.connections_max = 1000;
    config.limits.ftp_sessions_max = 100;
    return config;
}

// What is in ftp.log of a login that comes after `reload` was refused.
std::string logged_after_refusal(const Config& reload) {
    const Folder folder;
    Engine engine(sensor_config(folder.path), EngineMode::live, 1);
    engine.start();
    Config next = reload;
    next.log.directory = folder.path;
    CHECK_THROWS_AS(engine.reload(next), std::runtime_error);
    Trace trace;
    engine.idle(0, trace.now()); // here a worker takes what it was given
    FtpTalk(trace).login("ann", "sesame").quit();
    const auto packets = trace.views();
    engine.process_burst(0, packets);
    engine.finish(0, trace.now());
    engine.stop();
    return ftp_log(folder.path);
}

} // namespace

TEST_CASE("a time zone that the library does not know: the workers go on hiding passwords") {
    Config next = sensor_config("");
    next.ftp.passwords = ConfigPasswords::all;
    next.log.rotation.time_zone = "posix/Europe/Berlin"; // a file of the tz database that is none of its names
    const std::string text = logged_after_refusal(next);
    CHECK(text.find("\"PASS\"") != std::string::npos);
    CHECK(text.find("<hidden>") != std::string::npos);
    CHECK(text.find("sesame") == std::string::npos);
}

TEST_CASE("a group that is not there: the same") {
    Config next = sensor_config("");
    next.ftp.passwords = ConfigPasswords::all;
    next.log.group = "no-such-group";
    CHECK(logged_after_refusal(next).find("sesame") == std::string::npos);
}
