// What `check` says of the unit's sandbox: where logs may go, who gets metrics, and AF_XDP.
#include "daemon/live/service_unit.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

Notes checked(const std::string& directory, const std::string& config_path, const std::string& address = "127.0.0.1",
              std::uint32_t port = 9821) {
    Config config;
    config.log.directory = directory;
    config.metrics.address = address;
    config.metrics.port = port;
    Notes notes;
    check_service_unit(config, config_path, notes);
    return notes;
}

const std::string kOwn = "/etc/ftpsensor/ftpsensor.yaml";

} // namespace

TEST_CASE("the unit writes below its own folder, and no other of that beginning") {
    CHECK(checked("/var/log/ftpsensor", kOwn).empty());
    CHECK(checked("/var/log/ftpsensor/", kOwn).empty());
    CHECK(checked("/var/log/ftpsensor/today", kOwn).empty());
    CHECK(checked("/var/log/ftpsensor", "").empty());
    CHECK(checked("/var/log/ftpsensor", "/tmp/tried.yaml").empty());
    CHECK(checked("/data/ftp", "/tmp/tried.yaml").size() == 1);
    for (const char* elsewhere :
         {"/data/ftp", "/var/log/ftpsensor-archive", "/var/log/ftpsensor/../other", "/var/log"}) {
        const Notes notes = checked(elsewhere, kOwn);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].level == NoteLevel::warning);
        CHECK(notes[0].text.find(elsewhere) != std::string::npos);
        CHECK(notes[0].remedy.find(std::string("ReadWritePaths=") + elsewhere) != std::string::npos);
    }
    CHECK(checked("/var/log/ftpsensor", "/etc/ftpsensor/east.yaml").empty()); // ftpsensor@east has a folder of its own
}

TEST_CASE("metrics for others than the host need an exception from the unit") {
    for (const char* loopback : {"127.0.0.1", "127.9.9.9", "::1"})
        CHECK(checked("/var/log/ftpsensor", kOwn, loopback).empty());
    CHECK(checked("/var/log/ftpsensor", kOwn, "0.0.0.0", 0).empty()); // no metrics
    for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "fe80::1"}) {
        const Notes notes = checked("/var/log/ftpsensor", kOwn, address);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].level == NoteLevel::warning);
        CHECK(notes[0].text.find(address) != std::string::npos);
        CHECK(notes[0].remedy == "by systemctl edit ftpsensor: [Service] IPAddressAllow= and the scraper's address");
    }
    const Notes notes = checked("/var/log/ftpsensor", "/etc/ftpsensor/east.yaml", "0.0.0.0");
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].remedy.find("systemctl edit ftpsensor@east:") != std::string::npos);
}

TEST_CASE("a name in the filter is one that the unit may not be able to ask for") {
    const auto of = [](const char* filter) {
        Config config;
        config.log.directory = "/var/log/ftpsensor";
        config.capture.filter = filter;
        Notes notes;
        check_service_unit(config, kOwn, notes);
        return notes;
    };
    for (const char* plain :
         {"", "tcp port ftp", "host 192.0.2.1", "net 10.0.0.0/8 and not host 2001:db8::1", "ip[6:2] & 0x1fff = 0",
          "host ::ffff:192.0.2.1", "ether host 00:11:22:33:44:55 or vlan 5"})
        CHECK(of(plain).empty());
    for (const char* named :
         {"host ftp.example.org", "not (src ftp.example.org||tcp)", "port 21 and dst host ftp.example.org"}) {
        const Notes notes = of(named);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].level == NoteLevel::warning);
        CHECK(notes[0].text.ends_with("may not know ftp.example.org"));
        CHECK(notes[0].remedy.find("systemctl edit ftpsensor: [Service] IPAddressAllow=") != std::string::npos);
    }
}

TEST_CASE("a port through AF_XDP needs what the unit does not give") {
    Config config;
    config.log.directory = "/var/log/ftpsensor";
    config.capture.ports.resize(3);
    config.capture.ports[0].interface = "eth1";
    config.capture.ports[1].af_xdp = "eth2";
    config.capture.ports[2].pci = "0000:01:00.0";
    Notes notes;
    check_service_unit(config, "/etc/ftpsensor/east.yaml", notes);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::warning);
    CHECK(notes[0].text.starts_with("eth2: the unit ftpsensor@east"));
    for (const char* wanted : {"systemctl edit ftpsensor@east:", "AmbientCapabilities=CAP_BPF",
                               "CapabilityBoundingSet=CAP_BPF", "SystemCallFilter=bpf"})
        CHECK(notes[0].remedy.find(wanted) != std::string::npos);
}

TEST_CASE("a further sensor's unit sets the folder of its logs and its socket") {
    Config config;
    config.log.directory = "/data/ftp";
    const Config own = as_service(config, kOwn);
    CHECK(own.log.directory == "/data/ftp");
    CHECK(own.metrics.socket == config.metrics.socket);
    CHECK(as_service(config, "/tmp/east.yaml").log.directory == "/data/ftp");
    const Config east = as_service(config, "/etc/ftpsensor/east.yaml");
    CHECK(east.log.directory == "/var/log/ftpsensor-east");
    CHECK(east.metrics.socket == "/run/ftpsensor-east/stats.sock");
}
