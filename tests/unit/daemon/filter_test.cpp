// PacketFilter: capture.filter on packets and on nonsense.
#include "config/config.h"
#include "daemon/live/filter.h"
#include "tests/support/catch.h"

#include <stdexcept>
#include <string>
#include <vector>

using namespace ftpsensor;

namespace {

// Ethernet, an optional 802.1Q tag, IPv4, TCP to port 21.
std::vector<std::uint8_t> frame(bool tagged) {
    std::vector<std::uint8_t> bytes(12, 0x02);
    if (tagged) bytes.insert(bytes.end(), {0x81, 0x00, 0x00, 0x07});
    bytes.insert(bytes.end(), {0x08, 0x00, 0x45, 0x00, 0x00, 0x28, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2});
    bytes.insert(bytes.end(), {0x04, 0x00, 0x00, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0, 0, 0, 0, 0, 0});
    return bytes;
}

bool matches(const std::string& expression, const std::vector<std::uint8_t>& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    return PacketFilter(expression).matches(bytes.data(), size, size);
}

} // namespace

TEST_CASE("what the expression says is let through") {
    CHECK(matches("tcp port 21", frame(false)));
    CHECK(matches("src host 10.0.0.1", frame(false)));
    CHECK_FALSE(matches("tcp port 22", frame(false)));
    CHECK_FALSE(matches("udp", frame(false)));
}

TEST_CASE("a tag is part of the frame, as with tcpdump") {
    CHECK_FALSE(matches("tcp port 21", frame(true)));
    CHECK(matches("vlan 7 and tcp port 21", frame(true)));
    CHECK(matches("tcp port 21 or (vlan and tcp port 21)", frame(true)));
}

TEST_CASE("a packet too short for what is asked does not match") {
    const auto bytes = frame(false);
    CHECK_FALSE(PacketFilter("tcp port 21").matches(bytes.data(), 30, 54));
    CHECK_FALSE(PacketFilter("tcp port 21").matches(bytes.data(), 0, 0));
    CHECK(PacketFilter("greater 50").matches(bytes.data(), 30, 54)); // the length on the wire
}

TEST_CASE("a wrong expression is said with its key, and how to try it") {
    std::string what;
    try {
        const PacketFilter filter("tcp portt 21");
    } catch (const ConfigError& error) { // systemd does not try again
        what = error.what();
    }
    CHECK(what.starts_with("capture.filter: "));
    CHECK(what.find("tcpdump -d 'tcp portt 21'") != what.npos);
}

TEST_CASE("a name that is not known now may be known later: the configuration is not at fault") {
    bool later = false;
    try {
        const PacketFilter filter("net no-such-net");
    } catch (const ConfigError&) {
    } catch (const std::runtime_error& error) {
        later = std::string(error.what()).starts_with("capture.filter: ");
    }
    CHECK(later);
}
