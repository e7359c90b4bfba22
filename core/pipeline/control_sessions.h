// The control connections of a worker, and the connections on other ports that may turn out to be one.
//
// A candidate keeps its first bytes until they decide (ftp_detect.h); then they are replayed to a session, as the
// reference does. Most are decided by the responder's first word, and until then their bytes lie in a place that costs
// little (opening_words.h). What a session says goes to the logger as FTP records, and its announcements to the board.
// Bounded: `control_max` of both kinds together, and as many blocks of opening words. Beyond it one makes room, counted
// as ftp_session_limit: first a candidate without an answer, then a candidate with one or a session without, then an
// answered session that has been silent for half a minute; of each the one heard longest ago. Where there is none the
// new one is not followed. Worker's thread only.
#pragma once

#include "core/conn/conn_tracker.h"
#include "core/ftp/ftp_session.h"
#include "core/pipeline/control_stream.h"
#include "core/pipeline/ftp_detect.h"
#include "core/pipeline/opening_words.h"
#include "core/pipeline/pipeline_options.h"
#include "core/pipeline/record_emitter.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ftpsensor {

// Told of each announcement; appends it to the board.
class AnnouncementSink {
public:
    virtual ~AnnouncementSink() = default;
    virtual void announced(const EndpointId& control, const DataChannel& channel, Timestamp now) = 0;
};

class ControlSessions {
public:
    ControlSessions(const PipelineOptions& options, ConnTracker& connections, RecordEmitter& emitter,
                    AnnouncementSink& announcements, EventCounters& events);
    ~ControlSessions();

    // Of a connection whose ContentUse is control (to a port of FTP: until its bytes say otherwise) or candidate.
    void segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                 const PacketView& packet);
    void renumbered(Connection& c, unsigned side, const PacketView& packet);
    void removed(Connection& c, std::uint32_t index, Timestamp due, std::uint64_t packet_number);

    // Swaps: what was in effect goes out with `ftp`. Between packets.
    void take(FtpOptions& ftp) {
        ftp.generation = options_.ftp.generation + 1;
        std::swap(options_.ftp, ftp);
    }
    // Before segment(): the first line of opening words.
    [[gnu::always_inline]] void prefetch(const Connection& c) const {
        if (has_words(c)) words_.prefetch(c.cold().content_index & ~kWords);
    }
    std::size_t following() const { return slots_.size() - free_.size() + words_.count(); }

private:
    struct Control;
    class Sink;

    struct Order { // of slots, by when they were heard last
        std::uint32_t oldest = Connection::kNone;
        std::uint32_t newest = Connection::kNone;
    };

    static constexpr std::size_t kChunksMax = 100;    // of a candidate; Zeek's dpd_max_packets
    static constexpr std::uint32_t kWords = 1u << 31; // in content_index: the rest is a chain of words_

    static bool has_place(const Connection& c) { return c.cold().content_index < kWords; } // in slots_
    static bool has_words(const Connection& c) { return c.cold().content_index != Connection::kNone && !has_place(c); }
    bool open(Connection& c, std::uint32_t index, Timestamp now);
    bool take_opening(Connection& c, std::uint32_t index, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                      bool has_data);
    void keep_words(Connection& c, std::uint32_t index, unsigned side, std::span<const std::uint8_t> data);
    void give_up_words(Connection& c);
    static void tell_acknowledged(const Connection& c, Control& control);
    void replay_words(Connection& c, std::uint32_t index, Timestamp now);
    Control* allocate(Connection& c, std::uint32_t index, Timestamp now);
    bool make_room(Timestamp now);
    void link(Control& control);
    void unlink(const Control& control);
    void note_heard(Control& control, Timestamp now);
    void end_session(Connection& c, Timestamp due);
    void release(Connection& c);
    Control& control_of(const Connection& c) { return *slots_[c.cold().content_index]; }
    static void forget_first_bytes(Control& control, unsigned side);
    Detection look_at_first_bytes(const Connection& c, Control& control) const;
    void detect(Control& control, unsigned side, std::span<const std::uint8_t> data, Timestamp now);
    void start_session(Control& control);
    void replay(Control& control, Timestamp now);
    void look_for_tls(Control& control, unsigned side, std::span<const std::uint8_t> data);
    std::size_t drain_output(Control& control, Timestamp now);
    void emit_message(Control& control, const FtpEvent& event, Timestamp now);
    void emit_announcement(Control& control, const FtpEvent& event, Timestamp now);

    PipelineOptions options_;
    ConnTracker& connections_;
    RecordEmitter& emitter_;
    AnnouncementSink& announcements_;
    EventCounters& events_;
    HeldBudget held_;
    OpeningWords words_;
    FtpOutput output_;
    std::string text_;
    std::uint64_t packet_number_ = 0; // of the packet in hand
    std::vector<std::unique_ptr<Control>> slots_;
    std::vector<std::uint32_t> free_;
    std::array<Order, 3> orders_; // by rank: those that go first come first
};

} // namespace ftpsensor
