#include "daemon/stats/stats_socket.h"

#include "daemon/stats/snapshot_json.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kSocketMode = 0660;
constexpr timeval kPatience{.tv_sec = 1, .tv_usec = 0};           // of who asks
constexpr auto kClientPatience = std::chrono::milliseconds(1000); // for all of an answer
constexpr std::size_t kAnswerMax = 16u << 20;
constexpr const char* kUsualPlaces = "/run/ftpsensor*/stats.sock";

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error(
            fmt::format("metrics.socket: {} is too long for a socket's name; give one of at most {} "
                        "characters",
                        path, sizeof address.sun_path - 1));
    path.copy(address.sun_path, path.size());
    return address;
}

class Socket {
public:
    Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (fd_ < 0) throw std::runtime_error(fmt::format("no Unix socket can be made: {}", std::strerror(errno)));
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience); // of connect(2), too
    }
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    // 0, or the errno.
    int connect(const sockaddr_un& address) const {
        return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    }

private:
    int fd_;
};

// Other places where a sensor answers; for whoever asked in the wrong one.
std::string others(const std::string& but) {
    std::string found;
    glob_t paths{};
    if (::glob(kUsualPlaces, 0, nullptr, &paths) == 0)
        for (std::size_t i = 0; i < paths.gl_pathc; ++i)
            if (paths.gl_pathv[i] != but && Socket().connect(address_of(paths.gl_pathv[i])) == 0)
                found += fmt::format("; one runs at {0}: ftpsensord stats --socket {0}", paths.gl_pathv[i]);
    ::globfree(&paths);
    return found;
}

} // namespace

StatsSocket::StatsSocket(const std::string& path, const StatsBoard& board) : path_(path), board_(board) {
    const sockaddr_un address = address_of(path);
    const auto folder = std::filesystem::path(path).parent_path();
    if (::mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST)
        throw std::runtime_error(
            fmt::format("metrics.socket: the folder {} cannot be made: {}; `ftpsensord stats` will "
                        "not work; give another place",
                        folder.string(), std::strerror(errno)));
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
        throw std::runtime_error(fmt::format(
            "metrics.socket: {} is there and is no socket, and stays; `ftpsensord stats` will not work; give "
            "another place",
            path));
    // Refused is what a killed sensor left. A queue that is full, a socket of another kind or of somebody else is not.
    if (const int error = Socket().connect(address); error == ECONNREFUSED)
        ::unlink(path.c_str());
    else if (error != ENOENT)
        throw std::runtime_error(
            fmt::format("metrics.socket: {} is another program's{}; `ftpsensord stats` will not show this sensor; give "
                        "it a place of its own",
                        path, error == 0 ? ", which answers" : fmt::format(" ({})", std::strerror(error))));
    Socket listener;
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(path.c_str(), kSocketMode) != 0 || ::listen(listener.get(), 16) != 0)
        throw std::runtime_error(
            fmt::format("metrics.socket: {}: {}; `ftpsensord stats` will not work; give another place", path,
                        std::strerror(errno)));
    const timeval for_ever{}; // of accept(2)
    ::setsockopt(listener.get(), SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever);
    ::lstat(path.c_str(), &made_);
    listener_ = listener.release();
    thread_ = std::thread([this] { serve(); });
    ::pthread_setname_np(thread_.native_handle(), "fs-stats");
}

StatsSocket::~StatsSocket() {
    struct stat there {}; // a later sensor's may have its place
    if (::lstat(path_.c_str(), &there) == 0 && there.st_ino == made_.st_ino && there.st_dev == made_.st_dev)
        ::unlink(path_.c_str());
    ::shutdown(listener_, SHUT_RDWR); // wakes accept()
    thread_.join();
    ::close(listener_);
}

void StatsSocket::serve() {
    for (;;) {
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EINVAL || errno == EBADF) return; // shut down
            ::usleep(100'000);                             // out of descriptors or memory
            continue;
        }
        answer(client);
        ::close(client);
    }
}

// By pieces: a send(2) that may block has its patience for each piece anew.
void StatsSocket::answer(int client) {
    using Clock = std::chrono::steady_clock;
    const auto snapshot = board_.latest();
    const std::string text = (snapshot ? to_json(*snapshot) : "{}") + "\n";
    const auto until = Clock::now() + kClientPatience;
    for (std::string_view rest = text; !rest.empty();) {
        const ssize_t n = ::send(client, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            rest.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd room{client, POLLOUT, 0};
        if (n == 0 || errno != EAGAIN || left <= 0 || ::poll(&room, 1, static_cast<int>(left)) <= 0) return;
    }
}

std::string fetch_stats(const std::string& path) {
    const Socket socket;
    if (const int error = socket.connect(address_of(path)); error == EACCES)
        throw std::runtime_error(fmt::format(
            "{}: you may not ask this sensor; be a member of its group (adduser NAME ftpsensor), or root", path));
    else if (error != 0)
        throw std::runtime_error(fmt::format("no sensor answers at {} ({}); start one: systemctl start ftpsensor{}",
                                             path, std::strerror(error), others(path)));
    std::string text;
    char buffer[65536];
    ssize_t n = 0;
    while ((n = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0 && text.size() < kAnswerMax)
        text.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 || text.empty() || text.back() != '\n')
        throw std::runtime_error(fmt::format("{}: the sensor did not answer in full", path));
    text.pop_back();
    if (text == "{}")
        throw std::runtime_error("the sensor has just started and has no figures yet; ask again in a second");
    return text;
}

} // namespace ftpsensor
