#include "tests/support/steady_traffic.h"

#include "tests/support/ftp_talk.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace ftpsensor::test {

namespace {

constexpr std::size_t kSourceAt = 26, kDestinationAt = 30; // of IPv4 behind Ethernet
constexpr std::size_t kNumberDigits = 8;
constexpr std::string_view kNumber = "NNNNNNNN", kKind = "KK:";
const IpAddress kClient = IpAddress::from_v4(10, 0, 0, 1), kServer = IpAddress::from_v4(172, 16, 0, 2);

// One conversation of each sort, between the same two hosts.
Trace conversation() {
    Trace trace;
    FtpTalk ftp(trace, {.client = {kClient, 40000}, .server = {kServer, 21}});
    ftp.login("userNNNNNNNN", "secret").client("CWD /pub").server("250 There.");
    ftp.client("EPSV").server("229 Entering Extended Passive Mode (|||40000|)").client("RETR NNNNNNNN.bin");
    ftp.server("150 Here it comes.").download(ftp.passive(40000), "KK:" + std::string(4000, 'd')).server("226 Done.");
    ftp.client("EPSV").server("229 Entering Extended Passive Mode (|||40001|)").client("STOR upNNNNNNNN");
    ftp.server("150 Go.").upload(ftp.passive(40001), "KK:" + std::string(900, 'u')).server("226 Done.");
    ftp.client("DELE NNNNNNNN.bin").server("550 No.").quit();

    TcpTalk web(trace, {.client = {kClient, 41000}, .server = {kServer, 80}});
    web.open().client("GET /NNNNNNNN HTTP/1.0\r\n\r\n").server(std::string(6000, 'w')).close(Side::server);
    const Ipv4 to_server = {.source = kClient, .destination = kServer},
               to_client = {.source = kServer, .destination = kClient};
    trace.add({Ethernet{}, to_server, Udp{.source_port = 5000, .destination_port = 9000}, Payload{"question"}});
    trace.add({Ethernet{}, to_client, Udp{.source_port = 9000, .destination_port = 5000}, Payload{"answer"}});
    trace.add({Ethernet{}, to_server, Tcp{.source_port = 42000, .destination_port = 23, .flags = kFlagSyn}});
    return trace;
}

void put_address(Bytes& frame, std::size_t at, std::uint32_t address) {
    for (std::size_t i = 0; i < 4; ++i) frame[at + i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
}

std::uint32_t place_of(const Bytes& frame, std::string_view text) {
    const auto found = std::search(frame.begin(), frame.end(), text.begin(), text.end());
    return found == frame.end() ? 0 : static_cast<std::uint32_t>(found - frame.begin());
}

} // namespace

SteadyTraffic::SteadyTraffic() {
    const Trace trace = conversation();
    for (const TimedFrame& f : trace.frames())
        frames_.push_back({f.bytes, f.bytes[kSourceAt] == 10, place_of(f.bytes, kNumber), place_of(f.bytes, kKind)});
}

void SteadyTraffic::frame(std::uint64_t number, Bytes& out) const {
    const std::uint64_t in_round = number % round();
    const std::uint64_t session = number / round() * kAtOnce + in_round % kAtOnce;
    const Frame& f = frames_[in_round / kAtOnce];
    out = f.bytes;
    const auto client = static_cast<std::uint32_t>(10u << 24 | (session + 1)); // 16 million clients
    // Of its own for each that runs: no server listens twice at one port.
    const auto server = static_cast<std::uint32_t>(172u << 24 | 16u << 16 | session % (2 * kAtOnce));
    put_address(out, f.from_client ? kSourceAt : kDestinationAt, client);
    put_address(out, f.from_client ? kDestinationAt : kSourceAt, server);
    if (f.number_at != 0) {
        char digits[24];
        std::snprintf(digits, sizeof digits, "%08llu", static_cast<unsigned long long>(session % 100'000'000));
        std::copy_n(digits, kNumberDigits, out.begin() + f.number_at);
    }
    if (f.kind_at != 0) out[f.kind_at] = static_cast<std::uint8_t>('A' + session % 16);
}

} // namespace ftpsensor::test
