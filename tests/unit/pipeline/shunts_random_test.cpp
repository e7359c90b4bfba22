// Transfers on which things go wrong by the dice, with ports that count them and without (shunts_test has the plain
// ones).
#include "tests/unit/pipeline/played_ports.h"

#include <random>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

struct Dice {
    std::mt19937_64 engine;
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(engine() % n); }
    bool in(std::uint32_t hundred) { return below(100) < hundred; } // so many of a hundred
};

enum class End : std::uint8_t { open, closed, reset_by_receiver, reset_by_sender };

// A transfer on which things go wrong, and all that is on the wire is seen.
struct BadTransfer {
    Dice& dice;
    Transfer t;
    Side sender;
    End end;
    std::uint64_t sent_again = 0;
    std::vector<std::size_t> swapped; // where the second of two packets that changed places stands
    BadTransfer(Dice& d, std::size_t segments)
        : dice(d), t({.server_isn = d.in(50) ? 0u - d.below(400'000) : d.below(1u << 31),
                      .timestamps = d.in(50),
                      .acks = false}),
          sender(d.in(50) ? Side::server : Side::client), end(static_cast<End>(d.below(4))) {
        for (std::size_t i = 0; i < segments; ++i) segment();
        finish();
    }
    void segment() {
        const std::string text(dice.in(80) ? 1460 : 1 + dice.below(1460), 'x');
        t.data.say(sender, text);
        if (dice.in(4)) {
            t.data.say(sender, text);
            t.trace.swap_last_two();
            swapped.push_back(t.trace.frames().size() - 1);
        }
        if (dice.in(4)) again();
        if (dice.in(40)) t.data.ack(other(sender));
        if (dice.in(3)) t.trace.wait(dice.below(4) * kSecond);
    }
    void again() {
        const std::uint32_t back = 1460 * (1 + dice.below(30));
        const std::uint32_t size = 1 + dice.below(1460);
        t.data.send(sender, {.text = std::string(size, 'x'), .seq = t.data.next_seq(sender) - back});
        sent_again += size;
    }
    void finish() {
        if (dice.in(30)) again();
        switch (end) {
        case End::open: break;
        case End::closed: t.data.close(dice.in(50) ? Side::client : Side::server); break;
        case End::reset_by_sender: t.data.rst(sender); break;
        case End::reset_by_receiver:
            t.data.rst(other(sender));
            for (std::uint32_t i = dice.below(4); i > 0; --i) { // was on its way
                if (dice.in(30))
                    again();
                else
                    t.data.say(sender, std::string(1460, 'x'));
                if (dice.in(30)) t.trace.wait(2 * kSecond);
            }
            break;
        }
    }
};

} // namespace

TEST_CASE("whatever is sent again, queued, swapped, given back or reset: packets are right, payload but for what came "
          "again") {
    const int seed = GENERATE(range(0, 100));
    CAPTURE(seed);
    Dice dice{std::mt19937_64(static_cast<std::uint64_t>(seed))};
    const BadTransfer bad(dice, 60 + dice.below(150));
    PlayedPorts ports;
    ports.report_each = 1 + dice.below(40);
    ports.queued = dice.in(50) ? dice.below(80) : 0;
    const std::size_t packets = bad.t.trace.views().size();
    std::size_t given_back = dice.in(50) ? dice.below(static_cast<std::uint32_t>(packets)) : packets;
    // Of two that changed places then, one counted and one seen, nobody knows which is which: it may read as lost.
    while (std::count(bad.swapped.begin(), bad.swapped.end(), given_back) != 0) ++given_back;
    const std::uint32_t rules_last = dice.below(20); // packets behind the end
    std::size_t over_for = 0;
    const Told shunted = read(bad.t.trace, &ports, [&](std::size_t at) {
        if (at == given_back) ports.finish_all();
        if (ports.is_ending() && ++over_for > rules_last) ports.finish_ending();
    });
    const Told plain = read(bad.t.trace, nullptr);
    REQUIRE(shunted.records.size() == 1);
    REQUIRE(plain.records.size() == 1);
    const ConnRecord &a = shunted.records[0], &b = plain.records[0];
    CHECK(a.orig_pkts == b.orig_pkts);
    CHECK(a.resp_pkts == b.resp_pkts);
    CHECK(a.orig_ip_bytes == b.orig_ip_bytes);
    CHECK(a.resp_ip_bytes == b.resp_ip_bytes);
    CHECK(a.state == b.state);
    CHECK(a.start == b.start);
    CHECK(b.missed_bytes == 0);
    CHECK(a.missed_bytes == 0);
    CAPTURE(plain.history(), shunted.history());
    for (const char letter : shunted.history()) CHECK(plain.history().find(letter) != std::string::npos);
    const bool down = bad.sender == Side::server;
    const std::uint64_t told = down ? a.resp_bytes : a.orig_bytes, moved = down ? b.resp_bytes : b.orig_bytes;
    CHECK((down ? a.orig_bytes : a.resp_bytes) == 0);
    if (bad.end == End::closed)
        CHECK(told == moved);
    else
        CHECK((told >= moved && told <= moved + bad.sent_again));
}
