// What capture.resteer costs a packet, in ns of CPU time: the question whose it is, and its way through a ring.
//
// usage: steering_bench
// One thread plays all workers, so that what is measured is work; cache lines that move between processors are not in
// it.
#include "core/packet/distribution.h"
#include "daemon/live/steering.h"

#include <array>
#include <cstdio>
#include <memory>
#include <vector>

#include <rte_mbuf.h>
#include <time.h>

namespace {

using namespace ftpsensor;

constexpr std::uint16_t kBurst = 64;
constexpr std::size_t kPackets = 20'000'000;
constexpr std::size_t kFrames = 4096;
constexpr Timestamp kStart = 1'600'000'000 * kSecond;

double cpu_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

using Frame = std::array<std::uint8_t, 64>;

std::vector<Frame> frames() {
    std::vector<Frame> all(kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        all[i][12] = 8; // IPv4
        all[i][14] = 0x45;
        all[i][26] = all[i][30] = 10;
        all[i][28] = static_cast<std::uint8_t>(i >> 8);
        all[i][29] = static_cast<std::uint8_t>(i);
    }
    return all;
}

std::uint32_t hash_of(const Frame& frame) {
    PacketView view;
    view.data = frame.data();
    view.captured = view.length = static_cast<std::uint32_t>(frame.size());
    static Distribution distribution(1);
    return distribution.hash(view);
}

void measure(std::uint32_t workers, const std::vector<Frame>& frames) {
    SteeringRings rings(workers, 4096);
    std::vector<std::unique_ptr<Steering>> steering;
    for (std::uint32_t i = 0; i < workers; ++i) steering.push_back(std::make_unique<Steering>(rings, i, kBurst));
    rte_mbuf none{}; // whose contents nobody looks at
    std::size_t given = 0, taken = 0;
    std::uint32_t hashes = 0;
    const double start = cpu_ns();
    for (std::size_t n = 0; n < kPackets; ++n) hashes += hash_of(frames[n % kFrames]);
    const double hashed = cpu_ns();
    while (given < kPackets) {
        for (auto& worker : steering) {
            for (std::size_t i = 0; i < kBurst; ++i, ++given) {
                const Timestamp time = kStart + static_cast<Timestamp>(given);
                worker->give({&none, time, time, 64}, hash_of(frames[given * 61 % kFrames]));
            }
            worker->give_out(kStart + static_cast<Timestamp>(given));
        }
        for (auto& worker : steering) taken += worker->take(kStart, [](const SteeredPacket&) {});
    }
    const double end = cpu_ns();
    for (auto& worker : steering) worker->end();
    for (auto& worker : steering) worker->take_rest([&](const SteeredPacket&) { ++taken; });
    std::printf(
        "%3u workers: %5.1f ns a packet for its owner, %5.1f with its way through a ring (%zu of %zu taken; %x)\n",
        workers, (hashed - start) / kPackets, (end - hashed) / static_cast<double>(given), taken, given, hashes);
}

} // namespace

int main() {
    const auto all = frames();
    for (const std::uint32_t workers : {2u, 4u, 8u}) measure(workers, all);
    return 0;
}
