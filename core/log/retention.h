// What may be kept of finished log files: so old, so much together, so much space left on the disk.
//
// Files are removed oldest first (by when they were last written to), and only files that are ours beyond doubt: in a
// folder and under a name as this configuration's patterns make them, and beginning with a gzip member of ours
// (gzip_member.h). Never one in current/; nothing is followed (symbolic links). A dated folder that has become empty
// goes, too, once it has been left alone for a minute: rotation may be about to use it.
//
// Ages are the disk's business, not the packets': `now` is the host's clock. One thread.
#pragma once

#include "core/log/archive.h"
#include "core/log/rotation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ftpsensor {

struct RetentionOptions { // 0: no bound
    Duration age = 0;
    std::uint64_t bytes = 0;      // of all finished files and the current ones
    std::uint64_t free_bytes = 0; // at least so many stay free on the disk
    bool any() const { return age != 0 || bytes != 0 || free_bytes != 0; }
};

struct RetentionReport {
    std::uint64_t removed_for_age = 0; // files
    std::uint64_t removed_for_bytes = 0;
    std::uint64_t removed_for_free = 0;
    std::uint64_t bytes_removed = 0;
    std::string first, last; // removed ones, below the log directory
    IoResult problem;        // what kept a file from being removed; where that is the disk's, the rest was left, too
    // A bound that cannot be kept, though all that may be removed has been.
    bool over_bytes = false;
    bool short_of_free = false;
    bool impossible_free = false; // more than the whole disk: nothing was removed for it

    std::uint64_t removed() const { return removed_for_age + removed_for_bytes + removed_for_free; }
    std::string message() const; // one sentence on what was removed
};

class Retention {
public:
    // `files` outlives it. `rotation` gives the patterns of names.
    Retention(FileSystem& files, LogPlace place, const RotationOptions& rotation);

    RetentionReport apply(const RetentionOptions& options, Timestamp now);

private:
    struct Finished {
        std::string path; // below the log directory
        FileStatus status;
    };
    void find(Timestamp now);
    void find_in(const std::string& folder, Timestamp now);
    std::uint64_t bytes_of_all(); // the current files, too
    bool is_ours(const std::string& path);

    FileSystem& files_;
    LogPlace place_;
    std::string folder_name_;
    std::string file_name_;
    std::vector<Finished> found_; // oldest first
};

} // namespace ftpsensor
