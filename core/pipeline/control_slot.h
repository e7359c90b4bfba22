// A place among the control connections of a worker (ControlSessions), and where the streams of one come out. Internal
// to ControlSessions, which owns them; worker's thread.
#pragma once

#include "core/ftp/tls_hello.h"
#include "core/pipeline/control_sessions.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ftpsensor {

struct ControlSessions::Control {
    Control(const PipelineOptions& options, HeldBudget& held, EventCounters& events)
        : stream(options.extended, held, events) {}

    static constexpr std::uint32_t kFirstPlace = 16; // below are the events of a data connection
    std::uint32_t index = Connection::kNone;
    std::uint32_t places = kFirstPlace; // records so far: StreamKey::place
    Id96 uid;
    ControlStream stream;
    std::unique_ptr<FtpSession> session; // kept for the next connection of this slot
    bool active = false;                 // a session is in use; else these are a candidate's first bytes
    bool dropped = false;                // it showed not to be FTP: no more bytes are delivered
    bool encrypted = false;
    std::string first_bytes; // of a candidate, both sides in order of arrival
    struct Chunk {
        unsigned side;
        std::uint32_t size; // 0: the end of the stream
        std::uint64_t lost;
    };
    std::vector<Chunk> chunks;
    std::size_t segments_before = 0; // chunks, that came in one piece from the opening words
    std::string per_side[2];
    TlsClientHello tls_hello; // once encrypted

    // Its place among those that may have to make room.
    bool answered = false; // the responder was heard
    std::uint8_t rank = 0;
    Timestamp heard = 0;
    std::uint32_t slot = 0;
    std::uint32_t older = Connection::kNone;
    std::uint32_t newer = Connection::kNone;
};

// Puts the ordered streams of one connection to their use.
class ControlSessions::Sink final : public ControlSink {
public:
    Sink(ControlSessions& owner, Control& control) : owner_(owner), control_(control) {}

    void bytes(unsigned side, std::span<const std::uint8_t> data, Timestamp now) override {
        if (!from_originator(side)) control_.answered = true;
        if (control_.dropped) return;
        if (!control_.active)
            owner_.detect(control_, side, data, now);
        else if (control_.encrypted)
            owner_.look_for_tls(control_, side, data);
        else {
            control_.session->deliver(from_originator(side), data, now, owner_.output_);
            if (const std::size_t left = owner_.drain_output(control_, now); left != 0) [[unlikely]]
                owner_.look_for_tls(control_, side, data.last(left));
        }
    }
    void lost(unsigned side, std::uint64_t size, Timestamp now) override {
        if (control_.encrypted) control_.tls_hello.bytes_missing();
        if (control_.dropped || control_.encrypted) return;
        if (!control_.active) {
            if (control_.segments_before + control_.chunks.size() > kChunksMax)
                control_.dropped = true;
            else
                control_.chunks.push_back({side, 0, size});
            return;
        }
        control_.session->gap(from_originator(side), size, now, owner_.output_);
        owner_.drain_output(control_, now);
    }
    void ended(unsigned side, Timestamp now) override {
        if (control_.dropped || control_.encrypted || !control_.active) return;
        control_.session->end_of_stream(from_originator(side), now, owner_.output_);
        owner_.drain_output(control_, now);
    }

private:
    bool from_originator(unsigned side) const { return side == owner_.connections_[control_.index].orig_side; }
    ControlSessions& owner_;
    Control& control_;
};

} // namespace ftpsensor
