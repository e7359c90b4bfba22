// RxLoop and what waits in its queues: read when the stop comes, also where no buffer is left for it, or counted.
#include "core/packet/distribution.h"
#include "daemon/engine.h"
#include "daemon/live/rx_loop.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/rx_loop_support.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <linux/if_packet.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>

using namespace ftpsensor;

namespace {

// Stopped before it begins, with all packets in its queue, and an Engine that is slow.
std::uint64_t unread_of(std::size_t packets, Seen& out, Duration read_on_most) {
    const Config config = small_config();
    const auto port = make_port(Packets(packets, packet(100, 1)), config);
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxOptions options;
    options.read_on_most = read_on_most;
    RxLoop loop(engine, 0, {port->source(0).value()}, options);
    loop.run(true);
    port->stop();
    CHECK(out.finished == 1);
    CHECK(loop.counts().packets == out.packets.size() + loop.counts().unread);
    return loop.counts().unread;
}

} // namespace

TEST_CASE("what is in a queue at the end is read") {
    Seen out;
    out.burst_takes = kMillisecond;
    CHECK(unread_of(20'000, out, kMinute) == 0); // 300 ms and more
    CHECK(out.packets.size() == 20'000);
}

TEST_CASE("what cannot be read in time is counted") {
    Seen out;
    out.burst_takes = 5 * kMillisecond;
    const std::uint64_t unread = unread_of(20'000, out, 50 * kMillisecond);
    CHECK(unread > 10'000);
    CHECK(out.packets.size() + unread == 20'000);
}

TEST_CASE("a queue that is filled without end ends: as many are read as it can hold") {
    Seen out;
    CHECK(unread_of(80'000, out, kMinute) == 0);
    CHECK(out.packets.size() >= 65'536);
    CHECK(out.packets.size() < 66'000);
}

namespace {

// The kernel's ring of a queue, filled as the kernel does it.
struct PlayedRing {
    const RingGeometry geometry = ring_geometry(1, 256, 4096);
    std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(geometry.ring_bytes());
    PacketRing ring{memory.data(), geometry, 64};

    void set_status(std::uint32_t status) {
        for (std::uint32_t i = 0; i < geometry.frames; ++i)
            __atomic_store_n(&slot(i).tp_status, status, __ATOMIC_RELEASE);
    }
    void fill(Timestamp time, std::uint32_t length) {
        for (std::uint32_t i = 0; i < geometry.frames; ++i) {
            slot(i).tp_sec = static_cast<std::uint32_t>(time / kSecond);
            slot(i).tp_nsec = static_cast<std::uint32_t>(time % kSecond);
            slot(i).tp_len = slot(i).tp_snaplen = length;
        }
        set_status(TP_STATUS_USER);
    }
    tpacket2_hdr& slot(std::uint32_t i) {
        return *reinterpret_cast<tpacket2_hdr*>(memory.data() + std::size_t{i} * geometry.frame_bytes);
    }
};

// A queue that is full of packets, all of one time, which its driver can't hand out before buffers() are there.
class StarvedQueue {
public:
    StarvedQueue(const std::string& vdev, const Config& config, const std::vector<std::uint8_t>& bytes, Timestamp time)
        : port_(start_port(vdev, config)), bytes_(bytes), ring_of_port_(rte_ring_lookup(("ETH_RXTX0_" + vdev).c_str())),
          pool_(rte_mempool_lookup((vdev + "_pool").c_str())) {
        REQUIRE(ring_of_port_ != nullptr);
        REQUIRE(pool_ != nullptr);
        ring_.fill(time, static_cast<std::uint32_t>(bytes_.size()));
    }
    ~StarvedQueue() { port_->stop(); }
    RxSource source() {
        RxSource source = port_->source(0).value();
        source.ring = &ring_.ring;
        return source;
    }
    std::uint32_t packets() const { return ring_.geometry.frames; }
    void buffers(const RxLoop& loop) {
        std::vector<rte_mbuf*> mbufs(packets());
        for (rte_mbuf*& mbuf : mbufs) {
            mbuf = rte_pktmbuf_alloc(pool_);
            std::copy(bytes_.begin(), bytes_.end(), rte_pktmbuf_mtod(mbuf, std::uint8_t*));
            rte_pktmbuf_data_len(mbuf) = static_cast<std::uint16_t>(bytes_.size());
            rte_pktmbuf_pkt_len(mbuf) = static_cast<std::uint32_t>(bytes_.size());
        }
        // DPDK's library is not made for a race detector: what the worker may read, it is told by the ring's slots.
        ring_.set_status(TP_STATUS_USER);
        const std::uint64_t polls = loop.counts().polls;
        while (loop.counts().polls < polls + 2) std::this_thread::yield();
        for (rte_mbuf* mbuf : mbufs) rte_ring_enqueue(ring_of_port_, mbuf);
        while (loop.counts().packets != packets()) std::this_thread::yield();
        ring_.set_status(TP_STATUS_KERNEL); // the driver does it as it goes
    }
    rte_mempool* pool() const { return pool_; }

private:
    std::unique_ptr<Port> port_;
    std::vector<std::uint8_t> bytes_;
    rte_ring* ring_of_port_;
    rte_mempool* pool_;
    PlayedRing ring_;
};

// So long that time would have gone on, had the queue been empty.
void starve(const RxLoop& loop) {
    const Timestamp until = host_clock() + 30 * kMillisecond;
    while (host_clock() < until || loop.counts().polls < 100) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

} // namespace

TEST_CASE("a queue whose packets find no buffer is not empty: time waits for them") {
    const Config config = small_config();
    const Timestamp came = host_clock();
    StarvedQueue queue("net_ring0", config, packet(100, 1), came);
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxLoop loop(engine, 0, {queue.source()}, {64, config.capture.snaplen, true, nullptr, nullptr});
    std::atomic<bool> stop{false};
    std::thread worker([&] { loop.run(stop); });
    starve(loop);
    CHECK(out.idle_time < came);
    CHECK(loop.counts().starved_polls > 0);
    CHECK(loop.counts().empty_polls == 0);
    queue.buffers(loop);
    while (out.idle_time < came) std::this_thread::yield();
    stop = true;
    worker.join();
    REQUIRE(out.views.size() == queue.packets());
    for (const auto& view : out.views) CHECK(view.now <= std::max(came, host_clock() - kSecond));
    CHECK(loop.counts().unread == 0);
}

TEST_CASE("with capture.resteer what finds no buffer holds back what came later") {
    Config config = small_config();
    config.workers.count = 2;
    std::vector<std::uint8_t> bytes = packet(100, 0);
    bytes[14] = 0x45;
    PacketView view;
    view.data = bytes.data();
    view.captured = view.length = 100;
    for (Distribution distribution(1); distribution.hash(view) % 2 == 0; ++bytes[29]) { // the second worker's
    }
    const Timestamp came = host_clock(), later = came + kMillisecond;
    StarvedQueue queue("net_ring1", config, bytes, came);
    std::array<Seen, 2> out;
    seen_by = {&out[0], &out[1]};
    Engine engine(config, EngineMode::live, std::nullopt);
    SteeringRings rings(2, 256);
    RxLoop loop(engine, 0, {queue.source()}, {64, config.capture.snaplen, true, nullptr, &rings});
    Steering second(rings, 1, 64);
    second.give({rte_pktmbuf_alloc(queue.pool()), later, later, 100}, 1);
    second.give_out(came + kMinute);
    std::vector<Timestamp> taken;
    const auto take = [&](const SteeredPacket& p) {
        taken.push_back(p.order);
        rte_pktmbuf_free(p.mbuf);
    };
    std::atomic<bool> stop{false};
    std::thread worker([&] { loop.run(stop); });
    starve(loop);
    second.take(0, take); // the hold plays no part
    CHECK(taken.empty());
    queue.buffers(loop);
    while (taken.size() <= queue.packets()) second.take(0, take);
    stop = true;
    second.end();
    worker.join();
    CHECK(std::is_sorted(taken.begin(), taken.end()));
    CHECK(taken.back() == later);
    CHECK(second.late() == 0);
}

TEST_CASE("what finds no buffer at the end is waited for, and read") {
    const Config config = small_config();
    StarvedQueue queue("net_ring2", config, packet(100, 1), host_clock());
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxOptions options;
    options.read_on_most = kMinute;
    RxLoop loop(engine, 0, {queue.source()}, options);
    std::thread worker([&] { loop.run(true); });
    starve(loop);
    queue.buffers(loop);
    worker.join();
    CHECK(out.packets.size() == queue.packets());
    CHECK(loop.counts().unread == 0);
}

TEST_CASE("what finds no buffer until there is no more time is counted") {
    const Config config = small_config();
    StarvedQueue queue("net_ring3", config, packet(100, 1), host_clock());
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxOptions options;
    options.read_on_most = 10 * kMillisecond;
    RxLoop loop(engine, 0, {queue.source()}, options);
    loop.run(true);
    CHECK(out.packets.empty());
    CHECK(loop.counts().unread == queue.packets());
}

// The last ones: time here stays ahead from then on.
TEST_CASE("a queue that delivers nothing for seconds holds time back no longer; what it holds is counted") {
    const Config config = small_config();
    const Timestamp came = host_clock();
    StarvedQueue queue("net_ring4", config, packet(100, 1), came);
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    RxOptions options;
    options.read_on_most = 10 * kMillisecond;
    RxLoop loop(engine, 0, {queue.source()}, options);
    std::atomic<bool> stop{false};
    std::thread worker([&] { loop.run(stop); });
    starve(loop);
    CHECK(out.idle_time < came);
    clock_ahead_seconds = 20;
    while (out.idle_time < came) std::this_thread::yield();
    stop = true;
    worker.join();
    clock_ahead_seconds = 0;
    CHECK(out.packets.empty());
    CHECK(loop.counts().unread == queue.packets());
}

TEST_CASE("a queue that is filled without end ends, also where the host's clock was set back") {
    const Config config = small_config();
    const auto port = make_port(Packets(64, packet(100, 1)), config, true);
    Seen out;
    seen_by = {&out, nullptr};
    Engine engine(config, EngineMode::live, std::nullopt);
    PlayedRing kernel;
    RxSource source = port->source(0).value();
    source.ring = &kernel.ring;
    RxOptions options;
    options.burst = static_cast<std::uint16_t>(kernel.geometry.frames); // each poll's is full
    options.read_on_most = 50 * kMillisecond;
    RxLoop loop(engine, 0, {source}, options);
    clock_ahead_seconds = 10;
    host_clock();
    clock_ahead_seconds = 0;
    REQUIRE(host_clock_ahead().value_or(10 * kSecond) > 9 * kSecond);
    kernel.fill(kernel_clock() + kSecond, 100); // all came after the stop
    loop.run(true);
    port->stop();
    CHECK(loop.counts().packets == kernel.geometry.frames); // a poll's
    CHECK(loop.counts().unread == 0);
}
