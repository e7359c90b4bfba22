// A value from one thread to another: seen once, whole, and given back.
#include "core/base/handover.h"
#include "tests/support/catch.h"

#include <string>
#include <thread>
#include <utility>

using namespace ftpsensor;

TEST_CASE("nothing given: nothing taken") {
    Handover<int> handover;
    CHECK(handover.is_taken());
    handover.take([](int&) { FAIL("there is none"); });
}

TEST_CASE("what is given is taken once, and what it was swapped with comes back") {
    Handover<std::string> handover;
    std::string given = "new", in_effect = "old";
    handover.give(given);
    CHECK_FALSE(handover.is_taken());
    for (int i = 0; i < 2; ++i) handover.take([&](std::string& value) { std::swap(value, in_effect); });
    CHECK(handover.is_taken());
    CHECK(in_effect == "new");
    CHECK(given == "old");
}

TEST_CASE("between two threads every value arrives whole") {
    constexpr std::uint64_t kValues = 20'000;
    struct Value {
        std::uint64_t a = 0, b = 0;
    };
    Handover<Value> handover;
    std::uint64_t sum = 0, torn = 0, taken = 0;
    std::thread taker([&] {
        while (taken < kValues) {
            handover.take([&](Value& value) {
                torn += value.a != ~value.b;
                sum += value.a;
                value = {};
                ++taken;
            });
            std::this_thread::yield();
        }
    });
    Value value;
    for (std::uint64_t i = 1; i <= kValues; ++i) {
        value = {i, ~i};
        handover.give(value);
        while (!handover.is_taken()) std::this_thread::yield();
    }
    taker.join();
    CHECK(torn == 0);
    CHECK(sum == kValues * (kValues + 1) / 2);
}
