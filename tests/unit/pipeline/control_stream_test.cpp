// The ordered bytes of a control connection, strict and patient.
#include "tests/unit/pipeline/control_stream_script.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("bytes in order come out at once, repeated ones once") {
    Stream s(false);
    s.send(0, 100, "USER ");
    s.send(0, 105, "me");
    s.send(0, 100, "USER me");
    s.send(0, 103, "R me\r\n");
    CHECK(s.sink.log == "0:USER  0:me 0:\r\n ");
}

TEST_CASE("a hole holds back what follows it until it is filled") {
    Stream s(false);
    s.stream.begin(0, 1);
    s.send(0, 3, "cd");
    s.send(0, 5, "ef");
    CHECK(s.sink.log.empty());
    CHECK(s.stream.held_bytes() >= 4);
    s.send(0, 1, "ab");
    CHECK(s.sink.log == "0:ab 0:cd 0:ef ");
    CHECK(s.stream.held_bytes() == 0);
    CHECK(s.budget.used == 0);
}

TEST_CASE("strict: a hole that is given up is told in its place") {
    Stream s(false);
    s.stream.begin(0, 1);
    s.send(0, 4, "def");
    s.stream.give_up(0, 4, 0, s.sink);
    CHECK(s.sink.log == "0-3 0:def ");
}

TEST_CASE("strict: numbers that wrap are numbers") {
    Stream s(false);
    s.stream.begin(0, 0xfffffffe);
    s.send(0, 0, "cd");
    s.send(0, 0xfffffffe, "ab");
    CHECK(s.sink.log == "0:ab 0:cd ");
}

TEST_CASE("patient: a reply waits for the command that it acknowledges") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(1, 1, "331 ", 6);
    CHECK(s.sink.log.empty());
    s.send(0, 1, "USER\n", 1);
    CHECK(s.sink.log == "0:USER\n 1:331  ");
}

TEST_CASE("patient: an acknowledgement beyond a hole does not give it up") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 4, "def");
    s.stream.give_up(0, 7, 0, s.sink);
    s.send(0, 1, "abc");
    CHECK(s.sink.log == "0:abc 0:def ");
}

TEST_CASE("patient: after so many segments a hole is lost") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 4, "d");
    for (std::uint32_t i = 0; i + 1 < ControlStream::kPatienceSegments; ++i) s.send(1, 1 + i, "x");
    CHECK(s.sink.log.find("0-3") == std::string::npos);
    s.send(1, ControlStream::kPatienceSegments, "x");
    CHECK(s.sink.log.find("0-3 0:d ") != std::string::npos);
}

TEST_CASE("patient: after so much time a hole is lost") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 4, "d", 0, 0);
    s.send(1, 1, "x", 0, ControlStream::kPatience);
    CHECK(s.sink.log == "1:x 0-3 0:d ");
}

TEST_CASE("an end comes behind what is held before it, and once") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 3, "cd");
    s.stream.end(0, 0, s.sink);
    CHECK(s.sink.log.empty());
    s.send(0, 1, "ab");
    CHECK(s.sink.log == "0:ab 0:cd 0. ");
    s.stream.end(0, 0, s.sink);
    s.stream.finish(0, s.sink);
    CHECK(s.sink.log == "0:ab 0:cd 0. ");
}

TEST_CASE("at the end everything that is held comes out") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 3, "c");
    s.send(0, 7, "g");
    s.stream.finish(0, s.sink);
    CHECK(s.sink.log == "0-2 0:c 0-3 0:g ");
}

TEST_CASE("what is held has a bound, for a connection and for all") {
    Stream s(false);
    s.stream.begin(0, 1);
    s.stream.acknowledged_by_now(0, 1, true);
    const std::string block(64u << 10, 'x');
    for (std::uint32_t i = 0; i < 8; ++i) s.send(0, 10 + i * 65536, block);
    CHECK(s.stream.held_bytes() <= ControlStream::kHeldBytesMax);
    CHECK(s.events.value(Event::reassembly_memory) == 5);
    s.stream.reset();
    CHECK(s.budget.used == 0);
    s.budget.limit = 10;
    s.stream.begin(0, 1);
    s.send(0, 10, "more than ten bytes");
    CHECK(s.stream.held_bytes() == 0);
}

TEST_CASE("many small segments have a bound, too") {
    Stream s(false);
    s.stream.begin(0, 1);
    s.stream.acknowledged_by_now(0, 1, true);
    for (std::uint32_t i = 0; i < 1000; ++i) s.send(0, 10 + 2 * i, "x");
    CHECK(s.events.value(Event::reassembly_memory) == 1000 - ControlStream::kHeldSegmentsMax);
    CHECK(s.sink.log.empty());
    s.send(0, 1, "the first");
    CHECK(s.sink.log.rfind("0:the first 0:x ", 0) == 0);
}

TEST_CASE("without room to hold anything, a hole is given up once its peer has acknowledged it") {
    for (const bool patient : {false, true}) {
        Stream s(patient);
        s.budget.limit = 0;
        s.stream.begin(0, 1);
        s.stream.begin(1, 1);
        s.stream.acknowledged_by_now(0, 1, true);
        s.send(0, 5, "cd");
        CHECK(s.sink.log.empty());
        CHECK(s.events.value(Event::reassembly_memory) == 1);
        s.stream.acknowledged_by_now(0, 7, true);
        s.send(0, 7, "ef");
        CHECK(s.sink.log == "0-6 0:ef ");
        s.stream.acknowledged_by_now(0, 9, true);
        s.send(0, 100, "far");
        s.send(0, 9, "gh");
        CHECK(s.sink.log == "0-6 0:ef 0:gh ");
        s.stream.finish(0, s.sink);
        CHECK(s.sink.log == "0-6 0:ef 0:gh ");
    }
}

TEST_CASE("patient: without room to hold it, a reply that waits for its command comes out") {
    Stream s(true);
    s.budget.limit = 0;
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.stream.acknowledged_by_now(0, 6, true);
    s.stream.acknowledged_by_now(1, 1, true);
    s.send(1, 1, "331 ", 6);
    CHECK(s.sink.log == "1:331  ");
    s.send(0, 1, "USER\n", 1); // late, and not lost
    s.send(1, 5, "Password?", 6);
    CHECK(s.sink.log == "1:331  0:USER\n 1:Password? ");
}

TEST_CASE("strict: what was dropped is told once its peer has it, though the tracker has seen it") {
    Stream s(false);
    s.budget.limit = 200;
    s.stream.begin(0, 1);
    s.stream.acknowledged_by_now(0, 1, true);
    s.send(0, 3, std::string(300, 'x')); // more than there is room for
    s.send(0, 1, "ab");
    s.stream.acknowledged_by_now(0, 303, true);
    s.send(0, 303, "cd");
    CHECK(s.sink.log == "0:ab 0-300 0:cd ");
}

TEST_CASE("what was dropped is told at the end, where its peer had it") {
    for (const bool patient : {false, true}) {
        Stream s(patient);
        s.budget.limit = 0;
        s.stream.begin(0, 1);
        s.stream.acknowledged_by_now(0, 1, true);
        s.send(0, 3, "cd");
        s.stream.end(0, 0, s.sink);
        s.stream.acknowledged_by_now(0, 6, true); // with the FIN
        s.stream.finish(0, s.sink);
        CHECK(s.sink.log == "0-4 0. ");
    }
}

TEST_CASE("where the worker's room is full, what has waited for longest makes room, whosever it is") {
    HeldBudget budget;
    EventCounters events;
    Collector sink;
    ControlStream first(true, budget, events), second(true, budget, events), third(true, budget, events);
    const std::string far(500, 'f');
    const auto send = [&](ControlStream& stream, std::uint32_t seq, std::string_view text, std::uint32_t acked) {
        stream.begin(0, 1);
        stream.acknowledged_by_now(0, acked, true);
        stream.segment({.side = 0,
                        .seq = seq,
                        .has_ack = false,
                        .ack = 0,
                        .data = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}},
                       0, sink);
    };
    budget.limit = 3 * HeldBudget::cost(far.size());
    send(first, 1001, far, 1);
    send(second, 3001, far, 1);
    send(first, 5001, far, 1);
    CHECK(events.value(Event::reassembly_memory) == 0);
    send(third, 4, "def", 1); // the next segment but one
    CHECK(events.value(Event::reassembly_memory) == 1);
    CHECK(first.held_bytes() == HeldBudget::cost(far.size()));
    send(third, 1, "abc", 1);
    CHECK(sink.log == "0:abc 0:def ");
    send(third, 1007, far, 7);
    send(third, 2007, far, 7);
    CHECK(events.value(Event::reassembly_memory) == 2);
    CHECK(second.held_bytes() == 0);
    CHECK(budget.used <= budget.limit);
    for (ControlStream* stream : {&first, &second, &third}) stream->reset();
    CHECK((budget.used == 0 && budget.oldest == nullptr && budget.newest == nullptr));
}

TEST_CASE("patient: an acknowledgement of what was never sent gives up nothing") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(1, 1, "220 ", 0x70000000, 0);
    s.send(0, 1, "USER\n", 1, ControlStream::kPatience);
    CHECK(s.sink.log == "0:USER\n 1:220  ");
    s.send(0, 6, "PASS\n", 5, ControlStream::kPatience + 1);
    CHECK(s.sink.log == "0:USER\n 1:220  0:PASS\n ");
}

TEST_CASE("held bytes are not changed by who sends others for them") {
    for (const bool patient : {false, true}) {
        Stream s(patient);
        s.stream.begin(0, 1);
        s.send(0, 3, "cd");
        s.send(0, 2, "XXXX"); // around them
        s.send(0, 3, "YY");   // over them
        s.send(0, 1, "aZZZZZ");
        CHECK(s.sink.log == "0:a 0:X 0:cd 0:X 0:Z ");
        CHECK(s.stream.held_bytes() == 0);
        CHECK(s.budget.used == 0);
    }
}

TEST_CASE("other bytes for numbers that came are a contradiction, as long as they are kept and not acknowledged") {
    Stream s(false);
    s.stream.begin(0, 0xfffffff8); // numbers wrap within it
    s.send(0, 0xfffffff8, "USER mallory\r\n");
    const auto contradicts = [&](std::uint32_t seq, std::string_view text) {
        return s.stream.contradicts({.side = 0,
                                     .seq = seq,
                                     .has_ack = false,
                                     .ack = 0,
                                     .data = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}});
    };
    CHECK_FALSE(contradicts(0xfffffff8, "USER mallory\r\nmore"));
    CHECK(contradicts(0xfffffff8, "USER innocen\r\n"));
    CHECK(contradicts(4, "!"));
    CHECK_FALSE(contradicts(6, "new"));
    CHECK_FALSE(contradicts(0xfffffff0, "older...USER m"));
    s.stream.acknowledged(0, 0xfffffffd);
    CHECK_FALSE(contradicts(0xfffffff8, "user mal"));
    CHECK(contradicts(0xfffffff8, "user MAL"));
    s.send(0, 8, "held");
    CHECK(contradicts(7, "?HELD"));
    CHECK_FALSE(contradicts(7, "?held"));
    s.stream.acknowledged(0, 12);
    CHECK_FALSE(contradicts(7, "?HELD"));
    s.stream.reset();
    s.send(0, 100, std::string(3000, 'a'));
    CHECK_FALSE(contradicts(100, std::string(3000 - ControlStream::kComparedMax, 'b')));
    CHECK(contradicts(100, std::string(3001 - ControlStream::kComparedMax, 'b')));
}

TEST_CASE("bytes half the numbers away are neither before nor behind, and contradict nothing") {
    for (const bool patient : {false, true}) {
        Stream s(patient);
        const std::string text(100, 'x');
        const auto contradicts = [&](std::uint32_t seq) {
            return s.stream.contradicts({.side = 0,
                                         .seq = seq,
                                         .has_ack = false,
                                         .ack = 0,
                                         .data = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}});
        };
        s.stream.begin(0, 1);
        for (std::uint32_t off = 0; off < 300; ++off) CHECK_FALSE(contradicts(1 + 0x80000000u - 150 + off));
        s.send(0, 1, "USER me\r\n");
        s.send(0, 1 + 0x7ffffff0u, text); // beyond a hole
        for (std::uint32_t off = 0; off < 300; ++off) contradicts(0x80000000u - 150 + off);
        CHECK(contradicts(1));
        for (std::uint32_t off = 0; off < 300; ++off) CHECK(contradicts(0xffffffffu - off) == (off < 98));
        s.stream.finish(0, s.sink);
    }
}

TEST_CASE("patient: what a heard peer has not acknowledged moves nothing, and is dropped at the end") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(0, 1, "ab");
    s.send(0, 5'000'001, "x"); // outside of any window
    Timestamp now = 0;
    for (std::uint32_t i = 0; i < 2 * ControlStream::kPatienceSegments; ++i) {
        now += ControlStream::kPatience;
        s.stream.acknowledged_by_now(0, 3 + i, true);
        s.stream.acknowledged_by_now(1, 1, true);
        s.send(0, 3 + i, "c", 1, now);
    }
    CHECK(s.sink.log.find('-') == std::string::npos); // nothing was lost
    CHECK(s.stream.held_bytes() != 0);
    s.stream.finish(now, s.sink);
    CHECK(s.sink.log.find('x') == std::string::npos);
    CHECK(s.budget.used == 0);
}

TEST_CASE("patient: a hole that the peer has acknowledged is given up, and what is behind it comes out") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(0, 4, "def");
    s.send(0, 9, "i");
    s.stream.acknowledged_by_now(0, 7, true);
    s.send(1, 1, "x", 0, ControlStream::kPatience);
    CHECK(s.sink.log == "1:x 0-3 0:def ");
    s.stream.acknowledged_by_now(0, 10, true);
    s.send(1, 2, "y", 0, 2 * ControlStream::kPatience);
    CHECK(s.sink.log == "1:x 0-3 0:def 1:y 0-2 0:i ");
}

TEST_CASE("patient: an acknowledgement half the numbers away gives up nothing") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(0, 1, "a", 100'001);
    Timestamp now = ControlStream::kPatience;
    s.send(0, 2, "b", 1, now); // the first is forced: acknowledgements so far are not waited for
    s.send(0, 3, "c", 1 + 0x80000000u, now += ControlStream::kPatience);
    s.send(0, 4, "d", 1, now += ControlStream::kPatience);
    s.send(1, 1, "220 Hi.", 5, now);
    s.stream.finish(now, s.sink);
    CHECK(s.sink.log.find('-') == std::string::npos);
    CHECK(s.sink.log.find("1:220 Hi. ") != std::string::npos);
}

TEST_CASE("patient: what is not acknowledged makes room, the furthest first") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.stream.acknowledged_by_now(0, 1, true);
    for (std::uint32_t i = 0; i < ControlStream::kHeldSegmentsMax; ++i) s.send(0, 1'000'000 + 10 * i, "x");
    CHECK(s.events.value(Event::reassembly_memory) == 0);
    s.send(0, 2'000'000, "y"); // further than all
    CHECK(s.events.value(Event::reassembly_memory) == 1);
    s.send(0, 3, "b");
    CHECK(s.events.value(Event::reassembly_memory) == 2);
    s.send(0, 1, "aa");
    CHECK(s.sink.log == "0:aa 0:b ");
}

TEST_CASE("patient: a segment that reaches half the numbers ahead is none of the stream's, also later") {
    for (const std::uint32_t seq : {0x80000001u - 7, 0x80000000u, 0x80000001u}) {
        Stream s(true);
        s.stream.begin(0, 1);
        s.send(0, seq, "far away");
        CHECK(s.stream.held_bytes() == 0);
        s.send_doubtful(0, 1, "ab");
        s.send(0, seq, "far away");
        s.stream.finish(0, s.sink);
        CHECK(s.sink.log == "0:ab ");
    }
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 0x80000001u - 8, "far away"); // and one byte less does not
    s.send(0, 1, "ab");
    s.stream.finish(0, s.sink);
    CHECK(s.sink.log == "0:ab 0-2147483638 0:far away ");
}

TEST_CASE("patient: how far ahead a segment reaches is asked once what was acknowledged has come out before it") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send_doubtful(0, 1, "abcdef");
    s.stream.acknowledged_by_now(0, 7, 1);
    s.send(0, 0x80000002u, "far away"); // behind 1, but reaches half the numbers ahead of 7
    CHECK(s.sink.log == "0:abcdef ");
    CHECK(s.stream.held_bytes() == 0);
}

TEST_CASE("patient: a doubtful segment of what has come takes no room") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 1, "abc");
    s.send_doubtful(0, 1, "xyz");
    CHECK(s.stream.held_bytes() == 0);
    CHECK(s.sink.log == "0:abc ");
}

TEST_CASE("patient: what is held and began half the numbers before what is forced comes out before it") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.send(0, 1, "abcdefghij");
    s.send(0, 0x80000003u, "far away");
    s.send_doubtful(0, 2, "bcdefghijkl");
    s.stream.finish(0, s.sink);
    CHECK(s.sink.log == "0:abcdefghij 0:kl 0-2147483638 0:far away ");
}
