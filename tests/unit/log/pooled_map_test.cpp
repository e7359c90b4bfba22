// The table of what comes and goes with the traffic, beside the standard library's.
#include "core/log/pooled_map.h"
#include "tests/support/catch.h"

#include <memory>
#include <random>
#include <string>
#include <unordered_map>

using namespace ftpsensor;

namespace {

struct Plain {
    std::size_t operator()(std::uint32_t key) const { return key; }
};
struct Poor { // all collide, but for a few
    std::size_t operator()(std::uint32_t key) const { return key % 3 == 0 ? 0xffffffff : key % 5; }
};

template <class Hash>
void compare_with_unordered_map() {
    PooledMap<std::uint32_t, std::string, Hash> map;
    std::unordered_map<std::uint32_t, std::string> model;
    std::mt19937 random(11);
    for (int step = 0; step < 60'000; ++step) {
        const std::uint32_t range = step / 10'000 % 2 == 0 ? 300 : 40; // it grows, and shrinks
        const auto key = static_cast<std::uint32_t>(random() % 300);
        if (random() % 2 == 0 && key < range) {
            const auto [value, fresh] = map.emplace(key);
            REQUIRE(fresh == !model.contains(key));
            if (fresh) REQUIRE(value->empty());
            model[key] = *value = std::string(random() % 40, 'x');
        } else if (random() % 2 == 0) {
            REQUIRE(map.erase(key) == (model.erase(key) == 1));
        }
        const auto looked_for = static_cast<std::uint32_t>(random() % 300);
        const std::string* const found = map.find(looked_for);
        REQUIRE((found != nullptr) == model.contains(looked_for));
        if (found != nullptr) REQUIRE(*found == model[looked_for]);
        REQUIRE(map.size() == model.size());
    }
}

} // namespace

TEST_CASE("it holds what was put in, and nothing else") { compare_with_unordered_map<Plain>(); }
TEST_CASE("also where nearly all hashes collide, at the end of the index") { compare_with_unordered_map<Poor>(); }

TEST_CASE("values stay where they are while the table grows, and memory is used again") {
    PooledMap<std::uint32_t, std::uint64_t, Plain> map;
    std::uint64_t* const first = map.emplace(0).first;
    *first = 42;
    for (std::uint32_t key = 1; key < 100'000; ++key) *map.emplace(key).first = key;
    CHECK(map.find(0) == first);
    CHECK(*first == 42);
    for (std::uint32_t key = 1; key < 100'000; ++key) REQUIRE(*map.find(key) == key);
    std::uint64_t* const last = map.find(99'999);
    map.erase(99'999);
    CHECK(map.emplace(7'000'000).first == last);
    CHECK(*last == 0);
}

TEST_CASE("values end with their entry, or with the table") {
    const auto counted = std::make_shared<int>();
    {
        PooledMap<std::uint32_t, std::shared_ptr<int>, Plain> map;
        for (std::uint32_t key = 0; key < 1000; ++key) *map.emplace(key).first = counted;
        CHECK(counted.use_count() == 1001);
        for (std::uint32_t key = 0; key < 1000; key += 2) map.erase(key);
        CHECK(counted.use_count() == 501);
        for (int i = 0; i < 100; ++i) map.erase_any();
        CHECK(map.size() == 400);
        CHECK(counted.use_count() == 401);
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("one or another goes until none is left") {
    PooledMap<std::uint32_t, int, Poor> map;
    for (std::uint32_t key = 0; key < 100; ++key) map.emplace(key);
    for (std::size_t left = 100; left != 0; --left) {
        CHECK(map.size() == left);
        map.erase_any();
    }
    map.erase_any();
    CHECK(map.size() == 0);
    for (std::uint32_t key = 0; key < 100; ++key) REQUIRE_FALSE(map.contains(key));
}
