// Bytes that may be none of the session's: which count, and when.
#include "tests/unit/pipeline/control_stream_script.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("patient: bytes of a SYN wait for what its answer takes of them") {
    for (const std::uint32_t taken : {0u, 3u, 6u}) {
        Stream s(true);
        s.stream.begin(0, 1);
        const std::string text = "USER x";
        s.send_doubtful(0, 1, text);
        CHECK(s.sink.log.empty());
        s.stream.begin(1, 1);
        s.stream.acknowledged_by_now(0, 1 + taken, true);
        s.stream.answered(0, 0, s.sink);
        const std::string first = taken == 0 ? "" : "0:" + text.substr(0, taken) + " ";
        CHECK(s.sink.log == first);
        CHECK(s.budget.used == 0);
        s.send(0, 1 + taken, "and more", 1);
        CHECK(s.sink.log == first + "0:and more ");
    }
}

TEST_CASE("patient: what waits for nothing goes before what waits for its acknowledgement, at the same place") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.send(0, 1, "decoy", 1000);
    s.send(0, 1, "true", 1);
    CHECK(s.sink.log == "0:true ");
    s.stream.begin_anew(0, 101);
    s.send(0, 101, "anew", 1);
    CHECK(s.sink.log.ends_with("0:anew "));
    CHECK(s.budget.used == 0);
}

TEST_CASE("patient: what a peer that speaks has not taken is not let out by time, where nothing else is missing") {
    Stream s(true);
    s.stream.begin(0, 1);
    s.stream.begin(1, 1);
    s.stream.acknowledged_by_now(0, 1, 1);
    s.send(0, 1, "decoy", 1000);
    s.stream.acknowledged_by_now(0, 1, 2);
    s.send(1, 1, "x", 1, 2 * ControlStream::kPatience);
    CHECK(s.sink.log == "1:x ");
    s.stream.acknowledged_by_now(0, 6, 3);
    s.send(1, 2, "y", 1, 4 * ControlStream::kPatience);
    CHECK(s.sink.log == "1:x 1:y 0:decoy ");
}

TEST_CASE("patient: what a peer was not captured to take since is let out by time, or at the end") {
    for (const bool goes_on : {true, false}) {
        Stream s(true);
        s.stream.begin(0, 1);
        s.stream.begin(1, 1);
        s.stream.acknowledged_by_now(0, 1, 1);
        s.send(0, 1, "ab", 1000);
        CHECK(s.sink.log.empty());
        if (goes_on)
            s.send(0, 3, "cd", 1000, 2 * ControlStream::kPatience);
        else
            s.stream.finish(0, s.sink);
        CHECK(s.sink.log.find("0:ab ") != std::string::npos);
    }
}
