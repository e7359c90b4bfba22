// A connection as a worker holds it: plain data, no pointers, in a table of its own kind (flow_table.h).
//
// The two ends are numbered by side, not by role: side 0 is the end with the lower (address, port), side 1 the other,
// for the life of the connection. `orig_side` tells which is the originator, and changes where roles flip. The meaning
// of each member is that of Zeek's Connection, TCPSessionAdapter and TCP_Endpoint. Worker's thread only.
#pragma once

#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/packet/decode.h"
#include "core/record/entries.h"

#include <cstdint>

namespace ftpsensor {

enum TcpFlag : std::uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32 };

enum class TcpState : std::uint8_t { inactive, syn_sent, syn_ack_sent, partial, established, closed, reset };

// One direction. Sequence numbers named *_rel are relative to start_seq, in 64 bits: the SYN is 0, the first byte is 1.
struct Endpoint {
    static constexpr std::uint32_t kNoRange = 0xffffffff;

    std::uint64_t packets = 0;
    std::uint64_t ip_bytes = 0;
    // TCP: reassembly of the ranges that this end sent (gap_tracker.h). UDP and ICMP: payload_bytes.
    union {
        std::uint64_t delivered_rel = 1; // the next byte that is missing
        std::uint64_t payload_bytes;     // UDP, ICMP
    };
    std::uint64_t trimmed_rel = 1; // acknowledged and forgotten up to here
    std::uint32_t start_seq = 0;
    std::uint32_t last_seq = 0; // one past the highest byte seen
    std::uint32_t ack_seq = 0;  // the highest acknowledgement that the peer sent
    std::uint16_t seq_wraps = 0;
    std::uint16_t ack_wraps = 0;
    std::uint64_t fin_rel = 0;       // one past the FIN
    std::uint32_t ranges = kNoRange; // first of the ranges beyond a hole (GapTracker's pool)
    std::uint32_t last_syn = 0;      // relative numbers of the last control packets, low 32 bits: for the history
    std::uint32_t last_fin = 0;
    std::uint32_t last_rst = 0;
    std::uint32_t retransmissions = 0;
    std::uint32_t gaps = 0;
    std::uint32_t zero_windows = 0;
    std::uint32_t bad_checksums = 0;
    TcpState state = TcpState::inactive;
    TcpState previous = TcpState::inactive;
    bool active = false; // UDP, ICMP: a packet was seen
    bool did_close = false;
    bool did_eof = false;
    bool skip_deliveries = false;
    bool fin_seen = false;

    std::uint64_t relative(std::uint32_t seq, std::uint32_t wraps) const {
        return (static_cast<std::uint64_t>(wraps) << 32) + seq - start_seq;
    }
    std::uint64_t acked_rel() const { return relative(ack_seq, ack_wraps); }
    bool no_data_acked() const { return acked_rel() <= 1; }
};

struct ConnKey { // side 0 is the lower (address, port); an ICMP message that nothing answers keeps its direction
    IpAddress address[2];
    std::uint16_t port[2] = {0, 0};
    std::uint8_t ip_proto = 0;
    std::uint8_t one_way = 0;

    friend bool operator==(const ConnKey&, const ConnKey&) = default;
};

// Why a connection will be looked at, besides inactivity.
enum class Deadline : std::uint8_t {
    none,
    attempt, // a SYN that nothing answered (tcp_attempt_delay)
    closing, // both ends are done (tcp_close_delay)
    expire,  // Zeek's ExpireTimer: half-closed and reset, or nothing ever happened
};

enum class ContentUse : std::uint8_t {
    none,      // headers only
    candidate, // may yet show to be FTP by its first bytes
    control,   // an FTP control connection
};

struct Connection {
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kHistoryInline = 20;
    static constexpr std::uint32_t kFirstPlace = 16; // below are the events of a data connection

    ConnKey key;
    std::uint8_t orig_side = 0;
    Transport proto = Transport::unknown;
    Deadline deadline_kind = Deadline::none;
    ContentUse content = ContentUse::none;
    std::uint32_t content_index = kNone; // in the pool of control connections (core/pipeline)
    std::uint32_t watch = kNone;         // in the pool of data watches: it may be a transfer

    Timestamp start = 0;
    Timestamp last = 0;
    Timestamp seen = 0;      // PacketView::now at `last`: never goes back; deadlines follow it
    Timestamp deadline = 0;  // of deadline_kind
    Duration inactivity = 0; // removed this long after `last`
    std::uint64_t missed_bytes = 0;

    // Timer wheel (timer_wheel.h)
    std::uint32_t wheel_next = kNone;
    std::uint32_t wheel_previous = kNone;
    std::uint32_t wheel_slot = kNone;

    std::uint32_t half_close_phase = kNone; // TCP: when the first end closed, within kSessionTimer from `start`; us
    std::uint32_t first_seq = 0;
    std::uint32_t history_seen = 0;
    std::uint32_t extra = kNone;        // tunnel parents, long history (conn_extra.h)
    std::uint32_t places = kFirstPlace; // records emitted so far: StreamKey::place
    std::uint16_t ordinal = 0;
    std::uint8_t history_size = 0;
    std::uint8_t services = 0;
    bool in_use = false;  // FlowTable's
    bool partial = false; // TCP: the beginning was not seen
    bool active = true;   // TCP: Zeek's is_active
    bool close_deferred = false;
    bool orig_first_seen = false;
    bool resp_first_seen = false;
    bool reused = false;  // being removed for another one in its place
    bool watched = false; // see ConnRecord::watched
    bool has_encapsulation = false;
    std::uint8_t tunnel_changes = 0;
    std::uint8_t tunnels_refused = 0; // a bit a TunnelKind: it was none, its packets are not opened any more
    std::uint64_t encapsulation = 0;  // hash of the tunnels it came through last
    char history[kHistoryInline] = {};

    Endpoint end[2];

    Endpoint& orig() { return end[orig_side]; }
    Endpoint& resp() { return end[orig_side ^ 1]; }
    const Endpoint& orig() const { return end[orig_side]; }
    const Endpoint& resp() const { return end[orig_side ^ 1]; }
    bool in_session() const { // of FTP, and in the middle of it
        return content == ContentUse::control && end[0].state == TcpState::established &&
               end[1].state == TcpState::established;
    }
    bool one_sided() const { return end[0].packets == 0 || end[1].packets == 0; } // nothing was ever answered
    EndpointId id() const {
        const int o = orig_side, r = orig_side ^ 1;
        return {key.address[o], key.port[o], key.address[r], key.port[r]};
    }
    ConnIdentity identity() const {
        return {key.address[0], key.address[1], key.port[0], key.port[1], key.ip_proto, ordinal, first_seq, start};
    }
};

} // namespace ftpsensor
