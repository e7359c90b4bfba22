// One log on disk: lines in, rotated gzip files out, whatever the disk does.
//
// Lines collect as text; a flush compresses the text to one gzip member and appends it to current/<log>.log.gz by one
// write. A flush comes after `flush_bytes` of text, after `flush_interval` of packet time, and where an interval of the
// rotation ends. A file that a flush has made as large as the rotation allows ends before its interval does. All time
// is passed in; it is the packets'.
//
// A write that fails is never an exception and never the end: the members wait, at most `waiting_bytes_max` of them
// (compressed), and are tried again at each tick, less and less often up to kRetryDelayMax. When the bound is reached
// the oldest member is dropped, which is always whole entries, and counted; or, where nothing fails but the move of the
// file before it, it goes into that file.
//
// One thread writes (append, tick, finish, and the hooks are called there). status() and wants_space() may be called by
// any other.
#pragma once

#include "core/log/current_file.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

class LogFile;

struct LogFileOptions {
    LogPlace place;
    std::string log; // "conn": the name in file names
    unsigned compression_level = 1;
    Duration flush_interval = kSecond;
    std::size_t flush_bytes = 1u << 20;         // at most kMemberTextBytesMax / 2
    std::size_t waiting_bytes_max = 256u << 20; // members that could not be written yet
    // A log that goes first where space is short: while its entries wait for room on the disk, this one's wait, too.
    // Outlives this one.
    const LogFile* first = nullptr;
    FileTextHooks hooks;
};

enum class LogNotice : std::uint8_t {
    failing,  // writing has begun to fail, or fails in another way now
    dropping, // the bound has been reached: the oldest entries are being lost
    resumed,  // all that waited has been written
    warning,  // odd, but entries go on
};
// Called by the writing thread, at changes only: not for each failed attempt.
using LogNoticeHook = std::function<void(LogNotice notice, const std::string& message)>;

struct LogFileStatus { // since start, but for the last three
    std::uint64_t entries_written = 0;
    std::uint64_t entries_dropped = 0;
    std::uint64_t text_bytes = 0; // of written entries, before compression
    std::uint64_t file_bytes = 0; // after it
    std::uint64_t members = 0;
    std::uint64_t files_rotated = 0;
    std::uint64_t files_lost = 0;      // removed by someone else before they were rotated
    std::uint64_t errors = 0;          // failed attempts to open, write or rotate
    std::uint64_t entries_waiting = 0; // appended, not written
    std::uint64_t bytes_waiting = 0;   // compressed members that wait for a retry
    bool failing = false;
};

class LogFile {
public:
    static constexpr Duration kRetryDelayMin = 100 * kMillisecond;
    static constexpr Duration kRetryDelayMax = 10 * kSecond;

    // `files` and `rotation` outlive it. Throws std::invalid_argument for options out of range; touches no file yet.
    LogFile(FileSystem& files, const Rotation& rotation, LogFileOptions options, LogNoticeHook notify);
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    // One entry: a whole line with its line feed. `write_ts` normally does not go back; an entry that is older than the
    // current interval goes into the current file all the same.
    void append(std::string_view line, Timestamp write_ts);
    // Time goes on without entries: all entries due before `now` have been appended (the merge's watermark).
    void tick(Timestamp now);
    // From now on as `rotation` and `options` say; the file under way is finished before. False: that is not possible
    // now (the disk), and nothing has changed: to be tried again. `rotation` outlives it; options as the constructor's.
    bool adopt(const Rotation& rotation, LogFileOptions options);
    // The end: writes and rotates all there is, one last attempt where writing failed. False: entries were lost (and
    // counted), or the file could not be rotated (recovery will, at the next start). The last call.
    bool finish();

    LogFileStatus status() const;
    // Entries wait, and the disk is full.
    bool wants_space() const { return wants_space_.load(std::memory_order_relaxed); }

private:
    struct Waiting { // a member that could not be written yet
        std::vector<std::uint8_t> bytes;
        MemberTimes times;
        Interval interval; // of the file it belongs to
        std::uint64_t entries = 0;
        std::uint64_t text_bytes = 0;
    };
    struct MemberView { // the same, in someone else's memory
        std::span<const std::uint8_t> bytes;
        MemberTimes times;
        Interval interval;
        std::uint64_t entries = 0;
        std::uint64_t text_bytes = 0;
    };
    struct Counters { // one writer, read by any thread
        std::atomic<std::uint64_t> entries_appended{0}, entries_written{0}, entries_dropped{0}, text_bytes{0},
            file_bytes{0}, members{0}, files_rotated{0}, files_lost{0}, errors{0}, bytes_waiting{0};
        std::atomic<bool> failing{false};
    };

    void enter_interval(Timestamp now);
    void flush();
    void wait(const MemberView& member);
    void make_room();
    bool write_beyond();
    void drop_oldest();
    void count_written(std::uint64_t entries, std::uint64_t text_bytes, std::uint64_t file_bytes);
    void write_waiting();
    void rotate_if_over();
    bool write_member(const MemberView& member);
    bool rotate();
    void abandon_if_vanished();
    bool may_try();
    void say_wants_space();
    bool failing() const { return counters_.failing.load(std::memory_order_relaxed); }
    bool check(const IoResult& result); // notes a failure; true: there was none
    void note_success();
    void note_nothing_to_do();
    bool is_over() const;
    bool wants_disk() const;

    void make_file();

    FileSystem& files_;
    LogFileOptions options_;
    const Rotation* rotation_;
    LogNoticeHook notify_;
    std::optional<CurrentFile> file_;          // always there
    std::optional<GzipCompressor> compressor_; // the same

    TextBuffer text_; // of the member under way
    MemberTimes text_times_;
    Timestamp text_begun_ = 0; // when its first entry was appended; a late one does not hasten the flush
    std::uint64_t text_entries_ = 0;

    Interval interval_{0, 0};  // that entries go to now
    Interval cut_{0, 0};       // whose last file was full
    Timestamp rest_begin_ = 0; // and where that file's successor begins
    bool in_interval_ = false;
    Timestamp now_ = 0;

    bool cannot_be_moved_ = false; // the file under way, which is open: for its place's sake
    bool goes_beyond_ = false;     // and it took what belongs to later intervals
    std::deque<Waiting> waiting_;  // oldest first
    std::size_t waiting_bytes_ = 0;
    Timestamp next_attempt_ = 0;
    Duration retry_delay_ = kRetryDelayMin;
    IoResult last_failure_;
    std::uint64_t dropped_before_failure_ = 0;
    std::atomic<bool> wants_space_{false};
    Counters counters_;
};

} // namespace ftpsensor
