// Connections that may be transfers: their beginning, their first bytes and their end, told to the logger.
//
// A connection is announced when its endpoint was announced before it began; its events then go into the FTP stream as
// they happen. The announcement may be in the hands of another worker still, or (extended) come up to a second after
// the connection: so a new connection is watched in silence for a while, and what happened follows, with the time at
// which it happened, when the announcement comes. What belongs together is decided by the logger alone. Bounded:
// `watches_max` watches and `first_bytes_max` bytes; where there is no room, the oldest silent watch goes, then, of the
// announced endpoint that has most, the oldest that nobody answered, that moved nothing yet, or that moves something
// (who floods an announced endpoint takes no place of a transfer to another one), counted; and of the endpoint that has
// most first bytes, the oldest loses them. Worker's thread only.
#pragma once

#include "core/base/table_memory.h"
#include "core/conn/conn_tracker.h"
#include "core/pipeline/fair_order.h"
#include "core/pipeline/head_buffer.h"
#include "core/pipeline/pipeline_options.h"
#include "core/pipeline/progress_log.h"
#include "core/pipeline/record_emitter.h"
#include "core/pipeline/shunts.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ftpsensor {

class DataWatches {
public:
    DataWatches(const PipelineOptions& options, std::size_t worker, ConnTracker& connections, RecordEmitter& emitter,
                EventCounters& events);

    // A TCP connection began; `announced`: the side (ConnKey) whose endpoint a hint names, or kNobody.
    static constexpr unsigned kNobody = 2;
    void open(Connection& c, std::uint32_t index, unsigned announced, const PacketView& packet);
    void flipped(Connection& c, const PacketView& packet);
    void segment(Connection& c, const Layer& layer, unsigned side, const TcpOutcome& outcome, const PacketView& packet);
    // The connection is over: what is known of its type, and that it is gone.
    void removed(Connection& c, Timestamp due, std::uint64_t packet_number);

    // capture.shunt: a segment of a connection that is with the ports came through; and what they have counted.
    void coming_through(Connection& c, const Layer& layer, unsigned side);
    void renumbered(Connection& c, unsigned side);
    void take_counts(Timestamp now) {
        if (shunts_.on()) [[unlikely]]
            shunts_.take_reports(now, [&](Connection& c) { counted(c, now); });
    }

    // An announcement, of `time`, came: silent watches of connections to that endpoint speak up.
    void announce(const IpAddress& address, std::uint16_t port, Timestamp time);
    // Silent watches of connections that began before `time` are given up.
    void release_before(Timestamp time);
    // Everything before `through` is about to be said to have been told: so it is.
    void tell_progress(Timestamp through);
    // Every worker has told what was before `time`.
    void settled(Timestamp time) { settled_ = time; }
    // Before segment(): the lines that most segments need of a watch. Any number may come.
    [[gnu::always_inline]] void prefetch(std::uint32_t watch) const {
        const auto* line = reinterpret_cast<const char*>(&watches_[watch]);
        for (std::size_t offset = 0; offset < kWatchLines * 64; offset += 64) __builtin_prefetch(line + offset, 1);
    }
    std::size_t watching() const { return watches_.size() - free_.size(); }

private:
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kWatchLines = 5;

    struct When {
        Timestamp time = INT64_MIN; // not yet
        std::uint64_t packet = 0;
        bool happened() const { return time != INT64_MIN; }
    };
    struct Closing : When { // and what had moved by then, however late it is told
        std::uint64_t bytes = 0;
        bool complete = false;
    };
    struct Hole {
        std::uint64_t begin = 0, end = 0;
    };
    struct Holes { // acknowledged, but not seen so far
        std::array<Hole, 4> hole;
        std::uint8_t count = 0;
        bool more = false; // than are remembered
    };
    struct Stream {
        HeadBuffer head;
        std::uint16_t sniffed_size = 0;
        std::unique_ptr<Holes> holes; // few streams have any
        When first;                   // its first byte or gap
        When sniffed;                 // enough was there to tell the type, or the stream ended
    };
    // How soon an announced watch makes room. What the ports count does not: that would end its counts.
    enum Rank : std::uint8_t { kUnanswered, kAnswered, kMoves, kRanks, kKept };
    struct Link { // to nodes: 2 * watch + side
        std::uint32_t next = kNone;
        std::uint32_t previous = kNone;
    };
    // In the order in which a connection needs it: nearly all of them are over in silence.
    struct Watch {
        std::uint32_t connection = kNone;
        std::uint32_t generation = 0;
        std::array<Link, 2> chain; // among silent watches of the same endpoint, by side; announced: of the two orders
        When opened;
        ProgressLog::Chain progress;
        bool announced = false;
        Rank rank = kKept;
        std::uint16_t group = 0;        // of both orders
        bool progress_untold = false;   // it stands in untold_
        bool shunt_considered = false;  // once is enough: the ports have it, or had no room
        std::uint8_t first_side = 0;    // who sent the first payload
        bool holds_first_bytes = false; // announced, and in first_bytes_order_
        std::uint16_t transferred_size = 0;
        std::uint16_t headers[2] = {0, 0}; // IP and TCP headers of the last packet, by side; with capture.shunt
        Id96 uid;                          // once it is announced
        Stream stream[2];
        When transferred;
        Closing closed;
        Closing mended; // extended: what had been missing came after both ends
        When flipped;
        ShuntTicket shunt;
    };
    struct Reference { // to a watch, unless it was given to another connection
        std::uint32_t watch;
        std::uint32_t generation;
    };

    std::uint32_t allocate();
    bool keep_first_bytes(std::uint32_t at, HeadBuffer& head, std::uint64_t offset, std::span<const std::uint8_t> data);
    bool make_room_for_first_bytes(const Watch& w, HeadBuffer& head, std::uint64_t offset,
                                   std::span<const std::uint8_t> data);
    void note_first_bytes(std::uint32_t at, Watch& w);
    void give_up_silence(const Reference& s, bool for_room);
    bool give_up_announced();
    static Rank rank_of(const Connection& c, const Watch& w);
    void put_in_order(Connection& c, Watch& w, unsigned announced);
    void rank_again(const Connection& c, Watch& w);
    void keep(std::uint32_t at, Watch& w);
    void release(std::uint32_t at);
    std::uint32_t& head_of(const IpAddress& address, std::uint16_t port);
    Link& link_of(std::uint32_t node) { return watches_[node / 2].chain[node % 2]; }
    auto links(std::size_t which) {
        return [this, which](std::uint32_t at) -> Link& { return watches_[at].chain[which]; };
    }
    void link(std::uint32_t at);
    void unlink(std::uint32_t at);
    void speak_up(Connection& c, Watch& w, unsigned announced, Timestamp reason);
    void note_progress(Connection& c, std::uint32_t at, const When& now);
    void make_room_for_progress();
    void tell_progress(const Connection& c, Watch& w);
    void note_holes(Stream& s) const;
    static void fill_holes(Holes& holes, std::uint64_t begin, std::uint64_t end);
    bool is_whole(const Connection& c, const Watch& w) const;
    void delivered(Connection& c, Watch& w, unsigned side, const When& now);
    void transferred(Connection& c, Watch& w, const When& now);
    void sniffed(Connection& c, Watch& w, unsigned side, const When& now);
    void drop_told(std::uint32_t at, Watch& w);
    void closed(Connection& c, Watch& w, const When& now);
    void tell_closing(const Connection& c, const Watch& w, const Closing& closing);
    bool is_complete(const Connection& c, const Watch& w) const;
    void consider_shunting(const Connection& c, Watch& w, const Layer& layer, unsigned side, const PacketView& packet);
    void counted(Connection& c, Timestamp now);
    void emit(const Connection& c, const Watch& w, FtpRecordKind kind, const When& when, std::uint32_t place,
              unsigned side = 0, std::uint32_t head_size = 0, MimeStage stage = MimeStage::transferred);
    Watch& watch_of(const Connection& c) { return watches_[c.cold().watch]; }

    PipelineOptions options_;
    ConnTracker& connections_;
    RecordEmitter& emitter_;
    EventCounters& events_;
    HeadBudget budget_;
    ProgressLog progress_;
    Shunts shunts_;
    std::vector<Reference> untold_; // announced watches with progress that was not told yet
    Timestamp told_through_ = INT64_MIN;
    Timestamp reason_ = INT64_MIN; // FtpRecord::told of what is being emitted
    Timestamp settled_ = INT64_MIN;
    ObjectStore<Watch> watches_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> heads_; // first silent watch of each endpoint's chain, by the hash of the endpoint
    ZeroedArray<Reference> silent_;    // a ring: the oldest at silent_head_
    FairOrder<kRanks> order_;          // of the announced ones, by endpoint
    FairOrder<1> first_bytes_order_;   // of those of them that hold first bytes
    std::size_t silent_head_ = 0;
    std::size_t silent_count_ = 0;
};

} // namespace ftpsensor
