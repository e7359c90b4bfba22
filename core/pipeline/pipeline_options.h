// What a worker's pipeline is made with. Plain values.
#pragma once

#include "core/conn/conn_tracker.h"
#include "core/ftp/ftp_session.h"
#include "core/packet/decode.h"
#include "core/pipeline/record_emitter.h"

namespace ftpsensor {

class ShuntPorts;

struct PipelineOptions {
    DecodeOptions decode;
    ConnOptions conn;
    FtpOptions ftp;
    EmitterOptions emitter;
    bool extended = true;                     // the wider rules: see ARCHITECTURE.md, "Strict and extended"
    bool ftp_only = false;                    // conn records of FTP's control and data connections alone
    bool run_out_delays = true;               // finish(): closing delays run out beyond the end (offline)
    std::uint32_t control_max = 100'000;      // control connections and candidates of a worker
    std::uint32_t watches_max = 65'536;       // connections that may be transfers
    std::size_t first_bytes_max = 64u << 20;  // of all of them
    std::uint64_t held_bytes_max = 64u << 20; // out-of-order bytes of control connections
    std::uint32_t progress_max = 65'536;      // blocks of samples (progress_log.h), a watch's each: 8 MB
    std::uint32_t hints_max = 100'000;
    ShuntPorts* shunt = nullptr;          // capture.shunt; outlives the worker
    std::uint64_t shunt_after = 1u << 20; // payload bytes of a transfer, from which on the ports may count it
};

// Announcements count for so long (Zeek: schedule_analyzer and ftp_data_expected, 5 minutes), and, extended, for
// connections that began at most so long before them.
inline constexpr Duration kAnnouncementLifetime = 5 * kMinute;
inline constexpr Duration kAnnouncementLead = kSecond;

} // namespace ftpsensor
