// The Unix socket on which a running sensor tells its figures: whoever connects gets one snapshot as a line of JSON.
//
// Who may connect is who may write to the socket: its owner and its group (mode 0660). The server's one thread serves
// one client after another and gives each a second, so that a client that does not read holds up nobody for long.
// Server: made and ended by the main thread. fetch: any.
#pragma once

#include "daemon/stats/snapshot.h"

#include <string>
#include <thread>

#include <sys/stat.h>

namespace ftpsensor {

class StatsSocket {
public:
    // Makes the socket's folder where it is missing, and takes the place of a socket that nobody serves. Throws
    // std::runtime_error with what to do about it. `board` outlives it.
    StatsSocket(const std::string& path, const StatsBoard& board);
    ~StatsSocket();
    StatsSocket(const StatsSocket&) = delete;
    StatsSocket& operator=(const StatsSocket&) = delete;

private:
    void serve();
    void answer(int client);

    std::string path_;
    const StatsBoard& board_;
    int listener_ = -1;
    struct stat made_ {}; // the socket's file
    std::thread thread_;
};

// What the sensor at `path` tells. Throws std::runtime_error: there is none, or it may not be asked.
std::string fetch_stats(const std::string& path);

} // namespace ftpsensor
