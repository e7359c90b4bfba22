#include "core/log/archive.h"

#include <cerrno>
#include <system_error>

namespace ftpsensor {

namespace {

// More files of one interval than a sensor that restarts each second makes in a day.
constexpr unsigned kNumberMax = 100'000;

} // namespace

std::string IoResult::message() const {
    return std::string(operation) + ' ' + path + ": " + std::generic_category().message(error);
}

MoveResult move_to_archive(FileSystem& files, const LogPlace& place, const std::string& from,
                           const std::string& archive_path) {
    const std::string folder = archive_path.substr(0, archive_path.rfind('/'));
    if (const int error = make_directories(files, folder, directory_mode(place.file_mode), place.group); error < 0)
        return {false, {}, {-error, "make folder", folder}};
    std::string to;
    int error = -EEXIST;
    for (unsigned number = 0; error == -EEXIST && number < kNumberMax; ++number) {
        to = numbered_path(archive_path, number);
        error = files.rename_to_new(from, to);
    }
    if (error < 0) return {false, {}, {-error, "rename to", to}};
    MoveResult moved{true, to, {}};
    for (const std::string& changed : {folder, from.substr(0, from.rfind('/'))})
        if (const int sync_error = sync_directory(files, changed); sync_error < 0)
            moved.result = {-sync_error, "sync", changed};
    return moved;
}

} // namespace ftpsensor
