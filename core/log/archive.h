// Moving a finished log file from current/ to its dated folder.
//
// Plain functions; the thread that owns the file.
#pragma once

#include "core/log/file_system.h"
#include "core/log/rotation.h"

#include <optional>
#include <string>

namespace ftpsensor {

// Where the files of a sensor's logs are, and who may read them.
struct LogPlace {
    std::string directory; // "/var/log/ftpsensor"
    mode_t file_mode = 0640;
    std::optional<gid_t> group; // empty: unchanged

    std::string current_directory() const { return directory + "/current"; }
    std::string current_path(const std::string& log) const { return current_directory() + '/' + log + ".log.gz"; }
};

// An operation that failed, for the operator. No error: `error` is 0.
struct [[nodiscard]] IoResult {
    int error = 0;              // errno's numbers, positive
    const char* operation = ""; // "write", "rename", ...: static storage
    std::string path;           // of the file or folder it was about

    bool ok() const { return error == 0; }
    std::string message() const; // "write /var/log/ftpsensor/current/conn.log.gz: No space left on device"
};

struct MoveResult {
    bool moved = false;
    std::string path; // the new name
    IoResult result;  // moved, and not ok: folders could not be synced, so that a power failure may undo the move
};

// Renames `from` to `archive_path` (absolute), or to the first numbered_path() of it that is free: nothing is ever
// replaced. Makes the folder, and syncs what has changed.
MoveResult move_to_archive(FileSystem& files, const LogPlace& place, const std::string& from,
                           const std::string& archive_path);

} // namespace ftpsensor
