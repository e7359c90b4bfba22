// What a session is made of, for the two files that tell what it does: ftp_session.cpp what the client says and when
// turns end, session_replies.cpp what the server says. Nobody else's. One worker's, as the session.
#pragma once

#include "core/ftp/commands.h"
#include "core/ftp/ftp_session.h"
#include "core/ftp/parse.h"
#include "core/ftp/pending.h"
#include "core/ftp/security.h"
#include "core/ftp/session_info.h"
#include "core/ftp/telnet.h"
#include "core/ftp/told.h"
#include "core/ftp/transfer_size.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ftpsensor {

inline constexpr std::size_t kCommandNameBytesMax = 255; // where options ask for more, or for no limit
inline constexpr std::uint32_t kPendingCommandsMax = 64; // the same

struct FtpSession::State {
    State(const FtpOptions& session_options, EventCounters& counters)
        : options(session_options), events(counters), info(session_options, events), security(session_options) {
        name_bytes_max = options.max_command_length == 0
                             ? kCommandNameBytesMax
                             : std::min<std::size_t>(options.max_command_length, kCommandNameBytesMax);
        pending_max = std::clamp(options.max_pending_commands, 1u, kPendingCommandsMax);
    }

    void reset(const EndpointId& endpoints, const Id96& uid, bool partial);
    void take_lines(bool from_originator, std::span<const std::uint8_t> data, Timestamp now, FtpOutput& out);
    void take_request(std::string_view line, Timestamp now, FtpOutput& out);
    std::string_view take_doubtful(std::string_view line);
    void take_reply(std::string_view line, Timestamp now, FtpOutput& out);
    void violate(Timestamp now, FtpOutput& out);
    void open(Timestamp now);
    void queue(FtpCommand command, std::string_view name, std::string_view argument, Timestamp now, FtpOutput& out);
    bool has_room(std::size_t bytes_more) const { return pending.size() < pending_max && pending.has_room(bytes_more); }
    void make_room(std::size_t needed, FtpOutput& out);
    bool take_told(const FtpReply& reply, Timestamp now, FtpOutput& out);
    void count_reply(bool to_the_only_one);
    void refuse_channel(FtpCommand command, std::uint32_t refused, std::uint32_t previous);
    std::optional<DataChannel> passive_channel(const FtpReply& reply) const;
    void match_reply(const FtpReply& reply, Timestamp now, FtpOutput& out);
    void take_directory(FtpCommand command, std::string_view argument, const FtpReply& reply, FtpOutput& out);
    void take_transfer(const PendingCommand& command, const FtpReply& reply, Timestamp now, FtpOutput& out);
    void take_security(FtpSecurity::Outcome outcome, Timestamp now, FtpOutput& out);
    bool is_encrypted(bool from_originator, std::span<const std::uint8_t> next, Timestamp now, FtpOutput& out);
    void announce(const DataChannel& endpoint, std::uint32_t number, Timestamp now, FtpOutput& out);
    FtpTurn turn_of(const PendingCommand& command);
    void end_turn(const PendingCommand& command, bool with_strings, FtpOutput& out);
    void end_current_turn(FtpOutput& out);
    void report_oddities();

    TelnetLineReader& reader(bool from_originator) { return from_originator ? requests : replies; }

    const FtpOptions& options;
    SessionEvents events;
    EndpointId id;
    LineOddities oddities;
    TelnetLineReader requests{oddities};
    TelnetLineReader replies{oddities};
    PendingCommands pending;
    ToldCommands told;
    SessionInfo info;
    TransferSize transfer_size;
    FtpSecurity security;
    std::size_t name_bytes_max;
    std::uint32_t pending_max;
    std::uint64_t bytes = 0;         // of both directions, gaps included
    std::uint32_t open_reply = 0;    // code of the reply of several lines that is being read
    std::uint32_t matched_lines = 0; // of that reply, so far
    std::uint32_t current = 0;       // number of the command that the last reply was given to
    std::uint32_t began = 0;         // number of the command whose transfer the last 150 began
    std::uint32_t channels = 0;      // PORT, EPRT, PASV and EPSV so far
    std::uint32_t channel = 0;       // the one of them in effect: the last that was not refused
    std::uint32_t answered = 0;      // number of the line that the last reply of 200 and above was to, in their order
    std::size_t sound_bytes = 0;     // of a doubtful line: those before what is missing
    bool behind = false;             // the next reply may be to a command that has made room
    bool doubtful = false;           // the originator's next line may be the end of one that was not captured
    bool incomplete = false;         // its beginning or something in between was not captured
    bool opened = false;             // something was said: there will be an entry
    bool confirmed = false;          // a command was seen
    bool logged_in = false;          // a reply said so
    bool violated = false;           // what came with the line that did it is the last that is read
    bool done = false;
};

static_assert(2 * (kFtpLineBytesMax + 1) + kFtpPendingBytesMax + kPendingCommandsMax * sizeof(PendingCommand) +
                      kFtpToldBytesMax + kFtpToldMax * sizeof(ToldCommand) + kFtpReplyBytesMax + kFtpDirectoryBytesMax +
                      2 * kFtpLoginBytesMax + 4096 <=
                  kFtpSessionBytesMax,
              "the bounds of a session's parts add up to less than its own");

} // namespace ftpsensor
