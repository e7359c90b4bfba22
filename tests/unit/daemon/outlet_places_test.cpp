// metrics.socket and metrics.port that somebody else has are told, but not while this very sensor runs.
#include "core/log/directory_lock.h"
#include "daemon/live/outlet_places.h"
#include "daemon/stats/stats_socket.h"
#include "tests/support/catch.h"

#include <cstring>
#include <filesystem>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

// A port of the loopback address at which somebody listens.
class TakenPort {
public:
    TakenPort() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), size) == 0);
        REQUIRE(::listen(fd_, 1) == 0);
        REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        number = ntohs(at.sin_port);
    }
    ~TakenPort() { ::close(fd_); }
    TakenPort(const TakenPort&) = delete;
    TakenPort& operator=(const TakenPort&) = delete;
    std::uint32_t number = 0;

private:
    int fd_;
};

struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("outlet_places_test." + std::to_string(getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string logs() const { return (path / "logs").string(); }
    std::string socket() const { return (path / "stats.sock").string(); }
};

Notes checked(const std::string& logs, std::uint32_t port, const std::string& socket,
              const std::string& address = "127.0.0.1") {
    Config config;
    config.log.directory = logs;
    config.metrics.address = address;
    config.metrics.port = port;
    config.metrics.socket = socket;
    Notes notes;
    check_outlet_places(config, notes);
    return notes;
}

} // namespace

TEST_CASE("places that nobody has are not told, nor those that are switched off") {
    const Folder folder;
    CHECK(checked(folder.logs(), 0, "").empty());
    CHECK(checked(folder.logs(), 0, folder.socket()).empty());
    std::uint32_t free = TakenPort().number;
    CHECK(checked(folder.logs(), free, "").empty());
}

TEST_CASE("a port at which another program listens is told, with what shows by whom") {
    const Folder folder;
    const TakenPort taken;
    const Notes notes = checked(folder.logs(), taken.number, "");
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::warning);
    CHECK(notes[0].text.starts_with("metrics.port: " + std::to_string(taken.number) + " is taken"));
    CHECK(notes[0].remedy.find("ss -ltnp") != std::string::npos);
}

TEST_CASE("an address that the host does not have is told") {
    const Folder folder;
    const Notes notes = checked(folder.logs(), 9821, "", "192.0.2.1"); // RFC 5737: for documents
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].text.starts_with("metrics.address: this host does not have 192.0.2.1"));
}

TEST_CASE("a socket at which another sensor answers is told; what a killed one left is not") {
    const Folder folder;
    const StatsBoard board;
    {
        const StatsSocket other(folder.socket(), board);
        const Notes notes = checked(folder.logs(), 0, folder.socket());
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].level == NoteLevel::warning);
        CHECK(notes[0].text.starts_with("metrics.socket: another sensor answers at " + folder.socket()));
    }
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    folder.socket().copy(at.sun_path, sizeof at.sun_path - 1);
    REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    ::close(left);
    CHECK(checked(folder.logs(), 0, folder.socket()).empty());
}

TEST_CASE("while a sensor writes to this folder of logs its places are taken for its own") {
    const Folder folder;
    const TakenPort taken;
    const LogPlace place{folder.logs(), 0640, std::nullopt};
    {
        const DirectoryLock running(place);
        CHECK(checked(folder.logs(), taken.number, "").empty());
    }
    CHECK(checked(folder.logs(), taken.number, "").size() == 1); // the lock's file stays
}
