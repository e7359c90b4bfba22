// When interim entries are due, whatever opens and ends in between.
#include "core/conn/interims.h"
#include "tests/support/catch.h"

#include <array>
#include <map>
#include <random>

using namespace ftpsensor;

TEST_CASE("off: nothing is ever due") {
    Interims interims({}, 1000);
    CHECK_FALSE(interims.on());
    CHECK(interims.next_due() == std::numeric_limits<Timestamp>::max());
}

TEST_CASE("due in order of time, each an interval after its last, as a plain list would have it") {
    constexpr std::uint32_t kConnections = 50;
    constexpr Duration kInterval = 100;
    for (unsigned seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Interims interims({kInterval, 8}, kConnections);
        std::map<std::uint32_t, Timestamp> plain; // connection, when due
        Timestamp now = 1000;
        for (int step = 0; step < 600; ++step) {
            now += static_cast<Timestamp>(random() % 8);
            for (;;) {
                Timestamp due = 0;
                const std::uint32_t index = interims.take_due(now, due);
                if (index == Interims::kNone) break;
                REQUIRE(plain.contains(index));
                REQUIRE(plain[index] == due);
                for (const auto& [other, time] : plain) REQUIRE(time >= due);
                plain[index] = due + kInterval;
            }
            for (const auto& [index, time] : plain) REQUIRE(time > now);
            const auto index = static_cast<std::uint32_t>(random() % kConnections);
            if (plain.contains(index)) {
                interims.removed(index);
                plain.erase(index);
            } else {
                interims.opened(index, now);
                plain[index] = now + kInterval;
            }
        }
    }
}

TEST_CASE("another interval: none is due before it joins, and each is an interval after that") {
    constexpr std::uint32_t kConnections = 50;
    for (unsigned seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Interims interims({}, kConnections);
        struct Plain {
            bool listed = false;
            Timestamp due = 0;
        };
        std::map<std::uint32_t, Plain> plain;
        Duration interval = 0;
        std::uint32_t hand = kConnections;
        Timestamp now = 1000;
        for (int step = 0; step < 2000; ++step) {
            now += static_cast<Timestamp>(random() % 8);
            for (;;) {
                Timestamp due = 0;
                const std::uint32_t index = interims.take_due(now, due);
                if (index == Interims::kNone) break;
                REQUIRE(plain.contains(index));
                REQUIRE(plain[index].listed);
                REQUIRE(plain[index].due == due);
                for (const auto& [other, p] : plain) REQUIRE((!p.listed || p.due >= due));
                plain[index].due = due + interval;
            }
            for (const auto& [index, p] : plain) REQUIRE((!p.listed || p.due > now));
            if (random() % 50 == 0) {
                const Duration another = std::array<Duration, 4>{0, 20, 100, 400}[random() % 4];
                Interims::Memory memory;
                if (!interims.were_on() && another != 0) memory = Interims::Memory(kConnections, 8);
                REQUIRE(interims.change(another, memory) == (another != interval));
                REQUIRE(interims.on() == (another != 0));
                if (another != interval) {
                    for (auto& [index, p] : plain) p.listed = false;
                    hand = another == 0 ? kConnections : 0;
                }
                interval = another;
            }
            for (int i = 0; i < 3 && hand < kConnections; ++i, ++hand) { // as the tracker walks
                const auto at = plain.find(hand);
                if (at == plain.end()) continue;
                interims.join(hand, now);
                if (!at->second.listed) at->second = {true, now + interval};
            }
            const auto index = static_cast<std::uint32_t>(random() % kConnections);
            if (plain.contains(index)) {
                if (interims.were_on()) interims.removed(index);
                plain.erase(index);
            } else {
                if (interims.on()) interims.opened(index, now);
                plain[index] = {interims.on(), now + interval};
            }
        }
    }
}

TEST_CASE("what was told stays told when there are no interims any more, and when there are again") {
    Interims interims({100, 4}, 10);
    std::string text;
    ConnRecord r;
    r.orig_bytes = 10;
    interims.opened(1, 0);
    interims.told(1, 0, r);
    Interims::Memory none;
    REQUIRE(interims.change(0, none));
    CHECK(interims.next_due() == std::numeric_limits<Timestamp>::max());
    REQUIRE(interims.change(50, none));
    CHECK_FALSE(interims.change(50, none));
    ConnRecord later;
    later.orig_bytes = 12;
    interims.subtract(1, 0, later, text);
    CHECK(later.orig_bytes == 2);
    CHECK(later.interim == InterimPart::rest);
}

TEST_CASE("what was told is left out, and a block is free again once its connection is gone") {
    Interims interims({100, 1}, 10);
    std::string text;
    ConnRecord r;
    r.orig_bytes = 10;
    r.last = 50;
    interims.opened(1, 0);
    interims.opened(2, 0);
    interims.subtract(1, 0, r, text);
    CHECK(r.orig_bytes == 10);
    CHECK(r.interim == InterimPart::none);
    interims.told(1, 0, r);
    CHECK(interims.has_room(1));
    CHECK_FALSE(interims.has_room(2));
    ConnRecord later;
    later.orig_bytes = 3;
    later.resp_bytes = 12;
    interims.subtract(1, 1, later, text); // the roles have been exchanged
    CHECK(later.orig_bytes == 3);
    CHECK(later.resp_bytes == 2);
    CHECK(later.interim == InterimPart::rest);
    CHECK(text.size() == sizeof(Timestamp));
    interims.removed(1);
    CHECK(interims.has_room(2));
    interims.opened(1, 200);
    ConnRecord another;
    another.orig_bytes = 10;
    interims.subtract(1, 0, another, text);
    CHECK(another.orig_bytes == 10); // nothing of the one before
}
