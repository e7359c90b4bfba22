#include "core/log/directory_lock.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

// A link in its place is none of ours, and who the lock is held by would be written over what it points to.
constexpr int kOpen = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
// flock(2) asks for no right but to open: whoever reads the logs could keep the sensor from starting again.
constexpr mode_t kMode = 0600;

int open_lock(const std::string& path) {
    const int fd = ::open(path.c_str(), kOpen, kMode);
    if (fd >= 0 && ::fchmod(fd, kMode) != 0) errno = 0; // left by an earlier version; somebody else's stays as it is
    return fd;
}

[[noreturn]] void refuse(const std::string& directory, const std::string& why) {
    throw std::runtime_error("log directory " + directory + ": " + why);
}

std::string error_text(int error) { return std::generic_category().message(error); }

// " (process 1234)", as the holder wrote it; empty where it did not.
std::string holder(int fd) {
    char text[16];
    const ssize_t n = ::pread(fd, text, sizeof text, 0);
    return n > 0 ? " (process " + std::string(text, static_cast<std::size_t>(n)) + ")" : std::string();
}

} // namespace

DirectoryLock::DirectoryLock(const LogPlace& place) : path_(place.current_directory() + "/.lock") {
    const std::string current = place.current_directory();
    const int made = make_directories(posix_file_system(), current, directory_mode(place.file_mode), place.group);
    if (made < 0) refuse(place.directory, "cannot make " + current + ": " + error_text(-made));
    fd_ = open_lock(path_);
    if (fd_ < 0) refuse(place.directory, "cannot open " + path_ + ": " + error_text(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const std::string other = holder(fd_);
        ::close(fd_);
        if (error == EWOULDBLOCK) refuse(place.directory, "in use by another sensor" + other + "; give each its own");
        refuse(place.directory, "cannot lock " + path_ + ": " + error_text(error));
    }
    say_holder();
}

// For the message above only: that it cannot be written (a full disk) is no reason not to start.
void DirectoryLock::say_holder() {
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, pid.data(), pid.size(), 0) < 0) errno = 0;
}

bool DirectoryLock::is_in_place() const { return posix_file_system().is_at(fd_, path_); }

bool DirectoryLock::renew() {
    if (is_in_place()) return true;
    const int fd = open_lock(path_);
    if (fd < 0) return true; // no folder, or none that lets us: nobody else's either
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const bool taken = errno == EWOULDBLOCK;
        ::close(fd);
        return !taken;
    }
    ::close(fd_);
    fd_ = fd;
    say_holder();
    return true;
}

DirectoryLock::~DirectoryLock() { ::close(fd_); }

} // namespace ftpsensor
