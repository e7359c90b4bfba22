// RxLoop on packets that net_pcap reads from a file: what goes in comes out, filtered, gathered and cut as it should.
#include "core/packet/distribution.h"
#include "daemon/engine.h"
#include "daemon/live/rx_loop.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/rx_loop_support.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

using namespace ftpsensor;

namespace {

struct Counts {
    std::uint64_t packets = 0;
    std::uint64_t filtered = 0;
    std::uint64_t gathered = 0;
    std::uint64_t of_port = 0;
    std::uint64_t of_another_port = 0;
    double busy_seconds = 0;
    double seconds = 0;
};

// Reads `packets` through a port and a loop into `out`.
Counts run(const Packets& packets, const Config& config, Seen& out, const PacketFilter* filter = nullptr) {
    const auto port = make_port(packets, config);

    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxLoop loop(engine, 0, {port->source(0).value()},
                {static_cast<std::uint16_t>(config.capture.burst), config.capture.snaplen, true, filter, nullptr});
    std::atomic<bool> stop{false};
    const Timestamp began = host_clock();
    std::thread worker([&] { loop.run(stop); });
    while (out.idle_calls == 0) std::this_thread::yield(); // an empty poll: the file was read
    stop = true;
    worker.join();
    port->stop();
    return {loop.counts().packets,
            loop.counts().filtered,
            loop.counts().gathered,
            loop.packets_of_port(port->port_id()),
            loop.packets_of_port(static_cast<std::uint16_t>(port->port_id() + 1)),
            loop.busy_seconds(),
            static_cast<double>(host_clock() - began) / 1e9};
}

} // namespace

TEST_CASE("every packet arrives once, whole and in order, in bursts of at most capture.burst") {
    Packets packets;
    for (std::size_t i = 0; i < 1000; ++i) packets.push_back(packet(60 + i % 1400, static_cast<std::uint8_t>(i)));
    Config config = small_config();
    config.capture.burst = 32;
    Seen out;
    const auto counts = run(packets, config, out);
    CHECK(out.packets == packets);
    CHECK(counts.packets == 1000);
    CHECK(counts.filtered == 0);
    CHECK(out.largest_burst == 32);
    CHECK(out.finished == 1);
}

TEST_CASE("packets are counted by queue, and the time that they took as busy") {
    Seen out;
    const auto counts = run(Packets(500, packet(100, 1)), small_config(), out);
    CHECK(counts.of_port == 500);
    CHECK(counts.of_another_port == 0);
    CHECK(counts.busy_seconds > 0);
    CHECK(counts.busy_seconds <= counts.seconds);
}

TEST_CASE("time never goes back, and the end is not before it") {
    Seen out;
    run(Packets(300, packet(100, 1)), small_config(), out);
    REQUIRE(out.views.size() == 300);
    for (std::size_t i = 1; i < out.views.size(); ++i) REQUIRE(out.views[i].now >= out.views[i - 1].now);
    for (const auto& view : out.views) REQUIRE(view.now >= view.time);
    CHECK(out.end >= out.views.back().now);
    CHECK(out.views[0].time > 1'600'000'001 * kSecond); // a replayed capture has the time of the replay
}

TEST_CASE("a packet of several mbufs comes in one piece, cut at snaplen but with its length") {
    Packets packets;
    for (std::size_t i = 0; i < 200; ++i) {
        auto bytes = packet(9000, 0);
        for (std::size_t at = 14; at < bytes.size(); ++at) bytes[at] = static_cast<std::uint8_t>(at * 7 + i);
        packets.push_back(bytes);
    }
    Config config = small_config();
    config.capture.snaplen = 5000; // packet buffers of that size: the rest of a packet is in a second one
    Seen out;
    const auto counts = run(packets, config, out);
    CHECK(counts.gathered == 200);
    REQUIRE(out.packets.size() == 200);
    for (std::size_t i = 0; i < 200; ++i) {
        REQUIRE(out.views[i].length == 9000);
        packets[i].resize(5000);
        REQUIRE(out.packets[i] == packets[i]);
    }
}

TEST_CASE("what the filter leaves out is counted and not handed on") {
    Packets packets;
    for (std::uint8_t i = 0; i < 100; ++i) packets.push_back(packet(i % 2 == 0 ? 100 : 200, i));
    const PacketFilter filter("greater 150");
    Seen out;
    const auto counts = run(packets, small_config(), out, &filter);
    CHECK(counts.packets == 100);
    CHECK(counts.filtered == 50);
    REQUIRE(out.packets.size() == 50);
    CHECK(out.packets.back() == packets.back());
}

namespace {

// Of a worker that gets nothing of a port that is never idle.
bool time_goes_on(const Seen& out) {
    const Timestamp deadline = host_clock() + 5 * kSecond;
    while (out.idle_calls < 10 && host_clock() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return out.idle_calls >= 10 && host_clock() - out.idle_time < kSecond;
}

} // namespace

TEST_CASE("time goes on where the filter leaves out all of a port that is never idle") {
    const Config config = small_config();
    const auto port = make_port(Packets(64, packet(100, 1)), config, true);
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    const PacketFilter filter("greater 150");
    RxLoop loop(engine, 0, {port->source(0).value()}, {64, config.capture.snaplen, true, &filter, nullptr});
    std::atomic<bool> stop{false};
    std::thread worker([&] { loop.run(stop); });
    CHECK(time_goes_on(out));
    stop = true;
    worker.join();
    port->stop();
    CHECK(loop.counts().empty_polls == 0);
    CHECK(loop.counts().filtered + loop.counts().unread == loop.counts().packets);
    CHECK(out.largest_burst == 0);
}

TEST_CASE("time goes on where all of a port that is never idle is another worker's") {
    Config config = small_config();
    config.workers.count = 2;
    std::vector<std::uint8_t> bytes = packet(100, 0);
    bytes[14] = 0x45;
    PacketView view;
    view.data = bytes.data();
    view.captured = view.length = 100;
    for (Distribution distribution(1); distribution.hash(view) % 2 == 0; ++bytes[29]) {
    }
    const auto port = make_port(Packets(64, bytes), config, true);
    std::array<Seen, 2> out;
    out[1].keep = false;
    seen_by = {&out[0], &out[1]};
    Engine engine(config, EngineMode::live, std::nullopt);
    SteeringRings rings(2, config.capture.resteer_packets);
    const RxOptions options{64, config.capture.snaplen, true, nullptr, &rings};
    RxLoop first(engine, 0, {port->source(0).value()}, options), second(engine, 1, {}, options);
    std::atomic<bool> stop{false};
    std::thread one([&] { first.run(stop); }), other([&] { second.run(stop); });
    CHECK(time_goes_on(out[0]));
    stop = true;
    one.join();
    other.join();
    port->stop();
    CHECK(out[0].largest_burst == 0);
    CHECK(out[1].largest_burst > 0);
}

TEST_CASE("a queue without packets goes on in time and ends at once") {
    Seen out;
    CHECK(run({}, small_config(), out).packets == 0);
    CHECK(out.idle_calls > 0);
    CHECK(out.finished == 1);
    CHECK(out.end > 0);
}

// The port has one queue: the first worker receives everything, and the second one's part comes to it by the ring.
TEST_CASE("with capture.resteer each worker is handed the packets that it owns, and no others") {
    Packets packets;
    for (std::size_t i = 0; i < 1000; ++i) {
        packets.push_back(packet(60 + i % 1400, 0));
        packets.back()[14] = 0x45;
        packets.back()[29] = static_cast<std::uint8_t>(i % 50); // of the source address
        packets.back()[40] = static_cast<std::uint8_t>(i);      // payload
    }
    Config config = small_config();
    config.workers.count = 2;
    const auto port = make_port(packets, config);
    std::array<Seen, 2> out;
    seen_by = {&out[0], &out[1]};
    Engine engine(config, EngineMode::live, std::nullopt);
    SteeringRings rings(2, config.capture.resteer_packets);
    const PacketFilter filter("greater 100");
    const RxOptions options{64, config.capture.snaplen, true, &filter, &rings};
    RxLoop first(engine, 0, {port->source(0).value()}, options), second(engine, 1, {}, options);
    std::atomic<bool> stop{false};
    std::thread one([&] { first.run(stop); }), other([&] { second.run(stop); });
    while (first.counts().empty_polls == 0) std::this_thread::yield();
    stop = true;
    one.join();
    other.join();

    std::array<Packets, 2> expected;
    Distribution distribution(1);
    for (const auto& bytes : packets) {
        PacketView view;
        view.data = bytes.data();
        view.captured = view.length = static_cast<std::uint32_t>(bytes.size());
        if (bytes.size() >= 100) expected[distribution.hash(view) % 2].push_back(bytes);
    }
    for (std::size_t worker = 0; worker < 2; ++worker) {
        CHECK(expected[worker].size() > 100);
        CHECK(out[worker].packets == expected[worker]);
        CHECK(out[worker].finished == 1);
        const auto& views = out[worker].views;
        for (std::size_t i = 1; i < views.size(); ++i) REQUIRE(views[i].now >= views[i - 1].now);
    }
    CHECK(first.counts().filtered == 1000 - expected[0].size() - expected[1].size());
    CHECK(rings.steered(0, 1) == expected[1].size());
    CHECK(rings.dropped(0, 1) == 0);
    port->stop();
}
