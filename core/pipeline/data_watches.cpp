#include "core/pipeline/data_watches.h"

#include "core/base/endpoint_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace ftpsensor {

namespace {

std::uint64_t payload_bytes(const Connection& c) {
    return endpoint_size(c.end[0], c.end[1]) + endpoint_size(c.end[1], c.end[0]);
}

constexpr std::uint32_t kTransferredBytes = 1024; // what the reference's file_transferred looks at

// StreamKey::place of each event of a data connection: the same whoever tells it, and whenever.
enum Place : std::uint32_t {
    kPlaceOpen,
    kPlaceFlip,
    kPlaceFirst, // + side
    kPlaceTransferred = kPlaceFirst + 2,
    kPlaceSniffed, // + side
    kPlaceProgress = kPlaceSniffed + 2,
    kPlaceClosed,
    kPlaceRemoved,
};

} // namespace

DataWatches::DataWatches(const PipelineOptions& options, std::size_t worker, ConnTracker& connections,
                         RecordEmitter& emitter, EventCounters& events)
    : options_(options), connections_(connections), emitter_(emitter),
      events_(events), budget_{options.first_bytes_max, 0}, progress_(options.progress_max),
      shunts_(worker, options.shunt, connections, events), watches_(options.watches_max),
      heads_(std::bit_ceil(options.watches_max), kNone), silent_(options.watches_max), order_(options.watches_max),
      first_bytes_order_(options.watches_max) {}

void DataWatches::open(Connection& c, std::uint32_t index, unsigned announced, const PacketView& packet) {
    const std::uint32_t at = allocate();
    if (at == kNone) {
        events_.count(Event::first_bytes_memory);
        return;
    }
    Watch& w = watches_[at];
    w.connection = index;
    w.opened = {packet.now, packet.number};
    c.watch(at);
    if (announced != kNobody) {
        speak_up(c, w, announced, packet.now);
        return;
    }
    if (silent_count_ == silent_.size()) { // entries of watches that ended meanwhile
        const Reference oldest = silent_[silent_head_];
        silent_head_ = (silent_head_ + 1) % silent_.size();
        --silent_count_;
        give_up_silence(oldest, true);
    }
    silent_[(silent_head_ + silent_count_++) % silent_.size()] = {at, w.generation};
    link(at);
}

void DataWatches::announce(const IpAddress& address, std::uint16_t port, Timestamp time) {
    for (std::uint32_t node = head_of(address, port); node != kNone;) {
        const std::uint32_t at = node / 2;
        const unsigned side = node % 2;
        node = watches_[at].chain[side].next;
        Connection& c = connections_[watches_[at].connection];
        if (c.key.address[side] != address || c.key.port[side] != port) continue;
        if (node / 2 == at && node != kNone) node = watches_[at].chain[node % 2].next; // both ends are in this chain
        unlink(at);
        speak_up(c, watches_[at], side, time);
    }
}

// From now on its events are told as they happen; those that did already are told at once.
void DataWatches::speak_up(Connection& c, Watch& w, unsigned announced, Timestamp reason) {
    w.announced = true;
    if (announced != kNobody) put_in_order(c, w, announced);
    w.uid = connection_uid(connections_.id_key(), c.identity());
    reason_ = reason;
    c.watched = true;
    emit(c, w, FtpRecordKind::data_open, w.opened, kPlaceOpen);
    if (w.flipped.happened()) emit(c, w, FtpRecordKind::data_open, w.flipped, kPlaceFlip);
    for (unsigned side = 0; side < 2; ++side)
        if (w.stream[side].first.happened())
            emit(c, w, FtpRecordKind::data_first, w.stream[side].first, kPlaceFirst + side, side);
    if (w.transferred.happened())
        emit(c, w, FtpRecordKind::data_typed, w.transferred, kPlaceTransferred, w.first_side, w.transferred_size);
    for (unsigned side = 0; side < 2; ++side)
        if (w.stream[side].sniffed.happened())
            emit(c, w, FtpRecordKind::data_typed, w.stream[side].sniffed, kPlaceSniffed + side, side,
                 w.stream[side].sniffed_size, MimeStage::sniffed);
    drop_told(c.cold().watch, w);
    tell_progress(c, w);
    for (const Closing& closing : {w.closed, w.mended})
        if (closing.happened()) tell_closing(c, w, closing);
    reason_ = INT64_MIN;
}

void DataWatches::note_progress(Connection& c, std::uint32_t at, const When& now) {
    Watch& w = watches_[at];
    const std::uint64_t bytes = payload_bytes(c);
    if (bytes == w.progress.last.bytes || w.closed.happened()) return;
    while (!progress_.add(w.progress, at, {now.time, now.packet, bytes}, settled_)) make_room_for_progress();
    if (!w.announced) return;
    if (progress_.is_full(w.progress))
        tell_progress(c, w);
    else if (!w.progress_untold) {
        w.progress_untold = true;
        untold_.push_back({at, w.generation});
    }
}

// Of an announced watch nothing is lost: what makes room is told.
void DataWatches::make_room_for_progress() {
    Watch& w = watches_[progress_.oldest_owner()];
    if (w.announced)
        tell_progress(connections_[w.connection], w);
    else
        events_.count(Event::progress_memory, progress_.drop_oldest(w.progress, settled_));
}

void DataWatches::tell_progress(const Connection& c, Watch& w) {
    progress_.take(w.progress, [&](const ProgressSample& first, std::string_view samples) {
        FtpRecord r;
        r.key = {first.time, first.packet, w.uid, kPlaceProgress};
        r.kind = FtpRecordKind::data_progress;
        r.id = c.id();
        r.told = reason_;
        emitter_.emit(r, samples);
    });
}

void DataWatches::tell_progress(Timestamp through) {
    if (through == told_through_) return;
    told_through_ = through;
    for (const Reference& untold : untold_) {
        Watch& w = watches_[untold.watch];
        if (w.generation != untold.generation) continue;
        w.progress_untold = false;
        tell_progress(connections_[w.connection], w);
    }
    untold_.clear();
}

void DataWatches::flipped(Connection& c, const PacketView& packet) {
    Watch& w = watch_of(c);
    w.flipped = {packet.now, packet.number};
    if (w.announced) emit(c, w, FtpRecordKind::data_open, w.flipped, kPlaceFlip);
}

void DataWatches::segment(Connection& c, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                          const PacketView& packet) {
    Watch& w = watch_of(c);
    const When now{packet.now, packet.number};
    if (w.rank == kUnanswered) rank_again(c, w);
    // Extended: a segment that its acknowledgement overtook is not lost; what is really missing shows at the end.
    if (outcome.has_gaps && !options_.extended) {
        const unsigned other = side ^ 1;
        delivered(c, w, other, now); // a hole at the start is a start too
        w.stream[other].head.close();
        sniffed(c, w, other, now);
    }
    if (options_.extended && outcome.has_gaps) note_holes(w.stream[side ^ 1]);
    if (outcome.has_payload && w.stream[side].holes) [[unlikely]]
        fill_holes(*w.stream[side].holes, outcome.data_rel, outcome.data_rel + layer.payload_length);
    if (options_.extended ? outcome.has_payload : outcome.has_data) {
        HeadBuffer& head = w.stream[side].head;
        if (!head.closed() &&
            !keep_first_bytes(c.cold().watch, head, outcome.data_rel - 1, {layer.payload, layer.payload_length})) {
            events_.count(Event::first_bytes_memory);
            head.close();
        }
        if (options_.extended || head.size() != 0 || head.closed()) delivered(c, w, side, now);
    }
    if (options_.extended) note_progress(c, c.cold().watch, now);
    if (shunts_.on()) [[unlikely]]
        consider_shunting(c, w, layer, side, packet);
    closed(c, w, now);
}

// Of a transfer whose types are known, only counts are needed: the ports may count.
void DataWatches::consider_shunting(const Connection& c, Watch& w, const Layer& layer, unsigned side,
                                    const PacketView& packet) {
    if (layer.ip_length > layer.payload_length) // a card that cuts segments itself leaves 0 in the header
        w.headers[side] = static_cast<std::uint16_t>(layer.ip_length - layer.payload_length);
    if (!w.announced || w.shunt_considered || !shunts_.wanted() || payload_bytes(c) < options_.shunt_after) return;
    for (const Stream& s : w.stream)
        if (s.first.happened() && !s.sniffed.happened()) return;
    if (!ConnTracker::may_be_shunted(c)) return;
    w.shunt_considered = true;
    const auto tags = vlan_tags_of(packet);
    if (!tags) return;
    const ConnKey& key = c.key;
    w.shunt =
        shunts_.begin(w.connection, {{key.address[0], key.address[1]}, {key.port[0], key.port[1]}, *tags}, w.headers);
    if (w.shunt.given()) keep(c.cold().watch, w);
}

void DataWatches::coming_through(Connection& c, const Layer& layer, unsigned side) {
    shunts_.coming_through(c, watch_of(c).shunt, layer, side);
}

// What was seen of `side` so far, nobody took: the bytes that say the type come now.
void DataWatches::renumbered(Connection& c, unsigned side) {
    Watch& w = watch_of(c);
    Stream& s = w.stream[side];
    if (s.sniffed.happened() || (side == w.first_side && w.transferred.happened())) return; // it has been told
    s.head.release(budget_);
    s.holes.reset();
    note_first_bytes(c.cold().watch, w);
}

void DataWatches::counted(Connection& c, Timestamp now) {
    if (options_.extended) note_progress(c, c.cold().watch, {now, 0});
}

void DataWatches::note_holes(Stream& s) const {
    for (const auto& gap : connections_.gaps().gaps()) {
        if (!s.holes) s.holes = std::make_unique<Holes>();
        if (s.holes->count == s.holes->hole.size())
            s.holes->more = true;
        else
            s.holes->hole[s.holes->count++] = {gap.seq, gap.seq + gap.size};
    }
}

void DataWatches::fill_holes(Holes& holes, std::uint64_t begin, std::uint64_t end) {
    for (std::size_t i = 0; i < holes.count;) {
        Hole& hole = holes.hole[i];
        if (begin <= hole.begin && end > hole.begin)
            hole.begin = end;
        else if (begin < hole.end && end >= hole.end)
            hole.end = begin;
        else if (begin > hole.begin && end < hole.end && holes.count < holes.hole.size())
            holes.hole[holes.count++] = {end, std::exchange(hole.end, begin)}; // two are left of it
        if (hole.begin < hole.end)
            ++i;
        else
            hole = holes.hole[--holes.count];
    }
}

// All payload was seen. Extended: also where an acknowledgement overtook it, or the FIN, which is none.
bool DataWatches::is_whole(const Connection& c, const Watch& w) const {
    if (!options_.extended) return connections_.missed_bytes(c) == 0;
    for (unsigned side = 0; side < 2; ++side) {
        const Stream& s = w.stream[side];
        const Endpoint& end = c.end[side];
        const auto is_payload = [&end](const Hole& hole) { return !end.fin_seen || hole.begin + 1 < end.fin_rel; };
        if (!s.holes) continue;
        const auto begin = s.holes->hole.begin();
        if (s.holes->more || std::any_of(begin, begin + s.holes->count, is_payload)) return false;
    }
    return true;
}

void DataWatches::delivered(Connection& c, Watch& w, unsigned side, const When& now) {
    Stream& s = w.stream[side];
    if (!s.first.happened()) {
        if (!w.stream[side ^ 1].first.happened()) w.first_side = static_cast<std::uint8_t>(side);
        s.first = now;
        rank_again(c, w);
        if (w.announced) emit(c, w, FtpRecordKind::data_first, now, kPlaceFirst + side, side);
    }
    if (side == w.first_side && s.head.size() >= kTransferredBytes) transferred(c, w, now);
    if (s.head.full()) sniffed(c, w, side, now);
}

void DataWatches::transferred(Connection& c, Watch& w, const When& now) {
    if (w.transferred.happened()) return;
    w.transferred = now;
    w.transferred_size = static_cast<std::uint16_t>(std::min(w.stream[w.first_side].head.size(), kTransferredBytes));
    if (w.announced) emit(c, w, FtpRecordKind::data_typed, now, kPlaceTransferred, w.first_side, w.transferred_size);
}

void DataWatches::sniffed(Connection& c, Watch& w, unsigned side, const When& now) {
    Stream& s = w.stream[side];
    if (s.sniffed.happened()) return;
    s.sniffed = now;
    s.sniffed_size = static_cast<std::uint16_t>(s.head.size());
    s.head.close();
    if (!w.announced) return;
    emit(c, w, FtpRecordKind::data_typed, now, kPlaceSniffed + side, side, s.sniffed_size, MimeStage::sniffed);
    drop_told(c.cold().watch, w);
}

// First bytes that have been told twice are not needed again; the transfer may go on for hours.
void DataWatches::drop_told(std::uint32_t at, Watch& w) {
    for (unsigned side = 0; side < 2; ++side) {
        Stream& s = w.stream[side];
        if (s.sniffed.happened() && (side != w.first_side || w.transferred.happened())) s.head.drop(budget_);
    }
    note_first_bytes(at, w);
}

bool DataWatches::is_complete(const Connection& c, const Watch& w) const {
    return is_whole(c, w) && c.end[0].state == TcpState::closed && c.end[1].state == TcpState::closed;
}

void DataWatches::closed(Connection& c, Watch& w, const When& now) {
    if (c.deadline_kind != Deadline::closing) return;
    Closing* closing = &w.closed;
    if (w.closed.happened()) {
        if (!options_.extended || w.closed.complete || w.mended.happened() || !is_complete(c, w)) return;
        closing = &w.mended;
    }
    closing->time = now.time; // one by one: g++ 12 takes it for too much at once under the thread sanitizer
    closing->packet = now.packet;
    closing->bytes = payload_bytes(c);
    closing->complete = is_complete(c, w);
    if (w.announced) tell_closing(c, w, *closing);
}

void DataWatches::tell_closing(const Connection& c, const Watch& w, const Closing& closing) {
    FtpRecord r;
    r.key = {closing.time, closing.packet, w.uid, kPlaceClosed};
    r.kind = FtpRecordKind::data_closed;
    r.id = c.id();
    r.told = reason_;
    r.bytes = closing.bytes;
    r.complete = closing.complete;
    emitter_.emit(r, {});
}

void DataWatches::removed(Connection& c, Timestamp due, std::uint64_t packet_number) {
    Watch& w = watch_of(c);
    const When now{due, packet_number};
    if (!w.announced) { // gone before all workers have told what they announced until then: the logger sorts it out
        unlink(c.cold().watch);
        speak_up(c, w, kNobody, due);
    }
    if (w.stream[w.first_side].head.size() != 0) transferred(c, w, now);
    for (unsigned side = 0; side < 2; ++side)
        if (w.stream[side].first.happened()) sniffed(c, w, side, now);
    tell_progress(c, w);
    emit(c, w, FtpRecordKind::data_removed, now, kPlaceRemoved);
    if (w.shunt.given()) shunts_.removed(w.shunt);
    release(c.cold().watch);
    c.unwatch();
}

void DataWatches::emit(const Connection& c, const Watch& w, FtpRecordKind kind, const When& when, std::uint32_t place,
                       unsigned side, std::uint32_t head_size, MimeStage stage) {
    FtpRecord r;
    r.key = {when.time, when.packet, w.uid, place};
    r.kind = kind;
    r.id = c.id();
    // Before the flip the roles were the other way round.
    if (kind == FtpRecordKind::data_open && place == kPlaceOpen && w.flipped.happened())
        r.id = {r.id.resp_h, r.id.resp_p, r.id.orig_h, r.id.orig_p};
    r.told = reason_;
    r.from_originator = side == c.orig_side;
    r.mime_stage = stage;
    r.bytes = payload_bytes(c);
    r.complete = is_complete(c, w);
    r.first_bytes = head_size;
    r.reused = c.reused;
    emitter_.emit(r, head_size != 0 ? w.stream[side].head.view(head_size) : std::string_view{});
}

} // namespace ftpsensor
