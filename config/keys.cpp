#include "config/keys.h"

#include "config/key_factory.h"
#include "config/port_key.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>

namespace ftpsensor {
namespace {

using Keys = std::vector<Key>;
using Count = std::uint32_t;

constexpr std::uint64_t kKiB = 1ull << 10;
constexpr std::uint64_t kMiB = 1ull << 20;
constexpr std::uint64_t kGiB = 1ull << 30;
constexpr std::uint64_t kTiB = 1ull << 40;
constexpr Duration kDay = 24 * kHour;

// A section whose keys can change while the sensor runs, `but` for some.
Keys live(Keys keys, std::initializer_list<std::string_view> but = {}) {
    for (Key& key : keys)
        if (std::find(but.begin(), but.end(), key.path) == but.end()) key.takes_effect = TakesEffect::at_reload;
    return keys;
}

Keys capture_keys() {
    const auto in = &Config::capture;
    return {
        ports_key(
            "capture.ports",
            "The ports that see the traffic. interface: a network interface of the kernel, through AF_PACKET, any "
            "card. af_xdp: the same through AF_XDP: faster, but the interface then serves nothing else, and frames are "
            "at most 3456 bytes. pci: a port bound to a DPDK driver, for full speed. vdev: any virtual device of DPDK. "
            "Two ports that tap one link, a direction each, are merged by time. `read` needs none.",
            "- interface: eth1"),
        key("capture.filter", text("a BPF expression in quotes, as tcpdump takes it; \"\": everything"),
            "Only packets that match are looked at. Data connections use any port, so that a filter on port 21 loses "
            "them: filter by host or network. As with tcpdump, an expression does not match frames with a VLAN tag; "
            "where there are some, say it twice: host 10.0.0.5 or (vlan and host 10.0.0.5). What is left out is "
            "counted (filtered_packets).",
            in, &CaptureConfig::filter),
        key("capture.checksums",
            choice<ConfigChecksums>({{"ignore", ConfigChecksums::ignore},
                                     {"verify", ConfigChecksums::verify},
                                     {"mark", ConfigChecksums::mark}}),
            "What a wrong checksum of IP, TCP, UDP or ICMP does. ignore: nothing. verify: the packet is left out, as "
            "in Zeek, and marked in the history. mark: analysed and marked. Captures taken on a sending host have "
            "wrong checksums where the card fills them in.",
            in, &CaptureConfig::checksums),
        key("capture.poll",
            choice<ConfigPoll>(
                {{"auto", ConfigPoll::automatic}, {"adaptive", ConfigPoll::adaptive}, {"busy", ConfigPoll::busy}}),
            "How a worker waits for packets. adaptive: sleeps after empty polls. busy: never sleeps, and takes its "
            "whole CPU. auto: busy where one of the ports is a pci one, else adaptive.",
            in, &CaptureConfig::poll),
        key("capture.snaplen", size<Count>(64, 65535),
            "The largest frame that is taken whole, on an interface as far as its MTU goes. The default fits jumbo "
            "frames of 9000 bytes with VLAN tags and tunnels; what is longer is counted.",
            in, &CaptureConfig::snaplen),
        key("capture.burst", number<Count>("a number of packets", 1, 512),
            "Packets a poll takes at most. Larger hides more memory latency at many connections; smaller is gentler to "
            "the cache.",
            in, &CaptureConfig::burst),
        key("capture.ring_bytes", size<std::uint64_t>(256 * kKiB, 2 * kGiB - kMiB),
            "The AF_PACKET ring of one queue: what the kernel holds while a worker is busy or not scheduled. Twice as "
            "much memory is locked, a worker and interface: the driver has a ring to send by, too. A frame of any size "
            "takes a slot of MTU + 100 bytes, rounded up to 512: at an MTU of 1500 the default has 32768 slots, 33 ms "
            "at a million packets a second. Raise it where the kernel reports drops. At least burst times snaplen.",
            in, &CaptureConfig::ring_bytes),
        key("capture.rx_descriptors", number<Count>("a number of packets", 64, 32768),
            "The receive ring of one queue of a physical port; the port's own limit applies.", in,
            &CaptureConfig::rx_descriptors),
        key("capture.rss",
            choice<ConfigRss>(
                {{"auto", ConfigRss::automatic}, {"addresses", ConfigRss::addresses}, {"ports", ConfigRss::ports}}),
            "What a physical port spreads packets over its queues by, the same for both directions. addresses: most "
            "control and data connections meet on one worker, but all of a tunnel or proxy does, too. ports: an even "
            "spread. auto: addresses. The logs are the same. A card that cannot leave out the ports of TCP and UDP "
            "(i40e, ENA) takes them with either.",
            in, &CaptureConfig::rss),
        key("capture.shunt",
            choice<ConfigShunt>({{"off", ConfigShunt::off}, {"on", ConfigShunt::on}, {"counts", ConfigShunt::counts}}),
            "Whether a port with flow rules (rte_flow) counts the packets of long FTP transfers in place of the "
            "workers. on: where FIN and RST still come through. counts: on any port that can count; how such a "
            "transfer ended is then not seen, and it is recorded after tcp_inactivity. What entries tell of them is in "
            "fields.md (/usr/share/doc/ftpsensor).",
            in, &CaptureConfig::shunt),
        key("capture.shunt_after", size<std::uint64_t>(64 * kKiB, kTiB),
            "Of a transfer so much is looked at before the port counts the rest.", in, &CaptureConfig::shunt_after),
        key("capture.shunt_rules_max", number<Count>("a number", 2, 65536),
            "Flow rules at a time on each port, two a transfer, shared evenly by the workers. Beyond it transfers stay "
            "with the workers, and are counted.",
            in, &CaptureConfig::shunt_rules_max),
    };
}

Keys resteer_keys() {
    const auto in = &Config::capture;
    return {
        key("capture.resteer",
            choice<ConfigResteer>(
                {{"off", ConfigResteer::off}, {"on", ConfigResteer::on}, {"auto", ConfigResteer::automatic}}),
            "Whether a worker hands a packet to the worker that owns its addresses, by a ring between the two, before "
            "it looks closer. auto: where a port may give the two directions of a connection to two workers: AF_PACKET "
            "(a tunnel over UDP has other ports each way; and the kernel gives packets to any queue while one is "
            "nearly full), AF_XDP (the card decides), a physical port that did not take the symmetric key, and ports "
            "that spread differently. It costs a packet some 50 ns, and some milliseconds until its turn. off: each "
            "worker keeps what it receives.",
            in, &CaptureConfig::resteer),
        key("capture.resteer_packets", number<Count>("a number of packets", 64, 1'000'000),
            "Packets that wait in one ring between two workers. What a full ring does not take is lost, and counted. "
            "eal.memory holds so many more packet buffers for each worker, as far as it has room.",
            in, &CaptureConfig::resteer_packets),
    };
}

Keys workers_keys() {
    const auto in = &Config::workers;
    return {
        key("workers.count", number<Count>("a number", 1, 128),
            "Threads that analyse packets, one receive queue on each port for each. Through a DPDK driver (pci) one "
            "does for 10 Gbit/s of usual traffic, 1.5 million packets a second; through the kernel (interface) reckon "
            "half a million packets a second for each. The logs do not depend on it.",
            in, &WorkersConfig::count),
        list_key(
            "workers.cpus", number<Count>("a CPU number", 0, 4095), false,
            "The logical CPUs that the workers are pinned to, one a worker; best on the port's NUMA node, and left "
            "alone by everything else. []: the scheduler decides.",
            in, &WorkersConfig::cpus),
    };
}

Keys eal_keys() {
    const auto in = &Config::eal;
    return {
        key("eal.hugepages",
            choice<ConfigHugepages>(
                {{"auto", ConfigHugepages::automatic}, {"on", ConfigHugepages::on}, {"off", ConfigHugepages::off}}),
            "Whether memory comes from huge pages. auto: where the machine has them reserved, and without otherwise "
            "(slower; physical ports may refuse). on: or not start.",
            in, &EalConfig::hugepages),
        key("eal.memory", size<std::uint64_t>(16 * kMiB, kTiB),
            "For the packet buffers of all ports. Each queue holds capture.rx_descriptors buffers and more in flight.",
            in, &EalConfig::memory),
        list_key("eal.eal_args", text("an argument, not empty", not_empty_fault), true,
                 "Further arguments of DPDK's EAL, as they are, such as [\"--log-level=pmd:debug\"].", in,
                 &EalConfig::eal_args),
    };
}

Keys limits_keys() {
    const auto in = &Config::limits;
    return {
        key("limits.connections_max", number<std::uint64_t>("a number", 1, 1'000'000'000),
            "Connections that one worker follows at a time, at 256 bytes each; those in which something is odd take up "
            "to 570 more. When full, one makes room and is recorded early, and counted. At least "
            "ftp_sessions_max.",
            in, &TableConfig::connections_max),
        key("limits.ftp_sessions_max", number<std::uint64_t>("a number", 1, 100'000'000),
            "FTP control connections that one worker parses at a time. Beyond it they are recorded as connections "
            "only, and counted.",
            in, &TableConfig::ftp_sessions_max),
        key("limits.reassembly_bytes", size<std::uint64_t>(64 * kKiB, kTiB),
            "TCP data that arrived out of order and waits for what is missing, all connections of a worker together.",
            in, &TableConfig::reassembly_bytes),
        key("limits.fragment_bytes", size<std::uint64_t>(64 * kKiB, kTiB),
            "IP fragments that wait for the rest of their packet, a worker.", in, &TableConfig::fragment_bytes),
        key("limits.first_bytes", size<std::uint64_t>(64 * kKiB, kTiB),
            "First bytes of transfers, kept until the type of the file is known, a worker: up to 4 KiB of each, a "
            "small file's until five seconds after its end. Beyond it entries have no mime_type.",
            in, &TableConfig::first_bytes),
    };
}

Keys timeouts_keys() {
    const auto in = &Config::timeouts;
    const auto limit = duration(kMillisecond, 30 * kDay);
    return live({
        key("timeouts.tcp_attempt_delay", limit,
            "A TCP connection that is not answered is recorded after this long (conn_state S0).", in,
            &TimeoutsConfig::tcp_attempt_delay),
        key("timeouts.tcp_close_delay", limit,
            "A TCP connection that has ended is recorded after this long: late packets still count to it.", in,
            &TimeoutsConfig::tcp_close_delay),
        key("timeouts.tcp_reset_delay", limit, "The same for one that was reset.", in,
            &TimeoutsConfig::tcp_reset_delay),
        key("timeouts.tcp_inactivity", limit, "A TCP connection without a packet for this long is recorded as it is.",
            in, &TimeoutsConfig::tcp_inactivity),
        key("timeouts.udp_inactivity", limit, "UDP: what goes on after this long is a new entry.", in,
            &TimeoutsConfig::udp_inactivity),
        key("timeouts.icmp_inactivity", limit, "The same for ICMP and ICMPv6.", in, &TimeoutsConfig::icmp_inactivity),
        key("timeouts.unknown_ip_inactivity", limit, "The same for every other IP protocol.", in,
            &TimeoutsConfig::unknown_ip_inactivity),
        key("timeouts.ftp_inactivity", limit,
            "An FTP control connection: longer than tcp_inactivity, since it is idle while files move.", in,
            &TimeoutsConfig::ftp_inactivity),
        key("timeouts.fragment", limit,
            "IPv4 fragments whose rest does not come are dropped and counted after this long: with the hosts (Linux, "
            "BSD: 30 s; Windows: 60 s; Zeek: 5 min). What a receiver has forgotten must not hide what it takes next.",
            in, &TimeoutsConfig::fragment),
        key("timeouts.fragment_ipv6", limit, "The same for IPv6 (RFC 8200: 60 s).", in, &TimeoutsConfig::fragment_ipv6),
    });
}

Keys ftp_keys() {
    const auto in = &Config::ftp;
    return live(
        {
            list_key(
                "ftp.ports", number<std::uint16_t>("a port", 1, 65535), false,
                "Server ports of FTP control connections. On other ports FTP is recognised by what both sides say.", in,
                &FtpConfig::ports),
            key("ftp.extended", flag(),
                "Beyond Zeek: data_channel.uid, .bytes and .complete in ftp.log and control_uid in conn.log, and data "
                "connections that Zeek does not match (a server behind NAT, one older than its announcement). false: "
                "Zeek's fields and rules alone.",
                in, &FtpConfig::extended),
            key("ftp.passwords",
                choice<ConfigPasswords>({{"guests", ConfigPasswords::guests},
                                         {"all", ConfigPasswords::all},
                                         {"none", ConfigPasswords::none}}),
                "Whose passwords are written. guests: those of ftp.guest_ids, others are <hidden>. Be sure who reads "
                "the logs before you say all.",
                in, &FtpConfig::passwords),
            list_key("ftp.guest_ids", text("a user name, not empty", not_empty_fault), false,
                     "User names of guests, in any case.", in, &FtpConfig::guest_ids),
            list_key(
                "ftp.commands", ftp_command(), false,
                "Commands that make an entry in ftp.log. []: Zeek's, which are APPE DELE RETR STOR STOU ACCT PORT PASV "
                "EPRT EPSV. [all]: each command.",
                in, &FtpConfig::commands),
            key("ftp.announcements_max", number<Count>("a number", 1, 100'000'000),
                "Data connections that are announced and not yet seen, all workers together. Beyond it the oldest is "
                "forgotten (not extended: the new one), and counted.",
                in, &FtpConfig::announcements_max),
        },
        {"ftp.extended", "ftp.announcements_max"});
}

Keys log_place_keys() {
    const auto in = &Config::log;
    return live(
        {
            key("log.directory", text("a folder", not_empty_fault),
                "Logs are written to its current/ and moved to a dated folder when finished. `read` writes to its -o "
                "instead.",
                in, &LogConfig::directory),
            key("log.system_name", text("a name; \"\": the host's"), "_system_name of each entry.", in,
                &LogConfig::system_name),
            key("log.node", text("a name; \"\": the field is left out"),
                "_node of each entry, such as worker-01: tells sensors of one system apart. With format: tsv it needs "
                "a restart where it comes or goes: it is a column.",
                in, &LogConfig::node),
            key("log.format", choice<ConfigFormat>({{"json", ConfigFormat::json}, {"tsv", ConfigFormat::tsv}}),
                "json: one object a line. tsv: Zeek's tab-separated form, for zeek-cut.", in, &LogConfig::format),
            key("log.timestamps",
                choice<ConfigTimestamps>({{"iso8601", ConfigTimestamps::iso8601}, {"epoch", ConfigTimestamps::epoch}}),
                "iso8601: 2020-08-16T06:26:01.485394Z. epoch: 1597559161.485394.", in, &LogConfig::timestamps),
            key("log.file_mode", file_mode(), "Of log files. User names and passwords are in them.", in,
                &LogConfig::file_mode),
            key("log.group", text("the name of a group; \"\": the daemon's own"),
                "Group of log files and of folders that are made. As a service: one of the groups of the user "
                "ftpsensor (adduser ftpsensor GROUP, then a restart), which has to be let into the folder of the logs, "
                "too (setfacl -m g:GROUP:rx /var/log/ftpsensor).",
                in, &LogConfig::group),
            key("log.folder_name",
                text("a pattern of strftime(3) without /, such as %Y-%m-%d; \"\": none", folder_name_fault),
                "Folder of a finished file, by the start of its interval.", in, &LogConfig::folder_name),
            key("log.file_name",
                text("a pattern in quotes, with {log}, without / and with .gz at its end", file_name_fault),
                "Name of a finished file: conversions of strftime(3) for the start of its interval, {log} (conn, ftp, "
                "stats), {start} and {end} of the interval (06:00:00), {offset} from UTC (+0000). The default gives "
                "conn_20200816_06:00:00-07:00:00+0000.log.gz. No file is ever overwritten.",
                in, &LogConfig::file_name),
        },
        {"log.directory", "log.format"});
}

Keys log_flow_keys() {
    const auto in = &Config::log;
    return live(
        {
            key("log.compression_level", number<Count>("a level", 0, 3),
                "Of gzip, as ISA-L counts: 0 is fastest, 3 smallest; all are gzip.", in, &LogConfig::compression_level),
            key("log.flush_interval", duration(kMillisecond, kHour),
                "What was logged is readable in the file, and safe from a crash of the sensor, at the latest after "
                "this long. The disk has it when the kernel writes it back.",
                in, &LogConfig::flush_interval),
            key("log.flush_bytes", size<std::uint64_t>(4 * kKiB, 64 * kMiB),
                "And at the latest after this much text. Small values compress worse.", in, &LogConfig::flush_bytes),
            key("log.waiting_bytes", size<std::uint64_t>(kMiB, 64 * kGiB),
                "While a disk is full, read-only or gone, entries wait in memory, compressed, up to this much a log; "
                "then the oldest are dropped, and counted. Where space is short, ftp entries are written before conn "
                "entries.",
                in, &LogConfig::waiting_bytes),
            key("log.queue_records", number<std::uint64_t>("a number", 16, 16'777'216),
                "Records that wait for the logger, a worker and log. Live, when full, conn entries are dropped before "
                "ftp entries, and counted. ftpsensord read waits instead, and needs no more than 4096.",
                in, &LogConfig::queue_records),
            key("log.hold", duration(kMillisecond, 10 * kSecond),
                "How long the logger waits for a slow worker to keep entries in order. What comes later is written "
                "late, and counted. `read` waits as long as it takes.",
                in, &LogConfig::hold),
        },
        {"log.queue_records"});
}

Keys conn_log_keys() {
    const auto in = &Config::log;
    const auto conn = &LogConfig::conn;
    return live({
        key("log.conn.entries", choice<ConfigEntries>({{"all", ConfigEntries::all}, {"ftp", ConfigEntries::ftp}}),
            "all: each connection. ftp: control and data connections of FTP alone, those whose service says ftp or "
            "ftp-data.",
            in, conn, &ConnLogConfig::entries),
        key("log.conn.interim", duration(kSecond, 30 * kDay, "none"),
            "A connection that lives longer than this has an interim entry each so long, with interim: true. Each has "
            "what is new since the one before, and so has the last one, with interim: false: sums over all entries "
            "stay right. Changed by a reload, it counts from then on for connections that are open; with format: tsv a "
            "change from or to 0 needs a restart: it is a column.",
            in, conn, &ConnLogConfig::interim),
    });
}

Keys rotation_keys() {
    const auto in = &Config::log;
    const auto rotation = &LogConfig::rotation;
    return live({
        key("log.rotation.interval", rotation_interval(kDay),
            "Boundaries are at multiples of it on the clock of time_zone, by packet time. Whole seconds.", in, rotation,
            &RotationConfig::interval),
        key("log.rotation.size", size<std::uint64_t>(64 * kKiB, kTiB, "no such bound"),
            "A file of this size, compressed, is finished before its interval is over; the name says which seconds it "
            "covers.",
            in, rotation, &RotationConfig::size),
        key("log.rotation.time_zone", text("a name of the tz database such as Europe/Berlin, or UTC", time_zone_fault),
            "Of boundaries and of the names of folders and files; entries are in UTC.", in, rotation,
            &RotationConfig::time_zone),
    });
}

Keys retention_keys() {
    const auto in = &Config::log;
    const auto retention = &LogConfig::retention;
    return live({
        key("log.retention.age", duration(kMinute, 100 * 366 * kDay, "however old"),
            "Files that were finished longer ago are removed; not in the first ten minutes, nor within ten minutes of "
            "a step of the clock, which may be wrong by years then.",
            in, retention, &RetentionConfig::age),
        key("log.retention.size", size<std::uint64_t>(kMiB, 1024 * kTiB, "however large"),
            "All logs together, the current files included.", in, retention, &RetentionConfig::size),
        key("log.retention.free", size<std::uint64_t>(kMiB, 1024 * kTiB, "until the disk is full"),
            "So much stays free on the disk of the logs, whoever fills it.", in, retention, &RetentionConfig::free),
    });
}

Keys metrics_keys() {
    const auto in = &Config::metrics;
    return live({
        key("metrics.address", text("an IP address", ip_address_fault),
            "Prometheus fetches the sensor's figures from http://address:port/metrics. Whoever reaches the address can "
            "read them: they name ports and counts, no hosts and no users.",
            in, &MetricsConfig::address),
        key("metrics.port", number<Count>("a port (0: no metrics)", 0, 65535),
            "Each sensor of a machine needs its own.", in, &MetricsConfig::port),
        key("metrics.socket", text("an absolute path; \"\": none", socket_path_fault),
            "Where `ftpsensord stats` asks a running sensor. Its owner and its group may.", in, &MetricsConfig::socket),
        key("metrics.log_interval", duration(kSecond, kDay, "no stats.log"),
            "How often the figures go to stats.log. What was lost goes there at once.", in,
            &MetricsConfig::log_interval),
    });
}

Keys document_keys() {
    return live({
        list_key("local_networks", network(), false,
                 "Networks of ours, for local_orig and local_resp in conn.log. The default is Zeek's private address "
                 "space: the special-purpose networks of IANA, and those of IPv4 again as 6to4. []: no such fields.",
                 &Config::local_networks),
        key("messages",
            choice<ConfigLevel>({{"debug", ConfigLevel::debug},
                                 {"info", ConfigLevel::info},
                                 {"warning", ConfigLevel::warning},
                                 {"error", ConfigLevel::error}}),
            "What is said on standard error (the journal, under systemd): this and what is more severe.",
            &Config::messages),
    });
}

Keys make_keys() {
    Keys all;
    for (auto make :
         {capture_keys, resteer_keys, workers_keys, eal_keys, limits_keys, timeouts_keys, ftp_keys, log_place_keys,
          log_flow_keys, conn_log_keys, rotation_keys, retention_keys, metrics_keys, document_keys}) {
        Keys part = make();
        std::move(part.begin(), part.end(), std::back_inserter(all));
    }
    return all;
}

template <typename Row>
const Row* find_row(const std::vector<Row>& rows, std::string_view path) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.path == path; });
    return found == rows.end() ? nullptr : &*found;
}

} // namespace

const std::vector<Key>& all_keys() {
    static const Keys keys = make_keys();
    return keys;
}

const std::vector<Section>& all_sections() {
    static const std::vector<Section> sections{
        {"", ""},
        {"capture", "Where packets come from."},
        {"workers", "Threads."},
        {"eal", "DPDK's environment; `read` does not use it."},
        {"limits",
         "Bounds: nothing grows with traffic beyond these. Reaching one is counted, and named in the statistics."},
        {"timeouts", "When a connection is over, in packet time. Names and defaults are Zeek's, but for fragments; "
                     "other values change what an entry of conn.log means."},
        {"ftp", "What ftp.log holds."},
        {"log", "Where and how entries are written."},
        {"log.conn", "What conn.log holds."},
        {"log.rotation", "When a file is finished."},
        {"log.retention",
         "What is removed, oldest first: finished files of this program, in folders and under names as log.folder_name "
         "and log.file_name make them. Never a current file, never anything else (what is to be kept may be moved to a "
         "folder of another name), and nothing by `read`. Each removal is told in the messages."},
        {"metrics", "How it is seen what the sensor does, and what it loses."},
    };
    return sections;
}

std::string_view section_of(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

const Key* find_key(std::string_view path) { return find_row(all_keys(), path); }
const Section* find_section(std::string_view path) { return find_row(all_sections(), path); }

} // namespace ftpsensor
