#include "core/log/recovery.h"

#include "core/log/gzip_member.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <optional>

namespace ftpsensor {

namespace {

constexpr std::string_view kLogEnding = ".log.gz";
// The members whose contents are checked, from the last back: a power failure may leave the last ones with their length
// but without their bytes. Those before were written seconds earlier.
constexpr std::size_t kMembersKept = 16;
constexpr std::uint64_t kMemberBytesMax = 2 * kMemberTextBytesMax;

struct Member {
    std::uint64_t offset = 0;
    MemberHeader header;
};

// A leftover file, open while it is looked at.
class Leftover {
public:
    Leftover(FileSystem& files, const std::string& path)
        : files_(files), fd_(files.open(path, O_RDWR | O_NOFOLLOW, 0)) {}
    ~Leftover() {
        if (fd_ >= 0) files_.close(fd_);
    }
    Leftover(const Leftover&) = delete;
    Leftover& operator=(const Leftover&) = delete;

    int error() const { return fd_ < 0 ? fd_ : static_cast<int>(std::min<std::int64_t>(size_, 0)); }
    // Of the reads so far. What could not be read may be whole members: nothing follows about where the file is torn.
    int read_error() const { return read_error_; }
    std::uint64_t size() const { return static_cast<std::uint64_t>(size_); }
    std::uint64_t good_end() const { return good_end_; }
    std::uint64_t members() const { return members_; }
    MemberTimes times() const { return times_; }

    // Hops over the members. False: what follows them (or stands at the start) is not a torn member of ours.
    bool walk() {
        size_ = files_.size(fd_);
        while (const auto header = header_at(good_end_)) {
            if (good_end_ + header->member_bytes > size()) return true; // its end was never written
            times_ =
                members_ == 0 ? header->times : MemberTimes{times_.first, std::max(times_.last, header->times.last)};
            recent_.push_back({good_end_, *header});
            if (recent_.size() > kMembersKept) recent_.pop_front();
            good_end_ += header->member_bytes;
            ++members_;
        }
        return good_end_ == size() || is_torn_header();
    }

    // Drops members from the end that do not unpack. False: none of those kept does, or one before the last that does
    // is damaged: readers would stop at it.
    bool drop_unreadable() {
        while (!recent_.empty() && !unpacks(recent_.back())) {
            good_end_ = recent_.back().offset;
            --members_;
            recent_.pop_back();
        }
        if (recent_.empty()) return members_ == 0;
        return std::all_of(recent_.begin(), recent_.end() - 1, [this](const Member& m) { return unpacks(m); });
    }

    // What would be cut off holds a whole member: then the length in a header is damaged, and not the file's end.
    bool would_cut_a_member() {
        for (std::uint64_t at = find_signature(good_end_); at < size();) {
            const std::uint64_t next = find_signature(at + 1);
            if (holds_member(at, next)) return true;
            at = next;
        }
        return false;
    }

    int truncate() {
        if (good_end_ == size()) return 0;
        const int error = files_.truncate(fd_, good_end_);
        return error < 0 ? error : files_.sync(fd_);
    }

private:
    std::size_t read(std::uint64_t offset, std::span<std::uint8_t> bytes) {
        std::size_t got = 0;
        while (got < bytes.size()) {
            const ssize_t n = files_.read_at(fd_, bytes.subspan(got), offset + got);
            if (n < 0) read_error_ = static_cast<int>(n);
            if (n <= 0) break;
            got += static_cast<std::size_t>(n);
        }
        return got;
    }

    // Where a header of ours may begin, from `offset` on; size(): nowhere.
    std::uint64_t find_signature(std::uint64_t offset) {
        std::vector<std::uint8_t> bytes(std::clamp<std::uint64_t>(size() - offset, 4u << 10, 256u << 10));
        for (;; offset += bytes.size() - (kMemberSignatureBytes - 1)) { // it may lie across two pieces
            const std::size_t n = read(offset, bytes);
            if (const std::size_t at = find_member({bytes.data(), n}); at != n) return offset + at;
            if (n < bytes.size()) return size();
        }
    }

    bool holds_member(std::uint64_t begin, std::uint64_t end) {
        std::vector<std::uint8_t> bytes(std::min(end - begin, kMemberBytesMax));
        return read(begin, bytes) == bytes.size() && whole_member_bytes(bytes) != 0;
    }

    std::optional<MemberHeader> header_at(std::uint64_t offset) {
        std::array<std::uint8_t, kMemberHeaderBytes> bytes;
        return parse_member_header({bytes.data(), read(offset, bytes)});
    }

    // What is left is shorter than a header and the beginning of one, or nothing but zeros (a file made longer before
    // its bytes reached the disk).
    bool is_torn_header() {
        std::array<std::uint8_t, 4096> bytes;
        std::size_t n = read(good_end_, bytes);
        if (n < kMemberHeaderBytes && may_begin_member({bytes.data(), n})) return true;
        for (std::uint64_t offset = good_end_; n != 0; offset += n, n = read(offset, bytes))
            if (std::any_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n),
                            [](auto b) { return b != 0; }))
                return false;
        return true;
    }

    bool unpacks(const Member& member) {
        if (member.header.member_bytes > kMemberBytesMax) return false;
        std::vector<std::uint8_t> bytes(member.header.member_bytes);
        return read(member.offset, bytes) == bytes.size() && member_unpacks(bytes);
    }

    FileSystem& files_;
    int fd_;
    std::int64_t size_ = 0;
    int read_error_ = 0;         // the last one
    std::uint64_t good_end_ = 0; // of the whole members
    std::uint64_t members_ = 0;
    MemberTimes times_;
    std::deque<Member> recent_;
};

void set_aside(FileSystem& files, RecoveryReport& report) {
    const std::string damaged = report.path + ".damaged";
    int error = -EEXIST;
    for (unsigned number = 0; error == -EEXIST && number < 1000; ++number) {
        report.moved_to = numbered_path(damaged, number);
        error = files.rename_to_new(report.path, report.moved_to);
    }
    report.outcome = error < 0 ? RecoveryOutcome::failed : RecoveryOutcome::set_aside;
    if (error < 0) report.problem = {-error, "rename to", report.moved_to};
}

} // namespace

std::string RecoveryReport::message() const {
    std::string text = path + ", left from an earlier run: ";
    switch (outcome) {
    case RecoveryOutcome::rotated: text += "rotated to " + moved_to; break;
    case RecoveryOutcome::removed: text += "removed, nothing whole was in it"; break;
    case RecoveryOutcome::set_aside: text += "not a log of this program, or damaged: set aside as " + moved_to; break;
    case RecoveryOutcome::failed: text += "could not be rotated"; break;
    }
    if (bytes_cut != 0) text += " (" + std::to_string(bytes_cut) + " torn bytes cut off)";
    if (!problem.ok()) text += "; " + problem.message();
    return text;
}

RecoveryReport recover_file(FileSystem& files, const LogPlace& place, const Rotation& rotation,
                            const std::string& log) {
    RecoveryReport report;
    report.path = place.current_path(log);
    MemberTimes times;
    {
        Leftover leftover(files, report.path);
        if (leftover.error() == -ELOOP || leftover.error() == -EISDIR) { // a link, a folder
            set_aside(files, report);
            return report;
        }
        if (leftover.error() < 0) {
            report.problem = {-leftover.error(), "open", report.path};
            return report;
        }
        const bool ours = leftover.walk() && leftover.drop_unreadable() && !leftover.would_cut_a_member();
        if (leftover.error() < 0) {
            report.problem = {-leftover.error(), "read", report.path};
            return report;
        }
        report.members = leftover.members();
        if (leftover.read_error() < 0) report.problem = {-leftover.read_error(), "read", report.path};
        if (!ours || !report.problem.ok()) {
            set_aside(files, report);
            return report;
        }
        report.bytes_cut = leftover.size() - leftover.good_end();
        if (const int error = leftover.truncate(); error < 0) {
            report.problem = {-error, "truncate", report.path};
            return report;
        }
        times = leftover.times();
    }
    if (report.members == 0) {
        const int error = files.remove(report.path);
        if (error < 0) report.problem = {-error, "remove", report.path};
        if (error == 0) report.outcome = RecoveryOutcome::removed;
        return report;
    }
    Interval interval = rotation.rotates() ? rotation.interval_of(times.first) : Interval{times.first, times.last};
    // Which part of its interval it is, only its entries tell.
    if (rotation.rotates() && rotation.cuts_by_size()) interval = seconds_of(times.first, times.last, interval);
    MoveResult moved =
        move_to_archive(files, place, report.path, place.directory + '/' + rotation.archive_path(log, interval));
    report.problem = moved.result;
    report.moved_to = moved.path;
    if (moved.moved) report.outcome = RecoveryOutcome::rotated;
    return report;
}

std::vector<RecoveryReport> recover_directory(FileSystem& files, const LogPlace& place, const Rotation& rotation) {
    std::vector<RecoveryReport> reports;
    std::vector<std::string> names;
    if (files.list(place.current_directory(), names) < 0) return reports; // nothing there yet
    for (const std::string& name : names)
        if (name.size() > kLogEnding.size() && name.ends_with(kLogEnding))
            reports.push_back(recover_file(files, place, rotation, name.substr(0, name.size() - kLogEnding.size())));
    return reports;
}

} // namespace ftpsensor
