// What holds between keys, and each key's range where a Config was filled by code.
#include "config/config.h"
#include "config/keys.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

template <typename Change>
std::string fault_after(Change change) {
    Config config;
    change(config);
    try {
        validate(config);
        return "accepted";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("as many CPUs as workers, or none") {
    const auto fault = [](std::uint32_t count, std::vector<std::uint32_t> cpus) {
        return fault_after([&](Config& c) { c.workers = {count, cpus}; });
    };
    CHECK(fault(2, {}) == "accepted");
    CHECK(fault(2, {0, 1}) == "accepted");
    CHECK(fault(3, {0, 1}) ==
          "workers.cpus: lists 2 CPUs for 3 workers; give one a worker, or [], or set workers.count to 2");
    CHECK(fault(1, {0, 1}) ==
          "workers.cpus: lists 2 CPUs for 1 workers; give one a worker, or [], or set workers.count to 2");
    CHECK(fault(2, {1, 1}) == "workers.cpus[1]: 1 is given twice; keep one");
}

TEST_CASE("ranges hold for what code has set, too") {
    CHECK(fault_after([](Config& c) { c.capture.burst = 0; }) ==
          "capture.burst: 0 is out of range; give a number of packets from 1 to 512");
    CHECK(fault_after([](Config& c) {
              c.capture.ports = {{"eth1", "0000:3b:00.0", ""}};
          }) == "capture.ports[0]: names not exactly one device; give one of interface, af_xdp, pci or vdev");
    CHECK(fault_after([](Config& c) {
              c.capture.ports = {{"eth1", "", ""}, {"e/h", "", ""}};
          }) == "capture.ports[1].interface: 'e/h' cannot be the name of an interface; give the name of a network "
                "interface, at "
                "most 15 characters, such as eth1");
    CHECK(fault_after([](Config& c) { c.log.directory.clear(); }) == "log.directory: is empty; give a folder");
    CHECK(fault_after([](Config& c) { c.log.hold = -kSecond; }).starts_with("log.hold: "));
}

TEST_CASE("rings hold a burst") {
    CHECK(fault_after([](Config& c) {
              c.capture.burst = 512;
              c.capture.ring_bytes = 1u << 20;
          }) ==
          "capture.ring_bytes: 1MiB does not hold a burst; give at least capture.burst times capture.snaplen, which "
          "is 4718592 bytes");
    CHECK(fault_after([](Config& c) {
              c.capture.burst = 128;
              c.capture.rx_descriptors = 64;
          }) == "capture.rx_descriptors: 64 is less than capture.burst; give at least 128");
    CHECK(fault_after([](Config& c) {
              c.capture.burst = 512;
              c.capture.resteer_packets = 64;
          }) == "capture.resteer_packets: 64 is less than capture.burst; give at least 512");
}

TEST_CASE("each worker has two flow rules to give, where there are any") {
    const auto fault = [](ConfigShunt shunt, std::uint32_t rules) {
        return fault_after([&](Config& c) {
            c.capture.shunt = shunt;
            c.capture.shunt_rules_max = rules;
            c.workers.count = 4;
        });
    };
    CHECK(fault(ConfigShunt::on, 8) == "accepted");
    CHECK(fault(ConfigShunt::off, 7) == "accepted");
    CHECK(fault(ConfigShunt::on, 7) ==
          "capture.shunt_rules_max: 7 is less than two for each of 4 workers; give at least 8");
}

TEST_CASE("a file is flushed within its interval") {
    const auto fault = [](Duration flush, Duration rotation) {
        return fault_after([&](Config& c) {
            c.log.flush_interval = flush;
            c.log.rotation.interval = rotation;
        });
    };
    CHECK(fault(10 * kSecond, 10 * kSecond) == "accepted");
    CHECK(fault(10 * kSecond, 0) == "accepted");
    CHECK(fault(10 * kSecond, 5 * kSecond) ==
          "log.flush_interval: 10s is longer than log.rotation.interval; give at most 5s");
}

TEST_CASE("what waits for the disk is a member at least") {
    const auto fault = [](std::uint64_t waiting, std::uint64_t flush) {
        return fault_after([&](Config& c) {
            c.log.waiting_bytes = waiting;
            c.log.flush_bytes = flush;
        });
    };
    CHECK(fault(1 << 20, 1 << 20) == "accepted");
    CHECK(fault(1 << 20, 64 << 20) == "log.waiting_bytes: 1MiB is less than log.flush_bytes; give at least 64MiB");
}

TEST_CASE("a file is smaller than all of them") {
    const auto fault = [](std::uint64_t file, std::uint64_t all) {
        return fault_after([&](Config& c) {
            c.log.rotation.size = file;
            c.log.retention.size = all;
        });
    };
    CHECK(fault(1 << 20, 0) == "accepted");
    CHECK(fault(1 << 20, 1 << 20) == "accepted");
    CHECK(fault(2 << 20, 1 << 20) == "log.rotation.size: 2MiB is more than log.retention.size; give at most 1MiB");
}

TEST_CASE("all commands, or some") {
    CHECK(fault_after([](Config& c) { c.ftp.commands = {"all"}; }) == "accepted");
    CHECK(fault_after([](Config& c) {
              c.ftp.commands = {"RETR", "all"};
          }) == "ftp.commands: has other commands beside all; give [all] or the commands alone");
}

TEST_CASE("a finished file is named by a time, or its folder is") {
    const auto named = [](const char* folder, const char* file) {
        return fault_after([&](Config& c) {
            c.log.folder_name = folder;
            c.log.file_name = file;
        });
    };
    CHECK(named("", "{log}.log.gz") == "log.file_name: '{log}.log.gz' has no time, and all files would be of one name; "
                                       "give it {start}, or a conversion such as %Y%m%d");
    CHECK(named("logs", "{log}.log.gz").starts_with("log.file_name: "));
    CHECK(named("100%%", "{log}.log.gz").starts_with("log.file_name: "));
    CHECK(named("", "{log}_{start}.log.gz") == named("%Y-%m-%d", "{log}.log.gz"));
    CHECK(named("", "{log}_{end}.log.gz") == named("%Y-%m-%d", "{log}.log.gz"));
    CHECK(named("", "{log}_%H.log.gz") == named("%Y-%m-%d", "{log}.log.gz"));
}

TEST_CASE("sessions are connections") {
    CHECK(fault_after([](Config& c) { c.limits.connections_max = 50'000; }) ==
          "limits.ftp_sessions_max: 100000 is more than limits.connections_max; give at most 50000");
}
