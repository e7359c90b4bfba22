// Gzip members that know their own length.
//
// A log file is a row of gzip members (RFC 1952 2.2), each compressed and written whole, so that the file is valid at
// every member's end. The header of each carries an extra field (RFC 1952 2.3.1.1), subfield "FS", 20 bytes, little
// endian: the compressed length of the whole member in bytes (4), and the first and last time of what is in it, in
// nanoseconds since the epoch (8 and 8). Recovery hops from header to header by it; other readers skip it.
//
// A compressor belongs to one thread and reuses its buffers. The plain functions: any thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <isa-l/igzip_lib.h>

namespace ftpsensor {

struct MemberTimes {
    Timestamp first = 0;
    Timestamp last = 0;
};

struct MemberHeader {
    std::uint32_t member_bytes = 0; // header and trailer included
    MemberTimes times;
};

inline constexpr std::size_t kMemberHeaderBytes = 36;
inline constexpr std::size_t kMemberTrailerBytes = 8;
inline constexpr std::size_t kMemberTextBytesMax = 256u << 20; // of text, so that no length leaves 32 bits

class GzipCompressor {
public:
    static constexpr unsigned kLevelMax = 3; // ISA-L's

    explicit GzipCompressor(unsigned level); // 0..kLevelMax; throws std::invalid_argument
    GzipCompressor(const GzipCompressor&) = delete;
    GzipCompressor& operator=(const GzipCompressor&) = delete;

    // `text` as one whole member; valid until the next call. `text`: at most kMemberTextBytesMax, else
    // std::length_error.
    std::span<const std::uint8_t> compress(std::string_view text, const MemberTimes& times);

private:
    void deflate(std::string_view text);

    std::unique_ptr<isal_zstream> stream_; // some 100 KiB: not on a stack
    std::vector<std::uint8_t> level_buffer_;
    std::vector<std::uint8_t> out_;
    std::size_t out_bytes_ = 0;
};

// The header at the start of `bytes`; empty where there is none of ours (or not all of it).
std::optional<MemberHeader> parse_member_header(std::span<const std::uint8_t> bytes);

// True where `bytes` is the beginning of what compress() may write, a whole header or less.
bool may_begin_member(std::span<const std::uint8_t> bytes);

// Where the first header of ours may begin in `bytes`, by the part that is always the same; bytes.size(): nowhere.
std::size_t find_member(std::span<const std::uint8_t> bytes);
inline constexpr std::size_t kMemberSignatureBytes = 16; // of that part

// Whether `member` (exactly one, whole) unpacks, and to the length and checksum of its trailer: by zlib, which gunzip
// and zgrep use, and which refuses code tables that ISA-L takes.
bool member_unpacks(std::span<const std::uint8_t> member);

// The length of the member that `bytes` begins with, whatever its header says of it; 0: none that is whole.
std::size_t whole_member_bytes(std::span<const std::uint8_t> bytes);

} // namespace ftpsensor
