#include "daemon/live/outlet_places.h"

#include "core/base/ip_address.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

class Socket {
public:
    explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

// Whether a sensor holds the lock of the folder (directory_lock.h), or that cannot be known. Asked of the kernel's
// list: who tried the lock would hold it for a moment, and keep a sensor from starting.
bool may_be_in_use(const std::string& log_directory) {
    struct stat lock {};
    if (::stat((log_directory + "/current/.lock").c_str(), &lock) != 0) return errno != ENOENT && errno != ENOTDIR;
    std::ifstream locks("/proc/locks"); // "1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF"
    const std::string inode = fmt::format(":{} ", lock.st_ino);
    for (std::string line; std::getline(locks, line);)
        if (line.find(" FLOCK ") != line.npos && line.find(inode) != line.npos) return true;
    return false;
}

void check_socket(const std::string& path, Notes& notes) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) return;
    path.copy(address.sun_path, path.size());
    const Socket socket(AF_UNIX);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    add_note(
        notes, NoteLevel::warning,
        fmt::format("metrics.socket: another sensor answers at {}; `ftpsensord stats` would not show this one", path),
        "set metrics.socket to a path of its own");
}

// What keeps the address from being listened at; 0: nothing.
int bind_error(const IpAddress& address, std::uint32_t port) {
    const Socket socket(address.is_v4() ? AF_INET : AF_INET6);
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); // as the library does
    if (!address.is_v4()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v4.sin_addr, address.bytes.data() + 12, 4);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    const auto* at = address.is_v4() ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
    return ::bind(socket.get(), at, address.is_v4() ? sizeof v4 : sizeof v6) == 0 ? 0 : errno;
}

void check_port(const MetricsConfig& metrics, Notes& notes) {
    const auto address = IpAddress::parse(metrics.address);
    if (metrics.port == 0 || !address) return;
    const int error = bind_error(*address, metrics.port);
    if (error == EADDRINUSE)
        add_note(
            notes, NoteLevel::warning,
            fmt::format("metrics.port: {} is taken, by another sensor or program; run would go on without metrics",
                        metrics.port),
            fmt::format("ss -ltnp 'sport = :{}' tells by whom; set metrics.port to another one, or 0", metrics.port));
    else if (error == EADDRNOTAVAIL)
        add_note(notes, NoteLevel::warning,
                 fmt::format("metrics.address: this host does not have {}; run would go on without metrics",
                             metrics.address),
                 "set metrics.address to one that ip address shows");
}

} // namespace

void check_outlet_places(const Config& config, Notes& notes) {
    if (may_be_in_use(config.log.directory)) return;
    check_socket(config.metrics.socket, notes);
    check_port(config.metrics, notes);
}

} // namespace ftpsensor
