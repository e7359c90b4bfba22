// One sensor a log directory.
//
// Held from start to end by the process: flock(2) on <directory>/current/.lock, which the kernel lets go of however the
// process ends. Who may open the file may hold the lock, so that nobody but the sensor's user may, whoever reads the
// logs. A folder that is removed takes the lock with it: renew() locks its successor. One thread at a time.
#pragma once

#include "core/log/archive.h"

namespace ftpsensor {

class DirectoryLock {
public:
    // Makes the directory and current/ where they are missing. Throws std::runtime_error with a sentence for the
    // operator: in use by another sensor, or not writable.
    explicit DirectoryLock(const LogPlace& place);
    ~DirectoryLock();
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

    // False: the folder was removed and made again, and another sensor was faster. Where it cannot be said, true.
    bool renew();

private:
    bool is_in_place() const;
    void say_holder();

    std::string path_;
    int fd_ = -1;
};

} // namespace ftpsensor
