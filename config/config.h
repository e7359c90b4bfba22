// The configuration: one struct, documented key by key in config/ftpsensor.yaml (the installed default).
//
// A key's path in YAML is its member's path here: `log.rotation.interval` is Config::log.rotation.interval. The table
// of keys (config/keys.h) holds ranges and help; defaults are the initialisers below.
//
// A Config is a plain value. load_config() and apply_override() are the only ways in; both are strict. Main thread.
#pragma once

#include "core/base/ip_address.h"
#include "core/base/time.h"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

// Mirrors of core's enums, so that config depends on core/base alone.
enum class ConfigChecksums : std::uint8_t { ignore, verify, mark };
enum class ConfigPoll : std::uint8_t { automatic, adaptive, busy }; // "auto": adaptive on virtual ports, else busy
enum class ConfigHugepages : std::uint8_t { automatic, on, off };
enum class ConfigPasswords : std::uint8_t { guests, all, none };
enum class ConfigFormat : std::uint8_t { json, tsv };
enum class ConfigTimestamps : std::uint8_t { iso8601, epoch };
enum class ConfigRss : std::uint8_t { automatic, addresses, ports };
enum class ConfigShunt : std::uint8_t { off, on, counts };
enum class ConfigResteer : std::uint8_t { off, on, automatic };

struct PortConfig {        // one item of capture.ports; exactly one of the four
    std::string interface; // "eth1": net_af_packet on a network interface of the kernel
    std::string pci;       // "0000:3b:00.0": a port bound to a DPDK driver
    std::string vdev;      // "net_pcap0,rx_pcap=x.pcap": any virtual device, as EAL takes it
    std::string af_xdp{};  // "eth1": net_af_xdp on a network interface of the kernel
};

struct CaptureConfig {
    std::vector<PortConfig> ports; // may be empty for `read`
    std::string filter;            // BPF expression; empty: everything
    ConfigChecksums checksums = ConfigChecksums::ignore;
    ConfigPoll poll = ConfigPoll::automatic;
    std::uint32_t snaplen = 9216;           // largest frame, bytes (64..65535)
    std::uint32_t burst = 64;               // packets a poll (1..512)
    std::uint64_t ring_bytes = 64ull << 20; // AF_PACKET ring of one queue, bytes
    std::uint32_t rx_descriptors = 4096;    // physical ports, a queue
    ConfigRss rss = ConfigRss::automatic;
    ConfigShunt shunt = ConfigShunt::off;
    std::uint64_t shunt_after = 1ull << 20; // payload bytes of a transfer
    std::uint32_t shunt_rules_max = 1024;   // on each port, all workers
    ConfigResteer resteer = ConfigResteer::automatic;
    std::uint32_t resteer_packets = 4096; // that wait in one ring between two workers
};

struct WorkersConfig {
    std::uint32_t count = 1;         // 1..128
    std::vector<std::uint32_t> cpus; // logical CPUs, one a worker; empty: as the kernel likes
};

struct EalConfig {
    ConfigHugepages hugepages = ConfigHugepages::automatic;
    std::uint64_t memory = 512ull << 20; // bytes for packet buffers, all ports
    std::vector<std::string> eal_args;   // for the rest, as they are
};

struct TableConfig { // limits of one worker unless said otherwise
    std::uint64_t connections_max = 1'000'000;
    std::uint64_t ftp_sessions_max = 100'000;
    std::uint64_t reassembly_bytes = 64ull << 20;
    std::uint64_t fragment_bytes = 32ull << 20;
    std::uint64_t first_bytes = 64ull << 20;
};

struct TimeoutsConfig { // Zeek's names and defaults, but for fragments
    Duration tcp_attempt_delay = 5 * kSecond;
    Duration tcp_close_delay = 5 * kSecond;
    Duration tcp_reset_delay = 5 * kSecond;
    Duration tcp_inactivity = 5 * kMinute;
    Duration udp_inactivity = kMinute;
    Duration icmp_inactivity = kMinute;
    Duration unknown_ip_inactivity = kMinute;
    Duration ftp_inactivity = kHour;
    Duration fragment = 30 * kSecond; // this and the next are most hosts', see FragmentTimeouts
    Duration fragment_ipv6 = kMinute;
};

struct FtpConfig {
    std::vector<std::uint16_t> ports = {21, 2811};
    bool extended = true; // data_channel.uid/.bytes/.complete, control_uid and the wider matching
    ConfigPasswords passwords = ConfigPasswords::guests;
    std::vector<std::string> guest_ids = {"anonymous", "ftp", "ftpuser", "guest"};
    std::vector<std::string> commands; // the logged set; empty: the reference's; one item "all": every command
    std::uint32_t announcements_max = 100'000;
};

enum class ConfigEntries : std::uint8_t { all, ftp };

struct ConnLogConfig {
    ConfigEntries entries = ConfigEntries::all;
    Duration interim = 0; // 0: no interim entries
};

struct RotationConfig {
    Duration interval = kHour;     // 0: only at the end
    std::uint64_t size = 0;        // bytes of a file, compressed, that end it earlier; 0: only the interval does
    std::string time_zone = "UTC"; // tz database name: boundaries, folder and file names
};

struct RetentionConfig { // of finished files; 0: no such bound
    Duration age = 0;
    std::uint64_t size = 0;          // bytes, all logs together
    std::uint64_t free = 1ull << 30; // bytes that stay free on the disk
};

struct LogConfig {
    std::string directory = "/var/log/ftpsensor";
    std::string system_name; // _system_name; empty: the host name
    std::string node;        // _node; empty: "worker-01" form is not invented: the field is left out
    ConfigFormat format = ConfigFormat::json;
    ConfigTimestamps timestamps = ConfigTimestamps::iso8601;
    std::uint32_t compression_level = 1;    // ISA-L 0..3
    Duration flush_interval = kSecond;      // a gzip member at least so often
    std::uint64_t flush_bytes = 1ull << 20; // and at least each so many bytes of text
    // Where a finished file goes, below `directory`. Both names take strftime(3) conversions of the start of the file's
    // interval in rotation.time_zone; file_name also takes {log} (conn, ftp), {start} and {end} (of the interval,
    // %H:%M:%S) and {offset} (from UTC, %z: +0000). 2020-08-16/conn_20200816_06:00:00-07:00:00+0000.log.gz
    std::string folder_name = "%Y-%m-%d";
    std::string file_name = "{log}_%Y%m%d_{start}-{end}{offset}.log.gz";
    std::uint32_t file_mode = 0640;
    std::string group; // empty: unchanged
    ConnLogConfig conn;
    RotationConfig rotation;
    RetentionConfig retention;
    std::uint64_t waiting_bytes = 256ull << 20; // compressed entries that the disk does not take, a log
    std::uint64_t queue_records = 65536;        // a worker and log
    Duration hold = 200 * kMillisecond;         // live: how long the merge waits for a slow worker
};

struct MetricsConfig {                                // how the figures of a running sensor are seen
    std::string address = "127.0.0.1";                // Prometheus' metrics are told here
    std::uint32_t port = 9821;                        // 0: nowhere
    std::string socket = "/run/ftpsensor/stats.sock"; // of `ftpsensord stats`; empty: none
    Duration log_interval = kMinute;                  // stats.log; 0: none
};

enum class ConfigLevel : std::uint8_t { debug, info, warning, error };

struct Config {
    CaptureConfig capture;
    WorkersConfig workers;
    EalConfig eal;
    TableConfig limits;
    TimeoutsConfig timeouts;
    FtpConfig ftp;
    LogConfig log;
    MetricsConfig metrics;
    std::vector<IpNetwork> local_networks; // default: Zeek's private address space (see ftpsensor.yaml)
    ConfigLevel messages = ConfigLevel::info;

    Config(); // fills local_networks
};

// Text that strangers may have chosen (a file's name), for terminals: control characters are written as \xNN.
std::string printable(std::string_view text);

// what() is one sentence an operator can act on: "file:line:column: key: what is wrong, what would be right". It is
// printable().
struct ConfigError : std::runtime_error {
    explicit ConfigError(std::string_view sentence);
};

Config load_config(const std::string& path);                            // throws ConfigError
Config parse_config(std::string_view text, std::string_view file_name); // throws ConfigError; for tests and --set
// "ftp.extended=false": the value is YAML. Applied over `config`. Throws ConfigError ("--set: ftp.extnded: …").
void apply_override(Config& config, std::string_view key_equals_value);
// Every key's own range, and what holds between keys (cpus against workers and so on). Asks the machine only whether
// the time zone exists. Throws ConfigError ("workers.cpus: …", without a position).
void validate(const Config& config);
// Every key with its value, one "key: value" a line, in the order of the example. For `check`.
std::string describe(const Config& config);

} // namespace ftpsensor
