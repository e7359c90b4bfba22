#include "daemon/live/ending.h"

#include "daemon/cli.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr int kLookMs = 500;
constexpr unsigned kMoreSeconds = 15; // in which the logs have to grow, once TimeoutStopSec is over

} // namespace

Ending::Ending(int signals, std::function<std::uint64_t()> progress, std::shared_ptr<spdlog::logger> log)
    : signals_(signals), progress_(std::move(progress)), log_(std::move(log)), over_(eventfd(0, EFD_CLOEXEC)) {
    if (over_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an event descriptor");
    sd_notify(0, "STOPPING=1");
    thread_ = std::thread([this] { run(); });
    ::pthread_setname_np(thread_.native_handle(), "fs-ending");
}

Ending::~Ending() {
    eventfd_write(over_, 1);
    thread_.join();
    close(over_);
}

void Ending::run() {
    try {
        look_after_it();
    } catch (const std::exception& error) {
        log_->error("systemd is not asked for more time any more: {}", error.what());
    }
}

void Ending::look_after_it() {
    std::uint64_t before = progress_();
    for (;;) {
        pollfd waits[2] = {{over_, POLLIN, 0}, {signals_, POLLIN, 0}};
        ::poll(waits, 2, kLookMs);
        if ((waits[0].revents & POLLIN) != 0) return;
        if ((waits[1].revents & POLLIN) != 0) take_signals();
        const std::uint64_t now = progress_();
        if (now == std::exchange(before, now)) continue;
        sd_notify(0, fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=stopping: writing what is still open",
                                 kMoreSeconds * 1'000'000u)
                         .c_str());
    }
}

void Ending::take_signals() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == SIGHUP) continue;
        log_->critical("ends at once, on a second signal: entries that were not written yet are lost");
        log_->flush();
        std::_Exit(kExitFailure);
    }
}

} // namespace ftpsensor
