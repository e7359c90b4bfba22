#include "core/conn/conn_tracker.h"

#include "core/base/mix.h"
#include "core/conn/udp_services.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace ftpsensor {

namespace {

// Of a session that somebody else seemed to begin anew: so long at least its own numbers are remembered.
constexpr Duration kFormerFor = 2 * kSecond;

// Of all connections of a table, a quarter may have a history beyond sixteen letters, or have come through tunnels.
constexpr std::uint32_t kExtrasMin = 1u << 16;
constexpr std::uint32_t kExtrasShare = 4;

bool is_broadcast(const IpAddress& a) { return a == IpAddress::from_v4(255, 255, 255, 255); }

std::uint64_t combine(std::uint64_t a, std::uint64_t b) { return mix(a ^ 0x9e3779b97f4a7c15, b ^ 0xd6e8feb86659fd93); }

constexpr std::uint8_t tunnel_bit(TunnelKind kind) {
    static_assert(static_cast<unsigned>(TunnelKind::gtp) < 8);
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(kind));
}

// GRE (over UDP, too) and IP in IP: the pair of addresses stands for the tunnel.
Id96 address_pair_uid(const IdKey& key, const Layer& layer) {
    return connection_uid(key, {layer.source, layer.destination, 0, 0, 0xff, 0, 0, 0});
}

} // namespace

ConnTracker::ConnTracker(const ConnOptions& options, ConnObserver& observer, EventCounters& events)
    : options_(options), observer_(observer), conn_events_(events, options.id_key),
      extras_(std::max(kExtrasMin, options.connections_max / kExtrasShare)), history_(extras_, events),
      oddities_(options.connections_max), gaps_(options.ranges_max, events), likely_(options.ftp_ports),
      tcp_(options.tcp, options_.inactivity, likely_, history_, oddities_, gaps_, conn_events_),
      table_(options.connections_max, options.hash_secret), wheel_(table_),
      interims_(options.interims, table_.index_end()) {
    due_.reserve(4096);
}

ConnUpdate::ConnUpdate(const ConnOptions& options, bool first_interims)
    : tcp(options.tcp), inactivity(options.inactivity), likely(options.ftp_ports),
      interim_interval(options.interims.interval) {
    if (first_interims)
        interims = Interims::Memory(FlowTable::index_end(options.connections_max), options.interims.told_max);
}

void ConnTracker::take(ConnUpdate& update) {
    tcp_.set_timeouts(update.tcp);
    options_.inactivity = update.inactivity;
    likely_ = update.likely;
    timeouts_changed_ = true;
    interims_.change(update.interim_interval, update.interims);
    updating_ = true;
    update_hand_ = 0;
}

// The bytes of a plain segment have a reader.
void ConnTracker::tell_plain(const DecodedPacket& decoded, const Lookup& first, const PacketView& packet) {
    const Layer& layer = decoded.layers[0];
    Connection& c = table_[first.candidate];
    TcpOutcome outcome;
    outcome.has_payload = outcome.has_data = true;
    outcome.data_rel = c.end[first.side].last_rel() - layer.payload_length;
    observer_.segment(c, first.candidate, layer, first.side, outcome, packet);
}

void ConnTracker::process_any(const DecodedPacket& decoded, const Lookup& first, const PacketView& packet) {
    // Time has jumped within a burst: what is scheduled from now on must not wait in the past.
    if (wheel_.started() && packet.now - wheel_.done_through() > TimerWheel::kHorizon) [[unlikely]]
        advance(packet.now);
    Tunnel tunnel;
    for (std::size_t i = 0; i < decoded.layer_count; ++i) {
        const Layer& layer = decoded.layers[i];
        std::uint32_t index = FlowTable::kNone;
        if (layer.makes_connection) {
            Lookup inner;
            if (i != 0) look_up(layer, inner);
            const Lookup& l = i == 0 ? first : inner;
            index = i < decoded.told ? table_.find(l.key, l.hash) : process_layer(layer, l, packet, tunnel);
        }
        if (i + 1u == decoded.layer_count) {
            if (decoded.tunnel_end != TunnelEnd::none && index != FlowTable::kNone) [[unlikely]]
                end_of_tunnels(table_[index], decoded);
            return;
        }
        const TunnelKind kind = decoded.layers[i + 1].carried_by;
        if (index != FlowTable::kNone && (table_[index].tunnels_refused & tunnel_bit(kind)) != 0) return;
        const bool by_addresses = index == FlowTable::kNone || kind == TunnelKind::gre;
        tunnel.present = true;
        tunnel.parent = by_addresses ? address_pair_uid(options_.id_key, layer)
                                     : connection_uid(options_.id_key, table_[index].identity());
        tunnel.stack = combine(tunnel.stack, combine(tunnel.parent.low, tunnel.parent.high));
    }
}

void ConnTracker::end_of_tunnels(Connection& c, const DecodedPacket& decoded) const {
    if ((c.tunnels_refused & tunnel_bit(decoded.refused)) != 0) return; // not looked at any more
    if (decoded.tunnel_end == TunnelEnd::refused)
        c.tunnels_refused = static_cast<std::uint8_t>(c.tunnels_refused | tunnel_bit(decoded.refused));
    else
        limit_reached(c);
}

std::uint32_t ConnTracker::process_layer(const Layer& layer, const Lookup& l, const PacketView& packet,
                                         const Tunnel& tunnel) {
    std::uint32_t index = find_live(layer, l, packet);
    const bool is_new = index == FlowTable::kNone;
    if (is_new)
        index = open(layer, l, packet, tunnel);
    else if (const Connection& c = table_[index]; tunnel.present || c.has_encapsulation) [[unlikely]]
        check_encapsulation(table_[index], tunnel);
    Connection& c = table_[index];
    switch (layer.transport) {
    case Transport::tcp: process_tcp(index, layer, l.side, packet); break;
    case Transport::udp:
        process_udp(c, layer, l.side, packet);
        if (is_new && l.side == c.orig_side && is_answer(c, layer)) [[unlikely]]
            turn_answered(c);
        break;
    case Transport::icmp: process_icmp(c, layer, l.side, packet); break;
    case Transport::unknown: process_unknown(c, layer, l.side, packet); break;
    }
    return index;
}

// The connection of the packet, unless it was over before, or the packet starts another one in its place.
std::uint32_t ConnTracker::find_live(const Layer& layer, const Lookup& l, const PacketView& packet) {
    const std::uint32_t index = table_.is(l.candidate, l.key) ? l.candidate : table_.find(l.key, l.hash);
    next_ordinal_ = 0;
    succeeds_.has_former = false;
    if (index == FlowTable::kNone) return index;
    Connection& c = table_[index];
    Timestamp due;
    const bool is_over = over(c, packet.now, due);
    if (!is_over) [[likely]] {
        if (layer.transport != Transport::tcp || !is_another(c, layer, l.side, packet.time)) [[likely]]
            return index;
        c.reused = true;
    }
    const ConnCold& cold = c.cold();
    if (cold.start == packet.time) next_ordinal_ = static_cast<std::uint16_t>(cold.ordinal + 1);
    if (is_over)
        remove(index, due, 0);
    else
        remove(index, packet.now, packet.number);
    return FlowTable::kNone;
}

bool ConnTracker::wants_flip(const Layer& layer) const {
    if (layer.transport == Transport::udp)
        return likely_.udp(layer.source_port) && !likely_.udp(layer.destination_port);
    if (layer.transport != Transport::tcp) return false;
    // The beginning was missed: guess the responder by the ports. A SYN-ACK between two such ports may be a scan.
    const bool syn = layer.tcp_flags & kSyn, ack = layer.tcp_flags & kAck;
    if ((syn && !ack) || !likely_.tcp(layer.source_port)) return false;
    if (!likely_.tcp(layer.destination_port)) return true;
    return !syn && layer.source_port < layer.destination_port;
}

std::uint32_t ConnTracker::open(const Layer& layer, const Lookup& l, const PacketView& packet, const Tunnel& tunnel) {
    if (table_.size() == table_.capacity()) [[unlikely]]
        make_room(packet);
    const std::uint32_t index = table_.insert(l.key, l.hash);
    Connection& c = table_[index];
    ++opened_;
    ++one_sided_;
    c.orig_side = l.side;
    c.proto = layer.transport;
    ConnCold& cold = c.cold();
    cold.start = c.last = packet.time;
    c.seen = packet.now;
    cold.ordinal = next_ordinal_;
    cold.first_seq = layer.transport == Transport::tcp ? layer.tcp_seq : 0;
    if (tunnel.present) {
        c.has_encapsulation = true;
        if (ConnExtra* extra = extra_of(c)) extra->encapsulation = tunnel.stack;
        add_tunnel_parent(c, tunnel.parent);
    }
    if (wants_flip(layer) && !is_broadcast(layer.destination)) flip_roles(c, history_);
    switch (layer.transport) {
    case Transport::tcp: tcp_.open(c); break;
    case Transport::udp:
        c.inactivity = Inactivity::udp;
        if (is_dns(c)) {
            c.deadline_kind = Deadline::expire;
            cold.deadline = c.seen + kDnsSessionTimeout;
        }
        break;
    case Transport::icmp: c.inactivity = Inactivity::icmp; break;
    case Transport::unknown: c.inactivity = Inactivity::unknown_ip; break;
    }
    if (layer.transport != Transport::tcp) c.end[0].payload_bytes() = c.end[1].payload_bytes() = 0;
    if (!wheel_.started()) wheel_.start(packet.now);
    wheel_.schedule(index, next_look(c));
    if (interims_.on()) interims_.opened(index, packet.now);
    if (succeeds_.has_former) [[unlikely]] {
        succeeds_.former_until = packet.now + kFormerFor;
        oddities_.of(c).guard = succeeds_;
    }
    observer_.opened(c, index, packet);
    return index;
}

// A bad checksum is told in the history; whether the packet counts for anything else is policy.
bool ConnTracker::leaves_out(Connection& c, const Layer& layer, unsigned side, Event event) {
    if (!layer.bad_l4_checksum) [[likely]]
        return false;
    conn_events_.keep_example(c, event); // the decoder has counted it
    if (layer.transport == Transport::tcp || layer.transport == Transport::udp)
        history_.add_scaled(c, side == c.orig_side ? 'C' : 'c', oddities_.of(c).side[side].bad_checksums);
    return options_.checksums == ChecksumPolicy::verify;
}

void ConnTracker::count_packet(Connection& c, unsigned side, const Layer& layer) {
    Endpoint& end = c.end[side];
    if (end.packets() == 0 && c.end[side ^ 1].packets() != 0) --one_sided_;
    end.count_packet(layer.ip_length);
}

bool ConnTracker::may_be_shunted(const Connection& c) {
    return c.proto == Transport::tcp && !c.has_encapsulation && is_quiet(c) && is_whole(c.end[0]) && is_whole(c.end[1]);
}

void ConnTracker::add_counted(Connection& c, Shunted& shunted, unsigned side, std::uint64_t packets,
                              std::uint64_t ip_bytes, Timestamp time) {
    leave_calm(c);
    ftpsensor::add_counted(c, shunted, side, packets, ip_bytes);
    if (shunted.side[0].exact || shunted.side[1].exact) return; // what is counted now came before the end
    c.last = std::max(c.last, time);
    c.seen = std::max(c.seen, time);
}

void ConnTracker::process_udp(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    if (leaves_out(c, layer, side, Event::bad_UDP_checksum)) return;
    Endpoint& end = c.end[side];
    c.last = packet.time;
    c.seen = packet.now;
    count_packet(c, side, layer);
    // Zeek takes a length that does not even cover the header for a negative one, and an end whose sum is below zero
    // for one that never spoke.
    constexpr std::int64_t kHeader = 8;
    const auto before = end.active ? static_cast<std::int64_t>(std::uint64_t{end.payload_bytes()}) : 0;
    const std::int64_t sum = before + layer.udp_length - kHeader;
    end.active = sum >= 0;
    end.payload_bytes() = sum >= 0 ? static_cast<std::uint64_t>(sum) : 0;
    const bool orig = side == c.orig_side;
    history_.check(c, orig ? 0x1 : 0x2, orig ? 'D' : 'd');
}

// The question was missed. Zeek has counted the answer by then, and leaves it with the originator, who is another now.
void ConnTracker::turn_answered(Connection& c) const {
    std::swap(c.end[0], c.end[1]);
    flip_roles(c, history_);
}

void ConnTracker::process_icmp(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    if (leaves_out(c, layer, side, Event::bad_ICMP_checksum)) return;
    Endpoint& end = c.end[side];
    c.last = packet.time;
    c.seen = packet.now;
    end.active = true;
    end.payload_bytes() += layer.payload_length;
    if (layer.payload_captured < layer.payload_length) return; // Zeek counts whole messages only
    count_packet(c, side, layer);
}

void ConnTracker::process_unknown(Connection& c, const Layer& layer, unsigned side, const PacketView& packet) {
    c.last = packet.time;
    c.seen = packet.now;
    count_packet(c, side, layer);
}

Timestamp ConnTracker::next_look(const Connection& c) const {
    const Timestamp idle = c.seen + options_.inactivity[c.inactivity];
    const Timestamp look = c.deadline_kind == Deadline::none ? idle : std::min(idle, c.cold().deadline);
    return c.one_sided() ? std::min(look, std::max(c.seen, wheel_.done_through()) + kOneSidedLook) : look;
}

// A few of the connections that were open when the configuration changed. All at once would take so long that packets
// are lost, and a million interim entries would fall due at one time ever after.
void ConnTracker::update_some(Timestamp now) {
    updating_ = table_.for_some(update_hand_, kUpdatesAtOnce, [&](std::uint32_t index) {
        reschedule(index);
        if (interims_.on()) interims_.join(index, now);
    });
}

bool ConnTracker::over(Connection& c, Timestamp now, Timestamp& due) const {
    for (;;) {
        const Timestamp idle = c.seen + options_.inactivity[c.inactivity];
        if (c.deadline_kind != Deadline::none && c.cold().deadline <= idle) {
            due = c.cold().deadline;
            if (due > now) return false;
            if (options_.wary_of_decoys && c.deadline_kind == Deadline::closing && c.is_open() &&
                !(c.end[0].did_close && c.end[1].did_close)) [[unlikely]] {
                c.deadline_kind = Deadline::none; // by a FIN that nobody acknowledged
                continue;
            }
            if (c.proto == Transport::tcp ? tcp_.deadline_reached(c) : dns_deadline_reached(c)) return true;
            continue; // it has been moved or cleared
        }
        due = timeouts_changed_ ? std::max(idle, tick_in_hand(now)) : idle; // nothing ends in the past
        return due <= now;
    }
}

void ConnTracker::advance(Timestamp now) {
    if (!wheel_.started()) wheel_.start(now);
    tell_interims((TimerWheel::tick_of(now) << TimerWheel::kTickShift) - 1); // what the wheel is about to reach
    if (updating_) [[unlikely]]
        update_some(now);
    wheel_.advance(now, [this](std::uint32_t first, Timestamp tick_end) {
        due_.clear();
        while (first != TimerWheel::kNone) first = look_at(first, tick_end);
        // In the order of their own ends, so that what happens in between them does not depend on the table.
        std::sort(due_.begin(), due_.end(), [this](const Due& a, const Due& b) {
            return std::tie(a.time, table_.cold(a.index).start) < std::tie(b.time, table_.cold(b.index).start);
        });
        constexpr std::size_t kLead = 4; // connections between a prefetch and its use
        for (std::size_t i = 0; i < due_.size(); ++i) {
            if (i + kLead < due_.size()) {
                const Connection& soon = table_[due_[i + kLead].index];
                table_.prefetch_bucket(table_.hash(soon.key));
                observer_.ends_soon(soon);
            }
            remove(due_[i].index, due_[i].time, 0);
        }
    });
}

// The next few connections of a tick's list: those that are over go to due_, the others back into the wheel. Returns
// the one after them.
std::uint32_t ConnTracker::look_at(std::uint32_t first, Timestamp tick_end) {
    std::array<std::uint32_t, 16> indices;
    std::size_t count = 0;
    std::uint32_t next = first;
    for (; count < indices.size() && next != TimerWheel::kNone; ++count) {
        indices[count] = next;
        ConnCold& cold = table_.cold(next);
        next = cold.wheel_next;
        cold.wheel_next = cold.wheel_previous = Connection::kNone;
        table_.prefetch(indices[count]);
    }
    for (std::size_t i = 0; i < count; ++i) {
        Connection& c = table_[indices[i]];
        Timestamp due;
        if (over(c, tick_end - 1, due))
            due_.push_back({due, indices[i]});
        else
            wheel_.schedule(indices[i], next_look(c));
    }
    return next;
}

void ConnTracker::remove(std::uint32_t index, Timestamp due, std::uint64_t packet_number) {
    Connection& c = table_[index];
    if (c.one_sided()) --one_sided_;
    observer_.removed(c, index, due, packet_number);
    wheel_.remove(index); // only now: what came out at the end (a held first command) may have put it back
    if (interims_.were_on()) interims_.removed(index);
    if (c.proto == Transport::tcp) {
        gaps_.forget(c.end[0]);
        gaps_.forget(c.end[1]);
    }
    if (const std::uint32_t extra = c.cold().extra; extra != Connection::kNone) extras_.release(extra);
    oddities_.release(c);
    table_.erase(index);
}

void ConnTracker::finish(Timestamp end, bool run_out) {
    advance(end);
    tell_interims(end); // as a packet of that time would, whosever it is
    due_.clear();
    table_.for_each([&](std::uint32_t i) {
        Connection& c = table_[i];
        Timestamp due;
        bool cut_short = false;
        if (!over(c, end, due)) {
            cut_short = !run_out || c.deadline_kind != Deadline::closing;
            due = cut_short ? end : c.cold().deadline;
        }
        due_.push_back({due, i, cut_short, is_headers_only(c)});
    });
    std::sort(due_.begin(), due_.end(), [this](const Due& a, const Due& b) {
        return std::tie(a.time, a.headers_only, table_.cold(a.index).start) <
               std::tie(b.time, b.headers_only, table_.cold(b.index).start);
    });
    // What the end cuts short comes after all that the last packet did.
    for (const Due& d : due_) remove(d.index, d.time, d.cut_short ? UINT64_MAX : 0);
}

} // namespace ftpsensor
