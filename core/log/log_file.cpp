#include "core/log/log_file.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <utility>

namespace ftpsensor {

namespace {

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) { // one writer: no read-modify-write needed
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

LogFileOptions checked(LogFileOptions options) {
    if (options.flush_bytes == 0 || options.flush_bytes > kMemberTextBytesMax / 2)
        throw std::invalid_argument("flush_bytes of a log: 1 to " + std::to_string(kMemberTextBytesMax / 2));
    if (options.flush_interval <= 0) throw std::invalid_argument("flush_interval of a log: more than 0");
    return options;
}

} // namespace

LogFile::LogFile(FileSystem& files, const Rotation& rotation, LogFileOptions options, LogNoticeHook notify)
    : files_(files), options_(checked(std::move(options))), rotation_(&rotation), notify_(std::move(notify)),
      now_(std::numeric_limits<Timestamp>::min()) {
    make_file();
}

void LogFile::make_file() {
    file_.emplace(files_, *rotation_, options_.place, options_.log, options_.hooks,
                  [this](const std::string& message) { notify_(LogNotice::warning, message); });
    compressor_.emplace(options_.compression_level);
}

bool LogFile::adopt(const Rotation& rotation, LogFileOptions options) {
    if (!may_try()) return false; // or else each attempt of a reload made a member of what came meanwhile
    flush();
    write_waiting();
    if (!waiting_.empty()) return false;
    abandon_if_vanished();
    if (file_->is_open() && !rotate()) return false;
    options_ = checked(std::move(options));
    rotation_ = &rotation;
    make_file();
    in_interval_ = false; // the next entry finds its interval
    cut_ = {};
    return true;
}

void LogFile::append(std::string_view line, Timestamp write_ts) {
    enter_interval(std::max(now_, write_ts));
    // A late entry is filed under the interval that takes it, so that recovery, which has only the members' times,
    // names the file as rotation would have.
    const Timestamp filed = std::max(write_ts, interval_.start);
    if (text_.empty()) {
        text_times_ = {filed, filed};
        text_begun_ = now_;
    }
    text_times_.first = std::min(text_times_.first, filed);
    text_times_.last = std::max(text_times_.last, filed);
    text_.append(line);
    ++text_entries_;
    add(counters_.entries_appended, 1);
    if (text_.size() >= options_.flush_bytes || now_ - text_begun_ >= options_.flush_interval) flush();
}

void LogFile::tick(Timestamp now) {
    now_ = std::max(now_, now);
    if (in_interval_) enter_interval(now_);
    if (!text_.empty() && now_ - text_begun_ >= options_.flush_interval) flush();
    if (wants_disk()) {
        if (may_try()) write_waiting();
        if (may_try()) rotate_if_over();
    } else {
        abandon_if_vanished();
        note_nothing_to_do();
    }
    say_wants_space();
}

bool LogFile::finish() {
    flush();
    next_attempt_ = now_; // the last chance does not wait
    write_waiting();
    wants_space_.store(false, std::memory_order_relaxed); // it tries no more
    const std::uint64_t dropped = counters_.entries_dropped.load(std::memory_order_relaxed);
    while (!waiting_.empty()) make_room();
    const bool all_written = counters_.entries_dropped.load(std::memory_order_relaxed) == dropped;
    abandon_if_vanished();
    const bool rotated = !file_->is_open() || rotate();
    return all_written && rotated;
}

// Moves on to the interval of `now` where the present one is over.
void LogFile::enter_interval(Timestamp now) {
    now_ = now;
    if (in_interval_ && now < interval_.end) return;
    flush(); // what is there belongs to the interval that ends
    interval_ = rotation_->interval_of(now);
    in_interval_ = true;
    if (wants_disk() && may_try()) rotate_if_over();
}

void LogFile::flush() {
    if (text_.empty()) return;
    const MemberView member{compressor_->compress(text_.text(), text_times_), text_times_, interval_, text_entries_,
                            text_.size()};
    text_.clear();
    text_entries_ = 0;
    if (may_try()) write_waiting(); // order: what waits comes first
    if (waiting_.empty() && may_try() && write_member(member)) return;
    wait(member);
}

void LogFile::wait(const MemberView& member) {
    while (!waiting_.empty() && waiting_bytes_ + member.bytes.size() > options_.waiting_bytes_max) make_room();
    waiting_.push_back(
        {{member.bytes.begin(), member.bytes.end()}, member.times, member.interval, member.entries, member.text_bytes});
    waiting_bytes_ += member.bytes.size();
    if (waiting_bytes_ > options_.waiting_bytes_max) make_room(); // larger than the bound by itself
    counters_.bytes_waiting.store(waiting_bytes_, std::memory_order_relaxed);
    say_wants_space();
}

void LogFile::make_room() {
    if (!write_beyond()) drop_oldest();
}

// Where the oldest waits for nothing but that the file before it is moved (its folder is a file, or somebody else's),
// it goes into that file, rather than be lost.
bool LogFile::write_beyond() {
    if (cannot_be_moved_) abandon_if_vanished();
    if (!cannot_be_moved_ || (options_.first != nullptr && options_.first->wants_space())) return false;
    const Waiting& oldest = waiting_.front();
    if (!check(file_->write(oldest.bytes, oldest.times))) {
        cannot_be_moved_ = false; // nor be written: the disk is asked again when it is time
        return false;
    }
    if (!std::exchange(goes_beyond_, true))
        notify_(LogNotice::warning, options_.place.current_path(options_.log) +
                                        ": goes on beyond its interval, since it cannot be moved to its place");
    count_written(oldest.entries, oldest.text_bytes, oldest.bytes.size());
    waiting_bytes_ -= oldest.bytes.size();
    waiting_.pop_front();
    counters_.bytes_waiting.store(waiting_bytes_, std::memory_order_relaxed);
    return true;
}

void LogFile::count_written(std::uint64_t entries, std::uint64_t text_bytes, std::uint64_t file_bytes) {
    add(counters_.entries_written, entries);
    add(counters_.text_bytes, text_bytes);
    add(counters_.file_bytes, file_bytes);
    add(counters_.members, 1);
}

void LogFile::drop_oldest() {
    const Waiting& oldest = waiting_.front();
    if (counters_.entries_dropped.load(std::memory_order_relaxed) == dropped_before_failure_)
        notify_(LogNotice::dropping, options_.log + ": entries that could not be written are being dropped");
    add(counters_.entries_dropped, oldest.entries);
    waiting_bytes_ -= oldest.bytes.size();
    waiting_.pop_front();
    counters_.bytes_waiting.store(waiting_bytes_, std::memory_order_relaxed);
}

void LogFile::write_waiting() {
    while (!waiting_.empty()) {
        const Waiting& oldest = waiting_.front();
        if (!write_member({oldest.bytes, oldest.times, oldest.interval, oldest.entries, oldest.text_bytes})) return;
        waiting_bytes_ -= oldest.bytes.size();
        waiting_.pop_front();
        counters_.bytes_waiting.store(waiting_bytes_, std::memory_order_relaxed);
    }
}

bool LogFile::write_member(const MemberView& member) {
    abandon_if_vanished();
    if (file_->is_open() && (file_->interval() != member.interval || file_->is_full()) && !rotate()) return false;
    const Timestamp begin = cut_ == member.interval ? rest_begin_ : member.interval.start;
    if (!file_->is_open() && !check(file_->open(member.interval, begin, member.times.first))) return false;
    if (!check(file_->write(member.bytes, member.times))) return false;
    count_written(member.entries, member.text_bytes, member.bytes.size());
    note_success();
    return true;
}

bool LogFile::is_over() const { return file_->is_open() && (file_->interval() != interval_ || file_->is_full()); }

// Else there is nothing to be tried, and nothing that another log would have to go before.
bool LogFile::wants_disk() const { return !waiting_.empty() || is_over(); }

// The open file is full, or its interval has ended and nothing that belongs to it waits.
void LogFile::rotate_if_over() {
    abandon_if_vanished();
    if (!is_over()) return;
    if (!waiting_.empty()) return; // its own members first; write_member() rotates between two intervals
    if (rotate()) note_success();
}

bool LogFile::rotate() {
    const bool full = file_->is_full(), counts = file_->has_entries();
    if (!check(file_->rotate())) {
        const int error = last_failure_.error;
        cannot_be_moved_ = error != ENOSPC && error != EDQUOT && error != EIO; // else it is the disk's own trouble
        return false;
    }
    cannot_be_moved_ = goes_beyond_ = false;
    if (!counts) return true;
    if (full) {
        cut_ = file_->interval();
        rest_begin_ = file_->rest_begin();
    }
    add(counters_.files_rotated, 1);
    return true;
}

void LogFile::abandon_if_vanished() {
    if (!file_->is_open() || !file_->vanished()) return;
    notify_(LogNotice::warning, options_.place.current_path(options_.log) +
                                    ": removed or replaced by someone else; what it held is gone, a new one is begun");
    add(counters_.files_lost, 1);
    file_->abandon();
    cannot_be_moved_ = goes_beyond_ = false;
}

bool LogFile::may_try() {
    if (options_.first != nullptr && options_.first->wants_space()) {
        if (!failing()) check({ENOSPC, "leave room for", "the log that goes first"});
        return false;
    }
    return !failing() || now_ >= next_attempt_;
}

void LogFile::say_wants_space() {
    const bool no_space = last_failure_.error == ENOSPC || last_failure_.error == EDQUOT;
    wants_space_.store(failing() && no_space && !waiting_.empty(), std::memory_order_relaxed);
}

bool LogFile::check(const IoResult& result) {
    if (result.ok()) return true;
    add(counters_.errors, 1);
    if (!failing()) {
        dropped_before_failure_ = counters_.entries_dropped.load(std::memory_order_relaxed);
        retry_delay_ = kRetryDelayMin;
    }
    const bool changed = !failing() || last_failure_.error != result.error || last_failure_.path != result.path;
    counters_.failing.store(true, std::memory_order_relaxed);
    last_failure_ = result;
    next_attempt_ = now_ + retry_delay_;
    retry_delay_ = std::min(retry_delay_ * 2, kRetryDelayMax);
    if (changed) notify_(LogNotice::failing, result.message() + "; entries wait and are tried again");
    return false;
}

void LogFile::note_success() {
    if (!failing()) return;
    next_attempt_ = now_; // what waits goes out now
    if (waiting_.size() > 1) return;
    counters_.failing.store(false, std::memory_order_relaxed);
    const std::uint64_t dropped = counters_.entries_dropped.load(std::memory_order_relaxed) - dropped_before_failure_;
    notify_(LogNotice::resumed, options_.log + ": written again; entries lost meanwhile: " + std::to_string(dropped));
}

// What failed has become needless: the other log has its room, or the file that was to be rotated is gone. Without
// that, a log with an entry a day would be said to fail for a day. Where entries were dropped, only the next write can
// tell.
void LogFile::note_nothing_to_do() {
    const bool waits_for_other = options_.first != nullptr && options_.first->wants_space();
    if (!waits_for_other && counters_.entries_dropped.load(std::memory_order_relaxed) == dropped_before_failure_)
        note_success();
}

LogFileStatus LogFile::status() const {
    const auto value = [](const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    };
    LogFileStatus s;
    s.entries_written = value(counters_.entries_written);
    s.entries_dropped = value(counters_.entries_dropped);
    s.text_bytes = value(counters_.text_bytes);
    s.file_bytes = value(counters_.file_bytes);
    s.members = value(counters_.members);
    s.files_rotated = value(counters_.files_rotated);
    s.files_lost = value(counters_.files_lost);
    s.errors = value(counters_.errors);
    s.bytes_waiting = value(counters_.bytes_waiting);
    s.failing = counters_.failing.load(std::memory_order_relaxed);
    const std::uint64_t gone = s.entries_written + s.entries_dropped;
    s.entries_waiting = std::max(value(counters_.entries_appended), gone) - gone;
    return s;
}

} // namespace ftpsensor
