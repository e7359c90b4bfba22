// What a sensor that ended unexpectedly left in current/: cut to its last whole member and rotated under its own times.
//
// At the start, before any LogFile is opened, with the DirectoryLock held. Every file is looked at once, whatever is in
// it; what is not a log of ours, or can't be read, is set aside under a name that says so, never cut or deleted. So is
// a file of which what would be cut off holds a whole member: not its end is torn then, but a length is damaged. Plain
// functions, one thread.
#pragma once

#include "core/log/archive.h"
#include "core/log/file_system.h"
#include "core/log/rotation.h"

#include <string>
#include <vector>

namespace ftpsensor {

enum class RecoveryOutcome : std::uint8_t {
    rotated,   // moved to its dated folder
    removed,   // there was not one whole member in it
    set_aside, // not a file of ours, damaged in the middle, or not to be read: x.log.gz.damaged in current/
    failed,    // still there: see `problem`
};

struct RecoveryReport {
    RecoveryOutcome outcome = RecoveryOutcome::failed;
    std::string path;
    std::string moved_to;        // rotated, set_aside
    std::uint64_t members = 0;   // whole ones
    std::uint64_t bytes_cut = 0; // torn ones
    IoResult problem;            // failed; or what went wrong besides

    std::string message() const; // one sentence for the operator
};

// current/<log>.log.gz, which exists.
RecoveryReport recover_file(FileSystem& files, const LogPlace& place, const Rotation& rotation, const std::string& log);

// Every current/*.log.gz.
std::vector<RecoveryReport> recover_directory(FileSystem& files, const LogPlace& place, const Rotation& rotation);

} // namespace ftpsensor
