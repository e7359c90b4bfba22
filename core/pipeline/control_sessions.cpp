#include "core/pipeline/control_slot.h"
#include "core/pipeline/ftp_detect.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::size_t kKeptBytes = 4096;    // of a slot's buffers, for its next connection
constexpr Duration kSilence = 30 * kSecond; // an answered session that was heard later than this keeps its place
constexpr std::int32_t kLateMax = 1 << 16;  // bytes; that a first segment may trade places with

void clear(std::string& buffer) {
    buffer.clear();
    if (buffer.capacity() > kKeptBytes) buffer.shrink_to_fit();
}

// Where a stream stands of which no SYN was seen, when its first bytes come, at `seq`. They may be far ahead of it.
std::uint32_t beginning_of(const Endpoint& end, std::uint32_t seq) {
    std::uint32_t next = end.start_seq + 1;
    if (static_cast<std::int32_t>(end.ack_seq - next) > 0) next = end.ack_seq;
    const auto late = static_cast<std::int32_t>(next - seq); // it traded places with later ones
    return late > 0 && late <= kLateMax ? seq : next;
}

} // namespace

ControlSessions::ControlSessions(const PipelineOptions& options, ConnTracker& connections, RecordEmitter& emitter,
                                 AnnouncementSink& announcements, EventCounters& events)
    : options_(options), connections_(connections), emitter_(emitter), announcements_(announcements),
      events_(events), held_{options.held_bytes_max, 0}, words_(options.control_max) {}

ControlSessions::~ControlSessions() = default;

ControlSessions::Control* ControlSessions::allocate(Connection& c, std::uint32_t index, Timestamp now) {
    if (free_.empty() && slots_.size() >= options_.control_max) {
        connections_.events().count(c, Event::ftp_session_limit);
        if (!make_room(now)) return nullptr;
    }
    std::uint32_t slot;
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
    } else {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back(std::make_unique<Control>(options_, held_, events_));
    }
    Control& control = *slots_[slot];
    control.index = index;
    control.places = Control::kFirstPlace;
    control.slot = c.cold().content_index = slot;
    control.heard = now;
    control.rank = 0;
    link(control);
    return &control;
}

// What anybody can send without an answer goes first, an answered session only where it has been silent: a flood of
// what looks like FTP does not drive out those that talk.
bool ControlSessions::make_room(Timestamp now) {
    for (const Order& order : orders_) {
        if (order.oldest == Connection::kNone) continue;
        Control& control = *slots_[order.oldest];
        if (&order == &orders_.back() && now - control.heard < kSilence) return false;
        Connection& c = connections_[control.index];
        end_session(c, now);
        return true;
    }
    return false;
}

void ControlSessions::link(Control& control) {
    Order& order = orders_[control.rank];
    control.older = order.newest;
    control.newer = Connection::kNone;
    (order.newest == Connection::kNone ? order.oldest : slots_[order.newest]->newer) = control.slot;
    order.newest = control.slot;
}

void ControlSessions::unlink(const Control& control) {
    Order& order = orders_[control.rank];
    (control.older == Connection::kNone ? order.oldest : slots_[control.older]->newer) = control.newer;
    (control.newer == Connection::kNone ? order.newest : slots_[control.newer]->older) = control.older;
}

void ControlSessions::note_heard(Control& control, Timestamp now) {
    control.heard = now;
    const auto rank = static_cast<std::uint8_t>((control.active ? 1 : 0) + (control.answered ? 1 : 0));
    if (rank == control.rank && control.newer == Connection::kNone) return;
    unlink(control);
    control.rank = rank;
    link(control);
}

void ControlSessions::release(Connection& c) {
    Control& control = control_of(c);
    unlink(control);
    control.stream.reset();
    control.active = control.dropped = control.encrypted = control.answered = false;
    clear(control.first_bytes);
    control.chunks.clear();
    control.segments_before = 0;
    clear(control.per_side[0]);
    clear(control.per_side[1]);
    control.tls_hello = {};
    free_.push_back(c.cold().content_index);
    c.content = ContentUse::none;
    c.cold().content_index = Connection::kNone;
}

// Takes no place before something is said: a SYN is nothing yet.
bool ControlSessions::open(Connection& c, std::uint32_t index, Timestamp now) {
    Control* control = allocate(c, index, now);
    if (control == nullptr) {
        c.content = ContentUse::none;
        return false;
    }
    for (const unsigned side : {0u, 1u}) {
        const TcpState state = c.end[side].state;
        // Of a connection whose beginning was not seen, an end may have sent its SYN all the same.
        const bool numbered = !c.partial || (options_.extended && state != TcpState::partial);
        if (numbered && state != TcpState::inactive) control->stream.begin(side, c.end[side].start_seq + 1);
    }
    if (c.content == ContentUse::control) start_session(*control);
    return true;
}

void ControlSessions::start_session(Control& control) {
    const Connection& c = connections_[control.index];
    control.uid = connection_uid(connections_.id_key(), c.identity());
    if (!control.session) control.session = std::make_unique<FtpSession>(options_.ftp, events_);
    control.session->reset(c.id(), control.uid, c.partial);
    control.active = true;
}

void ControlSessions::segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side,
                              const TcpOutcome& outcome, const PacketView& packet) {
    const bool has_data = options_.extended ? outcome.has_payload : outcome.has_data;
    packet_number_ = packet.number;
    if (!has_place(c)) {
        if (c.content == ContentUse::candidate && take_opening(c, index, layer, side, outcome, has_data)) return;
        if (has_words(c))
            replay_words(c, index, packet.now);
        else if ((!has_data && !outcome.has_gaps) || !open(c, index, packet.now))
            return;
        if (!has_place(c)) return;
    }
    Control& control = control_of(c);
    Sink sink(*this, control);
    const unsigned other = side ^ 1;
    if (layer.tcp_flags & kSyn) {
        control.stream.begin(side, layer.tcp_seq + 1);
        // The other SYN, and what followed it, may be late: this one says where that stream begins.
        if (options_.extended && (layer.tcp_flags & kAck) != 0) {
            control.stream.begin(other, layer.tcp_ack);
            tell_acknowledged(c, control);
            control.stream.answered(other, packet.now, sink);
        }
    }
    if (outcome.has_gaps)
        for (const auto& gap : connections_.gaps().gaps())
            control.stream.give_up(other, c.end[other].start_seq + static_cast<std::uint32_t>(gap.seq + gap.size),
                                   packet.now, sink);
    if (c.partial && control.active) control.session->incomplete(); // the other side's beginning may be missing alone
    if (has_data) {
        const Endpoint& peer = c.end[other];
        std::uint32_t ack = layer.tcp_ack;
        if (peer.fin_seen && ack == peer.start_seq + static_cast<std::uint32_t>(peer.fin_rel)) --ack;
        const ControlStream::Segment segment = {
            .side = side,
            .seq = c.end[side].start_seq + static_cast<std::uint32_t>(outcome.data_rel),
            .has_ack = (layer.tcp_flags & kAck) != 0,
            .ack = ack,
            .data = {layer.payload, layer.payload_length},
            .doubtful = layer.doubtful || (options_.extended && peer.state == TcpState::inactive &&
                                           ((layer.tcp_flags & kSyn) != 0 || c.awaits_answer()))};
        if (options_.extended && c.partial) [[unlikely]]
            control.stream.begin(side, beginning_of(c.end[side], segment.seq));
        // A single byte to a peer that is never heard may keep the connection alive, and be none of the stream's.
        control.stream.acknowledged(side, c.end[side].ack_seq);
        if (control.stream.contradicts(segment) && (layer.payload_length > 1 || peer.packets() != 0)) [[unlikely]]
            connections_.events().count(c, Event::rexmit_inconsistency);
        tell_acknowledged(c, control);
        control.stream.segment(segment, packet.now, sink);
    }
    for (const unsigned s : {other, side})
        if (outcome.ended[s]) control.stream.end(s, packet.now, sink);
    if (control.dropped && !control.active)
        release(c); // a candidate that is something else
    else if (has_data)
        note_heard(control, packet.now);
}

void ControlSessions::tell_acknowledged(const Connection& c, Control& control) {
    for (const unsigned side : {0u, 1u})
        control.stream.acknowledged_by_now(side, c.end[side].ack_seq, c.end[side ^ 1].packets());
}

// Nobody took what `side` has said so far.
void ControlSessions::renumbered(Connection& c, unsigned side, const PacketView& packet) {
    packet_number_ = packet.number;
    if (has_words(c) && words_.side(c.cold().content_index & ~kWords) == side) {
        words_.release(c.cold().content_index & ~kWords);
        c.cold().content_index = Connection::kNone;
    }
    if (!has_place(c)) return;
    Control& control = control_of(c);
    control.stream.begin_anew(side, c.end[side].start_seq + 1);
    if (!control.active)
        forget_first_bytes(control, side);
    else if (control.answered)
        Sink(*this, control).lost(side, 1, packet.now); // how much, nobody knows
    else if (side == c.orig_side) // what the client has asked is not doubtful because the answer is
        start_session(control);
}

void ControlSessions::forget_first_bytes(Control& control, unsigned side) {
    std::string kept;
    std::vector<Control::Chunk> chunks;
    std::size_t at = 0;
    for (const auto& chunk : control.chunks) {
        if (chunk.side != side) {
            kept.append(control.first_bytes, at, chunk.size);
            chunks.push_back(chunk);
        }
        at += chunk.size;
    }
    control.first_bytes = std::move(kept);
    control.chunks = std::move(chunks);
}

// What was said comes to where it is looked at closely.
void ControlSessions::replay_words(Connection& c, std::uint32_t index, Timestamp now) {
    std::array<std::uint8_t, kDetectBytesMax> bytes;
    const std::uint32_t chain = c.cold().content_index & ~kWords;
    const std::uint32_t size = words_.size(chain);
    const unsigned side = words_.side(chain), segments = words_.segments(chain);
    words_.copy(chain, bytes.data());
    words_.release(chain);
    c.cold().content_index = Connection::kNone;
    if (!open(c, index, now)) return;
    Control& control = control_of(c);
    control.segments_before = segments - 1;
    Sink sink(*this, control);
    control.stream.segment(
        {.side = side, .seq = c.end[side].start_seq + 1, .has_ack = false, .ack = 0, .data = {bytes.data(), size}}, now,
        sink);
}

// Until the responder speaks nothing can be said, and most connections are decided by its first bytes.
Detection ControlSessions::look_at_first_bytes(const Connection& c, Control& control) const {
    std::string* const per_side = control.per_side;
    const bool stripped = options_.extended && control.first_bytes.find('\xff') != std::string::npos;
    for (const unsigned side : {0u, 1u}) per_side[side].clear();
    std::size_t at = 0;
    for (const auto& chunk : control.chunks) {
        per_side[chunk.side].append(control.first_bytes, at, chunk.size);
        at += chunk.size;
    }
    const std::string& originator = per_side[c.orig_side];
    const std::string& responder = per_side[c.orig_side ^ 1];
    return stripped ? detect_ftp(strip_telnet(originator), strip_telnet(responder)) : detect_ftp(originator, responder);
}

void ControlSessions::detect(Control& control, unsigned side, std::span<const std::uint8_t> data, Timestamp now) {
    Connection& c = connections_[control.index];
    control.first_bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
    control.chunks.push_back({side, static_cast<std::uint32_t>(data.size()), 0});
    const bool answered = std::any_of(control.chunks.begin(), control.chunks.end(),
                                      [&c](const auto& chunk) { return chunk.side != c.orig_side; });
    Detection found = answered ? look_at_first_bytes(c, control) : Detection::undecided;
    if (found == Detection::undecided && control.first_bytes.size() > kDetectBytesMax) found = Detection::other;
    switch (found) {
    case Detection::ftp:
        c.content = ContentUse::control;
        start_session(control);
        replay(control, now);
        break;
    case Detection::undecided:
        if (control.segments_before + control.chunks.size() <= kChunksMax) break;
        [[fallthrough]];
    case Detection::other: control.dropped = true;
    }
}

void ControlSessions::replay(Control& control, Timestamp now) {
    const auto chunks = std::move(control.chunks);
    const std::string bytes = std::move(control.first_bytes);
    control.chunks.clear();
    clear(control.first_bytes);
    Sink sink(*this, control);
    std::size_t at = 0;
    for (const auto& chunk : chunks) {
        if (chunk.lost != 0)
            sink.lost(chunk.side, chunk.lost, now);
        else
            sink.bytes(chunk.side, {reinterpret_cast<const std::uint8_t*>(bytes.data()) + at, chunk.size}, now);
        at += chunk.size;
    }
}

// The promised TLS is there once the client has said its hello; the reference does not look for it where the beginning
// of the connection was missed.
void ControlSessions::look_for_tls(Control& control, unsigned side, std::span<const std::uint8_t> data) {
    Connection& c = connections_[control.index];
    if (side != c.orig_side || c.partial) return;
    if (control.tls_hello.take(data) == TlsClientHello::Seen::hello) c.services |= kServiceSsl;
}

void ControlSessions::removed(Connection& c, std::uint32_t, Timestamp due, std::uint64_t packet_number) {
    if (!has_place(c)) {
        give_up_words(c);
        return;
    }
    packet_number_ = packet_number;
    end_session(c, due);
}

// Nothing more of the connection is read.
void ControlSessions::end_session(Connection& c, Timestamp due) {
    Control& control = control_of(c);
    {
        Sink sink(*this, control);
        tell_acknowledged(c, control);
        control.stream.finish(due, sink);
    }
    if (control.active) {
        const Endpoint& orig = c.orig();
        const bool closed = orig.state == TcpState::closed || orig.previous == TcpState::closed;
        control.session->finish(closed, due, output_);
        drain_output(control, due);
        FtpRecord end;
        end.kind = FtpRecordKind::session_end;
        end.id = c.id();
        end.key = {due, packet_number_, control.uid, control.places++};
        emitter_.emit(end, {});
    }
    release(c);
}

// How many of the bytes that were delivered last are encrypted.
std::size_t ControlSessions::drain_output(Control& control, Timestamp now) {
    Connection& c = connections_[control.index];
    std::size_t encrypted = 0;
    for (const FtpEvent& event : output_.events) {
        switch (event.kind) {
        case FtpOutcome::announcement: emit_announcement(control, event, now); break;
        case FtpOutcome::message: emit_message(control, event, now); break;
        case FtpOutcome::confirmed:
            c.services |= kServiceFtp;
            c.inactivity = Inactivity::ftp;
            connections_.reschedule(control.index);
            break;
        case FtpOutcome::violated:
            c.services &= static_cast<std::uint8_t>(~kServiceFtp);
            control.dropped = true;
            break;
        case FtpOutcome::encrypted:
            control.encrypted = true;
            encrypted = event.bytes_left;
            break;
        case FtpOutcome::gssapi_tls: c.services |= kServiceSsl; break;
        case FtpOutcome::limit_reached: connections_.limit_reached(c); break;
        }
    }
    output_.clear();
    return encrypted;
}

void ControlSessions::emit_announcement(Control& control, const FtpEvent& event, Timestamp now) {
    Connection& c = connections_[control.index];
    FtpRecord r;
    r.kind = FtpRecordKind::announcement;
    r.key = {now, packet_number_, control.uid, control.places++};
    r.id = c.id();
    r.has_channel = true;
    r.channel = *event.data_channel;
    r.channel_number = event.channel;
    emitter_.emit(r, {});
    announcements_.announced(r.id, r.channel, now);
}

void ControlSessions::emit_message(Control& control, const FtpEvent& event, Timestamp now) {
    Connection& c = connections_[control.index];
    FtpRecord r;
    r.kind = FtpRecordKind::message;
    r.key = {now, packet_number_, control.uid, control.places++};
    r.id = c.id();
    r.ts = event.ts;
    r.logged = event.logged;
    r.final_entry = event.final_entry;
    r.transfers = event.transfers;
    text_.clear();
    const auto put = [&](const FtpText& t, std::uint16_t& size) {
        if (!t.present) return false;
        const auto view = output_.view(t);
        size = static_cast<std::uint16_t>(std::min<std::size_t>(view.size(), 0xffff));
        text_.append(view.substr(0, size));
        return true;
    };
    put(event.user, r.text.user);
    r.text.has_password = put(event.password, r.text.password);
    r.text.has_command = put(event.command, r.text.command);
    r.text.has_arg = put(event.arg, r.text.arg);
    r.text.has_reply_msg = put(event.reply_msg, r.text.reply_msg);
    r.has_reply_code = event.reply_code.has_value();
    r.reply_code = event.reply_code.value_or(0);
    r.has_file_size = event.file_size.has_value();
    r.file_size = event.file_size.value_or(0);
    r.channel_number = event.channel;
    r.least_bytes = event.least_bytes;
    r.has_channel = event.data_channel.has_value();
    if (r.has_channel) r.channel = *event.data_channel;
    if (!event.logged && !event.final_entry) text_.clear(); // only the turn of the command counts
    emitter_.emit(r, text_);
}

} // namespace ftpsensor
