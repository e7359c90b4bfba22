// Internal to the TCP tracker: what its parts share about the segment in hand.
#pragma once

#include "core/conn/tcp_tracker.h"

namespace ftpsensor {

// One segment on its way through the tracker.
struct TcpTracker::Step {
    const Layer& segment;
    unsigned side;  // who sent it
    bool from_orig; // as it was when the segment arrived: a flip on the way does not change it
    std::uint8_t flags;
    std::uint32_t length;  // payload by the headers
    std::uint32_t end_seq; // one past the segment
    std::uint64_t rel_seq = 0;
    std::uint64_t rel_ack = 0;
    std::int32_t delta_last = 0;
    bool do_close = false;
    Timestamp now;

    bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

} // namespace ftpsensor
