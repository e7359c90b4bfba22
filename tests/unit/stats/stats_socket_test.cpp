// The socket of `ftpsensord stats`: what is asked is told, and what cannot be asked says why.
#include "daemon/stats/snapshot_json.h"
#include "daemon/stats/stats_socket.h"
#include "tests/support/catch.h"
#include "tests/unit/stats/sample_snapshot.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

class Folder {
public:
    Folder() {
        char path[] = "/tmp/stats_socket_test.XXXXXX";
        REQUIRE(::mkdtemp(path) != nullptr);
        path_ = path;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

int bind_socket(const std::string& path, int type) {
    const sockaddr_un address = address_of(path);
    const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
}

// As a sensor that was killed leaves it.
void leave_socket(const std::string& path) { ::close(bind_socket(path, SOCK_STREAM)); }

} // namespace

TEST_CASE("a client gets the latest snapshot, whole") {
    const Folder folder;
    StatsBoard board;
    const StatsSocket socket(folder.file("run/stats.sock"), board); // makes the folder
    CHECK_THROWS_WITH(fetch_stats(folder.file("run/stats.sock")), Catch::Contains("just started"));
    Snapshot large = sample_snapshot();
    large.workers.resize(128); // more than a socket's buffer holds
    for (int i = 0; i < 128; ++i) large.ports.push_back(large.ports[0]);
    const auto published = board.publish(large);
    for (int i = 0; i < 3; ++i) CHECK(fetch_stats(folder.file("run/stats.sock")) == to_json(*published));
}

TEST_CASE("owner and group may ask") {
    const Folder folder;
    StatsBoard board;
    const StatsSocket socket(folder.file("stats.sock"), board);
    struct stat status {};
    REQUIRE(::stat(folder.file("stats.sock").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
}

TEST_CASE("a client that does not read holds up the next for a second, not for ever") {
    const Folder folder;
    StatsBoard board;
    Snapshot large = sample_snapshot();
    for (int i = 0; i < 2000; ++i) large.ports.push_back(large.ports[0]);
    board.publish(large);
    const StatsSocket socket(folder.file("stats.sock"), board);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    folder.file("stats.sock").copy(address.sun_path, sizeof address.sun_path - 1);
    const int idle = ::socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(::connect(idle, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    bool served = false;
    for (int attempt = 0; attempt < 5 && !served; ++attempt) {
        try {
            served = !fetch_stats(folder.file("stats.sock")).empty();
        } catch (const std::runtime_error&) { // its own patience is a second, too
        }
    }
    CHECK(served);
    ::close(idle);
}

TEST_CASE("nor does one that reads a little now and then") {
    const Folder folder;
    StatsBoard board;
    Snapshot large = sample_snapshot();
    for (int i = 0; i < 5000; ++i) large.ports.push_back(large.ports[0]);
    board.publish(large);
    const std::string path = folder.file("stats.sock");
    std::atomic<bool> ended{false};
    std::thread slow;
    bool served = false;
    {
        const StatsSocket socket(path, board);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
        REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        slow = std::thread([client, &ended] { // each send(2) of the sensor gets on within its second
            std::vector<char> buffer(40'000);
            while (!ended) {
                std::this_thread::sleep_for(std::chrono::milliseconds(300));
                static_cast<void>(::recv(client, buffer.data(), buffer.size(), MSG_DONTWAIT));
            }
            ::close(client);
        });
        for (int attempt = 0; attempt < 5 && !served; ++attempt) {
            try {
                served = !fetch_stats(path).empty();
            } catch (const std::runtime_error&) {
            }
        }
        ended = true;
    }
    slow.join();
    CHECK(served);
}

TEST_CASE("what is no socket is left alone") {
    const Folder folder;
    StatsBoard board;
    const std::string path = folder.file("evidence.txt");
    std::ofstream(path) << "to be kept";
    CHECK_THROWS_WITH((StatsSocket{path, board}), Catch::Contains("is no socket"));
    CHECK(std::filesystem::file_size(path) == 10);
    std::filesystem::create_symlink("evidence.txt", folder.file("link"));
    CHECK_THROWS_WITH((StatsSocket{folder.file("link"), board}), Catch::Contains("is no socket"));
    CHECK(std::filesystem::is_symlink(folder.file("link")));
}

TEST_CASE("a socket that nobody serves is taken over; one that a sensor serves is not") {
    const Folder folder;
    StatsBoard board;
    const std::string path = folder.file("stats.sock");
    leave_socket(path);
    {
        const StatsSocket socket(path, board);
        CHECK_THROWS_WITH((StatsSocket{path, board}), Catch::Contains("is another program's, which answers"));
    }
    CHECK_FALSE(std::filesystem::exists(path)); // gone with the sensor
    CHECK_THROWS_WITH(fetch_stats(path), Catch::Contains("no sensor answers at " + path));
}

TEST_CASE("a socket of another kind is another program's, and stays") {
    const Folder folder;
    StatsBoard board;
    const std::string path = folder.file("log");
    const int theirs = bind_socket(path, SOCK_DGRAM);
    CHECK_THROWS_WITH((StatsSocket{path, board}), Catch::Contains("is another program's ("));
    CHECK(std::filesystem::is_socket(path));
    ::close(theirs);
}

TEST_CASE("where too many wait to be answered, that is said in two seconds, and the place stays") {
    const Folder folder;
    StatsBoard board;
    const std::string path = folder.file("busy.sock");
    const int theirs = bind_socket(path, SOCK_STREAM);
    REQUIRE(::listen(theirs, 0) == 0);
    const sockaddr_un address = address_of(path);
    const int waits = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(waits, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const auto began = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(fetch_stats(path), Catch::Contains("no sensor answers"));
    CHECK_THROWS_WITH((StatsSocket{path, board}), Catch::Contains("is another program's ("));
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
    CHECK(std::filesystem::is_socket(path));
    ::close(waits);
    ::close(theirs);
}

TEST_CASE("a socket that came in its place is left to who made it") {
    const Folder folder;
    StatsBoard board;
    const std::string path = folder.file("stats.sock");
    int theirs = -1;
    {
        const StatsSocket socket(path, board);
        std::filesystem::rename(path, folder.file("moved")); // so that its number is not given to the next
        theirs = bind_socket(path, SOCK_STREAM);
    }
    CHECK(std::filesystem::is_socket(path));
    ::close(theirs);
}

TEST_CASE("a place that cannot be is said with what to do") {
    StatsBoard board;
    CHECK_THROWS_WITH((StatsSocket{"/nonexistent/folder/stats.sock", board}), Catch::Contains("give another place"));
    CHECK_THROWS_WITH((StatsSocket{"/" + std::string(200, 'x'), board}), Catch::Contains("too long"));
}
