// Memory for tables: zero and aligned; blocks are fresh, bounded, and used again.
#include "core/base/table_memory.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

struct Block {
    std::uint32_t value = 5;
    std::uint32_t other = 6;
};

} // namespace

TEST_CASE("table memory is zero, and aligned to a huge page") {
    const TableMemory memory(100);
    CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % TableMemory::kAlignment == 0);
    for (std::size_t i = 0; i < 100; ++i) CHECK(memory.data()[i] == std::byte{0});
}

TEST_CASE("blocks are fresh each time, and no more than the bound") {
    BlockPool<Block> pool(2);
    const std::uint32_t a = pool.allocate(), b = pool.allocate();
    CHECK(a != b);
    CHECK(pool.allocate() == BlockPool<Block>::kNone);
    CHECK(pool.used() == 2);
    pool[a].value = 77;
    CHECK(pool[b].value == 5);
    pool.release(a);
    CHECK(pool.used() == 1);
    REQUIRE(pool.allocate() == a);
    CHECK(pool[a].value == 5);
    CHECK(pool[a].other == 6);
}

TEST_CASE("the last block that was given back is the first to be used") {
    BlockPool<Block> pool(3);
    for (int i = 0; i < 3; ++i) pool.allocate();
    for (const std::uint32_t index : {0u, 2u, 1u}) pool.release(index);
    CHECK(pool.allocate() == 1);
    CHECK(pool.allocate() == 2);
    CHECK(pool.allocate() == 0);
    CHECK(pool.allocate() == BlockPool<Block>::kNone);
}
