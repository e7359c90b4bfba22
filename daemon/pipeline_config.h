// From the configuration to the options of core's parts. Plain functions; main thread.
#pragma once

#include "config/config.h"
#include "core/log/entry_builder.h"
#include "core/log/log_file.h"
#include "core/log/retention.h"
#include "core/log/rotation.h"
#include "core/pipeline/pipeline_options.h"

#include <optional>

namespace ftpsensor {

// The secrets of a run: of ids, and of the flow tables' hash.
struct RunKeys {
    IdKey ids;
    std::uint64_t hash_secret = 0;
    // Random, or with a seed the same each time. Throws std::runtime_error where the kernel gives no random bytes.
    static RunKeys make(std::optional<std::uint64_t> seed);
};

PipelineOptions pipeline_options(const Config& config, const RunKeys& keys, bool live);
EntryOptions entry_options(const Config& config, const RunKeys& keys);
RotationOptions rotation_options(const Config& config);
RetentionOptions retention_options(const Config& config);
// Throws ConfigError: an unknown group.
LogPlace log_place(const Config& config);
// Both write files in the same way, so that a reload leaves the present ones alone.
bool same_files(const Config& a, const Config& b);
LogFileOptions log_file_options(const Config& config, const LogPlace& place, LogKind log);

} // namespace ftpsensor
