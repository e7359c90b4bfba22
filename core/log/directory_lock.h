// One sensor a log directory.
//
// Held from start to end by the process: flock(2) on <directory>/current/.lock, which the kernel lets go of however the
// process ends. Main thread.
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

private:
    int fd_ = -1;
};

} // namespace ftpsensor
