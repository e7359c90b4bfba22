// One log's writing: a thread that compresses and writes what the logger formatted.
//
// The logger hands over batches of lines; a bounded number of them waits. The thread owns the LogFile. The logger
// waits where the disk is behind: the records wait in the workers' queues then, which are bounded and counted.
#pragma once

#include "core/log/log_file.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ftpsensor {

// What happens to a file goes to the operator's messages.
LogNoticeHook log_notices();

// How a log is written; what a reload may change.
struct LogSettings {
    std::shared_ptr<const Rotation> rotation;
    LogFileOptions options;
};

class LogWriter {
public:
    LogWriter(FileSystem& files, LogSettings settings, LogNoticeHook notify);
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    struct Batch {
        std::string text;
        struct Line {
            std::uint32_t size;
            Timestamp write_ts;
        };
        std::vector<Line> lines;
        Timestamp through = INT64_MIN; // all that is due before it is in this or earlier batches
    };

    // The batch comes back empty, with its memory. False: the disk is behind for longer than `patience`, and the batch
    // is as it was.
    bool offer(Batch& batch, std::chrono::milliseconds patience = std::chrono::milliseconds(0));
    // Any thread: from the next batch on that says a time, or, where the disk does not take what there is, from the
    // first on that finds it does (LogFile::adopt).
    void adopt(std::shared_ptr<const LogSettings> settings);
    bool has_adopted() const; // the last ones
    // No more batches: writes and rotates everything, ends the thread. False: something was lost or not rotated.
    bool finish();
    LogFileStatus status() const { return file_.status(); } // any thread
    const LogFile& file() const { return file_; }           // for LogFileOptions::first

private:
    static constexpr std::size_t kBatchesMax = 64;
    void run();
    void adopt_next();

    std::shared_ptr<const Rotation> rotation_; // the file's
    LogFile file_;
    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::condition_variable taken_;
    std::deque<Batch> batches_;
    std::vector<Batch> spare_;
    std::shared_ptr<const LogSettings> next_; // null: the file has the last ones
    bool stop_ = false;
    bool complete_ = true;
    std::thread thread_;
};

} // namespace ftpsensor
