// The few file operations that the log files need, so that tests can make any of them fail.
//
// Results are system call results without errno: a count or descriptor, 0, or the negative error number. No exceptions
// but std::bad_alloc. Implementations here are stateless: any thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/types.h>

namespace ftpsensor {

struct FileStatus {
    enum class Kind : std::uint8_t { file, directory, other };
    Kind kind = Kind::other;
    std::uint64_t bytes = 0;      // its length
    std::uint64_t disk_bytes = 0; // what its removal gives back
    Timestamp modified = 0;
};

class FileSystem {
public:
    virtual ~FileSystem() = default;

    virtual int open(const std::string& path, int flags, mode_t mode) = 0; // close-on-exec; descriptor
    virtual int close(int fd) = 0;
    virtual ssize_t write_at(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) = 0; // may be short
    virtual ssize_t read_at(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset) = 0;
    virtual int truncate(int fd, std::uint64_t bytes) = 0;
    virtual int sync(int fd) = 0;
    virtual std::int64_t size(int fd) = 0;
    // The path still names the file that is open, as far as can be seen.
    virtual bool is_at(int fd, const std::string& path) = 0;
    // The mode exactly, whatever the umask; the group where there is one.
    virtual int set_access(int fd, mode_t mode, std::optional<gid_t> group) = 0;
    // Never replaces: -EEXIST where `to` is taken.
    virtual int rename_to_new(const std::string& from, const std::string& to) = 0;
    virtual int remove(const std::string& path) = 0;
    // One directory; that it exists is no error. The mode exactly, and the group
    // where that is allowed, if it was made now.
    virtual int make_directory(const std::string& path, mode_t mode, std::optional<gid_t> group) = 0;
    virtual int list(const std::string& directory, std::vector<std::string>& names) = 0; // sorted; without . and ..
    virtual int status(const std::string& path, FileStatus& status) = 0;                 // of a symbolic link: its own
    virtual int remove_directory(const std::string& path) = 0;                           // an empty one
    virtual std::int64_t free_bytes(const std::string& directory) = 0;        // that are left to those who are not root
    virtual std::int64_t disk_bytes(const std::string&) { return INT64_MAX; } // of the whole disk, where it is known
};

FileSystem& posix_file_system();

// rename_to_new() for file systems without RENAME_NOREPLACE: a second name, and then the first one is removed. Where
// that was interrupted in between (a crash), the next call ends it.
int link_and_remove(const std::string& from, const std::string& to);
// The directory and those above it that are missing.
int make_directories(FileSystem& files, const std::string& path, mode_t mode, std::optional<gid_t> group);
// Makes names in a directory (a rename) survive a power failure.
int sync_directory(FileSystem& files, const std::string& path);
// rw-r----- gives rwxr-x---: who may read files may enter directories. So does rw-rw----: who may write files may not
// remove them, or put others in their place.
mode_t directory_mode(mode_t file_mode);
// The id of a group by its name. Throws std::runtime_error where there is no such group.
gid_t group_id(const std::string& name);

} // namespace ftpsensor
