// Memory for tables: zero and aligned; blocks are fresh, bounded, and used again.
#include "core/base/table_memory.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

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

#ifdef FTPSENSOR_ADDRESS_SANITIZER
TEST_CASE("the address sanitizer knows where a table begins and ends") {
    const TableMemory memory(100);
    CHECK(__asan_address_is_poisoned(memory.data() - 1) != 0);
    CHECK(__asan_address_is_poisoned(memory.data()) == 0);
    CHECK(__asan_address_is_poisoned(memory.data() + 99) == 0);
    CHECK(__asan_address_is_poisoned(memory.data() + 100) != 0);
}
#endif

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

namespace {

// Pages of [data, data + bytes) that are in memory.
std::size_t pages_there(const void* data, std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> there((bytes + page - 1) / page);
    REQUIRE(::mincore(const_cast<void*>(data), bytes, there.data()) == 0);
    return static_cast<std::size_t>(std::count_if(there.begin(), there.end(), [](auto c) { return (c & 1) != 0; }));
}

int alive = 0;
struct Counted {
    Counted() : made(std::make_unique<int>(++alive)) {}
    ~Counted() { --alive; }
    std::unique_ptr<int> made;
};

} // namespace

TEST_CASE("an array of zeros takes no memory before it is used") {
    constexpr std::size_t kSize = 300'000; // below a huge page
    ZeroedArray<std::uint32_t> array(kSize);
    CHECK(array.size() == kSize);
    CHECK(pages_there(&array[0], kSize * sizeof array[0]) == 0);
    array[5] = 7;
    CHECK(array[5] == 7);
    CHECK(array[kSize - 1] == 0);
    CHECK(pages_there(&array[0], kSize * sizeof array[0]) <= 2);
    CHECK(ZeroedArray<std::uint32_t>(0).empty());
}

TEST_CASE("a store makes objects when they are asked for, leaves them where they are, and ends those it made") {
    alive = 0;
    {
        ObjectStore<Counted> store(3);
        CHECK(store.size() == 0);
        CHECK(store.add() == 0);
        const Counted* const first = &store[0];
        CHECK(store.add() == 1);
        CHECK_FALSE(store.full());
        CHECK(store.add() == 2);
        CHECK(store.full());
        CHECK(&store[0] == first);
        CHECK(*store[2].made == 3);
        CHECK(alive == 3);
    }
    CHECK(alive == 0);
}
