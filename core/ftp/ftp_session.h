// One FTP control connection: from the ordered bytes of both directions to what the log says of it.
//
// Follows RFC 959, 2228, 2389, 2428, 3659, 4217 and, in what is logged when, Zeek's FTP analyzer and scripts
// (src/analyzer/protocol/ftp, scripts/base/protocols/ftp). The session reads no clock, writes no log and knows nothing
// of other connections: it appends what happened to an FtpOutput, in order, and its caller passes that on.
// The result does not depend on how the bytes are cut into calls.
//
// Memory: a session holds at most kFtpSessionBytesMax, whatever is sent (core/ftp/telnet.h, pending.h, told.h and
// session_info.h hold the parts). What the reference bounds at 16 MiB or not at all is bounded here, and counted:
//   a line                        16 KiB; of a longer one the beginning is taken      contentline_size_exceeded
//   a Telnet suboption            16 KiB; a longer one is dropped, with its line      contentline_size_exceeded
//   pending commands in all       32 KiB; see below                                   ftp_session_memory
//   those that made room          64 and 16 KiB of what has an effect (told.h)        ftp_session_memory
//   the working directory          8 KiB; its beginning is kept                       ftp_session_memory
// max_user_length and max_password_length count up to 1 KiB, max_reply_msg_length up to 8 KiB, max_command_length up
// to 255 (0: 255), max_pending_commands from 1 to 64.
// Where a command finds no room, the oldest ones make it: their turns end without a reply, and their replies, which
// come first, are given to no other. Without `extended` the new one is not remembered where there are
// max_pending_commands (as in the reference), and its argument is cut where there are 32 KiB. Buffers keep up to 1 KiB
// each over reset(), so that a pool of sessions allocates only while it grows, and for sessions that are out of the
// ordinary.
//
// Where the meaning is not the reference's, on purpose: Telnet's BINARY and ENCRYPT options change nothing; entries of
// commands pending at the end come in the order sent; the originator's first line behind missing bytes is a command
// only by a name of commands.h, for it may be the end of a PASS. With `extended`, too: AUTH takes SSL, TLS-C and TLS-P
// as TLS, in any case, and GSSAPI in any case, and what comes behind a 234 tells whether it is that (security.h); a
// violation ends the session only before a login was granted, and at its line, where the reference still reads what
// came with it (so that, without it, the result does depend on how the bytes behind a violation are cut into calls).
//
// A session belongs to one worker.
#pragma once

#include "core/base/events.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"
#include "core/record/entries.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

enum class PasswordPolicy : std::uint8_t { guests, all, none }; // whose passwords are written in clear

struct FtpOptions {
    PasswordPolicy passwords = PasswordPolicy::guests;
    std::vector<std::string> guest_ids = {"anonymous", "ftp", "ftpuser", "guest"}; // compared without case
    std::vector<std::string> logged_commands = {"APPE", "DELE", "RETR", "STOR", "STOU",
                                                "ACCT", "PORT", "PASV", "EPRT", "EPSV"}; // upper case
    bool log_all_commands = false;
    bool extended = true;         // ftp.extended: false is the reference's rule to the letter
    std::uint32_t generation = 0; // another one where these options have changed under their sessions
    std::uint32_t max_pending_commands = 20;
    std::uint32_t max_user_length = 128;
    std::uint32_t max_password_length = 128;
    std::uint32_t max_arg_length = 4096;
    std::uint32_t max_reply_msg_length = 4096;
    std::uint32_t max_command_length = 100;
};

// What a session reports. The strings lie in FtpOutput::text, by offset.
struct FtpText {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    bool present = false;
};

enum class FtpOutcome : std::uint8_t {
    announcement,  // PORT, EPRT, or a 227 or 229 reply: a data connection is expected (Zeek: add_expected_data_channel)
    message,       // a command's turn is over (Zeek: ftp_message()); `logged` tells whether it makes an entry
    confirmed,     // it is FTP, a command was seen: the connection's service is "ftp"; once
    violated,      // it is not: the service is taken back; no more bytes are wanted, finish() still is; at most once
    encrypted,     // AUTH was granted and used (security.h): service "ssl" once TLS is seen is the caller's; once
    limit_reached, // a command was longer than max_command_length: `X` in the connection's history
    gssapi_tls,    // AUTH GSSAPI was granted, and the first token is TLS (GSI): service "ssl"; once
};

struct FtpEvent {
    FtpOutcome kind = FtpOutcome::message;
    bool logged = false; // message: makes an entry
    // message: of a command that moves data over a data connection (RETR, STOR, LIST, …), and was not refused at once
    bool transfers = false;
    bool final_entry = false; // message: the one entry of a session without a logged command, made by finish()
    Timestamp ts = 0;         // message: when the command was sent; else `now`
    // Messages that are logged, else unspecified: already cut, hidden and made a URL as the log shows them.
    FtpText user, password, command, arg, reply_msg;
    std::optional<std::uint32_t> reply_code;
    std::optional<std::uint64_t> file_size;
    std::optional<DataChannel> data_channel; // message: as logged; announcement: what is announced
    // announcement: the session's how manyth PORT, EPRT, PASV or EPSV it is of; message: of the last one before the
    // command, whose data connection a transfer uses; 0: none.
    std::uint32_t channel = 0;
    std::size_t bytes_left = 0;    // encrypted: the last bytes of what was delivered are those that are encrypted
    std::uint64_t least_bytes = 0; // message: a transfer that moved fewer is not whole (transfer_size.h)
};

// Filled by a session, drained by its caller after each call; reused for all sessions of a worker.
struct FtpOutput {
    std::vector<FtpEvent> events;
    std::string text;
    void clear() {
        events.clear();
        text.clear();
    }
    std::string_view view(const FtpText& t) const { return std::string_view(text).substr(t.offset, t.size); }
};

inline constexpr std::size_t kFtpSessionBytesMax = 128u << 10;

class FtpSession {
public:
    // `options` and `events` outlive the session.
    FtpSession(const FtpOptions& options, EventCounters& events);
    ~FtpSession();
    FtpSession(const FtpSession&) = delete;
    FtpSession& operator=(const FtpSession&) = delete;

    // Starts anew for a connection. `partial`: its beginning was not captured, so that it is incomplete().
    void reset(const EndpointId& id, const Id96& uid, bool partial);

    // The next bytes of one direction, in order and without overlap. `now` is the packet's time.
    void deliver(bool from_originator, std::span<const std::uint8_t> data, Timestamp now, FtpOutput& out);
    // Something of the connection was not captured: from now on any line may be the end of another one, and none of
    // them ends the session as not FTP (Zeek: TCP_ApplicationAnalyzer::AnalyzerViolation).
    void incomplete();
    // Bytes that will never come; it is incomplete() then. Of the originator's line they are in, what is before them
    // counts: what is behind may be another one's, a password's. In the reference the line goes on behind them. A
    // password behind them is hidden until a whole USER comes.
    void gap(bool from_originator, std::uint64_t bytes, Timestamp now, FtpOutput& out);
    // One direction has ended (FIN, or RST with nothing outstanding); a line without an end is a line.
    void end_of_stream(bool from_originator, Timestamp now, FtpOutput& out);
    // The connection is removed: ends the turns of what is pending (Zeek: finalize_ftp), also where done().
    // `originator_closed`: by FIN; what it left without a line end counts as partial_ftp_request.
    void finish(bool originator_closed, Timestamp now, FtpOutput& out);

    // Bytes need not be delivered any more (encrypted, or not FTP at all). finish() may still have entries.
    bool done() const;
    std::size_t memory_bytes() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace ftpsensor
