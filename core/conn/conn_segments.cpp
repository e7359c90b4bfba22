// A TCP segment that is not plain (tcp_plain.h), on its way through the tracker: what is believed of it.
#include "core/conn/conn_tracker.h"

namespace ftpsensor {

namespace {

// It is not what it says, but some hosts take its bytes: whether its peer has, that acknowledges.
bool has_doubtful_bytes(Event event, const Layer& layer) {
    return layer.payload_length != 0 && (layer.tcp_flags & (kSyn | kRst)) == 0 && (layer.tcp_flags & kAck) != 0 &&
           (event == Event::FIN_of_unknown_number || event == Event::ACK_of_unknown_number);
}

} // namespace

void ConnTracker::process_tcp(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet) {
    Connection& c = table_[index];
    if (layer.bad_header) return;
    if (leaves_out(c, layer, side, Event::bad_TCP_checksum)) return;
    if (options_.wary_of_decoys && (c.content != ContentUse::none || c.watching) &&
        (layer.doubtful || reaches_back(c.end[side], layer))) [[unlikely]]
        process_warily(index, layer, side, packet);
    else
        process_segment(index, layer, side, packet);
}

inline void ConnTracker::take_segment(std::uint32_t index, const Layer& layer, unsigned side,
                                      const PacketView& packet) {
    Connection& c = table_[index];
    leave_calm(c);
    if (c.shunted) [[unlikely]]
        observer_.coming_through(c, layer, side);
    const bool wary = options_.wary_of_decoys && c.content != ContentUse::none;
    if (wary) [[unlikely]] {
        be_wary(c, layer, side, packet);
        if (layer.payload_length != 0) note_doubted(c, layer, side);
    }
    TcpOutcome outcome;
    if (wary && (layer.tcp_flags & (kAck | kRst | kSyn)) == kAck && c.in_session() &&
        acknowledges_too_much(c, layer, side)) [[unlikely]] {
        conn_events_.count(c, Event::ACK_of_unknown_number);
        Layer plain = layer;
        plain.tcp_flags = static_cast<std::uint8_t>(plain.tcp_flags & ~kAck);
        tcp_.process(c, plain, side, packet, outcome);
    } else
        tcp_.process(c, layer, side, packet, outcome);
    if (wary && c.end[side].state == TcpState::reset && (layer.tcp_flags & (kSyn | kRst)) != 0) [[unlikely]]
        note_reset(c, layer, side);
    count_packet(c, side, layer);
    // It may have to be looked at earlier than was thought; where it may wait, the look will tell.
    if (c.deadline_kind != Deadline::none) wheel_.no_later_than(index, next_look(c));
    if (outcome.flipped) [[unlikely]]
        observer_.flipped(c, index, packet);
    if (c.content != ContentUse::none || c.watching) [[unlikely]]
        observer_.segment(c, index, layer, side, outcome, packet);
    note_calm(c);
    if (options_.tell_headers && c.watching) [[unlikely]]
        leave_calm(c);
}

void ConnTracker::process_segment(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet) {
    Connection& c = table_[index];
    if (options_.wary_of_decoys && c.content != ContentUse::none && c.odd != Connection::kNone && !layer.doubtful)
        [[unlikely]] {
        mind_reset(c, layer, side);
        mind_handshakes(c, layer, side, packet);
        if (is_refused(c, layer, side, packet)) return count_decoy(c, layer, side, Event::RST_of_unknown_number);
    }
    if (const std::optional<Event> event = decoy(c, layer, side)) [[unlikely]] {
        if (!c.in_session() || !has_doubtful_bytes(*event, layer)) return count_decoy(c, layer, side, *event);
        conn_events_.count(c, *event);
        Layer bytes = layer;
        const int without = *event == Event::FIN_of_unknown_number ? kFin : kFin | kAck;
        bytes.tcp_flags = static_cast<std::uint8_t>(bytes.tcp_flags & ~without);
        bytes.doubtful = true;
        return take_segment(index, bytes, side, packet);
    }
    take_segment(index, layer, side, packet);
}

} // namespace ftpsensor
