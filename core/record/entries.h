// Log entries: what the logger formats, one a line.
//
// An entry is resolved (ids computed, transfers joined) and only borrows its strings: they stay valid while it is being
// formatted. Strings are bytes as they were on the wire; the formatter escapes them. Fields follow Zeek's conn.log and
// ftp.log; an empty optional is a field that is not there. Logger thread.
#pragma once

#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/packet/decode.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ftpsensor {

struct EndpointId { // Zeek's conn_id
    IpAddress orig_h;
    std::uint16_t orig_p = 0;
    IpAddress resp_h;
    std::uint16_t resp_p = 0;
};

enum class ConnState : std::uint8_t { S0, S1, SF, REJ, S2, S3, RSTO, RSTR, RSTOS0, RSTRH, SH, SHR, OTH };

// Bits of a connection's services, written comma-separated in this order.
enum Service : std::uint8_t {
    kServiceFtp = 1,
    kServiceFtpData = 2,
    kServiceSsl = 4,
    kServiceGssapi = 8,
};

struct ConnEntry {
    Timestamp write_ts = 0; // due time: _write_ts
    Timestamp ts = 0;       // first packet
    Id96 uid;
    EndpointId id;
    Transport proto = Transport::unknown; // "tcp" "udp" "icmp" "unknown_transport"
    std::uint8_t services = 0;            // Service bits; 0: no field
    // duration, orig_bytes and resp_bytes are absent together where the last packet is not later than the first.
    // Seconds: zeek_seconds(last) - zeek_seconds(first), in the shortest decimal form that reads back as the same
    // double.
    std::optional<double> duration;
    std::optional<std::uint64_t> orig_bytes;
    std::optional<std::uint64_t> resp_bytes;
    ConnState state = ConnState::OTH;
    std::optional<bool> local_orig; // absent where no local networks are configured
    std::optional<bool> local_resp;
    std::uint64_t missed_bytes = 0;
    std::string_view history; // empty: no field
    std::uint64_t orig_pkts = 0;
    std::uint64_t orig_ip_bytes = 0;
    std::uint64_t resp_pkts = 0;
    std::uint64_t resp_ip_bytes = 0;
    std::span<const Id96> tunnel_parents; // a JSON array of strings; empty: no field
    std::uint8_t ip_proto = 0;
    // community_id is computed by the formatter from `id`, `ip_proto` and, for ICMP, type and code (id's ports).
    std::optional<Id96> control_uid; // ours: the control connection of an ftp-data connection
    bool shunted = false;            // ours: its port counted part of it
    std::optional<bool> interim;     // ours: true: an interim entry; false: the rest of a connection that has some
};

struct DataChannel {
    bool passive = false;
    IpAddress orig_h;
    IpAddress resp_h;
    std::uint16_t resp_p = 0;
};

struct FtpEntry {
    Timestamp write_ts = 0;
    Timestamp ts = 0; // when the command was sent
    Id96 uid;
    EndpointId id;
    std::string_view user;
    std::optional<std::string_view> password;
    std::optional<std::string_view> command;
    std::optional<std::string_view> arg;
    std::optional<std::string_view> mime_type;
    std::optional<std::uint64_t> file_size;
    std::optional<std::uint32_t> reply_code;
    std::optional<std::string_view> reply_msg;
    std::optional<DataChannel> data_channel;
    std::optional<Id96> fuid;
    // ours, with ftp.extended
    std::optional<Id96> data_uid;            // data_channel.uid
    std::optional<std::uint64_t> data_bytes; // data_channel.bytes
    std::optional<bool> data_complete;       // data_channel.complete
};

} // namespace ftpsensor
