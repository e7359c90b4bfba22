// What both forms of a log line share: which log, how times are written, and the names of fixed values.
#pragma once

#include "core/log/text_writers.h"
#include "core/record/entries.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace ftpsensor {

enum class LogKind : std::uint8_t { conn, ftp };
inline constexpr std::size_t kLogKinds = 2;

constexpr std::string_view log_path(LogKind log) { return log == LogKind::conn ? "conn" : "ftp"; } // Zeek's path

enum class TimestampFormat : std::uint8_t { iso8601, epoch };

constexpr std::string_view transport_name(Transport proto) {
    switch (proto) {
    case Transport::tcp: return "tcp";
    case Transport::udp: return "udp";
    case Transport::icmp: return "icmp";
    case Transport::unknown: break;
    }
    return "unknown_transport";
}

constexpr std::string_view conn_state_name(ConnState state) {
    constexpr std::array<std::string_view, 13> names = {"S0",   "S1",     "SF",    "REJ", "S2",  "S3", "RSTO",
                                                        "RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH"};
    return names[static_cast<std::size_t>(state)];
}

inline constexpr std::size_t kServicesChars = 24;

// "ftp,ssl": the names of the Service bits.
inline char* put_services(char* out, std::uint8_t services) {
    constexpr std::array<std::string_view, 4> names = {"ftp", "ftp-data", "ssl", "gssapi"};
    const char* begin = out;
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if ((services >> bit & 1) == 0) continue;
        if (out != begin) *out++ = ',';
        out = put(out, names[bit]);
    }
    return out;
}

// Of one line: when it was due, and when what it tells happened. Mostly these are within a second of the last line's.
struct LineTimes {
    IsoTimeWriter write_ts;
    IsoTimeWriter ts;
};

} // namespace ftpsensor
