#include "config/config.h"
#include "config/keys.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <fstream>

#include <unistd.h>

using namespace ftpsensor;

namespace {

std::string fault_of(std::string_view text) {
    try {
        parse_config(text, "f.yaml");
        return "accepted";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

std::string override_fault_of(std::string_view key_equals_value) {
    try {
        Config config;
        apply_override(config, key_equals_value);
        return "accepted";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("nothing given: the defaults") {
    CHECK(describe(parse_config("", "f.yaml")) == describe(Config{}));
    CHECK(describe(parse_config("capture:\nlog:\n  rotation:\n", "f.yaml")) == describe(Config{})); // emptied sections
    CHECK_NOTHROW(validate(Config{}));
}

TEST_CASE("values of every kind reach their members") {
    const Config config = parse_config(R"(
capture:
  ports:
    - interface: eth1
    - {pci: "0000:3b:00.0"}
    - vdev: net_pcap0,rx_pcap=x.pcap
  filter: "host 192.0.2.1 and not port 22"
  checksums: verify
  poll: busy
  snaplen: 1600
  ring_bytes: 1GiB
workers: {count: 2, cpus: [2, 4]}
eal: {hugepages: on, eal_args: [--log-level=8, --log-level=8]}
limits: {connections_max: 5, ftp_sessions_max: 5}
timeouts: {tcp_close_delay: 250ms}
ftp: {ports: [2121], extended: false, passwords: none, guest_ids: [], commands: [retr, Stor]}
log:
  file_mode: 0600
  format: tsv
  rotation: {interval: 0, size: 100MiB, time_zone: UTC}
  retention: {age: 30d, size: 2TiB, free: 0}
local_networks: [192.0.2.0/24, "2001:db8::/32", 198.51.100.7]
messages: debug
)",
                                       "f.yaml");
    REQUIRE(config.capture.ports.size() == 3);
    CHECK(config.capture.ports[0].interface == "eth1");
    CHECK(config.capture.ports[1].pci == "0000:3b:00.0");
    CHECK(config.capture.ports[2].vdev == "net_pcap0,rx_pcap=x.pcap");
    CHECK(config.capture.filter == "host 192.0.2.1 and not port 22");
    CHECK(config.capture.checksums == ConfigChecksums::verify);
    CHECK(config.capture.poll == ConfigPoll::busy);
    CHECK(config.capture.snaplen == 1600);
    CHECK(config.capture.ring_bytes == 1ull << 30);
    CHECK(config.workers.cpus == std::vector<std::uint32_t>{2, 4});
    CHECK(config.eal.hugepages == ConfigHugepages::on);
    CHECK(config.eal.eal_args.size() == 2); // arguments may repeat
    CHECK(config.limits.connections_max == 5);
    CHECK(config.timeouts.tcp_close_delay == 250 * kMillisecond);
    CHECK(config.ftp.ports == std::vector<std::uint16_t>{2121});
    CHECK_FALSE(config.ftp.extended);
    CHECK(config.ftp.passwords == ConfigPasswords::none);
    CHECK(config.ftp.guest_ids.empty());
    CHECK(config.ftp.commands == std::vector<std::string>{"RETR", "STOR"});
    CHECK(config.log.file_mode == 0600);
    CHECK(config.log.format == ConfigFormat::tsv);
    CHECK(config.log.rotation.interval == 0);
    CHECK(config.log.rotation.size == 100u << 20);
    CHECK(config.log.retention.age == 30 * 24 * kHour);
    CHECK(config.log.retention.size == 2ull << 40);
    CHECK(config.log.retention.free == 0);
    REQUIRE(config.local_networks.size() == 3);
    CHECK(config.local_networks[2].to_string() == "198.51.100.7/32");
    CHECK(config.messages == ConfigLevel::debug);
    CHECK_NOTHROW(validate(config));
}

TEST_CASE("an unknown key: where, and what was likely meant") {
    CHECK(fault_of("ftp:\n  extnded: false\n") == "f.yaml:2:3: ftp.extnded: unknown key; did you mean ftp.extended?");
    CHECK(fault_of("captrue:\n  ports: []\n") == "f.yaml:1:1: captrue: unknown key; did you mean capture?");
    CHECK(fault_of("snaplen: 9216\n") == "f.yaml:1:1: snaplen: unknown key; did you mean capture.snaplen?");
    CHECK(fault_of("log:\n  ftp:\n    commands: [all]\n") == "f.yaml:2:3: log.ftp: unknown key; did you mean ftp?");
    CHECK(fault_of("passwords: none\n") == "f.yaml:1:1: passwords: unknown key; did you mean ftp.passwords?");
    CHECK(fault_of("workers:\n  zebra: 3\n") ==
          "f.yaml:2:3: workers.zebra: unknown key; the keys of workers are count, cpus");
    CHECK(fault_of("zebra: 3\n") ==
          "f.yaml:1:1: zebra: unknown key; the keys of the document are capture, workers, eal, limits, timeouts, ftp, "
          "log, metrics, local_networks, messages");
    CHECK(fault_of("capture:\n  ports:\n    - interfaces: eth1\n") ==
          "f.yaml:3:7: capture.ports[0].interfaces: unknown key; did you mean interface?");
    CHECK(fault_of("capture: {ports: [{driver: e1000}]}\n") ==
          "f.yaml:1:20: capture.ports[0].driver: unknown key; give one of interface, af_xdp, pci or vdev");
    CHECK(fault_of("log.format: tsv\n") ==
          "f.yaml:1:1: log.format: a key in a file has no dots; give format below log:");
}

TEST_CASE("a key given twice") {
    CHECK(fault_of("messages: info\nftp:\n  extended: true\n  passwords: none\n  extended: false\n") ==
          "f.yaml:5:3: ftp.extended: given twice, first in line 3; keep one");
    CHECK(fault_of("ftp: {extended: true}\nlog: {}\nftp: {}\n") ==
          "f.yaml:3:1: ftp: given twice, first in line 1; keep one");
}

TEST_CASE("a wrong type") {
    CHECK(fault_of("ftp:\n  extended: yes\n") ==
          "f.yaml:2:13: ftp.extended: 'yes' is not one of the choices; give true or false");
    CHECK(fault_of("ftp:\n  extended: [true]\n") == "f.yaml:2:13: ftp.extended: is a list; give true or false");
    CHECK(fault_of("ftp:\n  extended: {a: true}\n") == "f.yaml:2:13: ftp.extended: is a map; give true or false");
    CHECK(fault_of("ftp:\n  extended:\n") == "f.yaml:2:3: ftp.extended: has no value; give true or false");
    CHECK(
        fault_of("ftp:\n  ports: 21\n") ==
        "f.yaml:2:10: ftp.ports: is a single value, not a list; give a list in [ ], each item a port from 1 to 65535");
    CHECK(fault_of("ftp:\n  ports: {a: 21}\n") ==
          "f.yaml:2:10: ftp.ports: is a map, not a list; give a list in [ ], each item a port from 1 to 65535");
    CHECK(fault_of("ftp:\n  ports:\n") ==
          "f.yaml:2:3: ftp.ports: has no value; give a list in [ ], each item a port from 1 to 65535");
    CHECK(fault_of("ftp:\n  ports: [21, [22]]\n") ==
          "f.yaml:2:15: ftp.ports[1]: is a list; give a port from 1 to 65535");
    CHECK(fault_of("capture:\n  burst: many\n") ==
          "f.yaml:2:10: capture.burst: 'many' is not a whole number; give a number of packets from 1 to 512");
    CHECK(fault_of("capture: eth1\n") ==
          "f.yaml:1:10: capture: is a section; give its keys below it: ports, filter, checksums, poll, snaplen, burst, "
          "ring_bytes, rx_descriptors, rss, shunt, shunt_after, shunt_rules_max, resteer, resteer_packets");
    CHECK(fault_of("- capture\n") == "f.yaml:1:1: the document is not a map; begin with a section such as capture:");
    CHECK(fault_of("capture\n") == "f.yaml:1:1: the document is not a map; begin with a section such as capture:");
    CHECK(fault_of("capture: {ports: [eth1]}\n") == "f.yaml:1:19: capture.ports[0]: is not a map; give one of "
                                                    "interface, af_xdp, pci or vdev, such as interface: eth1");
}

TEST_CASE("a value out of range") {
    CHECK(fault_of("capture:\n  snaplen: 70000\n") ==
          "f.yaml:2:12: capture.snaplen: 70000 is out of range; give a size from 64 to 65535 (KiB, MiB, GiB, TiB, KB, "
          "MB, GB, TB; bytes without one)");
    CHECK(fault_of("capture:\n  snaplen: 63\n") != "accepted");
    CHECK(fault_of("capture:\n  snaplen: 64\n") == "accepted");
    CHECK(fault_of("capture:\n  snaplen: 65535\n") == "accepted");
    CHECK(fault_of("capture:\n  snaplen: 5000000000\n") ==
          "f.yaml:2:12: capture.snaplen: 5000000000 is out of range; give a size from 64 to 65535 (KiB, MiB, GiB, TiB, "
          "KB, MB, GB, TB; bytes without one)");
    CHECK(fault_of("workers: {count: 0}\n") ==
          "f.yaml:1:18: workers.count: 0 is out of range; give a number from 1 to 128");
    CHECK(fault_of("ftp: {ports: [21, 65536]}\n") ==
          "f.yaml:1:19: ftp.ports[1]: 65536 is out of range; give a port from 1 to 65535");
    CHECK(
        fault_of("timeouts: {fragment: 31d}\n") ==
        "f.yaml:1:22: timeouts.fragment: 31d is out of range; give a duration from 1ms to 30d (us, ms, s, min, h, d)");
    CHECK(fault_of("timeouts: {fragment: 0}\n") ==
          "f.yaml:1:22: timeouts.fragment: 0 is out of range; give a duration from 1ms to 30d (us, ms, s, min, h, d)");
    CHECK(
        fault_of("log: {rotation: {interval: 100ms}}\n") ==
        "f.yaml:1:28: log.rotation.interval: 100ms is out of range; give 0 (only at the end) or a duration from 1s to "
        "1d (us, ms, s, min, h, d)");
    CHECK(fault_of("log: {rotation: {size: 1KiB}}\n") ==
          "f.yaml:1:24: log.rotation.size: 1KiB is out of range; give 0 (no such bound) or a size from 64KiB to 1TiB "
          "(KiB, MiB, GiB, TiB, KB, MB, GB, TB; bytes without one)");
    CHECK(fault_of("log: {rotation: {interval: 1500ms}}\n") ==
          "f.yaml:1:28: log.rotation.interval: 1500ms is not a whole number of seconds; give 0 (only at the end) or a "
          "duration from 1s to "
          "1d (us, ms, s, min, h, d)");
    CHECK(fault_of("log: {compression_level: 9}\n") ==
          "f.yaml:1:26: log.compression_level: 9 is out of range; give a level from 0 to 3");
}

TEST_CASE("a bad unit") {
    CHECK(
        fault_of("eal:\n  memory: 2gigs\n") ==
        "f.yaml:2:11: eal.memory: '2gigs' has an unknown unit; give a size from 16MiB to 1TiB (KiB, MiB, GiB, TiB, KB, "
        "MB, GB, TB; bytes without one)");
    CHECK(fault_of("log:\n  hold: 200\n") ==
          "f.yaml:2:9: log.hold: '200' has no unit; give a duration from 1ms to 10s (us, ms, s, min, h, d)");
}

TEST_CASE("a word that is none of the choices") {
    CHECK(fault_of("capture: {checksums: strict}\n") ==
          "f.yaml:1:22: capture.checksums: 'strict' is not one of the choices; give ignore, verify or mark");
    CHECK(fault_of("messages: trace\n") ==
          "f.yaml:1:11: messages: 'trace' is not one of the choices; give debug, info, warning or error");
}

TEST_CASE("ports: exactly one device each, none twice") {
    const std::string right = "; give one of interface, af_xdp, pci or vdev";
    CHECK(fault_of("capture:\n  ports:\n    - interface: eth1\n      vdev: net_null0\n") ==
          "f.yaml:3:7: capture.ports[0]: names not exactly one device" + right);
    CHECK(fault_of("capture: {ports: [{}]}\n") ==
          "f.yaml:1:19: capture.ports[0]: names not exactly one device" + right);
    CHECK(fault_of("capture: {ports: [{interface: eth1, interface: eth2}]}\n") ==
          "f.yaml:1:19: capture.ports[0]: names not exactly one device" + right);
    CHECK(fault_of("capture:\n  ports:\n    - interface: eth1\n    - interface: eth2\n    - interface: eth1\n") ==
          "f.yaml:5:7: capture.ports[2]: is the same port as [0]; keep one");
    CHECK(
        fault_of("capture: {ports: [{interface: a-name-of-16-byt}]}\n") ==
        "f.yaml:1:31: capture.ports[0].interface: 'a-name-of-16-byt' cannot be the name of an interface; give the name "
        "of a network interface, at most 15 characters, such as eth1");
    CHECK(fault_of("capture: {ports: [{pci: 3b:00.0}]}\n") ==
          "f.yaml:1:25: capture.ports[0].pci: '3b:00.0' is not a PCI address; give a PCI address such as 0000:3b:00.0");
    CHECK(fault_of("capture: {ports: [{vdev: \"\"}]}\n") ==
          "f.yaml:1:26: capture.ports[0].vdev: is empty; give a virtual device as EAL takes it, such as "
          "net_pcap0,rx_pcap=x.pcap");
    std::string many = "capture:\n  ports:\n";
    for (int i = 0; i < 33; ++i) many += "    - interface: eth" + std::to_string(i) + "\n";
    CHECK(fault_of(many) == "f.yaml:3:5: capture.ports: names too many ports; give at most 32");
}

TEST_CASE("lists: no item twice, and a bound") {
    CHECK(fault_of("ftp: {ports: [21, 2121, 21]}\n") == "f.yaml:1:25: ftp.ports[2]: 21 is given twice; keep one");
    CHECK(fault_of("workers: {count: 2, cpus: [3, 3]}\n") ==
          "f.yaml:1:31: workers.cpus[1]: 3 is given twice; keep one");
    std::string many = "eal: {eal_args: [a";
    for (int i = 0; i < 4096; ++i) many += ", a";
    CHECK(fault_of(many + "]}\n") == "f.yaml:1:17: eal.eal_args: has too many items; give at most 4096");
}

TEST_CASE("networks") {
    const std::string right = "; give a network such as 10.0.0.0/8 or fd00::/8, or an address";
    CHECK(fault_of("local_networks: [10.0.0.0]\n") == "accepted");
    CHECK(fault_of("local_networks: [10.0.0.1/8]\n") ==
          "f.yaml:1:18: local_networks[0]: '10.0.0.1/8' has bits set beyond its prefix, or too long a prefix" + right);
    CHECK(fault_of("local_networks: [10.0.0.0/33]\n") ==
          "f.yaml:1:18: local_networks[0]: '10.0.0.0/33' has bits set beyond its prefix, or too long a prefix" + right);
    CHECK(fault_of("local_networks: [office]\n") ==
          "f.yaml:1:18: local_networks[0]: 'office' is not a network" + right);
    CHECK(fault_of("local_networks: [10.0.0.0/]\n") ==
          "f.yaml:1:18: local_networks[0]: '10.0.0.0/' is not a network" + right);
}

TEST_CASE("time zones are those of the machine; UTC needs no database") {
    const std::string right = "; give a name of the tz database such as Europe/Berlin, or UTC";
    const auto zone = [](const std::string& name) {
        return fault_of("log: {rotation: {time_zone: \"" + name + "\"}}\n");
    };
    CHECK(zone("UTC") == "accepted");
    CHECK(zone("Europe/Nowhere") ==
          "f.yaml:1:29: log.rotation.time_zone: 'Europe/Nowhere' is not in /usr/share/zoneinfo" + right);
    for (const char* bad : {"", "/etc/localtime", "../zoneinfo/UTC", "Europe", "tzdata.zi", "zone.tab"})
        CHECK(zone(bad).ends_with(" is not in /usr/share/zoneinfo" + right));
    if (std::ifstream("/usr/share/zoneinfo/Europe/Berlin")) CHECK(zone("Europe/Berlin") == "accepted");
}

TEST_CASE("file and folder names are patterns that always give a name in its place") {
    const auto file = [](const std::string& name) { return fault_of("log: {file_name: \"" + name + "\"}\n"); };
    const auto folder = [](const std::string& name) { return fault_of("log: {folder_name: \"" + name + "\"}\n"); };
    const std::string file_right = "; give a pattern in quotes, with {log}, without / and with .gz at its end";
    CHECK(file("{log}.%s.gz") == "accepted");
    CHECK(file("conn_%Y.log.gz") == "f.yaml:1:18: log.file_name: 'conn_%Y.log.gz' has no {log}" + file_right);
    CHECK(file("{log}.log") == "f.yaml:1:18: log.file_name: '{log}.log' does not end in .gz" + file_right);
    CHECK(file("{log}_{begin}.gz") ==
          "f.yaml:1:18: log.file_name: '{log}_{begin}.gz' has an unknown placeholder" + file_right);
    CHECK(file("{log}_{start.gz").ends_with("has an unknown placeholder" + file_right));
    CHECK(file("{log}_%Q.gz") == "f.yaml:1:18: log.file_name: '%Q' is not a conversion for names" + file_right);
    CHECK(file("{log}/%Y.gz") ==
          "f.yaml:1:18: log.file_name: '{log}/%Y.gz' would name a file 'conn/2020.gz'" + file_right);
    CHECK(file("{log}_%D.gz").ends_with("would name a file 'conn_08/16/20.gz'" + file_right));
    CHECK(file(".{log}.gz").ends_with("would name a file '.conn.gz'" + file_right));
    CHECK(file("{log}" + std::string(300, 'x') + ".gz").ends_with("is too long for a file name" + file_right));
    // A Wednesday in September is longer than the day of the sample.
    CHECK(file("{log}_%A_%B_" + std::string(233, 'x') + ".gz").ends_with("is too long for a file name" + file_right));
    CHECK(file("%{log}_%Y.gz") == "f.yaml:1:18: log.file_name: '%{log}_%Y.gz' has a % before {log}" + file_right);
    CHECK(file("%%{log}_%Y.gz") == "accepted");

    const std::string folder_right = "; give a pattern of strftime(3) without /, such as %Y-%m-%d; \"\": none";
    CHECK(folder("%Y") == "accepted");
    CHECK(folder("") == "accepted");
    CHECK(folder("%Z").ends_with("'%Z' is not a conversion for names" + folder_right));
    CHECK(folder("%Y/%m") == "f.yaml:1:20: log.folder_name: '%Y/%m' would name a folder '2020/08'" + folder_right);
    CHECK(folder("..").ends_with("would name a folder '..'" + folder_right));
    CHECK(folder("current") == "f.yaml:1:20: log.folder_name: 'current' would name a folder 'current'" + folder_right);
    CHECK(folder("100%") == "f.yaml:1:20: log.folder_name: '%' is not a conversion for names" + folder_right);
}

TEST_CASE("file modes are octal, with the owner's read and write") {
    const std::string right = "; give a mode in octal that lets the owner read and write, such as 0640";
    CHECK(fault_of("log: {file_mode: 0644}\n") == "accepted");
    CHECK(fault_of("log: {file_mode: 640}\n") == "f.yaml:1:18: log.file_mode: '640' is not a file mode" + right);
    CHECK(fault_of("log: {file_mode: 0680}\n") == "f.yaml:1:18: log.file_mode: '0680' is not a file mode" + right);
    CHECK(fault_of("log: {file_mode: 0440}\n") == "f.yaml:1:18: log.file_mode: 0440 is not usable" + right);
    CHECK(fault_of("log: {file_mode: 0660}\n") == "accepted");
    for (const char* mode : {"0602", "0646", "0666", "0777"})
        CHECK(fault_of(std::string("log: {file_mode: ") + mode + "}\n") ==
              std::string("f.yaml:1:18: log.file_mode: ") + mode + " lets everybody write" + right);
}

TEST_CASE("texts hold no control characters; FTP commands are words") {
    CHECK(fault_of("log: {node: \"a\\nb\"}\n") ==
          "f.yaml:1:13: log.node: has a control character; give a name; \"\": the field is left out");
    CHECK(fault_of("ftp: {commands: [RETR, SITE EXEC]}\n") ==
          "f.yaml:1:24: ftp.commands[1]: 'SITE EXEC' is not a command's name; give the name of an FTP command such as "
          "RETR, or all alone");
    CHECK(parse_config("ftp: {commands: [ALL]}", "f").ftp.commands == std::vector<std::string>{"all"});
}

TEST_CASE("what is not YAML") {
    CHECK(fault_of("ftp:\n\textended: true\n") == "f.yaml:2:10: not valid YAML: a tab indents this line; use spaces");
    CHECK(fault_of("a: &x 1\nb: *x\n") == "f.yaml:2:4: an alias (*name) is not taken here; write the value out");
    CHECK(fault_of("log: {node: \"open}\n") == "f.yaml:1:13: a quote begins here and is not closed");
}

TEST_CASE("--set goes through the same table") {
    Config config;
    apply_override(config, "ftp.extended=false");
    apply_override(config, "log.rotation.interval=10min");
    apply_override(config, "capture.ports=[{interface: eth1}]");
    apply_override(config, "capture.filter=host 192.0.2.1 and port = 21"); // the first = divides
    apply_override(config, "log.group=\"\"");
    apply_override(config, "messages=error");
    CHECK_FALSE(config.ftp.extended);
    CHECK(config.log.rotation.interval == 10 * kMinute);
    CHECK(config.capture.ports.at(0).interface == "eth1");
    CHECK(config.capture.filter == "host 192.0.2.1 and port = 21");
    CHECK(config.messages == ConfigLevel::error);
}

TEST_CASE("--set: errors") {
    CHECK(override_fault_of("ftp.extnded=false") == "--set: ftp.extnded: unknown key; did you mean ftp.extended?");
    CHECK(override_fault_of("log.ftp.commands=[all]") ==
          "--set: log.ftp.commands: unknown key; did you mean ftp.commands?");
    CHECK(override_fault_of("log.ftp.passwords=all") ==
          "--set: log.ftp.passwords: unknown key; did you mean ftp.passwords?");
    CHECK(override_fault_of("ftp.extended") ==
          "--set: 'ftp.extended' has no '='; give KEY=VALUE, such as ftp.extended=false");
    CHECK(override_fault_of("=1") ==
          "--set: : unknown key; the keys of the document are capture, workers, eal, limits, "
          "timeouts, ftp, log, metrics, local_networks, messages");
    CHECK(override_fault_of("log.rotation={interval: 0}") ==
          "--set: log.rotation: is a section; give one of its keys: interval, size, time_zone");
    CHECK(override_fault_of("ftp.extended=maybe") ==
          "--set: ftp.extended: 'maybe' is not one of the choices; give true or false");
    CHECK(override_fault_of("ftp.extended=") == "--set: ftp.extended: has no value; give true or false");
    CHECK(override_fault_of("ftp.ports=[21, 0]") ==
          "--set: ftp.ports[1]: 0 is out of range; give a port from 1 to 65535");
    CHECK(override_fault_of("metrics.port=70000") ==
          "--set: metrics.port: 70000 is out of range; give a port (0: no metrics) from 0 to 65535");
    CHECK(override_fault_of("metrics.log_interval=2d") ==
          "--set: metrics.log_interval: 2d is out of range; give 0 (no stats.log) or a duration from 1s to 1d ("
          "us, ms, s, min, h, d)");
    CHECK(override_fault_of("log.group=]") ==
          "--set: log.group: not valid YAML: illegal flow end; give the name of a group; \"\": the daemon's own");
    Config config;
    CHECK_THROWS_AS(apply_override(config, "ftp.ports=[22, 0]"), ConfigError);
    CHECK(config.ftp.ports == Config{}.ftp.ports); // unchanged by what failed
}

TEST_CASE("what describe() says of each key, --set takes back") {
    Config odd;
    odd.capture.ports = {{"eth1", "", ""}, {"", "", "net_pcap0,rx_pcap=/tmp/a \"b\".pcap"}};
    odd.capture.filter = "host 192.0.2.1 # not: a {comment}, [list] or 'end'\\";
    odd.log.node = "~";
    odd.log.system_name = "null";
    odd.log.group = "- x";
    odd.eal.eal_args = {"--a=b,c", "]"};
    odd.ftp.commands = {"all"};
    odd.log.rotation.interval = 0;
    for (const Config& config : {Config{}, odd}) {
        Config copy;
        for (const Key& key : all_keys()) {
            INFO(key.path);
            CHECK_NOTHROW(apply_override(copy, std::string(key.path) + "=" + key.write(config)));
        }
        CHECK(describe(copy) == describe(config));
    }
    CHECK(describe(Config{}).starts_with("capture.ports: []\ncapture.filter: \"\"\ncapture.checksums: ignore\n"));
}

TEST_CASE("the default local networks are Zeek's private address space") {
    const Config config;
    const auto is_local = [&](const char* text) {
        for (const IpNetwork& network : config.local_networks)
            if (network.contains(IpAddress::parse(text).value())) return true;
        return false;
    };
    CHECK(config.local_networks.size() == 42);
    for (const char* ours : {"10.1.2.3", "172.31.255.255", "192.168.4.76", "100.127.0.1", "169.254.9.9", "127.0.0.1",
                             "fd12::1", "fe80::1", "::1", "2001:db8::5", "2002:c0a8:0101::1", "255.255.255.255"})
        CHECK(is_local(ours));
    for (const char* others : {"196.216.2.24", "172.32.0.1", "100.128.0.1", "8.8.8.8", "2001:4860::8888",
                               "2002:808:808::1", "::2", "224.0.1.1"})
        CHECK_FALSE(is_local(others));
}

TEST_CASE("files that cannot be read, or are no configuration") {
    const auto fault = [](const std::string& path) {
        try {
            load_config(path);
            return std::string("accepted");
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
    };
    CHECK(fault("/nonexistent/f.yaml") ==
          "/nonexistent/f.yaml: No such file or directory; give a configuration file that can be read");
    CHECK(fault("/") == "/: Is a directory; give a configuration file that can be read");
    CHECK(fault("/dev/zero") == "/dev/zero: is longer than 1 MiB; give a configuration file");

    char path[] = "/tmp/config_test.XXXXXX";
    const int descriptor = ::mkstemp(path);
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    std::ofstream(path) << "ftp:\n  extended: fales\n";
    CHECK(fault(path) ==
          std::string(path) + ":2:13: ftp.extended: 'fales' is not one of the choices; give true or false");
    ::unlink(path);
}

TEST_CASE("control characters of a file do not reach the terminal that shows its fault") {
    const std::string fault = fault_of("ftp:\n  \"ext\\e[2Jended\\n\\a\": true\n");
    CHECK_THAT(fault, Catch::Contains("ext\\x1b[2Jended\\x0a\\x07: unknown key"));
    for (const char c : fault) CHECK((c >= 32 && c != 127));
}
