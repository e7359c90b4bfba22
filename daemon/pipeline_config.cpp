#include "daemon/pipeline_config.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

namespace ftpsensor {

namespace {

ChecksumPolicy checksum_policy(ConfigChecksums policy) {
    switch (policy) {
    case ConfigChecksums::ignore: return ChecksumPolicy::ignore;
    case ConfigChecksums::verify: return ChecksumPolicy::verify;
    case ConfigChecksums::mark: return ChecksumPolicy::mark;
    }
    return ChecksumPolicy::ignore;
}

PasswordPolicy password_policy(ConfigPasswords policy) {
    switch (policy) {
    case ConfigPasswords::guests: return PasswordPolicy::guests;
    case ConfigPasswords::all: return PasswordPolicy::all;
    case ConfigPasswords::none: return PasswordPolicy::none;
    }
    return PasswordPolicy::guests;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

constexpr std::uint64_t kOfflineQueueRecords = 4096;
constexpr std::size_t kOfflineQueueText = 1u << 20;
static_assert(kOfflineQueueText >= 4 * kFtpSessionBytesMax);

// A table of millions takes the logger a while: each worker waits for it so long in all, from its first wait on.
constexpr auto kEndPatience = std::chrono::seconds(60);

std::function<bool()> wait_for_logger() {
    return [until = std::optional<std::chrono::steady_clock::time_point>()]() mutable {
        const auto now = std::chrono::steady_clock::now();
        if (!until) until = now + kEndPatience;
        if (now >= *until) return false;
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        return true;
    };
}

} // namespace

RunKeys RunKeys::make(std::optional<std::uint64_t> seed) {
    if (seed) return {IdKey::from_seed(*seed), IdKey::from_seed(~*seed).k0};
    std::array<std::uint64_t, 3> random{};
    if (::getrandom(random.data(), sizeof random, 0) != static_cast<ssize_t>(sizeof random))
        throw std::runtime_error("the kernel gives no random bytes for the ids (getrandom)");
    return {{random[0], random[1]}, random[2]};
}

PipelineOptions pipeline_options(const Config& config, const RunKeys& keys, bool live) {
    PipelineOptions o;
    o.decode.checksums = checksum_policy(config.capture.checksums);
    o.decode.fragment_bytes_max = config.limits.fragment_bytes;
    o.decode.fragment_timeouts = {.ipv4 = config.timeouts.fragment, .ipv6 = config.timeouts.fragment_ipv6};
    o.conn.connections_max = static_cast<std::uint32_t>(config.limits.connections_max);
    o.conn.tcp.attempt_delay = config.timeouts.tcp_attempt_delay;
    o.conn.tcp.close_delay = config.timeouts.tcp_close_delay;
    o.conn.tcp.reset_delay = config.timeouts.tcp_reset_delay;
    o.conn.inactivity[Inactivity::tcp] = config.timeouts.tcp_inactivity;
    o.conn.inactivity[Inactivity::udp] = config.timeouts.udp_inactivity;
    o.conn.inactivity[Inactivity::icmp] = config.timeouts.icmp_inactivity;
    o.conn.inactivity[Inactivity::unknown_ip] = config.timeouts.unknown_ip_inactivity;
    o.conn.inactivity[Inactivity::ftp] = config.timeouts.ftp_inactivity;
    o.conn.checksums = o.decode.checksums;
    o.conn.ftp_ports = config.ftp.ports;
    o.conn.interims.interval = config.log.conn.interim;
    o.ftp_only = config.log.conn.entries == ConfigEntries::ftp;
    o.conn.id_key = keys.ids;
    o.conn.hash_secret = keys.hash_secret;
    o.ftp.extended = config.ftp.extended;
    o.ftp.passwords = password_policy(config.ftp.passwords);
    o.ftp.guest_ids = config.ftp.guest_ids;
    if (config.ftp.commands.size() == 1 && config.ftp.commands[0] == "all")
        o.ftp.log_all_commands = true;
    else if (!config.ftp.commands.empty())
        o.ftp.logged_commands = config.ftp.commands;
    o.emitter.queue_records = config.log.queue_records;
    o.emitter.wait_when_full = !live;
    if (!live) {
        // A long queue is for what a busy logger must not lose; a worker that waits loses nothing, and a short one
        // stays in the processors' caches. (A record's text is that of a session at most: 128 KiB.)
        o.emitter.queue_records = std::min<std::uint64_t>(o.emitter.queue_records, kOfflineQueueRecords);
        o.emitter.text_bytes = kOfflineQueueText;
    }
    // Asleep, not by turns: what is waited for is the logger's work, which needs the processor.
    o.emitter.wait = [] { std::this_thread::sleep_for(std::chrono::microseconds(100)); };
    o.emitter.wait_at_end = wait_for_logger();
    o.extended = config.ftp.extended;
    o.run_out_delays = !live;
    o.control_max = static_cast<std::uint32_t>(config.limits.ftp_sessions_max);
    o.first_bytes_max = config.limits.first_bytes;
    o.held_bytes_max = config.limits.reassembly_bytes;
    o.hints_max = config.ftp.announcements_max;
    o.shunt_after = config.capture.shunt_after;
    return o;
}

EntryOptions entry_options(const Config& config, const RunKeys& keys) {
    EntryOptions o;
    o.format.format = config.log.format == ConfigFormat::json ? LogFormat::json : LogFormat::tsv;
    o.format.timestamps =
        config.log.timestamps == ConfigTimestamps::iso8601 ? TimestampFormat::iso8601 : TimestampFormat::epoch;
    o.format.system_name = config.log.system_name.empty() ? host_name() : config.log.system_name;
    o.format.node = config.log.node;
    o.format.extended = config.ftp.extended;
    o.format.shunts = config.capture.shunt != ConfigShunt::off;
    o.format.interim = config.log.conn.interim != 0;
    o.transfers.extended = config.ftp.extended;
    o.transfers.announcements_max = config.ftp.announcements_max;
    o.transfers.id_key = keys.ids;
    o.transfers.hash_secret = keys.hash_secret;
    o.local_networks = config.local_networks;
    return o;
}

RotationOptions rotation_options(const Config& config) {
    const auto& log = config.log;
    return {log.rotation.interval, log.rotation.size, log.rotation.time_zone, log.folder_name, log.file_name};
}

RetentionOptions retention_options(const Config& config) {
    const auto& retention = config.log.retention;
    return {retention.age, retention.size, retention.free};
}

LogPlace log_place(const Config& config) {
    LogPlace place{config.log.directory, static_cast<mode_t>(config.log.file_mode), std::nullopt};
    if (config.log.group.empty()) return place;
    try {
        place.group = group_id(config.log.group);
    } catch (const std::runtime_error& error) {
        throw ConfigError(fmt::format("log.group: {}; try: groupadd {}", error.what(), config.log.group));
    }
    return place;
}

bool same_files(const Config& a, const Config& b) {
    const auto of = [](const Config& c) {
        const LogConfig& l = c.log;
        return std::make_tuple(l.file_mode, l.group, l.folder_name, l.file_name, l.compression_level, l.flush_interval,
                               l.flush_bytes, l.waiting_bytes, l.rotation.interval, l.rotation.time_zone,
                               l.rotation.size);
    };
    return of(a) == of(b);
}

LogFileOptions log_file_options(const Config& config, const LogPlace& place, LogKind log) {
    LogFileOptions o;
    o.place = place;
    o.log = log_path(log);
    o.compression_level = config.log.compression_level;
    o.flush_interval = config.log.flush_interval;
    o.flush_bytes = config.log.flush_bytes;
    o.waiting_bytes_max = config.log.waiting_bytes;
    return o;
}

} // namespace ftpsensor
