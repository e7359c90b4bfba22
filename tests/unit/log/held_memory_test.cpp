// Memory that is given back in about the order in which it was taken.
#include "core/log/held_memory.h"
#include "tests/support/catch.h"

#include <cstring>
#include <deque>
#include <random>
#include <utility>

using namespace ftpsensor;

TEST_CASE("what is given back at once is taken again, and no more is asked for") {
    HeldMemory memory;
    void* const first = memory.allocate(100);
    memory.release(first);
    for (int i = 0; i < 100'000; ++i) {
        void* const piece = memory.allocate(100);
        REQUIRE(piece == first);
        memory.release(piece);
    }
    CHECK(memory.chunks() == 1);
}

TEST_CASE("pieces of any size keep what is in them, in any order of release") {
    HeldMemory memory;
    std::mt19937 random(3);
    std::deque<std::pair<unsigned char*, std::size_t>> held;
    const auto release = [&](std::size_t i) {
        const auto [piece, size] = held[i];
        for (std::size_t at = 0; at < size; ++at) REQUIRE(piece[at] == size % 251);
        memory.release(piece);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    };
    for (int i = 0; i < 20'000; ++i) {
        const std::size_t size = random() % 4000 + 1;
        auto* const piece = static_cast<unsigned char*>(memory.allocate(size));
        REQUIRE(reinterpret_cast<std::uintptr_t>(piece) % 8 == 0);
        std::memset(piece, static_cast<int>(size % 251), size);
        held.emplace_back(piece, size);
        while (held.size() > 3000) release(random() % 10);
    }
    while (!held.empty()) release(0);
    CHECK(memory.chunks() < 12); // 6 MB were held at a time, of 40
}

TEST_CASE("the largest piece fits") {
    HeldMemory memory;
    void* const small = memory.allocate(100);
    auto* const large = static_cast<char*>(memory.allocate(HeldMemory::kBytesMax));
    std::memset(large, 'x', HeldMemory::kBytesMax);
    memory.release(small);
    memory.release(large);
    CHECK(memory.allocate(HeldMemory::kBytesMax) != nullptr);
    CHECK(memory.chunks() == 2);
}
