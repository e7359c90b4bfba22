#include "daemon/offline/pipe_stream.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPause{250};
constexpr milliseconds kRest{2000};
constexpr std::size_t kBuffer = 64u << 10; // a pipe's own

} // namespace

std::unique_ptr<PipeStream> PipeStream::open(const std::string& path, const Interrupt& interrupt) {
    struct stat status {};
    const bool standard = path == "-";
    if ((standard ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status)) != 0 || S_ISREG(status.st_mode))
        return nullptr;
    // A named pipe is opened without waiting for its writer: that is wait()'s, which an interrupt ends.
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (S_ISFIFO(status.st_mode) ? O_NONBLOCK : 0);
    const int fd = standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), flags);
    return fd < 0 ? nullptr : std::unique_ptr<PipeStream>(new PipeStream(fd, interrupt));
}

PipeStream::~PipeStream() { ::close(fd_); }

std::FILE* PipeStream::file() {
    const auto read = [](void* self, char* buffer, std::size_t size) {
        return static_cast<PipeStream*>(self)->read(buffer, size);
    };
    std::FILE* const file =
        ::fopencookie(this, "r", {.read = read, .write = nullptr, .seek = nullptr, .close = nullptr});
    if (file != nullptr) std::setvbuf(file, nullptr, _IOFBF, kBuffer);
    return file;
}

// False: there is nothing more to wait for.
bool PipeStream::wait() {
    for (;;) {
        int patience = -1;
        if (interrupt_.asked()) {
            const auto now = std::chrono::steady_clock::now();
            if (!until_) until_ = now + kRest;
            if (now >= *until_) return false;
            patience = static_cast<int>(kPause.count());
        }
        pollfd waits[2] = {{fd_, POLLIN, 0}, {until_ ? -1 : interrupt_.fd(), POLLIN, 0}};
        const int ready = ::poll(waits, 2, patience);
        if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
        if (ready > 0 && waits[0].revents != 0) return true;
    }
}

ssize_t PipeStream::read(char* buffer, std::size_t size) {
    for (;;) {
        if (!wait()) {
            cut_ = true;
            return 0;
        }
        const ssize_t n = ::read(fd_, buffer, size);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
    }
}

} // namespace ftpsensor
