// Traffic without end for soaks: FTP sessions, each with a download and an upload, beside web requests, questions of
// UDP and SYNs that nobody answers, many at once and one packet of each in turn.
//
// A packet is a function of its number alone, so that what was sent to a live sensor can be given to `ftpsensord read`
// again without having been kept. One thread.
#pragma once

#include "tests/support/packet_builder.h"

#include <cstdint>
#include <vector>

namespace ftpsensor::test {

class SteadyTraffic {
public:
    static constexpr std::uint64_t kAtOnce = 2048; // conversations that run beside each other

    SteadyTraffic();

    // Conversations are whole after so many packets, and after each multiple of it.
    std::uint64_t round() const { return kAtOnce * frames_.size(); }
    std::uint64_t sessions(std::uint64_t packets) const { return packets / frames_.size(); }
    void frame(std::uint64_t number, Bytes& out) const;

private:
    struct Frame {
        Bytes bytes;
        bool from_client;
        std::uint32_t number_at; // where the conversation's number stands in its text; 0: nowhere
        std::uint32_t kind_at;   // where the contents of a file begin that is one of sixteen
    };
    std::vector<Frame> frames_; // of one conversation
};

} // namespace ftpsensor::test
