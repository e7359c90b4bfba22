#include "daemon/offline/interrupt.h"

#include <atomic>
#include <cerrno>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

// What the handler uses, in whichever thread it runs.
std::atomic<bool> g_asked{false};
std::atomic<int> g_fd{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int) {
    const int error = errno;
    for (const int number : Interrupt::kSignals) {
        struct sigaction now {};
        if (::sigaction(number, nullptr, &now) == 0 && now.sa_handler == on_signal) ::signal(number, SIG_DFL);
    }
    g_asked.store(true);
    ::eventfd_write(g_fd.load(), 1); // a write(2)
    errno = error;
}

} // namespace

Interrupt::Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an event descriptor");
    g_asked.store(false);
    g_fd.store(fd_);
    struct sigaction action {};
    action.sa_handler = on_signal; // without SA_RESTART: what waits for a pipe to be opened gives up
    ::sigemptyset(&action.sa_mask);
    for (const int number : kSignals) ::sigaddset(&action.sa_mask, number);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
        ::sigaction(kSignals[i], nullptr, &before_[i]);
        if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
    }
}

Interrupt::~Interrupt() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
    g_fd.store(-1);
    ::close(fd_);
}

bool Interrupt::asked() const { return g_asked.load(std::memory_order_relaxed); }

} // namespace ftpsensor
