// A capture from a pipe, for libpcap: it can be interrupted, and what the writer had already sent is still read then.
//
// Ctrl-C in `tcpdump -w - | ftpsensord read -` reaches both: tcpdump writes out what it holds and closes. So after an
// interrupt the stream goes on to the pipe's end, but only while bytes come without a pause, and for two seconds at
// most. One thread.
#pragma once

#include "daemon/offline/interrupt.h"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace ftpsensor {

class PipeStream {
public:
    // Standard input ("-"), or what is at `path`. Null: a regular file, or it can't be opened (libpcap says why).
    // Does not wait for a writer: reading does.
    static std::unique_ptr<PipeStream> open(const std::string& path, const Interrupt& interrupt);
    ~PipeStream();
    PipeStream(const PipeStream&) = delete;
    PipeStream& operator=(const PipeStream&) = delete;

    std::FILE* file();                // to be closed by the caller, before this ends. Null: out of memory
    bool cut() const { return cut_; } // an interrupt ended it, not the writer

private:
    PipeStream(int fd, const Interrupt& interrupt) : fd_(fd), interrupt_(interrupt) {}
    ssize_t read(char* buffer, std::size_t size);
    bool wait();

    int fd_;
    const Interrupt& interrupt_;
    std::optional<std::chrono::steady_clock::time_point> until_; // after an interrupt
    bool cut_ = false;
};

} // namespace ftpsensor
