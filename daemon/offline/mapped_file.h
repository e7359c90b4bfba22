// A file in memory, without a copy of it.
//
// Somebody may cut the file while it is read: what is gone then reads as zeros, and truncated() says so. Without that
// the process would die of SIGBUS. The handler belongs to the first mapping and stays; other reasons for the signal end
// the process as they did before. Any thread may read; the last owner ends the mapping.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace ftpsensor {

class MappedFile {
public:
    static constexpr std::size_t kFilesMax = 64; // at a time

    // The whole of an open regular file, as long as it is now. Null: it can not be mapped, or too many are.
    static std::shared_ptr<const MappedFile> of(int fd);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    const std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool truncated() const; // since it was mapped, and somebody has read there
    // The same, asked of the file system: what is gone of the last page that is left reads as zeros without a signal.
    bool has_shrunk() const;

private:
    MappedFile(std::uint8_t* data, std::size_t size, std::size_t slot, int fd)
        : data_(data), size_(size), slot_(slot), fd_(fd) {}

    std::uint8_t* data_;
    std::size_t size_;
    std::size_t slot_;
    int fd_; // -1: it could not be kept
};

} // namespace ftpsensor
