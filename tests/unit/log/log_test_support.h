// A directory that goes with its test, gunzip by zlib (not by the library under test), and a file system that fails.
#pragma once

#include "core/log/file_system.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <stdlib.h>
#include <zlib.h>

namespace ftpsensor {

class TempDirectory {
public:
    TempDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "ftpsensor-log-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TempDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    std::string path() const { return path_.string(); }
    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    // Every regular file below, by its path from here, hidden ones (the lock) left out.
    std::set<std::string> files() const {
        std::set<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_))
            if (entry.is_regular_file() && entry.path().filename().string()[0] != '.')
                found.insert(std::filesystem::relative(entry.path(), path_).string());
        return found;
    }

private:
    std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

// All members. Throws std::runtime_error where it is not whole, valid gzip from the first byte to the last.
inline std::string gunzip(const std::string& bytes) {
    std::string text;
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    while (stream.avail_in != 0) {
        if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::runtime_error("inflateInit2");
        int result = Z_OK;
        while (result == Z_OK) {
            char chunk[4096];
            stream.next_out = reinterpret_cast<Bytef*>(chunk);
            stream.avail_out = sizeof chunk;
            result = inflate(&stream, Z_NO_FLUSH);
            text.append(chunk, sizeof chunk - stream.avail_out);
        }
        inflateEnd(&stream);
        if (result != Z_STREAM_END) throw std::runtime_error("not valid gzip");
    }
    return text;
}

inline std::string gunzip_file(const std::string& path) { return gunzip(read_file(path)); }

// The real file system, but what is told to fail fails.
class FaultyFileSystem final : public FileSystem {
public:
    int open_error = 0;
    int write_error = 0;
    int truncate_error = 0;
    int sync_error = 0;
    int rename_error = 0;
    int access_error = 0;
    int mkdir_error = 0;
    std::uint64_t writable_bytes = ~0ull; // then a short write, then ENOSPC
    std::optional<std::uint64_t>
        bad_byte;               // a read that would have this one is short, one that begins with it fails: EIO
    bool has_no_replace = true; // else as on NFS: rename_to_new() goes by two names
    int remove_error = 0;
    std::string kept;              // the only one that remove_error is about; empty: every file
    std::int64_t free = -1;        // what free_bytes() says at first; removals add to it. -1: the truth
    std::int64_t disk = INT64_MAX; // what disk_bytes() says
    unsigned writes = 0;
    unsigned unsynced_writes = 0; // to the file that was written to last
    unsigned opens = 0;
    std::vector<std::string> removed;

    int open(const std::string& path, int flags, mode_t mode) override {
        ++opens;
        return open_error != 0 && (flags & O_CREAT) != 0 ? -open_error : real_.open(path, flags, mode);
    }
    int close(int fd) override {
        if (fd == written_fd_) written_fd_ = -1;
        return real_.close(fd);
    }
    ssize_t write_at(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) override {
        ++writes;
        ++unsynced_writes;
        written_fd_ = fd;
        if (write_error != 0) return -write_error;
        if (writable_bytes == 0) return -ENOSPC;
        const auto n = real_.write_at(fd, bytes.first(std::min<std::size_t>(bytes.size(), writable_bytes)), offset);
        if (n > 0) writable_bytes -= static_cast<std::uint64_t>(n);
        return n;
    }
    ssize_t read_at(int fd, std::span<std::uint8_t> bytes, std::uint64_t offset) override {
        if (bad_byte && offset <= *bad_byte && *bad_byte < offset + bytes.size()) {
            if (offset == *bad_byte) return -EIO;
            bytes = bytes.first(*bad_byte - offset);
        }
        return real_.read_at(fd, bytes, offset);
    }
    int truncate(int fd, std::uint64_t bytes) override {
        return truncate_error != 0 ? -truncate_error : real_.truncate(fd, bytes);
    }
    int sync(int fd) override {
        if (sync_error != 0) return -sync_error;
        if (fd == written_fd_) unsynced_writes = 0;
        return real_.sync(fd);
    }
    std::int64_t size(int fd) override { return real_.size(fd); }
    bool is_at(int fd, const std::string& path) override { return real_.is_at(fd, path); }
    int set_access(int fd, mode_t mode, std::optional<gid_t> group) override {
        return access_error != 0 ? -access_error : real_.set_access(fd, mode, group);
    }
    int rename_to_new(const std::string& from, const std::string& to) override {
        if (rename_error != 0) return -rename_error;
        return has_no_replace ? real_.rename_to_new(from, to) : link_and_remove(from, to);
    }
    int remove(const std::string& path) override {
        if (remove_error != 0 && (kept.empty() || path.ends_with(kept))) return -remove_error;
        FileStatus status;
        real_.status(path, status);
        const int error = real_.remove(path);
        if (error == 0) removed.push_back(path);
        if (error == 0 && free >= 0) free += static_cast<std::int64_t>(status.disk_bytes);
        return error;
    }
    int make_directory(const std::string& path, mode_t mode, std::optional<gid_t> group) override {
        return mkdir_error != 0 ? -mkdir_error : real_.make_directory(path, mode, group);
    }
    int list(const std::string& directory, std::vector<std::string>& names) override {
        return real_.list(directory, names);
    }
    int status(const std::string& path, FileStatus& status) override { return real_.status(path, status); }
    int remove_directory(const std::string& path) override { return real_.remove_directory(path); }
    std::int64_t free_bytes(const std::string& directory) override {
        return free >= 0 ? free : real_.free_bytes(directory);
    }
    std::int64_t disk_bytes(const std::string&) override { return disk; }

private:
    FileSystem& real_ = posix_file_system();
    int written_fd_ = -1;
};

} // namespace ftpsensor
