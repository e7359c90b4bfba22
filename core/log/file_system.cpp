#include "core/log/file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <dirent.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

int result(int returned) { return returned < 0 ? -errno : returned; }

template <typename Call>
auto retry_interrupted(Call call) {
    auto returned = call();
    while (returned < 0 && errno == EINTR) returned = call();
    return returned;
}

// Two names of one file, so that the removal of one leaves the other.
bool are_names_of_one(const std::string& a, const std::string& b) {
    struct stat first {};
    struct stat second {};
    return ::lstat(a.c_str(), &first) == 0 && ::lstat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino && first.st_nlink > 1;
}

class PosixFileSystem final : public FileSystem {
public:
    int open(const std::string& path, int flags, mode_t mode) override {
        return result(retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
    }
    int close(int fd) override { return result(::close(fd)); } // never again after EINTR: Linux has closed it
    ssize_t write_at(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) override {
        const auto n =
            retry_interrupted([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        return n < 0 ? -errno : n;
    }
    ssize_t read_at(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset) override {
        const auto n =
            retry_interrupted([&] { return ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        return n < 0 ? -errno : n;
    }
    int truncate(int fd, std::uint64_t bytes) override {
        return result(retry_interrupted([&] { return ::ftruncate(fd, static_cast<off_t>(bytes)); }));
    }
    int sync(int fd) override {
        return result(retry_interrupted([&] { return ::fsync(fd); }));
    }
    std::int64_t size(int fd) override {
        struct stat status {};
        return ::fstat(fd, &status) < 0 ? -errno : status.st_size;
    }
    bool is_at(int fd, const std::string& path) override {
        struct stat opened {};
        struct stat named {};
        if (::fstat(fd, &opened) != 0) return false;
        // A folder that lets us in no more, or a disk that fails, says nothing of what is there.
        if (::stat(path.c_str(), &named) != 0) return errno == EACCES || errno == EIO;
        return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
    }
    int set_access(int fd, mode_t mode, std::optional<gid_t> group) override {
        if (group && ::fchown(fd, static_cast<uid_t>(-1), *group) < 0) return -errno;
        return result(::fchmod(fd, mode)); // second: a change of owner may clear bits
    }
    int rename_to_new(const std::string& from, const std::string& to) override {
        if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
        if (errno == EINVAL || errno == ENOSYS) return link_and_remove(from, to);
        return -errno;
    }
    int remove(const std::string& path) override { return result(::unlink(path.c_str())); }
    int make_directory(const std::string& path, mode_t mode, std::optional<gid_t> group) override {
        if (::mkdir(path.c_str(), mode) < 0) return errno == EEXIST ? 0 : -errno;
        // Of what was made, and not of what stands there by now.
        const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) return -errno;
        int error = set_access(fd, mode, group);
        // Not being of the right group is no reason to lose entries: the files in it say so, each (CurrentFile).
        if (error == -EPERM) error = set_access(fd, mode, std::nullopt);
        ::close(fd);
        return error;
    }
    int list(const std::string& directory, std::vector<std::string>& names) override {
        names.clear();
        DIR* stream = ::opendir(directory.c_str());
        if (stream == nullptr) return -errno;
        while (const dirent* entry = ::readdir(stream))
            if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
                names.emplace_back(entry->d_name);
        ::closedir(stream);
        std::sort(names.begin(), names.end());
        return 0;
    }
    int status(const std::string& path, FileStatus& status) override {
        struct stat found {};
        if (::lstat(path.c_str(), &found) < 0) return -errno;
        status.kind = S_ISREG(found.st_mode)   ? FileStatus::Kind::file
                      : S_ISDIR(found.st_mode) ? FileStatus::Kind::directory
                                               : FileStatus::Kind::other;
        constexpr std::uint64_t kBlockBytes = 512; // stat(2): whatever the file system's own
        status.bytes = static_cast<std::uint64_t>(found.st_size);
        status.disk_bytes = found.st_nlink > 1 ? 0 : static_cast<std::uint64_t>(found.st_blocks) * kBlockBytes;
        status.modified = found.st_mtim.tv_sec * kSecond + found.st_mtim.tv_nsec;
        return 0;
    }
    int remove_directory(const std::string& path) override { return result(::rmdir(path.c_str())); }
    std::int64_t free_bytes(const std::string& directory) override {
        struct statvfs found {};
        if (::statvfs(directory.c_str(), &found) < 0) return -errno;
        return static_cast<std::int64_t>(found.f_bavail * found.f_frsize);
    }
    std::int64_t disk_bytes(const std::string& directory) override {
        struct statvfs found {};
        if (::statvfs(directory.c_str(), &found) < 0) return -errno;
        return static_cast<std::int64_t>(found.f_blocks * found.f_frsize);
    }
};

} // namespace

// Where there are no hard links, a look before the rename has to do (the directory lock keeps others out).
int link_and_remove(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) == 0) return result(::unlink(from.c_str()));
    // The link is there: a crash came before the removal, or a server's answer got lost and it was asked twice.
    if (errno == EEXIST) return are_names_of_one(from, to) ? result(::unlink(from.c_str())) : -EEXIST;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK) return -errno;
    if (::access(to.c_str(), F_OK) == 0) return -EEXIST;
    return result(::rename(from.c_str(), to.c_str()));
}

FileSystem& posix_file_system() {
    static PosixFileSystem files;
    return files;
}

int make_directories(FileSystem& files, const std::string& path, mode_t mode, std::optional<gid_t> group) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const int error = files.make_directory(path.substr(0, slash), mode, group);
        if (slash == std::string::npos) return error;
        // A parent that exists may be one that we cannot make (EACCES, EROFS on "/var"): only the last one's error
        // counts.
    }
}

int sync_directory(FileSystem& files, const std::string& path) {
    const int fd = files.open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return fd;
    const int error = files.sync(fd);
    files.close(fd);
    return error;
}

mode_t directory_mode(mode_t file_mode) { return (file_mode & ~mode_t{0022}) | (file_mode & 0444) >> 2; }

gid_t group_id(const std::string& name) {
    std::vector<char> buffer(16u << 10);
    group entry{};
    group* found = nullptr;
    while (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == ERANGE)
        buffer.resize(buffer.size() * 2);
    if (found == nullptr) throw std::runtime_error("there is no group '" + name + "' on this machine");
    return found->gr_gid;
}

} // namespace ftpsensor
