// SIGINT and SIGTERM while captures are read: the first asks to take no more packets, a second ends the process at
// once.
//
// One at a time in a process; what the signals did before is put back at its end. Where a signal was ignored (nohup, a
// background job of a script), it stays so. asked() and fd() are any thread's.
#pragma once

#include <array>
#include <csignal>

namespace ftpsensor {

class Interrupt {
public:
    Interrupt(); // throws std::system_error
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    bool asked() const;
    int fd() const { return fd_; } // can be read from as soon as it was asked, and stays so

    static constexpr std::array kSignals{SIGINT, SIGTERM};

private:
    int fd_;
    std::array<struct sigaction, kSignals.size()> before_{};
};

} // namespace ftpsensor
