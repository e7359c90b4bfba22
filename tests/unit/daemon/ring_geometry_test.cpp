// ring_geometry(): what the kernel's packet_set_ring() and DPDK's net_af_packet demand, over all sizes.
#include "daemon/live/ring_geometry.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {
constexpr std::uint32_t kPage = 4096;
constexpr std::uint64_t kMiB = 1u << 20;
} // namespace

TEST_CASE("every ring obeys the rules of the kernel and of the driver") {
    for (const std::uint64_t ring_bytes :
         {std::uint64_t{1}, 256 * 1024ul, 1 * kMiB, 64 * kMiB, 1000 * kMiB, 4096 * kMiB}) {
        for (std::uint32_t snaplen = 64; snaplen <= 65535; snaplen += 61) {
            const auto ring = ring_geometry(ring_bytes, snaplen, kPage);
            const std::uint32_t in_block = ring.block_bytes / ring.frame_bytes;
            REQUIRE(ring.block_bytes % kPage == 0);
            REQUIRE(ring.frame_bytes % 16 == 0);
            REQUIRE(ring.block_bytes % ring.frame_bytes == 0); // the driver's addresses are index * framesz
            REQUIRE(ring.frames != 0);
            REQUIRE(ring.frames % in_block == 0);
            REQUIRE(ring.locked_bytes() < (1ull << 32)); // mapped in 32-bit arithmetic
            REQUIRE(ring.data_room + 128 <= 65535);      // an mbuf, headroom included
            REQUIRE(ring.cut_at < ring.data_room);
        }
    }
}

TEST_CASE("a frame of snaplen fits its slot without being cut") {
    for (const std::uint32_t snaplen : {64u, 1518u, 2048u, 9216u, 9646u, 16384u, 64957u})
        CHECK(ring_geometry(64 * kMiB, snaplen, kPage).cut_at > snaplen);
    CHECK(ring_geometry(64 * kMiB, 65535, kPage).cut_at == 64958); // as much as an mbuf holds
}

TEST_CASE("the ring is as large as asked for, but for less than a block") {
    for (const std::uint32_t snaplen : {256u, 1518u, 9216u, 65535u}) {
        const auto ring = ring_geometry(64 * kMiB, snaplen, kPage);
        CHECK(ring.ring_bytes() <= 64 * kMiB);
        CHECK(ring.ring_bytes() > 62 * kMiB);
    }
}

TEST_CASE("less than a block is a block") {
    const auto ring = ring_geometry(1, 9216, kPage);
    CHECK(ring.frames == ring.block_bytes / ring.frame_bytes);
}

TEST_CASE("the arguments are written as the driver reads them") {
    const auto ring = ring_geometry(64 * kMiB, 1518, kPage);
    CHECK(ring.device_arguments() == "blocksz=1048576,framesz=2048,framecnt=32768");
}
