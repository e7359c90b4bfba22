// Looks after the folder of the logs each ten seconds: keeps finished logs within log.retention.*, by the host's clock,
// and the folder ours, should it be removed and made again.
//
// A thread. Live only: `read` removes nothing. What it removed, and why it can't, goes to the operator's messages;
// counts may be read by any thread.
#pragma once

#include "core/log/directory_lock.h"
#include "core/log/retention.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace spdlog {
class logger;
}

namespace ftpsensor {

// A clock that is far ahead, as at boot before NTP, would make all logs old: files go for their age only once the clock
// has kept step with CLOCK_BOOTTIME for so long. Not thread-safe.
class ClockTrust {
public:
    explicit ClockTrust(Duration settles) : settles_(settles) {}
    bool look(Timestamp wall, Timestamp steady); // both as of now

private:
    Duration settles_;
    bool looked_ = false;
    Duration ahead_ = 0; // of the wall's clock
    Timestamp since_ = 0;
};

class RetentionThread {
public:
    static constexpr Duration kClockSettles = 10 * kMinute;

    // `files` and `lock` outlive it. Looks at once.
    RetentionThread(FileSystem& files, DirectoryLock& lock, const LogPlace& place, const RotationOptions& rotation,
                    const RetentionOptions& options, Duration clock_settles = kClockSettles);
    ~RetentionThread();
    RetentionThread(const RetentionThread&) = delete;
    RetentionThread& operator=(const RetentionThread&) = delete;

    // Any thread, which does not wait for the disk: from the next look on, which is now.
    void set_options(const RetentionOptions& options);
    void set_files(std::unique_ptr<Retention> files); // of the same directory
    std::uint64_t files_removed() const { return files_removed_.load(std::memory_order_relaxed); }
    std::uint64_t bytes_removed() const { return bytes_removed_.load(std::memory_order_relaxed); }

private:
    void run();
    void look(RetentionOptions options);
    void say(const RetentionReport& report);
    void hold_folder();

    FileSystem& files_;
    DirectoryLock& lock_;
    const std::string directory_;
    bool folder_is_ours_ = true;
    std::unique_ptr<Retention> retention_; // the thread's
    std::shared_ptr<spdlog::logger> log_;
    ClockTrust clock_trust_;
    std::string trouble_; // what was said last; empty: none
    std::atomic<std::uint64_t> files_removed_{0};
    std::atomic<std::uint64_t> bytes_removed_{0};

    std::mutex mutex_;
    std::condition_variable changed_;
    RetentionOptions options_;
    std::unique_ptr<Retention> next_; // by set_files(), and not in effect yet
    bool look_now_ = true;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace ftpsensor
