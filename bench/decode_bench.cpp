// What it costs to decode a packet: nanoseconds and, where perf_event_open(2) allows it, instructions, over packets in
// memory of four kinds. They are laid out like a port's buffers, one each 2 KiB, and fit the second-level cache.
//
//     decode_bench [--json FILE] [--count PACKETS] [KIND...]
#include "bench/measure.h"
#include "core/packet/decode.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

constexpr std::size_t kBufferBytes = 2048;
constexpr std::size_t kPackets = 64; // a burst
constexpr int kRepeats = 5;          // the best one is shown: what disturbs a run only ever slows it

// Instructions retired by this thread in user space; -1 where the machine does not tell.
class InstructionCounter {
public:
    InstructionCounter() {
        perf_event_attr attributes{};
        attributes.type = PERF_TYPE_HARDWARE;
        attributes.size = sizeof attributes;
        attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
        attributes.exclude_kernel = 1;
        attributes.exclude_hv = 1;
        descriptor_ = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
    }
    ~InstructionCounter() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    InstructionCounter(const InstructionCounter&) = delete;
    InstructionCounter& operator=(const InstructionCounter&) = delete;

    long long value() const {
        long long count = 0;
        if (descriptor_ < 0 || read(descriptor_, &count, sizeof count) != sizeof count) return -1;
        return count;
    }

private:
    int descriptor_ = -1;
};

struct Kind {
    const char* name;
    std::vector<std::uint8_t> bytes;
};

void append(std::vector<std::uint8_t>& to, std::initializer_list<int> values) {
    for (const int value : values) to.push_back(static_cast<std::uint8_t>(value));
}

void append_ethernet(std::vector<std::uint8_t>& to, int type_high, int type_low) {
    append(to, {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, type_high, type_low});
}

void append_ipv4(std::vector<std::uint8_t>& to, int proto, int payload) {
    const int total = 20 + payload;
    append(to, {0x45, 0, total >> 8, total & 255, 0, 1, 0x40, 0, 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2});
}

void append_tcp(std::vector<std::uint8_t>& to) {
    append(to, {0x9c, 0x40, 0, 21, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0});
}

std::vector<Kind> kinds() {
    Kind plain{"ethernet ipv4 tcp, 64 bytes", {}};
    append_ethernet(plain.bytes, 0x08, 0x00);
    append_ipv4(plain.bytes, 6, 20);
    append_tcp(plain.bytes);
    plain.bytes.resize(60);

    Kind tagged{"ethernet vlan ipv4 udp, 128 bytes", {}};
    append_ethernet(tagged.bytes, 0x81, 0x00);
    append(tagged.bytes, {0, 5, 0x08, 0x00});
    append_ipv4(tagged.bytes, 17, 86);
    append(tagged.bytes, {0x9c, 0x40, 0, 53, 0, 86, 0, 0});
    tagged.bytes.resize(124);

    Kind six{"ethernet ipv6 tcp, 1514 bytes", {}};
    append_ethernet(six.bytes, 0x86, 0xdd);
    append(six.bytes, {0x60, 0, 0, 0, 1460 >> 8, 1460 & 255, 6, 64});
    append(six.bytes, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    append(six.bytes, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
    append_tcp(six.bytes);
    six.bytes.resize(1514);

    Kind tunnel{"vxlan with ethernet ipv4 tcp inside", {}};
    append_ethernet(tunnel.bytes, 0x08, 0x00);
    append_ipv4(tunnel.bytes, 17, 8 + 8 + 14 + 40);
    append(tunnel.bytes, {0x9c, 0x40, 4789 >> 8, 4789 & 255, 0, 70, 0, 0});
    append(tunnel.bytes, {0x08, 0, 0, 0, 0, 0, 5, 0});
    append_ethernet(tunnel.bytes, 0x08, 0x00);
    append_ipv4(tunnel.bytes, 6, 20);
    append_tcp(tunnel.bytes);

    return {std::move(plain), std::move(tagged), std::move(six), std::move(tunnel)};
}

std::vector<PacketView> lay_out(const Kind& kind, std::vector<std::uint8_t>& memory) {
    memory.assign(kPackets * kBufferBytes, 0);
    std::vector<PacketView> views(kPackets);
    for (std::size_t i = 0; i < kPackets; ++i) {
        std::uint8_t* const buffer = memory.data() + i * kBufferBytes;
        std::memcpy(buffer, kind.bytes.data(), kind.bytes.size());
        views[i].data = buffer;
        views[i].captured = views[i].length = static_cast<std::uint32_t>(kind.bytes.size());
    }
    return views;
}

// Decodes the burst `rounds` times; the sum keeps the compiler from leaving it out.
std::uint64_t run(Decoder& decoder, std::span<const PacketView> views, std::vector<DecodedPacket>& out,
                  std::size_t rounds) {
    std::uint64_t sum = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < views.size(); ++i) decoder.decode(views[i], out[i]);
        sum += out[round % out.size()].layer_count;
    }
    return sum;
}

void measure(Results& results, const Kind& kind) {
    if (!results.wants(kind.name)) return;
    EventCounters events;
    Decoder decoder(DecodeOptions{}, events);
    std::vector<std::uint8_t> memory;
    const std::vector<PacketView> views = lay_out(kind, memory);
    std::vector<DecodedPacket> out(kPackets);
    const std::size_t rounds = results.count(5'000'000) / kPackets + 1;
    if (run(decoder, views, out, rounds / 10 + 1) == 0) {
        std::fprintf(stderr, "%s: not decoded\n", kind.name);
        std::exit(1);
    }
    const InstructionCounter instructions;
    const auto count = static_cast<double>(rounds * kPackets);
    const long long instructions_before = instructions.value();
    double best_ns = 1e300;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
        const double before = cpu_nanoseconds();
        run(decoder, views, out, rounds);
        best_ns = std::min(best_ns, (cpu_nanoseconds() - before) / count);
    }
    const long long instructions_after = instructions.value();
    Results::Figures figures = {{"ns_packet", best_ns}};
    if (instructions_before >= 0 && instructions_after >= 0)
        figures.emplace_back("instructions_packet",
                             static_cast<double>(instructions_after - instructions_before) / (count * kRepeats));
    results.row(kind.name, figures);
}

} // namespace

int main(int argc, char** argv) {
    Results results("decode", argc, argv);
    for (const Kind& kind : kinds()) measure(results, kind);
}
