// What benchmarks of the logger feed it with: entries and records that vary as those of a busy link do (addresses,
// ports, counts, histories), so that caches and the compressor see what they will see; and what stands behind it, doing
// nothing.
//
// The same for log_bench, which times, and instruction_counts, which counts. Deterministic. Any one thread.
#pragma once

#include "core/log/entry_builder.h"
#include "core/log/log_file.h"
#include "core/record/entries.h"
#include "core/record/records.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor::bench {

std::vector<ConnEntry> conn_entries(std::size_t count);
std::vector<FtpEntry> ftp_entries(std::size_t count); // their strings live as long as the program
std::vector<ConnRecord> conn_records(const std::vector<ConnEntry>& entries);
// As the daemon has them by default.
EntryOptions entry_options();

class NoTypes final : public TypeSource {
public:
    std::uint64_t submit(std::string_view, MimeStage) override { return 0; }
    std::string_view take(std::uint64_t) override { return {}; }
};

class NoDisk final : public FileSystem {
public:
    int open(const std::string&, int, mode_t) override { return 3; }
    int close(int) override { return 0; }
    ssize_t write_at(int, std::span<const std::uint8_t> bytes, std::uint64_t) override { return std::ssize(bytes); }
    ssize_t read_at(int, std::span<std::uint8_t>, std::uint64_t) override { return 0; }
    int truncate(int, std::uint64_t) override { return 0; }
    int sync(int) override { return 0; }
    std::int64_t size(int) override { return 0; }
    bool is_at(int, const std::string&) override { return true; }
    int set_access(int, mode_t, std::optional<gid_t>) override { return 0; }
    int rename_to_new(const std::string&, const std::string&) override { return 0; }
    int remove(const std::string&) override { return 0; }
    int make_directory(const std::string&, mode_t, std::optional<gid_t>) override { return 0; }
    int list(const std::string&, std::vector<std::string>&) override { return 0; }
    int status(const std::string&, FileStatus&) override { return 0; }
    int remove_directory(const std::string&) override { return 0; }
    std::int64_t free_bytes(const std::string&) override { return 0; }
};

} // namespace ftpsensor::bench
