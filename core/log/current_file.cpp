#include "core/log/current_file.h"

#include "core/log/recovery.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace ftpsensor {

CurrentFile::CurrentFile(FileSystem& files, const Rotation& rotation, LogPlace place, std::string log,
                         FileTextHooks hooks, WarningHook warn)
    : files_(files), rotation_(rotation), place_(std::move(place)), log_(std::move(log)),
      path_(place_.current_path(log_)), hooks_(std::move(hooks)), warn_(std::move(warn)) {
    if (hooks_.header || hooks_.footer) text_compressor_ = std::make_unique<GzipCompressor>(0);
}

CurrentFile::~CurrentFile() { abandon(); }

void CurrentFile::abandon() {
    if (fd_ >= 0) files_.close(fd_);
    fd_ = -1;
}

IoResult CurrentFile::create() {
    const std::string current = place_.current_directory();
    if (const int error = make_directories(files_, current, directory_mode(place_.file_mode), place_.group); error < 0)
        return {-error, "make folder", current};
    const int flags = O_RDWR | O_CREAT | O_EXCL;
    fd_ = files_.open(path_, flags, place_.file_mode);
    if (fd_ == -EEXIST) {
        const RecoveryReport report = recover_file(files_, place_, rotation_, log_);
        // Where it has to be tried again, it is said once, as any failure is.
        if (report.outcome == RecoveryOutcome::failed) return report.problem;
        warn_(report.message());
        fd_ = files_.open(path_, flags, place_.file_mode);
    }
    if (fd_ < 0) return {-std::exchange(fd_, -1), "create", path_};
    // Not being of the right group is no reason to lose entries; the mode given to open() lets nobody in who should
    // not.
    if (const int error = files_.set_access(fd_, place_.file_mode, place_.group); error < 0)
        warn_(IoResult{-error, "set mode and group of", path_}.message());
    return {};
}

IoResult CurrentFile::open(const Interval& interval, Timestamp begin, Timestamp first) {
    if (IoResult created = create(); !created.ok()) return created;
    interval_ = interval;
    begin_ = begin;
    times_ = {first, first};
    bytes_ = 0;
    has_entries_ = false;
    sealed_ = false;
    IoResult header = write_text(hooks_.header, first);
    if (!header.ok()) {
        abandon();
        files_.remove(path_); // an empty file left behind would be removed by recovery
    }
    return header;
}

IoResult CurrentFile::write(std::span<const std::uint8_t> member, const MemberTimes& times) {
    if (IoResult unsealed = unseal(); !unsealed.ok()) return unsealed;
    IoResult written = write_whole(member);
    if (written.ok()) times_.last = std::max(times_.last, times.last);
    has_entries_ = has_entries_ || written.ok();
    return written;
}

// The file was ended but could not be moved, and goes on: it ends again behind what comes.
IoResult CurrentFile::unseal() {
    if (!sealed_) return {};
    if (const int error = files_.truncate(fd_, unsealed_bytes_); error < 0) return {-error, "truncate", path_};
    bytes_ = unsealed_bytes_;
    sealed_ = false;
    return {};
}

IoResult CurrentFile::write_text(const FileTextHook& hook, Timestamp t) {
    if (!hook) return {};
    TextBuffer text;
    hook(rotation_.local_seconds(t), text);
    if (text.empty()) return {};
    return write_whole(text_compressor_->compress(text.text(), {t, t}));
}

IoResult CurrentFile::write_whole(std::span<const std::uint8_t> member) {
    const ssize_t written = files_.write_at(fd_, member, bytes_);
    if (written == static_cast<ssize_t>(member.size())) {
        bytes_ += member.size();
        return {};
    }
    // Cut off what got through. Where even that fails, the next attempt writes over it: the offset has not moved.
    if (written != 0) files_.truncate(fd_, bytes_);
    return {written < 0 ? static_cast<int>(-written) : ENOSPC, "write", path_};
}

IoResult CurrentFile::rotate() {
    if (!has_entries_) {
        if (const int error = files_.remove(path_); error < 0) return {-error, "remove", path_};
        abandon();
        return {};
    }
    if (!sealed_) {
        // What was torn, and could not be cut off: nothing has been written over it since.
        if (const std::int64_t size = files_.size(fd_); size > static_cast<std::int64_t>(bytes_))
            if (const int error = files_.truncate(fd_, bytes_); error < 0) return {-error, "truncate", path_};
        unsealed_bytes_ = bytes_;
        if (IoResult footer = write_text(hooks_.footer, times_.last); !footer.ok()) return footer;
        // A second fsync after a failed one reports success without having written (Linux drops the pages): so the
        // failure is said once, and the file is rotated with what there is of it.
        if (const int error = files_.sync(fd_); error < 0) warn_(IoResult{-error, "sync", path_}.message());
        sealed_ = true;
    }
    Timestamp end = is_full() ? seconds_of(begin_, times_.last, interval_).end : interval_.end;
    if (times_.last >= interval_.end) // it went on beyond it
        end = seconds_of(begin_, times_.last, {begin_, std::numeric_limits<Timestamp>::max()}).end;
    const Interval named = rotation_.rotates() ? Interval{begin_, end} : Interval{times_.first, times_.last};
    MoveResult moved =
        move_to_archive(files_, place_, path_, place_.directory + '/' + rotation_.archive_path(log_, named));
    if (!moved.moved) return moved.result;
    if (!moved.result.ok()) warn_(moved.result.message());
    if (const int error = files_.close(std::exchange(fd_, -1)); error < 0)
        warn_(IoResult{-error, "close", moved.path}.message());
    return {};
}

} // namespace ftpsensor
