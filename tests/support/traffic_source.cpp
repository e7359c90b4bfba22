// Steady traffic (steady_traffic.h), on an interface at a rate or as a capture:
//
//     traffic_source round                             how many packets a round has: counts should be multiples of it
//     traffic_source send INTERFACE RATE COUNT         COUNT packets, RATE a second
//     traffic_source capture RATE COUNT > FILE.pcap    the same packets, as they would be captured at that rate
//
// `send` needs CAP_NET_RAW, and says at its end how many packets it sent and how long that took.
#include "core/base/time.h"
#include "tests/support/steady_traffic.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::uint64_t kBatch = 32;

std::int64_t monotonic() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * kSecond + now.tv_nsec;
}

void sleep_until(std::int64_t time) {
    const timespec until = {time / kSecond, time % kSecond};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

int open_interface(const char* name) {
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); // sends only
    if (fd < 0) return -1;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(name));
    const int on = 1;
    if (address.sll_ifindex == 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0)
        return -1;
    return fd;
}

// Behind its time it goes on without a pause, so that it catches up: a pause of this process makes a burst.
int send(const char* interface, double rate, std::uint64_t count) {
    const int fd = open_interface(interface);
    if (fd < 0) {
        std::fprintf(stderr, "traffic_source: %s: %s\n", interface, std::strerror(errno));
        return 1;
    }
    const SteadyTraffic traffic;
    std::array<Bytes, kBatch> frames;
    std::array<iovec, kBatch> parts{};
    std::array<mmsghdr, kBatch> messages{};
    const std::int64_t begin = monotonic();
    for (std::uint64_t sent = 0; sent < count;) {
        const std::uint64_t n = std::min(kBatch, count - sent);
        for (std::uint64_t i = 0; i < n; ++i) {
            traffic.frame(sent + i, frames[i]);
            parts[i] = {frames[i].data(), frames[i].size()};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        sleep_until(begin + static_cast<std::int64_t>(static_cast<double>(sent) / rate * 1e9));
        for (std::uint64_t done = 0; done < n;) {
            const int got = ::sendmmsg(fd, messages.data() + done, static_cast<unsigned>(n - done), 0);
            if (got > 0)
                done += static_cast<std::uint64_t>(got);
            else if (got < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
                std::fprintf(stderr, "traffic_source: %s: %s\n", interface, std::strerror(errno));
                return 1;
            }
        }
        sent += n;
    }
    std::printf("sent=%llu sessions=%llu seconds=%.3f\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(traffic.sessions(count)),
                static_cast<double>(monotonic() - begin) / 1e9);
    return 0;
}

int capture(double rate, std::uint64_t count) {
    const SteadyTraffic traffic;
    const std::uint32_t header[6] = {0xa1b23c4d, 2 | 4u << 16, 0, 0, 65535, 1}; // nanoseconds, Ethernet
    std::fwrite(header, sizeof header, 1, stdout);
    Bytes frame;
    for (std::uint64_t i = 0; i < count; ++i) {
        traffic.frame(i, frame);
        const Timestamp time = 1'600'000'000 * kSecond + static_cast<Timestamp>(static_cast<double>(i) / rate * 1e9);
        const auto size = static_cast<std::uint32_t>(frame.size());
        const std::uint32_t record[4] = {static_cast<std::uint32_t>(time / kSecond),
                                         static_cast<std::uint32_t>(time % kSecond), size, size};
        std::fwrite(record, sizeof record, 1, stdout);
        std::fwrite(frame.data(), size, 1, stdout);
    }
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "round" && argc == 2) {
        std::printf("%llu\n", static_cast<unsigned long long>(SteadyTraffic().round()));
        return 0;
    }
    if (what == "send" && argc == 5) return send(argv[2], std::atof(argv[3]), std::strtoull(argv[4], nullptr, 10));
    if (what == "capture" && argc == 4) return capture(std::atof(argv[2]), std::strtoull(argv[3], nullptr, 10));
    std::fprintf(stderr, "usage: traffic_source round | send INTERFACE RATE COUNT | capture RATE COUNT\n");
    return 2;
}
