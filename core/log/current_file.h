// The file that a log is being written to, current/<log>.log.gz: from its creation to its rotation.
//
// It holds whole members only: one that could not be written whole is cut off again. Each operation either succeeds or
// leaves all as it was, so that the caller may try again later. Belongs to a LogFile and its thread.
#pragma once

#include "core/log/archive.h"
#include "core/log/gzip_member.h"
#include "core/log/rotation.h"
#include "core/log/text_buffer.h"

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace ftpsensor {

// Text for the start or the end of a file (the tab-separated form has both). `local_seconds`: see Rotation.
using FileTextHook = std::function<void(std::int64_t local_seconds, TextBuffer& text)>;

struct FileTextHooks {
    FileTextHook header; // may be empty
    FileTextHook footer;
};

// What is odd but does not stop writing: a group that cannot be set, an fsync that failed, a file found in the way.
using WarningHook = std::function<void(const std::string& message)>;

class CurrentFile {
public:
    // `files` and `rotation` outlive it. Touches no file yet.
    CurrentFile(FileSystem& files, const Rotation& rotation, LogPlace place, std::string log, FileTextHooks hooks,
                WarningHook warn);
    ~CurrentFile(); // closes; the file stays for recovery
    CurrentFile(const CurrentFile&) = delete;
    CurrentFile& operator=(const CurrentFile&) = delete;

    bool is_open() const { return fd_ >= 0; }
    const Interval& interval() const { return interval_; }
    std::uint64_t bytes() const { return bytes_; }
    bool has_entries() const { return has_entries_; }

    // Creates the file for an interval, or for its rest from `begin`. `first`: the time of the first entry. A file that
    // is in the way is recovered.
    IoResult open(const Interval& interval, Timestamp begin, Timestamp first);
    // Appends a whole member by one write.
    IoResult write(std::span<const std::uint8_t> member, const MemberTimes& times);
    // Ends the file, syncs it and moves it to its dated folder; then none is open. Where it can't be moved, it may be
    // written to again. One that never took an entry is removed: gunzip complains of an empty file.
    IoResult rotate();
    // By its size: its name says what it covers of its interval.
    bool is_full() const { return rotation_.is_full(bytes_); }
    // Where the rest of the interval begins, once a full file has been rotated.
    Timestamp rest_begin() const { return seconds_of(times_.last, times_.last, interval_).start; }

    // Someone removed or replaced the file: what is in it cannot be rotated any more.
    bool vanished() const { return !files_.is_at(fd_, path_); }
    void abandon(); // forgets the file

private:
    IoResult create();
    IoResult unseal();
    IoResult write_text(const FileTextHook& hook, Timestamp t);
    IoResult write_whole(std::span<const std::uint8_t> member);

    FileSystem& files_;
    const Rotation& rotation_;
    LogPlace place_;
    std::string log_;
    std::string path_;
    FileTextHooks hooks_;
    WarningHook warn_;
    std::unique_ptr<GzipCompressor> text_compressor_; // for the hooks' text; where there are hooks

    int fd_ = -1;
    Interval interval_;
    Timestamp begin_ = 0; // within interval_: its start, or where the file before was full
    MemberTimes times_;   // of all entries in the file
    std::uint64_t bytes_ = 0;
    bool has_entries_ = false;
    bool sealed_ = false;              // footer written and synced
    std::uint64_t unsealed_bytes_ = 0; // sealed: without the footer
};

} // namespace ftpsensor
