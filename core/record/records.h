// What a worker hands to the logger: small binary records in two bounded channels, one for connections and one for FTP.
//
// A record carries what only the worker knows. Ids as text, times as text, community ids and the joining of transfers
// are the logger's work. Records are trivially copyable; what has no fixed size travels as text beside the record
// (core/record/channel.h). Producer: one worker. Consumer: the logger thread.
#pragma once

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/packet/decode.h"
#include "core/record/entries.h"

#include <cstdint>
#include <optional>
#include <type_traits>

namespace ftpsensor {

// The place of a record in the merged stream: ordered by time, then by what caused it. Everything in it comes from the
// packets, so it is the same whichever worker saw them.
struct StreamKey {
    Timestamp time = 0;       // when it is due: _write_ts
    std::uint64_t packet = 0; // the packet that caused it; 0: a timer, which runs before the packets of its time
    Id96 uid;                 // of the connection
    std::uint32_t place = 0;  // within the connection

    friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
};

// What a record tells of a connection that has interim entries (log.conn.interim).
enum class InterimPart : std::uint8_t {
    none, // it has none: everything
    part, // what is new since the last one
    rest, // the same, and it is over
};

struct ConnRecord {
    static constexpr std::size_t kHistoryInline = 40;

    StreamKey key; // without the uid, which the logger computes
    Timestamp start = 0;
    Timestamp last = 0;
    std::uint32_t first_seq = 0; // ConnIdentity's
    std::uint16_t ordinal = 0;
    EndpointId id; // as it is logged, after any flip of roles
    Transport proto = Transport::unknown;
    std::uint8_t ip_proto = 0;
    ConnState state = ConnState::OTH;
    std::uint8_t services = 0;       // without ftp-data, which the join decides
    bool shunted = false;            // its port counted part of it (capture.shunt)
    bool watched = false;            // events of this connection are in the FTP stream: the join knows it
    bool ftp_only = false;           // wanted only if it is FTP's, which of a watched one the join says
    std::uint8_t history_size = 0;   // all of it; what is beyond kHistoryInline comes first in the text
    std::uint8_t tunnel_parents = 0; // that many Id96 follow in the text
    InterimPart interim = InterimPart::none;
    bool interim_before = false; // the text ends with a Timestamp: until when earlier entries have told `duration`
    std::uint64_t orig_bytes = 0;
    std::uint64_t resp_bytes = 0;
    std::uint64_t missed_bytes = 0;
    std::uint64_t orig_pkts = 0;
    std::uint64_t orig_ip_bytes = 0;
    std::uint64_t resp_pkts = 0;
    std::uint64_t resp_ip_bytes = 0;
    char history[kHistoryInline] = {};
};
static_assert(std::is_trivially_copyable_v<ConnRecord>);

enum class FtpRecordKind : std::uint8_t {
    announcement,  // a control session expects a data connection: `channel`
    message,       // a command's turn is over; an entry where `logged`
    session_end,   // the control connection is removed: nothing of it follows
    data_open,     // a connection that may be a transfer: `id` as it stands now (again after a flip of roles)
    data_first,    // its first payload (or gap) of one direction: `from_originator`
    data_typed,    // its first bytes are complete enough to tell the type: text holds them; `mime_stage`
    data_progress, // how its bytes grew: text holds ProgressSample after ProgressSample, the first at this record's
                   // time
    data_closed,   // both directions have ended: `bytes`, `complete`
    data_removed,  // the connection is removed: same time and connection as its conn record, just before it
};

// How many payload bytes, of both directions, had moved once a packet had been seen.
struct ProgressSample {
    Timestamp time = 0;
    std::uint64_t packet = 0;
    std::uint64_t bytes = 0;
};

// Which rule of the reference asks for the type; they differ in bytes and in what an unknown type means.
enum class MimeStage : std::uint8_t { transferred, sniffed };

struct FtpRecord {
    struct Text { // sizes; the strings lie one after the other in this order
        std::uint16_t user = 0, password = 0, command = 0, arg = 0, reply_msg = 0;
        bool has_password = false, has_command = false, has_arg = false, has_reply_msg = false;
    };

    StreamKey key;
    EndpointId id; // message, announcement: of the control connection; data_*: of the data connection
    Timestamp ts = 0;
    FtpRecordKind kind = FtpRecordKind::message;
    MimeStage mime_stage = MimeStage::transferred;
    bool logged = false;
    bool transfers = false; // message: FtpEvent's
    bool final_entry = false;
    bool from_originator = false;
    bool complete = false;
    bool reused = false; // data_removed: another connection takes its place
    bool has_reply_code = false;
    bool has_file_size = false;
    bool has_channel = false;
    std::uint32_t reply_code = 0;
    std::uint64_t file_size = 0;
    std::uint32_t channel_number = 0; // FtpEvent::channel: announcement, message
    std::uint64_t least_bytes = 0;    // message: a transfer that moved fewer is not whole
    std::uint64_t bytes = 0;          // data_closed, data_removed: payload bytes of both directions
    Timestamp told = INT64_MIN;    // data_*: when there was reason to tell it, where that came later than it happened
    std::uint32_t first_bytes = 0; // data_typed: bytes of text
    DataChannel channel;
    Text text;
};
static_assert(std::is_trivially_copyable_v<FtpRecord>);

} // namespace ftpsensor
