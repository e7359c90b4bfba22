#include "core/pipeline/worker.h"

namespace ftpsensor {

namespace {

// Servers and clients listen for data above the well-known ports (RFC 6335 6). What is announced below them is a
// bounce, which a server makes from its own data port (RFC 959 3.2).
constexpr std::uint16_t kLowestDataPort = 1024;
constexpr std::uint16_t kServerDataPort = 20;
constexpr std::uint64_t kCutShort = UINT64_MAX; // see ConnObserver::removed()

ConnOptions conn_options(const PipelineOptions& options) {
    ConnOptions conn = options.conn;
    conn.wary_of_decoys = options.extended;
    conn.tell_headers = options.shunt != nullptr;
    return conn;
}

DecodeOptions decode_options(const PipelineOptions& options) {
    DecodeOptions decode = options.decode;
    decode.doubt_fragments = options.extended;
    return decode;
}

} // namespace

Worker::Worker(std::size_t number, const PipelineOptions& options, SharedState& shared)
    : number_(number), options_(options), shared_(shared), emitter_(options.emitter, events_),
      decoder_(decode_options(options), events_), connections_(conn_options(options), *this, events_),
      control_(options_, connections_, emitter_, *this, events_),
      data_(options_, number, connections_, emitter_, events_),
      hints_(options.hints_max, options.conn.hash_secret, options.extended), ftp_port_(65536, false),
      watch_silently_(options.extended || shared.watermarks.size() > 1) {
    for (const auto port : options.conn.ftp_ports) ftp_port_[port] = true;
}

void Worker::process_burst(std::span<const PacketView> burst) {
    if (burst.empty()) return;
    data_.take_counts(burst.front().now);
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < burst.size();) {
        const std::size_t n = decode_stage(burst.subspan(i, std::min(kStage, burst.size() - i)), bytes);
        process_stage(burst.subspan(i, n));
        if (decoded_[n - 1].borrowed) [[unlikely]]
            process_rest(burst[i + n - 1], decoded_[n - 1]);
        i += n;
    }
    counters_.packets.store(counters_.packets.load(std::memory_order_relaxed) + burst.size(),
                            std::memory_order_relaxed);
    counters_.bytes.store(counters_.bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    move_time(burst.back().now);
}

// How many of the packets were decoded: all, or up to one whose bytes lie in the decoder, which they do only until it
// decodes the next one.
std::size_t Worker::decode_stage(std::span<const PacketView> packets, std::uint64_t& bytes) {
    for (const PacketView& packet : packets) __builtin_prefetch(packet.data);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        DecodedPacket& decoded = decoded_[i];
        bytes += packets[i].length;
        decoder_.decode(packets[i], decoded);
        if (decoded.layer_count == 0) [[unlikely]]
            lookups_[i].hash = 0; // some bucket; nothing is looked for
        else
            connections_.look_up(decoded.layers[0], lookups_[i]);
        if (decoded.borrowed) [[unlikely]]
            return i + 1;
    }
    return packets.size();
}

// The other frames of an aggregate.
void Worker::process_rest(const PacketView& packet, DecodedPacket& decoded) {
    while (decoder_.decode_more(packet, decoded)) {
        if (decoded.layer_count == 0) continue;
        ConnTracker::Lookup lookup;
        connections_.look_up(decoded.layers[0], lookup);
        connections_.prefetch_bucket(lookup);
        connections_.prefetch_connection(lookup, decoded.layers[0]);
        connections_.process(decoded, lookup, packet);
    }
}

// What reads the connection's bytes, if something does.
[[gnu::always_inline]] inline void Worker::prefetch_reader(const Connection& c) const {
    if (c.watching) data_.prefetch(c.cold().watch);
    if (c.content != ContentUse::none) control_.prefetch(c);
}

// Tight loops for what waits for memory: at many connections each prefetch misses the TLB, and the processor walks page
// tables for as many at a time as it finds among the next few hundred instructions.
void Worker::process_stage(std::span<const PacketView> packets) {
    for (std::size_t i = 0; i < packets.size(); ++i) connections_.prefetch_bucket(lookups_[i]);
    for (std::size_t i = 0; i < packets.size(); ++i)
        connections_.prefetch_connection(lookups_[i], decoded_[i].layers[0]);
    if (data_.watching() != 0 || control_.following() != 0)
        for (std::size_t i = 0; i < packets.size(); ++i)
            if (lookups_[i].candidate != FlowTable::kNone) prefetch_reader(connections_[lookups_[i].candidate]);
    for (std::size_t i = 0; i < packets.size(); ++i)
        if (decoded_[i].layer_count != 0) connections_.process(decoded_[i], lookups_[i], packets[i]);
}

void Worker::idle(Timestamp now) {
    data_.take_counts(now);
    move_time(now);
}

void Worker::move_time(Timestamp now) {
    connections_.advance(now);
    read_board();
    hints_.expire(now);
    if (data_.watching() != 0 && watch_silently_) {
        // What was announced before the lowest watermark is on the board: once all of it is read, the silence is over
        // for connections that began before then.
        const Timestamp lowest = shared_.lowest_watermark();
        const std::uint64_t appended = shared_.board.appended();
        read_board();
        data_.settled(lowest);
        if (lowest != INT64_MIN && lowest != INT64_MAX && shared_.board.read_by(number_) >= appended)
            data_.release_before(options_.extended ? lowest - kAnnouncementLead : lowest);
    }
    data_.tell_progress(connections_.removed_through());
    publish();
}

void Worker::publish() {
    counters_.connections.store(connections_.opened_count(), std::memory_order_relaxed);
    counters_.connections_open.store(connections_.open_count(), std::memory_order_relaxed);
    counters_.conn_records.store(emitter_.conn_emitted(), std::memory_order_relaxed);
    counters_.ftp_records.store(emitter_.ftp_emitted(), std::memory_order_relaxed);
    counters_.ftp_sessions_open.store(control_.following(), std::memory_order_relaxed);
    counters_.payload_bytes.store(connections_.gaps().payload_bytes(), std::memory_order_relaxed);
    counters_.missed_bytes.store(connections_.gaps().missed_bytes(), std::memory_order_relaxed);
    shared_.watermarks[number_].time.store(connections_.removed_through(), std::memory_order_release);
}

void Worker::finish(Timestamp end) {
    data_.take_counts(end);
    if (!options_.run_out_delays) move_time(end); // live: the marks say of all that was over that it has been queued
    emitter_.begin_end();
    connections_.finish(end, options_.run_out_delays);
    publish();
    shared_.board.leave(number_); // its connections are gone: no announcement can concern them
    shared_.watermarks[number_].time.store(INT64_MAX, std::memory_order_release);
}

void Worker::take(PipelineUpdate& update) {
    decoder_.set_fragment_timeouts(update.fragment_timeouts);
    connections_.take(update.conn);
    control_.take(update.ftp);
    options_.ftp_only = update.ftp_only;
    ftp_port_.swap(update.ftp_port);
}

void Worker::read_board() {
    shared_.board.read(number_, [this](const Announcement& a) {
        for (const IpAddress& address : {a.address, a.other}) {
            if (address.is_unspecified()) continue;
            if (!hints_.add(address, a.port, a.time + kAnnouncementLifetime)) events_.count(Event::announcements_full);
            data_.announce(address, a.port, a.time);
        }
    });
}

void Worker::announced(const EndpointId& control, const DataChannel& channel, Timestamp now) {
    Announcement a{channel.resp_h, {}, channel.resp_p, now};
    const IpAddress& on_the_wire = channel.passive ? control.resp_h : control.orig_h;
    if (options_.extended && on_the_wire != channel.resp_h) a.other = on_the_wire;
    while (!shared_.board.append(a)) {
        if (!options_.emitter.wait_when_full) {
            events_.count(Event::announcements_full);
            return;
        }
        read_board(); // others may wait for us in the same way
        options_.emitter.wait();
    }
    read_board(); // our own packets are looked at with it from now on
}

void Worker::opened(Connection& c, std::uint32_t index, const PacketView& packet) {
    if (c.proto != Transport::tcp) return;
    // Whatever was announced: a lie must not hide a control connection.
    c.content = ftp_port_[c.id().resp_p] ? ContentUse::control : ContentUse::candidate;
    watch(c, index, packet);
}

// The roles decide what was announced: a connection that nobody awaited may be awaited now. Extended: not one whose
// silent watch was given up. It is too old for what was announced since; a new watch would make it young again, or not,
// by how far the others are.
void Worker::flipped(Connection& c, std::uint32_t index, const PacketView& packet) {
    const EndpointId id = c.id();
    if (c.watching)
        data_.flipped(c, packet);
    else if (!options_.extended || !may_be_announced({id.resp_h, id.resp_p, id.orig_h, id.orig_p}))
        watch(c, index, packet);
}

void Worker::watch(Connection& c, std::uint32_t index, const PacketView& packet) {
    // Whether the announcement is known by now depends on who reads faster: a connection that would not be watched in
    // silence is not told either. One worker alone always knows in time.
    if (!watch_silently_) {
        if (const unsigned side = hinted_side(c, packet.now); side != DataWatches::kNobody)
            data_.open(c, index, side, packet);
        return;
    }
    if (!may_be_announced(c.id())) return;
    data_.open(c, index, hinted_side(c, packet.now), packet);
}

bool Worker::may_be_announced(const EndpointId& id) const {
    if (!options_.extended) return true; // as the reference
    return (id.resp_p >= kLowestDataPort && !ftp_port_[id.resp_p]) || id.orig_p == kServerDataPort ||
           id.resp_p == kServerDataPort; // from there, its beginning not seen
}

// Whose endpoint was announced.
unsigned Worker::hinted_side(const Connection& c, Timestamp now) const {
    for (const unsigned side : {0u, 1u})
        if (hints_.contains(c.key.address[side], c.key.port[side], now)) return side;
    return DataWatches::kNobody;
}

void Worker::segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                     const PacketView& packet) {
    if (c.watching) data_.segment(c, layer, side, outcome, packet);
    if (c.content != ContentUse::none) control_.segment(c, index, layer, side, outcome, packet);
}

void Worker::coming_through(Connection& c, const Layer& layer, unsigned side) { data_.coming_through(c, layer, side); }

void Worker::renumbered(Connection& c, unsigned side, const PacketView& packet) {
    if (c.watching) data_.renumbered(c, side);
    if (c.content != ContentUse::none) control_.renumbered(c, side, packet);
}

void Worker::ends_soon(const Connection& c) { prefetch_reader(c); }

// At the end: from now on the logger may write what comes as it comes, and need not hold a record for each open
// connection. Only entries of conn.log of one and the same time are left, whose order nobody needs.
void Worker::let_go(Timestamp end) {
    shared_.board.leave(number_); // the logger waits for those who read it
    shared_.watermarks[number_].time.store(end + 1, std::memory_order_release);
}

void Worker::removed(Connection& c, std::uint32_t index, Timestamp due, std::uint64_t packet_number) {
    if (packet_number == kCutShort && !options_.run_out_delays && ConnTracker::is_headers_only(c)) let_go(due);
    if (c.watching) data_.removed(c, due, packet_number);
    if (c.content != ContentUse::none) control_.removed(c, index, due, packet_number);
    ConnRecord record;
    record.key = {due, packet_number, {}, 0xffffffff};
    connections_.fill_rest(c, index, record, text_);
    if (wants(record)) emitter_.emit(record, text_);
}

bool Worker::interim(Connection& c, std::uint32_t index, Timestamp due, ConnRecord& record) {
    record.key = {due, 0, {}, 0xffffffff};
    connections_.fill_rest(c, index, record, text_);
    // What announced it may not have been read yet, where a burst lasts for longer than the interval: the join will
    // know.
    record.watched |= c.watching;
    record.interim = InterimPart::part;
    return !wants(record) || emitter_.emit(record, text_);
}

// Whether a watched one is a transfer is for the logger to say; whether only transfers are wanted is said here, once:
// the configuration may change before the record is written.
bool Worker::wants(ConnRecord& record) const {
    record.ftp_only = options_.ftp_only;
    return !options_.ftp_only || record.watched || (record.services & kServiceFtp) != 0;
}

} // namespace ftpsensor
