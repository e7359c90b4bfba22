// All connections of one worker: found or opened for each packet, kept up to date, and removed when they are over.
//
// Opened, continued, reused and removed by Zeek's rules (session manager, IPBasedAnalyzer and the adapters of TCP, UDP,
// ICMP and unknown transports). When a connection is over is decided by its own deadline, never by when somebody
// looked: a packet that arrives after it opens a new connection. Worker's thread only.
#pragma once

#include "core/conn/conn_events.h"
#include "core/conn/conn_extra.h"
#include "core/conn/connection.h"
#include "core/conn/flow_table.h"
#include "core/conn/gap_tracker.h"
#include "core/conn/history.h"
#include "core/conn/interims.h"
#include "core/conn/likely_ports.h"
#include "core/conn/session_guard.h"
#include "core/conn/shunted.h"
#include "core/conn/tcp_plain.h"
#include "core/conn/tcp_tracker.h"
#include "core/conn/timer_wheel.h"
#include "core/packet/decode.h"
#include "core/record/records.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace ftpsensor {

struct ConnOptions {
    std::uint32_t connections_max = 1'000'000;
    std::uint32_t ranges_max = 1u << 20; // GapTracker's
    TcpTimeouts tcp;
    InactivityTimes inactivity;
    ChecksumPolicy checksums = ChecksumPolicy::ignore;
    // ftp.extended: what no host takes of an FTP control connection, or of one that may yet be, does not end or hide
    // it.
    bool wary_of_decoys = false;
    // capture.shunt: who watches a connection is told of each of its segments, not only of those with payload.
    bool tell_headers = false;
    std::vector<std::uint16_t> ftp_ports = {21, 2811};
    InterimOptions interims;
    IdKey id_key;
    std::uint64_t hash_secret = 0;
};

// What of it can change while a tracker runs; for connections that are open, too, from that time on.
struct ConnUpdate {
    // `first_interims`: there were none since the start, and now there may be.
    ConnUpdate(const ConnOptions& options, bool first_interims);

    TcpTimeouts tcp;
    InactivityTimes inactivity;
    LikelyServerPorts likely;
    Duration interim_interval;
    Interims::Memory interims;
};

// What the tracker tells its owner. Not called for packets of connections whose content nobody uses.
class ConnObserver {
public:
    virtual ~ConnObserver() = default;
    // A new connection; its first packet is processed after this.
    virtual void opened(Connection& c, std::uint32_t index, const PacketView& packet) = 0;
    // Its roles changed after it was opened.
    virtual void flipped(Connection& c, std::uint32_t index, const PacketView& packet) = 0;
    // A TCP segment of a connection with ContentUse other than none, or with a watch, was processed. Not called for
    // plain acknowledgements, which change nothing that a reader knows (but see ConnOptions::tell_headers).
    virtual void segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side,
                         const TcpOutcome& outcome, const PacketView& packet) = 0;
    // A segment of a connection that its port counts (Connection::shunted) is about to be processed: catch_up() is due.
    virtual void coming_through(Connection& c, const Layer& layer, unsigned side) = 0;
    // removed() follows soon, for this one and a few others: time to fetch what it needs.
    virtual void ends_soon(const Connection&) {}
    // The stream of `side` begins at another number than was thought: what came of it so far, nobody took.
    virtual void renumbered(Connection&, unsigned, const PacketView&) {}
    // The connection is over; it is forgotten after this. `packet_number`: of the packet that ended it; 0: its time.
    // UINT64_MAX: the end of the run, which comes after its last packet.
    virtual void removed(Connection& c, std::uint32_t index, Timestamp due, std::uint64_t packet_number) = 0;
    // An interim entry is due: of all that the packets before `due` brought. False: it could not be told.
    virtual bool interim(Connection& c, std::uint32_t index, Timestamp due, ConnRecord& record) = 0;
};

class ConnTracker {
public:
    ConnTracker(const ConnOptions& options, ConnObserver& observer, EventCounters& events);

    // The stages of a burst: keys() for all its packets, then prefetch() for all, then process() for each.
    struct Lookup {
        ConnKey key;
        std::uint8_t side = 0; // of the sender
        std::uint64_t hash = 0;
        std::uint32_t candidate = FlowTable::kNone; // the connection, if its key fits: by prefetch()
    };
    void look_up(const Layer& layer, Lookup& l) const {
        // Word by word, and hashed from the words: a load that spans several stores just made would wait for them.
        const std::uint64_t source[2] = {word_of(layer.source, 0), word_of(layer.source, 8)};
        const std::uint64_t destination[2] = {word_of(layer.destination, 0), word_of(layer.destination, 8)};
        const bool swap = !layer.one_way && comes_after(source, layer.source_port, destination, layer.destination_port);
        l.side = swap ? 1 : 0;
        ConnKeyWords words;
        for (std::size_t i = 0; i < 2; ++i) {
            words.address[0][i] = in_register(swap ? destination[i] : source[i]);
            words.address[1][i] = in_register(swap ? source[i] : destination[i]);
            std::memcpy(l.key.address[0].bytes.data() + 8 * i, &words.address[0][i], 8);
            std::memcpy(l.key.address[1].bytes.data() + 8 * i, &words.address[1][i], 8);
        }
        l.key.port[0] = swap ? layer.destination_port : layer.source_port;
        l.key.port[1] = swap ? layer.source_port : layer.destination_port;
        l.key.ip_proto = layer.ip_proto;
        l.key.one_way = layer.one_way;
        words.rest = rest_of(l.key);
        l.hash = table_.hash(words);
    }
    [[gnu::always_inline]] void prefetch_bucket(const Lookup& l) const { table_.prefetch_bucket(l.hash); }
    [[gnu::always_inline]] void prefetch_connection(Lookup& l, const Layer& layer) const {
        l.candidate = table_.prefetch_connection(l.hash, (layer.tcp_flags & (kSyn | kFin | kRst)) != 0);
    }

    // One packet, its time being packet.now. `first` is the look-up of its outermost layer.
    void process(const DecodedPacket& decoded, Lookup& first, const PacketView& packet) {
        if (packet.now >= interims_.next_due()) [[unlikely]]
            tell_interims(packet.now);
        // It may have begun since the prefetch, with another packet of the same burst.
        const Layer& layer = decoded.layers[0];
        if (first.candidate == FlowTable::kNone && layer.transport == Transport::tcp && (layer.tcp_flags & kSyn) == 0)
            [[unlikely]]
            first.candidate = table_.find(first.key, first.hash);
        if (!process_plain(decoded, first, packet)) [[unlikely]]
            process_any(decoded, first, packet);
    }
    // Removes what was over before `now`, whole ticks at a time.
    void advance(Timestamp now);
    // Everything that was over before this has been removed.
    Timestamp removed_through() const { return wheel_.done_through(); }
    // Removes all connections: those that are closed at the end of their delay where `run_out`, the others at `end`. Of
    // one time, those with content or a watch come before those of which nothing but headers was wanted.
    void finish(Timestamp end, bool run_out);

    void take(ConnUpdate& update); // between packets; swaps, and allocates nothing
    // Nothing in the connection is open or odd: its port may count for it from here on.
    static bool may_be_shunted(const Connection& c);
    // The port has counted for the end `side` of a connection, until `time`.
    static void add_counted(Connection& c, Shunted& shunted, unsigned side, std::uint64_t packets,
                            std::uint64_t ip_bytes, Timestamp time);
    static bool is_headers_only(const Connection& c) {
        return !c.watching && c.cold().content_index == ConnCold::kNone;
    }
    // Looks at the connection again at its (changed) deadline.
    void reschedule(std::uint32_t index) { wheel_.no_later_than(index, next_look(table_[index])); }
    Connection& operator[](std::uint32_t index) { return table_[index]; }
    const Connection& operator[](std::uint32_t index) const { return table_[index]; }
    bool in_use(std::uint32_t index) const { return table_[index].in_use; }
    std::uint32_t open_count() const { return table_.size(); }
    std::uint64_t opened_count() const { return opened_; }
    const GapTracker& gaps() const { return gaps_; }
    const ConnEvents& events() const { return conn_events_; }
    // A limit of ours or of the reference's analyzer cut what is known of the connection: `X` in the history.
    void limit_reached(Connection& c) const { history_.check(c, kHistoryLimit, 'X'); }
    const IdKey& id_key() const { return options_.id_key; }
    std::uint64_t missed_bytes(const Connection& c) const {
        const ConnOddities* odd = oddities_.find(c);
        return odd != nullptr ? odd->missed_bytes : 0;
    }
    // The record of a connection as it stands, and the text that goes with it (cleared first).
    void fill_record(const Connection& c, ConnRecord& record, std::string& text) const;
    // The same, less what interim entries have told.
    void fill_rest(const Connection& c, std::uint32_t index, ConnRecord& record, std::string& text) const;

private:
    struct Tunnel { // what carries the layer in hand
        bool present = false;
        Id96 parent;
        std::uint64_t stack = 0; // hash of all of them
    };
    bool process_plain(const DecodedPacket& decoded, const Lookup& first, const PacketView& packet) {
        const Layer& layer = decoded.layers[0];
        if (first.candidate == FlowTable::kNone || decoded.layer_count != 1 || layer.transport != Transport::tcp ||
            layer.bad_header || layer.bad_l4_checksum)
            return false;
        Connection& c = *kept_in_register(&table_[first.candidate]);
        if (!c.calm || c.key != first.key || packet.now >= c.seen + options_.inactivity[c.inactivity] ||
            !take_plain(c, layer, first.side, packet))
            return false;
        gaps_.count_payload(layer.payload_length);
        if (layer.payload_length != 0 && (c.content != ContentUse::none || c.watching)) [[unlikely]]
            tell_plain(decoded, first, packet);
        return true;
    }
    void tell_plain(const DecodedPacket& decoded, const Lookup& first, const PacketView& packet);
    void process_any(const DecodedPacket& decoded, const Lookup& first, const PacketView& packet);
    static std::uint64_t word_of(const IpAddress& address, std::size_t at) {
        std::uint64_t word;
        std::memcpy(&word, address.bytes.data() + at, sizeof word);
        return in_register(word);
    }
    static std::uint64_t in_register(std::uint64_t word) { // else g++ moves two words at once, by way of memory
        asm("" : "+r"(word));
        return word;
    }
    // The order of the ends of a connection (Connection::key): by address as a number, then by port.
    static bool comes_after(const std::uint64_t (&a)[2], std::uint16_t a_port, const std::uint64_t (&b)[2],
                            std::uint16_t b_port) {
        const auto number = [](std::uint64_t word) {
            return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
        };
        if (a[0] != b[0]) return number(a[0]) > number(b[0]);
        return a[1] != b[1] ? number(a[1]) > number(b[1]) : a_port > b_port;
    }
    static std::uint64_t rest_of(const ConnKey& key) { // ConnKeyWords::rest, on machines of this byte order
        if constexpr (std::endian::native != std::endian::little) return words_of(key).rest;
        return key.port[0] | static_cast<std::uint64_t>(key.port[1]) << 16 |
               static_cast<std::uint64_t>(key.ip_proto) << 32 | static_cast<std::uint64_t>(key.one_way) << 40;
    }
    std::uint32_t process_layer(const Layer& layer, const Lookup& l, const PacketView& packet, const Tunnel& tunnel);
    std::uint32_t find_live(const Layer& layer, const Lookup& l, const PacketView& packet);
    // The segment takes the place of the connection, whose numbers are others.
    bool is_another(Connection& c, const Layer& layer, unsigned side, Timestamp time);
    // What the segment is counted as, and for nothing else: see session_guard.h.
    std::optional<Event> decoy(const Connection& c, const Layer& layer, unsigned side) const {
        if (!options_.wary_of_decoys || c.content == ContentUse::none) return std::nullopt;
        if (c.awaits_answer()) return decoy_before_answer(c, layer, side);
        if (!c.in_session()) return std::nullopt;
        const ConnOddities* odd = oddities_.find(c);
        return decoy_in_session(c, odd == nullptr ? nullptr : &odd->guard, layer, side);
    }
    void mind_handshakes(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    bool is_refused(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void return_to_former(Connection& c, SessionGuard& guard, const Layer& layer, unsigned side,
                          const PacketView& packet);
    void remember_former(const Connection& c, unsigned sides);
    static bool is_of_former(const SessionGuard& guard, const Layer& layer, unsigned side);
    void note_reset(Connection& c, const Layer& layer, unsigned side);
    void note_doubted(Connection& c, const Layer& layer, unsigned side);
    void mind_reset(Connection& c, const Layer& layer, unsigned side);
    void count_decoy(Connection& c, const Layer& layer, unsigned side, Event event);
    void be_wary(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void doubt_before_syn(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void believe_answer(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void doubt_beginning(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void renumber(Connection& c, unsigned side, std::uint32_t next, const PacketView& packet);
    std::uint32_t open(const Layer& layer, const Lookup& l, const PacketView& packet, const Tunnel& tunnel);
    bool wants_flip(const Layer& layer) const;
    ConnExtra* extra_of(Connection& c);
    void check_encapsulation(Connection& c, const Tunnel& tunnel);
    void add_tunnel_parent(Connection& c, const Id96& parent);
    void process_tcp(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet);
    void process_segment(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet);
    void process_warily(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet);
    void take_segment(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet);
    void process_doubtful(std::uint32_t index, const Layer& layer, unsigned side, const PacketView& packet);
    void process_udp(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void turn_answered(Connection& c) const;
    void process_icmp(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void process_unknown(Connection& c, const Layer& layer, unsigned side, const PacketView& packet);
    void end_of_tunnels(Connection& c, const DecodedPacket& decoded) const;
    bool leaves_out(Connection& c, const Layer& layer, unsigned side, Event event);
    Timestamp next_look(const Connection& c) const;
    // When the connection was over, if that is not later than `now`.
    bool over(Connection& c, Timestamp now, Timestamp& due) const;
    void remove(std::uint32_t index, Timestamp due, std::uint64_t packet_number);
    std::uint32_t look_at(std::uint32_t first, Timestamp tick_end);
    void tell_interims(Timestamp now); // those that are due by then
    void update_some(Timestamp now);
    // The start of the tick that the wheel is at: while it hands out one, it counts it as done.
    Timestamp tick_in_hand(Timestamp now) const {
        return TimerWheel::tick_of(std::min(now, wheel_.done_through())) << TimerWheel::kTickShift;
    }
    void count_packet(Connection& c, unsigned side, const Layer& layer);
    void make_room(const PacketView& packet);
    std::uint32_t choose_for_eviction();
    std::uint32_t longest_silent();

    ConnOptions options_;
    ConnObserver& observer_;
    ConnEvents conn_events_;
    ConnExtraPool extras_;
    History history_;
    ConnOdditiesPool oddities_;
    GapTracker gaps_;
    LikelyServerPorts likely_;
    TcpTracker tcp_;
    FlowTable table_;
    TimerWheel wheel_;
    Interims interims_;
    bool timeouts_changed_ = false; // while running: what was not yet over may have been over before
    static constexpr std::uint32_t kUpdatesAtOnce = 32; // places of the table, a burst
    bool updating_ = false;                             // open connections have not all been looked at since
    std::uint32_t update_hand_ = 0;                     // the next place
    std::uint64_t opened_ = 0;
    static constexpr Duration kOneSidedLook = 5 * kSecond; // so often those are looked at that are
    std::uint32_t one_sided_ = 0;                          // connections one of whose ends was never heard
    std::uint32_t eviction_hand_ = 0;
    SessionGuard succeeds_;          // by its former numbers: the session whose place the next connection takes
    std::uint16_t next_ordinal_ = 0; // of a connection that takes the place of one that began at the same time
    struct Due {
        Timestamp time;
        std::uint32_t index;
        bool cut_short = false;    // by the end, before it was over
        bool headers_only = false; // nobody follows what it carries
    };
    std::vector<Due> due_; // scratch of advance()
};

} // namespace ftpsensor
