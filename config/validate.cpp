// What must hold between keys, on top of each key's own range.
#include "config/config.h"
#include "config/keys.h"
#include "config/units.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

[[noreturn]] void fail(std::string_view path, const std::string& wrong, const std::string& right) {
    throw ConfigError(fmt::format("{}: {}; {}", path, wrong, right));
}

void validate_keys(const Config& config) {
    for (const Key& key : all_keys()) {
        try {
            key.check(config);
        } catch (const ValueFault& fault) {
            throw ConfigError(fmt::format("{}{}: {}", key.path, fault.sub_path, fault.what()));
        }
    }
}

void validate_workers(const Config& config) {
    const auto& workers = config.workers;
    if (!workers.cpus.empty() && workers.cpus.size() != workers.count)
        fail("workers.cpus", fmt::format("lists {} CPUs for {} workers", workers.cpus.size(), workers.count),
             fmt::format("give one a worker, or [], or set workers.count to {}", workers.cpus.size()));
}

// Room for one burst of the largest frames in each ring: less could never work.
void validate_rings(const Config& config) {
    const auto& capture = config.capture;
    if (const std::uint64_t burst_bytes = std::uint64_t{capture.burst} * capture.snaplen;
        capture.ring_bytes < burst_bytes)
        fail("capture.ring_bytes", fmt::format("{} does not hold a burst", format_size(capture.ring_bytes)),
             fmt::format("give at least capture.burst times capture.snaplen, which is {} bytes", burst_bytes));
    if (capture.rx_descriptors < capture.burst)
        fail("capture.rx_descriptors", fmt::format("{} is less than capture.burst", capture.rx_descriptors),
             fmt::format("give at least {}", capture.burst));
    if (capture.resteer_packets < capture.burst)
        fail("capture.resteer_packets", fmt::format("{} is less than capture.burst", capture.resteer_packets),
             fmt::format("give at least {}", capture.burst));
}

// A worker has room for one transfer at least, which takes two rules.
void validate_shunt(const Config& config) {
    const auto& capture = config.capture;
    if (const std::uint32_t least = 2 * config.workers.count;
        capture.shunt != ConfigShunt::off && capture.shunt_rules_max < least)
        fail("capture.shunt_rules_max",
             fmt::format("{} is less than two for each of {} workers", capture.shunt_rules_max, config.workers.count),
             fmt::format("give at least {}", least));
}

bool tells_time(std::string_view names) {
    for (auto at = names.find('%'); at != std::string_view::npos; at = names.find('%', at + 2))
        if (names.substr(at, 2) != "%%") return true;
    return names.find("{start}") != std::string_view::npos || names.find("{end}") != std::string_view::npos;
}

void validate_log(const Config& config) {
    const auto& log = config.log;
    if (log.rotation.interval != 0 && log.flush_interval > log.rotation.interval)
        fail("log.flush_interval",
             fmt::format("{} is longer than log.rotation.interval", format_duration(log.flush_interval)),
             fmt::format("give at most {}", format_duration(log.rotation.interval)));
    if (log.waiting_bytes < log.flush_bytes) // one member might not fit, and would be lost at the first failure
        fail("log.waiting_bytes", fmt::format("{} is less than log.flush_bytes", format_size(log.waiting_bytes)),
             fmt::format("give at least {}", format_size(log.flush_bytes)));
    if (!tells_time(log.folder_name + log.file_name))
        fail("log.file_name", fmt::format("'{}' has no time, and all files would be of one name", log.file_name),
             "give it {start}, or a conversion such as %Y%m%d");
    if (log.retention.size != 0 && log.rotation.size > log.retention.size)
        fail("log.rotation.size", fmt::format("{} is more than log.retention.size", format_size(log.rotation.size)),
             fmt::format("give at most {}", format_size(log.retention.size)));
}

void validate_ftp(const Config& config) {
    const auto& commands = config.ftp.commands;
    if (commands.size() > 1 && std::find(commands.begin(), commands.end(), "all") != commands.end())
        fail("ftp.commands", "has other commands beside all", "give [all] or the commands alone");
    if (config.limits.ftp_sessions_max > config.limits.connections_max)
        fail("limits.ftp_sessions_max",
             fmt::format("{} is more than limits.connections_max", config.limits.ftp_sessions_max),
             fmt::format("give at most {}", config.limits.connections_max));
}

} // namespace

void validate(const Config& config) {
    validate_keys(config);
    validate_workers(config);
    validate_rings(config);
    validate_shunt(config);
    validate_log(config);
    validate_ftp(config);
}

} // namespace ftpsensor
