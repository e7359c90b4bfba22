// PacketRing: the kernel's record of packets, in memory filled here as the kernel fills it.
#include "daemon/live/packet_ring.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <vector>

#include <linux/if_packet.h>

using namespace ftpsensor;

namespace {

constexpr std::uint16_t kLookMax = 8;

class FakeKernel { // fills slots as tpacket_rcv() does, empties them as the driver does
public:
    FakeKernel() : geometry(ring_geometry(1, 256, 4096)), memory(geometry.ring_bytes()) {}

    void receive(std::uint32_t second, std::uint32_t length, std::uint32_t captured) {
        auto& slot = header(head++);
        slot.tp_sec = second;
        slot.tp_nsec = 7;
        slot.tp_len = length;
        slot.tp_snaplen = captured;
        slot.tp_status = TP_STATUS_USER | TP_STATUS_LOSING;
    }
    void empty() { header(tail++).tp_status = TP_STATUS_KERNEL; }

    const RingGeometry geometry;
    std::vector<std::uint8_t> memory;

private:
    tpacket2_hdr& header(std::uint32_t at) {
        return *reinterpret_cast<tpacket2_hdr*>(memory.data() +
                                                std::size_t{at % geometry.frames} * geometry.frame_bytes);
    }
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
};

} // namespace

TEST_CASE("slots that hold packets are seen, with the kernel's time and the length on the wire") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    CHECK(ring.look(kLookMax) == 0);
    kernel.receive(1'700'000'000, 1500, 300);
    kernel.receive(1'700'000'001, 60, 60);
    REQUIRE(ring.look(kLookMax) == 2);
    CHECK(ring.slot(0).time == 1'700'000'000 * kSecond + 7);
    CHECK(ring.slot(0).length == 1500);
    CHECK(ring.slot(0).captured == 300);
    CHECK(ring.slot(1).time == 1'700'000'001 * kSecond + 7);
}

TEST_CASE("times beyond 2038 do not wrap") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    kernel.receive(4'000'000'000u, 60, 60);
    ring.look(1);
    CHECK(ring.slot(0).time == 4'000'000'000 * kSecond + 7);
}

TEST_CASE("no more is looked at than asked for, than there is room for, than the ring has") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, 1000);
    PacketRing narrow(kernel.memory.data(), kernel.geometry, kLookMax);
    for (std::uint32_t i = 0; i < kernel.geometry.frames; ++i) kernel.receive(i, 60, 60);
    CHECK(ring.look(3) == 3);
    CHECK(ring.look(1000) == std::min(1000u, kernel.geometry.frames));
    CHECK(narrow.look(1000) == kLookMax);
}

TEST_CASE("it follows the driver round the ring") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    for (std::uint32_t i = 0; i < 3 * kernel.geometry.frames; ++i) {
        kernel.receive(i, 60 + i, 60 + i);
        REQUIRE(ring.look(kLookMax) == 1);
        REQUIRE(ring.slot(0).length == 60 + i);
        kernel.empty();
        ring.advance(1);
    }
    CHECK(ring.look(kLookMax) == 0);
}

TEST_CASE("a slot that the driver emptied before it was looked at can be looked back on") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    REQUIRE(ring.look(kLookMax) == 0);
    kernel.receive(5, 70, 70);
    kernel.receive(6, 80, 80);
    kernel.empty();
    kernel.empty();
    ring.look_back(2);
    CHECK(ring.slot(0).length == 70);
    CHECK(ring.slot(1).time == 6 * kSecond + 7);
}

TEST_CASE("a packet that cannot be the slot's is told; a tag put back is no difference") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    kernel.receive(1, 100, 90);
    ring.look(1);
    CHECK(ring.matches(0, 90));
    CHECK(ring.matches(0, 94));
    CHECK_FALSE(ring.matches(0, 100));
    CHECK_FALSE(ring.matches(0, 91));
}

TEST_CASE("what waits in a ring is counted up to a time, and once round at most") {
    FakeKernel kernel;
    PacketRing ring(kernel.memory.data(), kernel.geometry, kLookMax);
    CHECK(ring.waiting_until(INT64_MAX) == 0);
    kernel.receive(1, 60, 60);
    kernel.empty();
    ring.advance(1);
    for (std::uint32_t second = 2; second < 2 + kernel.geometry.frames; ++second) kernel.receive(second, 60, 60);
    CHECK(ring.waiting_until(INT64_MAX) == kernel.geometry.frames);
    CHECK(ring.waiting_until(4 * kSecond + 7) == 3);
    CHECK(ring.waiting_until(4 * kSecond + 6) == 2);
}
