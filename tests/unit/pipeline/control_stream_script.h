// What the tests of ControlStream share: a stream, and what it tells as text.
#pragma once

#include "core/pipeline/control_stream.h"
#include "tests/support/catch.h"

#include <string>
#include <string_view>

namespace ftpsensor::test {

struct Collector final : ControlSink {
    std::string log; // "0:text" in order of delivery, "0-5" for five bytes lost, "0." for an end
    void bytes(unsigned side, std::span<const std::uint8_t> data, Timestamp) override {
        log += std::to_string(side) + ":" + std::string(data.begin(), data.end()) + " ";
    }
    void lost(unsigned side, std::uint64_t size, Timestamp) override {
        log += std::to_string(side) + "-" + std::to_string(size) + " ";
    }
    void ended(unsigned side, Timestamp) override { log += std::to_string(side) + ". "; }
};

struct Stream {
    explicit Stream(bool patient) : stream(patient, budget, events) {}

    HeldBudget budget;
    EventCounters events;
    Collector sink;
    ControlStream stream;

    void send(unsigned side, std::uint32_t seq, std::string_view text, std::uint32_t ack = 0, Timestamp now = 0) {
        stream.segment(segment_of(side, seq, text, ack), now, sink);
    }
    // Without an acknowledgement, as of a SYN.
    void send_doubtful(unsigned side, std::uint32_t seq, std::string_view text, Timestamp now = 0) {
        ControlStream::Segment s = segment_of(side, seq, text, 0);
        s.doubtful = true;
        stream.segment(s, now, sink);
    }

private:
    static ControlStream::Segment segment_of(unsigned side, std::uint32_t seq, std::string_view text,
                                             std::uint32_t ack) {
        return {.side = side,
                .seq = seq,
                .has_ack = ack != 0,
                .ack = ack,
                .data = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}};
    }
};

} // namespace ftpsensor::test
