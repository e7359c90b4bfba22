// A file system in memory, for the fuzzer of recovery: what FileSystem promises, and no more. Any of its operations may
// fail, or the process may end before it. One thread.
#pragma once

#include "core/log/file_system.h"
#include "tests/fuzz/fuzz_input.h"

#include <cerrno>
#include <map>
#include <memory>
#include <set>

namespace ftpsensor::test {

// The process is no more: thrown in place of the operation. Its descriptors are for close_all(), as for the kernel.
struct ProcessEnded {};

struct Fault {
    enum class Kind : std::uint8_t { none, once, from_then_on, end };
    Kind kind = Kind::none;
    unsigned at = 0; // operations that succeed before
    int error = EIO;
};

class MemoryFiles final : public FileSystem {
public:
    Fault fault;
    std::size_t read_max = SIZE_MAX; // at a time
    bool failed = false;             // an operation has

    using Contents = std::shared_ptr<std::string>;
    std::map<std::string, Contents> files;
    std::set<std::string> directories;

    int open(const std::string& path, int flags, mode_t) override {
        if (const int error = next(); error < 0) return error;
        auto found = files.find(path);
        if (found == files.end()) {
            if ((flags & O_CREAT) == 0) return directories.contains(path) ? open_as({}) : -ENOENT;
            found = files.emplace(path, std::make_shared<std::string>()).first;
        }
        return open_as(found->second);
    }
    int close(int fd) override { return open_.erase(fd) == 1 ? 0 : -EBADF; }
    ssize_t write_at(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) override {
        if (const int error = next(); error < 0) return error;
        std::string& file = *open_.at(fd);
        if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
        std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
        return static_cast<ssize_t>(bytes.size());
    }
    ssize_t read_at(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset) override {
        if (const int error = next(); error < 0) return error;
        const std::string& file = *open_.at(fd);
        if (offset >= file.size()) return 0;
        const std::size_t n = std::min<std::size_t>({bytes.size(), file.size() - offset, read_max});
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), n, bytes.begin());
        return static_cast<ssize_t>(n);
    }
    int truncate(int fd, std::uint64_t bytes) override {
        if (const int error = next(); error < 0) return error;
        require(bytes <= open_.at(fd)->size(), "recovery makes no file longer");
        open_.at(fd)->resize(bytes);
        return 0;
    }
    int sync(int) override { return next(); }
    std::int64_t size(int fd) override {
        const int error = next();
        return error < 0 ? error : static_cast<std::int64_t>(open_.at(fd)->size());
    }
    bool is_at(int fd, const std::string& path) override { return files.contains(path) && files[path] == open_.at(fd); }
    int set_access(int, mode_t, std::optional<gid_t>) override { return 0; }
    int rename_to_new(const std::string& from, const std::string& to) override {
        if (const int error = next(); error < 0) return error;
        if (!files.contains(from)) return -ENOENT;
        if (files.contains(to)) return -EEXIST;
        files[to] = files[from];
        files.erase(from);
        return 0;
    }
    int remove(const std::string& path) override {
        if (const int error = next(); error < 0) return error;
        return files.erase(path) == 1 ? 0 : -ENOENT;
    }
    int make_directory(const std::string& path, mode_t, std::optional<gid_t>) override {
        if (const int error = next(); error < 0) return error;
        directories.insert(path);
        return 0;
    }
    int list(const std::string& directory, std::vector<std::string>& names) override {
        if (const int error = next(); error < 0) return error;
        names.clear();
        for (const auto& [path, contents] : files)
            if (path.starts_with(directory + '/') && path.find('/', directory.size() + 1) == path.npos)
                names.push_back(path.substr(directory.size() + 1));
        return 0;
    }
    int status(const std::string& path, FileStatus& status) override {
        if (const int error = next(); error < 0) return error;
        status = {};
        if (const auto found = files.find(path); found != files.end()) {
            status.kind = FileStatus::Kind::file;
            status.bytes = status.disk_bytes = found->second->size();
            return 0;
        }
        status.kind = FileStatus::Kind::directory;
        return directories.contains(path) ? 0 : -ENOENT;
    }
    int remove_directory(const std::string& path) override { return directories.erase(path) == 1 ? 0 : -ENOENT; }
    std::int64_t free_bytes(const std::string&) override { return INT64_MAX; }
    void close_all() { open_.clear(); }
    bool all_closed() const { return open_.empty(); }

private:
    int next() {
        const bool reached = fault.kind != Fault::Kind::none && operations_ == fault.at;
        if (!reached || fault.kind == Fault::Kind::once) ++operations_;
        if (!reached) return 0;
        failed = true;
        if (fault.kind == Fault::Kind::end) throw ProcessEnded();
        return -fault.error;
    }
    int open_as(const Contents& contents) {
        open_[next_] = contents;
        return next_++;
    }
    unsigned operations_ = 0;
    std::map<int, Contents> open_;
    int next_ = 3;
};

} // namespace ftpsensor::test
