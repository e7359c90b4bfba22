#include "daemon/retention_thread.h"

#include "daemon/messages.h"

#include <chrono>
#include <ctime>

#include <pthread.h>
#include <spdlog/spdlog.h>

namespace ftpsensor {

namespace {

constexpr auto kEvery = std::chrono::seconds(10);

constexpr Duration kStep = kMinute; // more than what NTP slews by between two looks

Timestamp read_clock(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<Timestamp>(now.tv_sec) * kSecond + now.tv_nsec;
}

} // namespace

bool ClockTrust::look(Timestamp wall, Timestamp steady) {
    const Duration ahead = wall - steady;
    if (!looked_ || ahead - ahead_ > kStep || ahead_ - ahead > kStep) since_ = steady;
    looked_ = true;
    ahead_ = ahead;
    return steady - since_ >= settles_;
}

RetentionThread::RetentionThread(FileSystem& files, DirectoryLock& lock, const LogPlace& place,
                                 const RotationOptions& rotation, const RetentionOptions& options,
                                 Duration clock_settles)
    : files_(files), lock_(lock), directory_(place.directory),
      retention_(std::make_unique<Retention>(files, place, rotation)), log_(messages("log")),
      clock_trust_(clock_settles), options_(options), thread_([this] { run(); }) {
    ::pthread_setname_np(thread_.native_handle(), "fs-retention");
}

RetentionThread::~RetentionThread() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void RetentionThread::set_options(const RetentionOptions& options) {
    {
        const std::lock_guard lock(mutex_);
        options_ = options;
        look_now_ = true;
    }
    changed_.notify_one();
}

void RetentionThread::set_files(std::unique_ptr<Retention> files) {
    {
        const std::lock_guard lock(mutex_);
        next_ = std::move(files);
        look_now_ = true;
    }
    changed_.notify_one();
}

void RetentionThread::run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
        look_now_ = false;
        if (next_) retention_ = std::move(next_);
        const RetentionOptions options = options_;
        lock.unlock();
        hold_folder();
        look(options);
        lock.lock();
        changed_.wait_for(lock, kEvery, [this] { return stop_ || look_now_; });
    }
}

void RetentionThread::hold_folder() {
    const bool ours = lock_.renew();
    if (folder_is_ours_ && !ours)
        log_->error("log directory {}: another sensor took it when it was removed; give each its own", directory_);
    folder_is_ours_ = ours;
}

void RetentionThread::look(RetentionOptions options) {
    const Timestamp now = read_clock(CLOCK_REALTIME);
    if (!clock_trust_.look(now, read_clock(CLOCK_BOOTTIME))) options.age = 0;
    if (!options.any()) return;
    const RetentionReport report = retention_->apply(options, now);
    files_removed_.fetch_add(report.removed(), std::memory_order_relaxed);
    bytes_removed_.fetch_add(report.bytes_removed, std::memory_order_relaxed);
    say(report);
}

void RetentionThread::say(const RetentionReport& report) {
    // Age is the operator's plan; that the other bounds have been reached is worth a look.
    if (report.removed() != 0)
        log_->log(report.removed() == report.removed_for_age ? spdlog::level::info : spdlog::level::warn, "{}",
                  report.message());
    std::string trouble;
    if (!report.problem.ok()) trouble = report.problem.message();
    if (report.over_bytes) trouble = "the logs are larger than log.retention.size; none is left that may be removed";
    if (report.impossible_free)
        trouble = "log.retention.free is more than the whole disk of the logs: nothing is removed for it";
    if (report.short_of_free)
        trouble = "less than log.retention.free is free on the disk of the logs; none is left that may be removed";
    if (trouble != trouble_ && !trouble.empty()) log_->error("{}", trouble);
    if (trouble.empty() && !trouble_.empty()) log_->info("log.retention is kept again");
    trouble_ = trouble;
}

} // namespace ftpsensor
