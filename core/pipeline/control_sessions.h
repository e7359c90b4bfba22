// The control connections of a worker, and the connections on other ports that may turn out to be one.
//
// A candidate keeps its first bytes until they decide (ftp_detect.h); then they are replayed to a session, as the
// reference does. What a session says goes to the logger as FTP records, and its announcements to the board.
// Bounded: `control_max` of both kinds together; beyond it new ones are not followed, counted as ftp_session_limit.
// Worker's thread only.
#pragma once

#include "core/conn/conn_tracker.h"
#include "core/ftp/ftp_session.h"
#include "core/pipeline/control_stream.h"
#include "core/pipeline/pipeline_options.h"
#include "core/pipeline/record_emitter.h"

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

    // A connection to a port of FTP: it is a control connection until its bytes say otherwise.
    void open_control(Connection& c, std::uint32_t index);
    // A connection to another port, with its first payload.
    bool open_candidate(Connection& c, std::uint32_t index);
    void segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                 const PacketView& packet);
    void removed(Connection& c, std::uint32_t index, Timestamp due, std::uint64_t packet_number);

    // Swaps: what was in effect goes out with `ftp`. Between packets.
    void take(FtpOptions& ftp, Duration ftp_inactivity) {
        ftp.generation = options_.ftp.generation + 1;
        std::swap(options_.ftp, ftp);
        options_.ftp_inactivity = ftp_inactivity;
    }
    std::size_t following() const { return slots_.size() - free_.size(); }

private:
    struct Control;
    class Sink;

    Control* allocate(Connection& c, std::uint32_t index);
    void release(Connection& c);
    Control& control_of(const Connection& c) { return *slots_[c.content_index]; }
    void detect(Control& control, unsigned side, std::span<const std::uint8_t> data, Timestamp now);
    void start_session(Control& control);
    void replay(Control& control, Timestamp now);
    void look_for_tls(Control& control, unsigned side, std::span<const std::uint8_t> data);
    void drain_output(Control& control, Timestamp now);
    void emit_message(Control& control, const FtpEvent& event, Timestamp now);
    void emit_announcement(Control& control, const FtpEvent& event, Timestamp now);

    PipelineOptions options_;
    ConnTracker& connections_;
    RecordEmitter& emitter_;
    AnnouncementSink& announcements_;
    EventCounters& events_;
    HeldBudget held_;
    FtpOutput output_;
    std::string text_;
    std::uint64_t packet_number_ = 0; // of the packet in hand
    std::vector<std::unique_ptr<Control>> slots_;
    std::vector<std::uint32_t> free_;
};

} // namespace ftpsensor
