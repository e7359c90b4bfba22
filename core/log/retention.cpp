#include "core/log/retention.h"

#include "core/log/gzip_member.h"
#include "core/log/name_shape.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <tuple>
#include <utility>

namespace ftpsensor {

namespace {

constexpr Duration kEmptyFolderRest = kMinute;
constexpr std::string_view kCurrentEnding = ".log.gz";

} // namespace

std::string RetentionReport::message() const {
    std::string text = "removed " + std::to_string(removed()) + (removed() == 1 ? " file" : " files") + " of " +
                       std::to_string(bytes_removed) + " bytes, " + first;
    if (last != first) text += " to " + last;
    const std::pair<std::uint64_t, const char*> reasons[] = {
        {removed_for_age, "age"}, {removed_for_bytes, "size"}, {removed_for_free, "free"}};
    const char* separator = ": for log.retention.";
    for (const auto& [count, key] : reasons) {
        if (count == 0) continue;
        (text += separator) += key;
        separator = ", .";
    }
    return text;
}

Retention::Retention(FileSystem& files, LogPlace place, const RotationOptions& rotation)
    : files_(files), place_(std::move(place)), folder_name_(rotation.folder_name), file_name_(rotation.file_name) {}

RetentionReport Retention::apply(const RetentionOptions& options, Timestamp now) {
    RetentionReport report;
    std::int64_t free = 0;
    if (options.free_bytes != 0 && (free = files_.free_bytes(place_.directory)) < 0) {
        report.problem = {static_cast<int>(-free), "ask for the free space of", place_.directory};
        return report;
    }
    // What no disk of this size could ever have free is a slip of the pen: not one that costs all logs.
    const auto disk = options.free_bytes == 0 ? 0 : files_.disk_bytes(place_.directory);
    report.impossible_free = disk > 0 && static_cast<std::uint64_t>(disk) < options.free_bytes;
    const auto is_short = [&] {
        return !report.impossible_free && free < static_cast<std::int64_t>(options.free_bytes);
    };
    if (options.age == 0 && options.bytes == 0 && !is_short()) return report; // no need to look at the files
    find(now);
    std::uint64_t bytes = bytes_of_all();
    if (options.bytes != 0 && bytes > options.bytes) { // others' files do not count, however much they look like ours
        std::erase_if(found_, [this](const Finished& file) { return !is_ours(file.path); });
        bytes = bytes_of_all();
    }
    for (const Finished& file : found_) {
        const bool aged = options.age != 0 && file.status.modified < now - options.age;
        const bool over = options.bytes != 0 && bytes > options.bytes;
        if (!aged && !over && !is_short()) break; // those that follow are younger
        if (!is_ours(file.path)) continue;
        if (const int error = files_.remove(place_.directory + '/' + file.path); error < 0 && error != -ENOENT) {
            if (report.problem.ok()) report.problem = {-error, "remove", place_.directory + '/' + file.path};
            if (error != -EPERM && error != -EACCES) break; // the disk's own trouble, not the file's
            bytes -= file.status.bytes; // somebody keeps it (chattr +i): the others neither stay nor go for that
            continue;
        }
        ++(aged ? report.removed_for_age : over ? report.removed_for_bytes : report.removed_for_free);
        bytes -= file.status.bytes;
        // Some file systems give the space back later: what it will be is what counts, until the next time.
        free += static_cast<std::int64_t>(file.status.disk_bytes);
        report.bytes_removed += file.status.bytes;
        if (report.first.empty()) report.first = file.path;
        report.last = file.path;
    }
    report.over_bytes = report.problem.ok() && options.bytes != 0 && bytes > options.bytes;
    report.short_of_free = report.problem.ok() && is_short();
    return report;
}

void Retention::find(Timestamp now) {
    found_.clear();
    if (folder_name_.empty()) {
        find_in("", now);
    } else {
        std::vector<std::string> folders;
        files_.list(place_.directory, folders);
        for (const std::string& folder : folders)
            if (has_shape(folder, folder_name_) && folder != "current") find_in(folder + '/', now);
    }
    std::sort(found_.begin(), found_.end(), [](const Finished& a, const Finished& b) {
        return std::tie(a.status.modified, a.path) < std::tie(b.status.modified, b.path);
    });
}

// `folder`: empty, or with a slash at its end.
void Retention::find_in(const std::string& folder, Timestamp now) {
    const std::string directory = place_.directory + '/' + folder;
    FileStatus status;
    std::vector<std::string> names;
    if (!folder.empty()) {
        const std::string path = directory.substr(0, directory.size() - 1);
        if (files_.status(path, status) < 0 || status.kind != FileStatus::Kind::directory) return;
        if (files_.list(path, names) < 0) return;
        if (names.empty() && status.modified < now - kEmptyFolderRest) files_.remove_directory(path);
    } else if (files_.list(place_.directory, names) < 0) {
        return;
    }
    for (const std::string& name : names)
        if (file_has_shape(name, file_name_) && files_.status(directory + name, status) == 0 &&
            status.kind == FileStatus::Kind::file)
            found_.push_back({folder + name, status});
}

std::uint64_t Retention::bytes_of_all() {
    std::uint64_t bytes = 0;
    for (const Finished& file : found_) bytes += file.status.bytes;
    std::vector<std::string> names;
    files_.list(place_.current_directory(), names);
    FileStatus status;
    for (const std::string& name : names) // whatever else somebody put there costs no finished file its place
        if (name.ends_with(kCurrentEnding) && files_.status(place_.current_directory() + '/' + name, status) == 0)
            bytes += status.bytes;
    return bytes;
}

bool Retention::is_ours(const std::string& path) {
    const int fd = files_.open(place_.directory + '/' + path, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0) return false;
    std::array<std::uint8_t, kMemberHeaderBytes> bytes{};
    const ssize_t n = files_.read_at(fd, bytes, 0);
    files_.close(fd);
    return n == static_cast<ssize_t>(bytes.size()) && parse_member_header(bytes).has_value();
}

} // namespace ftpsensor
