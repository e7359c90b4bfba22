// A connection as a worker holds it: plain data, no pointers, in a table of its own kind (flow_table.h).
//
// The two ends are numbered by side, not by role: side 0 is the end with the lower (address, port), side 1 the other,
// for the life of the connection. `orig_side` tells which is the originator, and changes where roles flip. The meaning
// of each member is that of Zeek's Connection, TCPSessionAdapter and TCP_Endpoint.
//
// Memory latency is what a packet costs at a million connections, so a connection is in three parts: what each packet
// needs (Connection, three cache lines), what its beginning, its end and its timers need (ConnCold), and what only odd
// ones have (ConnOddities, ConnExtra, from pools). Worker's thread only.
#pragma once

#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/conn/uint48.h"
#include "core/packet/decode.h"
#include "core/record/entries.h"

#include <cstdint>
#include <cstring>

namespace ftpsensor {

enum TcpFlag : std::uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32 };

enum class TcpState : std::uint8_t { inactive, syn_sent, syn_ack_sent, partial, established, closed, reset };

// One direction. Sequence numbers named *_rel are relative to start_seq, in 64 bits: the SYN is 0, the first byte is 1.
struct Endpoint {
    static constexpr std::uint32_t kNoRange = 0xffffffff;
    static constexpr unsigned kWrapsShift = 48;
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kWrapsShift) - 1;

    std::uint32_t start_seq = 0;
    std::uint32_t last_seq = 0;      // one past the highest byte seen
    std::uint32_t ack_seq = 0;       // the highest acknowledgement that the peer sent
    std::uint32_t ranges = kNoRange; // beyond a hole: a list of GapTracker's pool
    // What was counted, in the low 48 bits (256 TiB: where sequence numbers wrapped as often as is remembered, too),
    // and in the high 16 how often last_seq and ack_seq wrapped.
    std::uint64_t packets_seq_wraps = 0;
    std::uint64_t ip_bytes_ack_wraps = 0;
    // While Connection::calm the next two stand still: see tcp_plain.h.
    Uint48 delivered_rel = 1; // TCP: the next byte that is missing (gap_tracker.h); else: payload bytes
    Uint48 trimmed_rel = 1;   // acknowledged and forgotten up to here
    Uint48 fin_rel;           // one past the FIN
    TcpState state = TcpState::inactive;
    TcpState previous = TcpState::inactive;
    bool active : 1 = false; // UDP, ICMP: a packet was seen
    bool did_close : 1 = false;
    bool did_eof : 1 = false;
    bool skip_deliveries : 1 = false;
    bool fin_seen : 1 = false;

    void count_packet(std::uint32_t ip_length) {
        ++packets_seq_wraps;
        ip_bytes_ack_wraps += ip_length;
    }
    std::uint64_t packets() const { return packets_seq_wraps & kCountMask; }
    std::uint64_t ip_bytes() const { return ip_bytes_ack_wraps & kCountMask; }
    std::uint32_t seq_wraps() const { return static_cast<std::uint32_t>(packets_seq_wraps >> kWrapsShift); }
    std::uint32_t ack_wraps() const { return static_cast<std::uint32_t>(ip_bytes_ack_wraps >> kWrapsShift); }
    void last_seq_wraps() { packets_seq_wraps += std::uint64_t{1} << kWrapsShift; }
    void forget_wraps() {
        packets_seq_wraps &= kCountMask;
        ip_bytes_ack_wraps &= kCountMask;
    }
    void ack_seq_wraps() { ip_bytes_ack_wraps += std::uint64_t{1} << kWrapsShift; }

    std::uint64_t relative(std::uint32_t seq, std::uint32_t wraps) const {
        return (static_cast<std::uint64_t>(wraps) << 32) + seq - start_seq;
    }
    std::uint64_t acked_rel() const { return relative(ack_seq, ack_wraps()); }
    std::uint64_t last_rel() const { return relative(last_seq, seq_wraps()); }
    bool no_data_acked() const { return acked_rel() <= 1; }
    // A FIN that its peer has not acknowledged to the number, or that stands where bytes do, or may.
    bool has_doubtful_fin() const {
        return fin_seen && (skip_deliveries || acked_rel() != fin_rel || fin_rel <= delivered_rel);
    }
    bool has_asked() const { // and ended that again, perhaps
        return state == TcpState::syn_sent ||
               (state == TcpState::closed && previous == TcpState::syn_sent && has_doubtful_fin());
    }
    bool is_open() const {
        return state == TcpState::established || state == TcpState::partial || is_asking() ||
               (state == TcpState::closed && has_doubtful_fin());
    }
    bool is_asking() const { return state == TcpState::syn_sent || state == TcpState::syn_ack_sent; }
    Uint48& payload_bytes() { return delivered_rel; } // UDP and ICMP, which have no holes
    const Uint48& payload_bytes() const { return delivered_rel; }
};

struct ConnKey { // side 0 is the lower (address, port); an ICMP message that nothing answers keeps its direction
    IpAddress address[2];
    std::uint16_t port[2] = {0, 0};
    std::uint8_t ip_proto = 0;
    std::uint8_t one_way = 0;

    friend bool operator==(const ConnKey& a, const ConnKey& b) { return std::memcmp(&a, &b, sizeof(ConnKey)) == 0; }
};
static_assert(sizeof(ConnKey) == 38); // no padding: compared as bytes

// Why a connection will be looked at, besides inactivity.
enum class Deadline : std::uint8_t {
    none,
    attempt, // a SYN that nothing answered (tcp_attempt_delay)
    closing, // both ends are done (tcp_close_delay)
    expire,  // Zeek's ExpireTimer: half-closed and reset, or nothing ever happened
};

// After how long without a packet a connection is removed: which of the configured times (InactivityTimes).
enum class Inactivity : std::uint8_t { handshake, tcp, interactive, udp, icmp, unknown_ip, ftp, count_ };

enum class ContentUse : std::uint8_t {
    none,      // headers only
    candidate, // may yet show to be FTP by its first bytes
    control,   // an FTP control connection
};

// What the beginning, the end and the timers of a connection need.
struct ConnCold {
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::uint16_t kNoSlot = 0xffff;

    Timestamp start = 0;
    Timestamp deadline = 0; // of Connection::deadline_kind
    // Timer wheel (timer_wheel.h). In a connection that is not in use, wheel_next is the next such one.
    std::uint32_t wheel_next = kNone;
    std::uint32_t wheel_previous = kNone;
    std::uint16_t wheel_slot = kNoSlot;
    std::uint16_t ordinal = 0;
    std::uint32_t content_index = kNone;    // in the pool of control connections (core/pipeline)
    std::uint32_t watch = kNone;            // in the pool of data watches, while Connection::watching
    std::uint32_t half_close_phase = kNone; // TCP: when the first end closed, within kSessionTimer from `start`; us
    std::uint32_t first_seq = 0;
    std::uint32_t extra = kNone; // tunnels, long history (conn_extra.h)
};
static_assert(sizeof(ConnCold) == 48);

struct alignas(64) Connection {
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kHistoryInline = 16; // letters

    ConnKey key;
    std::uint8_t orig_side = 0;
    Transport proto = Transport::unknown;
    Timestamp last = 0;
    Timestamp seen = 0; // PacketView::now at `last`: never goes back; deadlines follow it
    std::uint16_t history_seen = 0;
    Deadline deadline_kind = Deadline::none;
    ContentUse content = ContentUse::none;
    Inactivity inactivity = Inactivity::unknown_ip;
    std::uint8_t history_size = 0;
    bool in_use : 1 = false;  // FlowTable's
    bool calm : 1 = false;    // TCP: its next packet is likely a plain one (tcp_plain.h)
    bool partial : 1 = false; // TCP: the beginning was not seen
    bool active : 1 = true;   // TCP: Zeek's is_active
    bool close_deferred : 1 = false;
    bool orig_first_seen : 1 = false;
    bool resp_first_seen : 1 = false;
    bool reused : 1 = false;   // being removed for another one in its place
    bool watching : 1 = false; // it may be a transfer: cold().watch
    bool watched : 1 = false;  // see ConnRecord::watched
    bool has_encapsulation : 1 = false;
    bool shunted : 1 = false; // its port counts or has counted for it (shunted.h); never calm then

    Endpoint end[2];

    std::uint32_t odd = kNone; // ConnOddities
    std::uint8_t services = 0;
    std::uint8_t tunnels_refused = 0; // a bit a TunnelKind: it was none, its packets are not opened any more
    std::uint8_t history[10] = {};    // five bits a letter (history.h)

    Endpoint& orig() { return end[orig_side]; }
    Endpoint& resp() { return end[orig_side ^ 1]; }
    const Endpoint& orig() const { return end[orig_side]; }
    const Endpoint& resp() const { return end[orig_side ^ 1]; }
    // Of FTP, or what may yet be, and in the middle of it: both ends speak, and no doubtful FIN ends that.
    bool is_open() const { return content != ContentUse::none && end[0].is_open() && end[1].is_open(); }
    // The same, or one end has closed, and the other still answers.
    bool in_session() const {
        if (content == ContentUse::none || end[0].state == TcpState::inactive || end[1].state == TcpState::inactive)
            return false;
        const bool first = end[0].is_open(), second = end[1].is_open();
        return (first && second) || (first && end[1].state == TcpState::closed) ||
               (second && end[0].state == TcpState::closed);
    }
    bool awaits_answer() const {
        return content != ContentUse::none && orig().has_asked() && resp().state == TcpState::inactive;
    }
    bool one_sided() const { return end[0].packets() == 0 || end[1].packets() == 0; } // nothing was ever answered
    EndpointId id() const {
        const int o = orig_side, r = orig_side ^ 1;
        return {key.address[o], key.port[o], key.address[r], key.port[r]};
    }
    // Only of connections in a FlowTable: their cold parts lie at the end of the same slab.
    inline ConnCold& cold();
    inline const ConnCold& cold() const { return const_cast<Connection*>(this)->cold(); }
    ConnIdentity identity() const {
        const ConnCold& more = cold();
        return {key.address[0], key.address[1], key.port[0],    key.port[1],
                key.ip_proto,   more.ordinal,   more.first_seq, more.start};
    }
    void watch(std::uint32_t index) {
        cold().watch = index;
        watching = true;
    }
    void unwatch() {
        cold().watch = ConnCold::kNone;
        watching = false;
    }
};
static_assert(sizeof(Connection) == 192);

// How connections lie in memory: slabs of the first parts, followed by the cold ones. A slab is aligned to its size, so
// that either part leads to the other without the table. An index is slab << kSlotBits | slot.
struct ConnSlab {
    static constexpr std::size_t kBytes = 1u << 16;
    static constexpr std::uint32_t kConnections = kBytes / (sizeof(Connection) + sizeof(ConnCold));
    static constexpr unsigned kSlotBits = 9;
    static_assert(kConnections <= 1u << kSlotBits);

    Connection hot[kConnections];
    ConnCold cold[kConnections];
};
static_assert(sizeof(ConnSlab) <= ConnSlab::kBytes);

inline ConnCold& Connection::cold() {
    const auto at = reinterpret_cast<std::uintptr_t>(this);
    auto* slab = reinterpret_cast<ConnSlab*>(at & ~(ConnSlab::kBytes - 1));
    return slab->cold[this - slab->hot];
}

} // namespace ftpsensor
