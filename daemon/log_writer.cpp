#include "daemon/log_writer.h"

#include "daemon/messages.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

namespace ftpsensor {

LogNoticeHook log_notices() {
    return [log = messages("log")](LogNotice notice, const std::string& text) {
        switch (notice) {
        case LogNotice::failing: log->error(text); break;
        case LogNotice::dropping: log->critical(text); break;
        case LogNotice::resumed: log->info(text); break;
        case LogNotice::warning: log->warn(text); break;
        }
    };
}

LogWriter::LogWriter(FileSystem& files, LogSettings settings, LogNoticeHook notify)
    : rotation_(settings.rotation), file_(files, *rotation_, settings.options, std::move(notify)),
      thread_([this] { run(); }) {
    ::pthread_setname_np(thread_.native_handle(), ("fs-log-" + settings.options.log).substr(0, 15).c_str());
}

LogWriter::~LogWriter() { finish(); }

bool LogWriter::offer(Batch& batch, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!taken_.wait_for(lock, patience, [&] { return batches_.size() < kBatchesMax; })) return false;
    batches_.push_back(std::move(batch));
    batch = Batch{};
    if (!spare_.empty()) {
        batch = std::move(spare_.back());
        spare_.pop_back();
    }
    filled_.notify_one();
    return true;
}

void LogWriter::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        filled_.wait(lock, [&] { return stop_ || !batches_.empty(); });
        if (batches_.empty()) break;
        Batch batch = std::move(batches_.front());
        batches_.pop_front();
        lock.unlock();
        std::string_view text = batch.text;
        for (const auto& line : batch.lines) {
            file_.append(text.substr(0, line.size), line.write_ts);
            text.remove_prefix(line.size);
        }
        if (batch.through != INT64_MIN) {
            file_.tick(batch.through);
            adopt_next();
        }
        batch.text.clear();
        batch.lines.clear();
        batch.through = INT64_MIN;
        lock.lock();
        spare_.push_back(std::move(batch));
        taken_.notify_one();
    }
    lock.unlock();
    complete_ = file_.finish();
}

void LogWriter::adopt(std::shared_ptr<const LogSettings> settings) {
    const std::lock_guard lock(mutex_);
    next_.swap(settings); // those before are freed without the lock
}

bool LogWriter::has_adopted() const {
    const std::lock_guard lock(mutex_);
    return next_ == nullptr;
}

void LogWriter::adopt_next() {
    std::shared_ptr<const LogSettings> next;
    {
        const std::lock_guard lock(mutex_);
        next = next_;
    }
    if (!next || !file_.adopt(*next->rotation, next->options)) return;
    rotation_ = next->rotation;
    const std::lock_guard lock(mutex_);
    if (next_ == next) next_.reset(); // else there are others by now
}

bool LogWriter::finish() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    filled_.notify_one();
    if (thread_.joinable()) thread_.join();
    return complete_;
}

} // namespace ftpsensor
