#include "tests/unit/daemon/rx_loop_support.h"

#include "daemon/live/eal.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

// Stands before the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (clock == CLOCK_REALTIME) now->tv_sec += ftpsensor::clock_ahead_seconds.load(std::memory_order_relaxed);
    return result;
}

namespace ftpsensor {

std::array<Seen*, 2> seen_by{};
std::atomic<long> clock_ahead_seconds{0};

struct Engine::State {};
Engine::Engine(const Config&, EngineMode, std::optional<std::uint64_t>, const std::vector<int>&, ShuntPorts*) {}
Engine::~Engine() = default;

void Engine::process_burst(std::uint32_t worker, std::span<const PacketView> burst) {
    Seen* const seen = seen_by[worker];
    if (seen->burst_takes != 0) std::this_thread::sleep_for(std::chrono::nanoseconds(seen->burst_takes));
    seen->largest_burst = std::max(seen->largest_burst, burst.size());
    if (!seen->keep) return;
    for (const auto& view : burst) {
        seen->packets.emplace_back(view.data, view.data + view.captured);
        seen->views.push_back(view);
    }
}

void Engine::idle(std::uint32_t worker, Timestamp now) {
    seen_by[worker]->idle_time = now;
    seen_by[worker]->idle_calls.fetch_add(1);
}

void Engine::finish(std::uint32_t worker, Timestamp end) {
    ++seen_by[worker]->finished;
    seen_by[worker]->end = end;
}

std::vector<std::uint8_t> packet(std::size_t size, std::uint8_t fill) {
    std::vector<std::uint8_t> bytes(size, fill);
    bytes[12] = 0x08; // IPv4
    bytes[13] = 0x00;
    return bytes;
}

namespace {

void write_number(std::ofstream& file, std::uint32_t value) {
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
}

void write_capture(const std::string& path, const Packets& packets) {
    std::ofstream file(path, std::ios::binary);
    for (const std::uint32_t word : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 65535u, 1u}) write_number(file, word);
    for (const auto& bytes : packets) {
        const auto size = static_cast<std::uint32_t>(bytes.size());
        for (const std::uint32_t word : {1'600'000'000u, 0u, size, size}) write_number(file, word);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
}

} // namespace

Config small_config() {
    Config config;
    config.eal.memory = 64u << 20;
    config.eal.hugepages = ConfigHugepages::off;
    return config;
}

std::unique_ptr<Port> start_port(const std::string& vdev, const Config& config) {
    static const Eal eal(plan_eal(small_config(), {}, allowed_cpus(), getpid()));
    static std::size_t ports = 0;
    Notes notes;
    auto port = std::make_unique<Port>(PortConfig{.interface = "", .pci = "", .vdev = vdev}, config, ports++, notes);
    port->start(notes);
    port->begin();
    return port;
}

std::unique_ptr<Port> make_port(const Packets& packets, const Config& config, bool without_end) {
    static std::size_t ports = 0;
    const std::string path =
        (std::filesystem::temp_directory_path() / ("rx_loop_test." + std::to_string(getpid()) + ".pcap")).string();
    write_capture(path, packets);
    auto port = start_port(
        "net_pcap" + std::to_string(ports++) + ",rx_pcap=" + path + (without_end ? ",infinite_rx=1" : ""), config);
    std::remove(path.c_str()); // it is open
    return port;
}

} // namespace ftpsensor
