// The ordered bytes of both directions of a control connection, out of segments in any order.
//
// Strict: as the reference's reassembler, which the connection's GapTracker follows: a hole is given up when the peer
// acknowledges beyond it. Patient (ftp.extended): where packets trade places on the way to us, an acknowledgement may
// overtake what it acknowledges, and a reply the command that it answers. So a segment waits for what its
// acknowledgement says was there before it, and a hole for its filling, until kPatienceSegments later segments or
// kPatience of packet time have passed; but where the peer is heard, a hole is given up only as far as the peer has
// acknowledged: what nobody received (a number beyond the window, say) moves nothing. What acknowledges more than its
// peer is known to have sent, or is doubtful by itself, may be a lie: where the peer is heard it comes out once it is
// acknowledged, and gives way to any other at its place. What was never acknowledged is
// dropped at the end, as in the reference. Overlapping bytes: the first that came count, as in the reference, also
// where they lie beyond a hole. Bounded: kHeldBytesMax a connection, where what is not acknowledged makes room, and the
// worker's budget, where what has waited for longest does, whosever it is. Where a segment finds no room all the same,
// it does not wait, and the hole before it is given up. Worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/base/time.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ftpsensor {

class ControlStream;

struct HeldSegment {
    ControlStream* stream;
    HeldSegment* older = nullptr; // of all streams: HeldBudget
    HeldSegment* newer = nullptr;
    unsigned side;
    std::uint32_t seq;
    bool has_ack;
    std::uint32_t ack;
    bool doubtful;
    bool claims; // it acknowledged what its peer had not sent, by all that was seen
    std::string data;
    std::uint64_t arrival; // in segments of its connection
    std::uint64_t heard;   // packets of its peer until then
    Timestamp time;

    std::span<const std::uint8_t> bytes() const {
        return {reinterpret_cast<const std::uint8_t*>(data.data()), data.size()};
    }
    // Else it waits until it is acknowledged, and gives way to what is sure.
    bool is_sure() const { return !doubtful && !claims; }
};

// Bytes that a worker's streams hold beyond holes, all together.
struct HeldBudget {
    std::uint64_t limit = 64u << 20;
    std::uint64_t used = 0;
    HeldSegment* oldest = nullptr; // in order of arrival
    HeldSegment* newest = nullptr;

    static std::size_t cost(const HeldSegment& h) { return cost(h.data.size()); }
    static std::size_t cost(std::size_t bytes) { return bytes + sizeof(HeldSegment); }
    void add(HeldSegment& h) {
        used += cost(h);
        h.older = newest;
        (newest == nullptr ? oldest : newest->newer) = &h;
        newest = &h;
    }
    void remove(const HeldSegment& h) {
        used -= cost(h);
        (h.older == nullptr ? oldest : h.older->newer) = h.newer;
        (h.newer == nullptr ? newest : h.newer->older) = h.older;
    }
};

// Receives the streams in order. Sides as in Connection.
class ControlSink {
public:
    virtual ~ControlSink() = default;
    virtual void bytes(unsigned side, std::span<const std::uint8_t> data, Timestamp now) = 0;
    virtual void lost(unsigned side, std::uint64_t size, Timestamp now) = 0;
    virtual void ended(unsigned side, Timestamp now) = 0;
};

class ControlStream {
public:
    static constexpr std::size_t kHeldBytesMax = 256u << 10; // with what it takes to hold them
    static constexpr std::size_t kHeldSegmentsMax = 256;
    static constexpr std::size_t kComparedMax = 1024; // not yet acknowledged, of a direction
    static constexpr std::uint32_t kPatienceSegments = 64;
    static constexpr Duration kPatience = kSecond;

    ControlStream(bool patient, HeldBudget& budget, EventCounters& events)
        : patient_(patient), budget_(budget), events_(events) {}
    ~ControlStream() { reset(); }
    ControlStream(const ControlStream&) = delete;
    ControlStream& operator=(const ControlStream&) = delete;

    void reset(); // forgets everything; for the next connection

    // The stream of `side` begins at `seq`, where that is known (a SYN); else it begins with its first segment.
    void begin(unsigned side, std::uint32_t seq);
    // It begins there after all: what came of it so far is forgotten.
    void begin_anew(unsigned side, std::uint32_t seq);
    struct Segment {
        unsigned side;
        std::uint32_t seq;
        bool has_ack;
        std::uint32_t ack; // what the sender had received; a FIN is not counted
        std::span<const std::uint8_t> data;
        // Of a SYN without an answer, or of fragments that contradict one another: few hosts take it, and what the peer
        // acknowledges says whether.
        bool doubtful = false;
    };
    // The SYN of `side` has its answer, and acknowledged_by_now() was told of it.
    void answered(unsigned side, Timestamp now, ControlSink& sink);
    // Bytes of `side` below `seq` have reached its peer: nobody can say others for them now.
    void acknowledged(unsigned side, std::uint32_t seq);
    // The same of what is held, whoever sends next. `heard`: packets of the peer of `side`; where there are any, what
    // it has received is known. To be told before segment().
    void acknowledged_by_now(unsigned side, std::uint32_t seq, std::uint64_t heard) {
        if (!held_.empty()) [[unlikely]]
            told_anew_ |= acked_[side] != seq || (peer_heard_[side] == 0) != (heard == 0);
        acked_[side] = seq;
        peer_heard_[side] = heard;
    }
    // Says other bytes for numbers that came before: the reference's rexmit_inconsistency. To be asked before
    // segment(). Looks at what is held, and at the last kComparedMax bytes that came out.
    bool contradicts(const Segment& s) const;
    void segment(const Segment& s, Timestamp now, ControlSink& sink);
    // The hole below `seq` is given up by the reference. Patient streams decide for themselves.
    void give_up(unsigned side, std::uint32_t seq, Timestamp now, ControlSink& sink);
    void end(unsigned side, Timestamp now, ControlSink& sink);
    // No more segments: what is held comes out, but what was not acknowledged.
    void finish(Timestamp now, ControlSink& sink);

    std::size_t held_bytes() const { return held_bytes_; }

private:
    bool ready(unsigned side, std::uint32_t seq, bool has_ack, std::uint32_t ack) const;
    bool ready(const HeldSegment& h) const;
    bool has_come(unsigned side, std::uint32_t seq, std::size_t size) const;
    bool is_too_far(const Segment& s) const;
    bool has_reached(unsigned side, std::uint32_t upper) const;
    void take(const Segment& s, Timestamp now, ControlSink& sink);
    std::vector<Segment> new_parts(const Segment& s) const;
    bool hold(const Segment& s, Timestamp now); // false: there is no room
    bool claims(const Segment& s) const;
    bool is_reachable(unsigned side, std::uint32_t seq) const;
    bool make_room(const Segment& s);
    void drop(std::size_t at);
    std::unique_ptr<HeldSegment> remove(std::size_t at);
    void deliver(unsigned side, std::uint32_t seq, std::span<const std::uint8_t> data, Timestamp now,
                 ControlSink& sink);
    void remember(unsigned side, std::span<const std::uint8_t> data);
    std::size_t oldest_ready() const;
    void deliver_ready(Timestamp now, ControlSink& sink);
    // Delivers what is held of `side` below `seq`, and gives up the rest.
    void advance_to(unsigned side, std::uint32_t seq, Timestamp now, ControlSink& sink);
    std::size_t next_held(unsigned side, std::uint32_t seq) const;
    std::size_t size_before_sure(const HeldSegment& h) const;
    void lose_patience(Timestamp now, ControlSink& sink);
    bool force(std::size_t at, Timestamp now, ControlSink& sink); // false: it still waits
    // Gives up what comes before a segment, as far as its peer has acknowledged that. False: it is not its turn yet.
    bool skip_to(unsigned side, std::uint32_t seq, bool has_ack, std::uint32_t ack, Timestamp now, ControlSink& sink);
    void skip_dropped(unsigned side, Timestamp now, ControlSink& sink);
    void take_out(std::size_t at, Timestamp now, ControlSink& sink);
    void tell_end(unsigned side, Timestamp now, ControlSink& sink);
    bool holds(unsigned side) const;

    bool patient_;
    HeldBudget& budget_;
    EventCounters& events_;
    bool begun_[2] = {false, false};
    bool end_known_[2] = {false, false};
    bool end_told_[2] = {false, false};
    std::uint32_t next_[2] = {0, 0};
    std::uint32_t forgiven_[2] = {0, 0}; // acknowledgements up to here are not waited for any more
    std::uint32_t highest_[2] = {0, 0};  // one past the last byte that a side is known to have sent
    std::uint32_t acked_[2] = {0, 0};
    std::uint64_t peer_heard_[2] = {0, 0}; // packets
    bool dropped_[2] = {false, false};     // bytes that came, for want of room
    bool told_anew_ = false;               // what peers have received, since the last segment
    bool finishing_ = false;               // nothing more will come
    std::string delivered_[2]; // the last bytes before next_ that are not acknowledged, without a hole in them
    std::vector<std::unique_ptr<HeldSegment>> held_; // in order of arrival
    std::size_t held_bytes_ = 0;
    std::uint64_t segments_ = 0;
};

} // namespace ftpsensor
