// Sends made-up traffic on an interface at given rates: the other end of live.py's cable.
//
// KIND: live (64-byte packets of 10,000 connections in random order, after their handshakes), mixed (the same in mixed
// sizes), short (connections of ten packets), ftp (sessions). Each line of standard input, "PACKETS_A_SECOND SECONDS",
// is a stretch at that rate, which goes on where the last one ended; a line is the answer: packets sent, packets that
// the interface refused, seconds. Who cannot keep up sends less, and never makes up for more than a millisecond: what
// was sent tells the rate. Needs CAP_NET_RAW.
//
//     send_packets INTERFACE KIND
#include "bench/workloads.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kAtOnce = 32;
constexpr auto kBehindMax = std::chrono::milliseconds(1);

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// A raw socket past the interface's queue. What waits nowhere is either sent or refused.
class Cable {
public:
    explicit Cable(const char* interface) : socket_(::socket(AF_PACKET, SOCK_RAW, 0)) {
        if (socket_ < 0) fail("socket");
        const int yes = 1;
        if (::setsockopt(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0) fail("PACKET_QDISC_BYPASS");
        sockaddr_ll to{};
        to.sll_family = AF_PACKET;
        to.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
        if (to.sll_ifindex == 0) fail(interface);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("bind");
    }
    ~Cable() { ::close(socket_); }
    Cable(const Cable&) = delete;
    Cable& operator=(const Cable&) = delete;

    // Frames from `first` on, `count` of them (kAtOnce at most); how many were refused.
    std::size_t send(const FrameBatch& batch, std::size_t first, std::size_t count) {
        std::array<mmsghdr, kAtOnce> messages{};
        std::array<iovec, kAtOnce> parts;
        for (std::size_t i = 0; i < count; ++i) {
            PacketView view;
            batch.view(first + i, 0, view);
            parts[i] = {const_cast<std::uint8_t*>(view.data), view.captured};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        std::size_t done = 0, refused = 0;
        while (done < count) {
            const int n = ::sendmmsg(socket_, &messages[done], static_cast<unsigned>(count - done), 0);
            if (n > 0) {
                done += static_cast<std::size_t>(n);
                continue;
            }
            if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) fail("sendmmsg");
            if (errno == EINTR) continue;
            ++done;
            ++refused;
        }
        return refused;
    }

private:
    int socket_;
};

// The next batch of a kind of traffic.
std::function<void(FrameBatch&)> traffic(std::string_view kind) {
    if (kind == "short") return [t = std::make_shared<ShortConnections>(1024)](FrameBatch& batch) { t->fill(batch); };
    if (kind == "ftp") return [t = std::make_shared<FtpSessions>()](FrameBatch& batch) { t->fill(batch); };
    if (kind != "live" && kind != "mixed") throw std::invalid_argument("there is no such kind of traffic");
    return [t = std::make_shared<LiveTraffic>(10'000, kind == "live" ? all_of(6) : kImix)](FrameBatch& batch) {
        if (!t->handshakes(batch)) t->fill(batch);
    };
}

class Sender {
public:
    Sender(const char* interface, std::string_view kind) : cable_(interface), next_(traffic(kind)) {}

    void stretch(double rate, double seconds) {
        const auto begin = Clock::now();
        const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        auto counted_from = begin; // later than `begin` where time was given up
        std::uint64_t sent = 0, refused = 0, since = 0;
        for (auto now = begin; now < end; now = Clock::now()) {
            const std::chrono::duration<double> elapsed = now - counted_from;
            const auto due = static_cast<std::uint64_t>(elapsed.count() * rate);
            if (due <= since) {
                std::this_thread::sleep_for(std::chrono::microseconds(20));
                continue;
            }
            if (at_ == batch_.size()) {
                next_(batch_);
                at_ = 0;
            }
            const std::size_t n = std::min({std::size_t{due - since}, kAtOnce, batch_.size() - at_});
            refused += cable_.send(batch_, at_, n);
            at_ += n;
            sent += n;
            since += n;
            if (static_cast<double>(due - since) > rate * std::chrono::duration<double>(kBehindMax).count()) {
                counted_from = now;
                since = 0;
            }
        }
        const std::chrono::duration<double> took = Clock::now() - begin;
        std::printf("%llu %llu %.6f\n", static_cast<unsigned long long>(sent), static_cast<unsigned long long>(refused),
                    took.count());
        std::fflush(stdout);
    }

private:
    Cable cable_;
    std::function<void(FrameBatch&)> next_;
    FrameBatch batch_{kBatch, 14 + 40 + 1460};
    std::size_t at_ = 0;
};

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: send_packets INTERFACE (live | mixed | short | ftp)\n", stderr);
        return 2;
    }
    try {
        Sender sender(argv[1], argv[2]);
        double rate = 0, seconds = 0;
        while (std::scanf("%lf %lf", &rate, &seconds) == 2) sender.stretch(rate, seconds);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "send_packets: %s\n", e.what());
        return 1;
    }
}
