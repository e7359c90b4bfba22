#include "core/ftp/ftp_session.h"

#include "core/ftp/address.h"
#include "core/ftp/commands.h"
#include "core/ftp/parse.h"
#include "core/ftp/path.h"
#include "core/ftp/pending.h"
#include "core/ftp/security.h"
#include "core/ftp/session_info.h"
#include "core/ftp/telnet.h"
#include "core/ftp/transfer_size.h"

#include <algorithm>
#include <array>

namespace ftpsensor {

namespace {

constexpr std::size_t kCommandNameBytesMax = 255;       // where options ask for more, or for no limit
constexpr std::uint32_t kPendingCommandsMax = 64;       // the same
constexpr std::uint32_t kMatchedLinesMax = 64;          // of one reply: a server alone can send lines without end
constexpr std::uint64_t kViolationBytesMax = 10 * 1024; // Zeek's DPD::ignore_violations_after

constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

using UpperName = std::array<char, kCommandNameBytesMax>;

// `name` in upper case, in `upper`; of a longer one the beginning.
std::string_view to_upper(std::string_view name, UpperName& upper) {
    name = name.substr(0, upper.size());
    std::transform(name.begin(), name.end(), upper.begin(), [](char c) { return to_upper(c); });
    return {upper.data(), name.size()};
}

} // namespace

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
    void match_reply(const FtpReply& reply, Timestamp now, FtpOutput& out);
    void take_directory(PendingCommand& command, const FtpReply& reply, FtpOutput& out);
    void take_transfer(const PendingCommand& command, const FtpReply& reply, Timestamp now, FtpOutput& out);
    void take_security(FtpSecurity::Outcome outcome, Timestamp now, FtpOutput& out);
    bool is_encrypted(bool from_originator, std::uint8_t next_byte, Timestamp now, FtpOutput& out);
    void announce(const DataChannel& channel, std::uint32_t number, Timestamp now, FtpOutput& out);
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
    std::size_t sound_bytes = 0;     // of a doubtful line: those before what is missing
    bool doubtful = false;           // the originator's next line may be the end of one that was not captured
    bool incomplete = false;         // its beginning or something in between was not captured
    bool opened = false;             // something was said: there will be an entry
    bool confirmed = false;          // a command was seen
    bool logged_in = false;          // a reply said so
    bool violated = false;           // what came with the line that did it is the last that is read
    bool done = false;
};

static_assert(2 * (kFtpLineBytesMax + 1) + kFtpPendingBytesMax + kPendingCommandsMax * sizeof(PendingCommand) +
                      kFtpReplyBytesMax + kFtpDirectoryBytesMax + 2 * kFtpLoginBytesMax + 4096 <=
                  kFtpSessionBytesMax,
              "the bounds of a session's parts add up to less than its own");

void FtpSession::State::reset(const EndpointId& endpoints, const Id96& uid, bool partial) {
    id = endpoints;
    events.reset(uid);
    oddities = {};
    requests.reset(partial, options.extended);
    replies.reset(partial, options.extended);
    pending.reset(pending_max);
    info.reset(endpoints.resp_h);
    transfer_size.reset();
    bytes = 0;
    open_reply = matched_lines = current = began = channels = 0;
    security.reset(partial);
    opened = confirmed = logged_in = done = false;
    violated = false;
    incomplete = doubtful = partial;
    sound_bytes = kFtpLineBytesMax;
}

void FtpSession::State::take_lines(bool from_originator, std::span<const std::uint8_t> data, Timestamp now,
                                   FtpOutput& out) {
    TelnetLineReader& lines = reader(from_originator);
    std::string_view line;
    std::size_t left = data.size();
    while (!done) {
        if (security.is_open() && !data.empty() && is_encrypted(from_originator, data.front(), now, out)) [[unlikely]]
            break;
        if (!lines.next(data, line)) break;
        bytes += left - data.size(); // up to the end of this line, so that it does not matter how bytes were cut
        left = data.size();
        if (security.is_open()) [[unlikely]]
            security.line_ended(from_originator);
        const bool cut = from_originator && sound_bytes < kFtpLineBytesMax;
        if (doubtful && from_originator) [[unlikely]]
            line = take_doubtful(line);
        if (line.empty()) continue;
        if (from_originator)
            take_request(line, now, out);
        else
            take_reply(line, now, out);
        if (cut) [[unlikely]] { // what is missing of it may name another user, or be TLS
            info.doubt_user();
            security.request_missing();
        }
    }
    bytes += left - data.size();
    done = done || violated;
    report_oddities();
}

void FtpSession::State::report_oddities() {
    if (oddities.nul && !oddities.nul_reported) {
        events.count(Event::NUL_in_line);
        oddities.nul_reported = true;
    }
    if (oddities.lone_cr && !oddities.lone_cr_reported) {
        events.count(Event::line_terminated_with_single_CR);
        oddities.lone_cr_reported = true;
    }
    if (oddities.too_long > 0) {
        events.count(Event::contentline_size_exceeded, oddities.too_long);
        oddities.too_long = 0;
    }
}

// What is behind a gap may be the rest of any line, of a password, too. So it is no part of the line that ends there,
// and no command unless it is one by its name.
std::string_view FtpSession::State::take_doubtful(std::string_view line) {
    doubtful = false;
    line = line.substr(0, sound_bytes);
    sound_bytes = kFtpLineBytesMax;
    UpperName upper; // NOLINT: filled as far as it is used
    if (find_command(to_upper(parse_request(line).name, upper)) != FtpCommand::unknown) return line;
    if (confirmed && !line.empty()) events.count(Event::FTP_invalid_command);
    return {};
}

void FtpSession::State::take_request(std::string_view line, Timestamp now, FtpOutput& out) {
    const FtpRequest request = parse_request(line);
    if (request.name.empty() || request.name.size() > name_bytes_max) {
        // Before the first command it may be anything; from then on it is an odd client.
        if (!confirmed) return;
        if (request.name.empty()) {
            events.count(Event::FTP_invalid_command);
            return;
        }
        events.count(Event::FTP_max_command_length_exceeded);
        FtpEvent& event = out.events.emplace_back();
        event.kind = FtpOutcome::limit_reached;
        event.ts = now;
        return;
    }
    UpperName upper; // NOLINT: filled as far as it is used
    const std::string_view name = to_upper(request.name, upper);
    const FtpCommand command = find_command(name);

    if (!confirmed) {
        confirmed = true;
        FtpEvent& event = out.events.emplace_back();
        event.kind = FtpOutcome::confirmed;
        event.ts = now;
    }
    end_current_turn(out);
    open(now);
    const bool secret = command == FtpCommand::pass && info.hides_next_password();
    security.expect_reply();
    queue(command, name, secret ? info.hide(request.argument) : request.argument, now, out);

    const auto announced = [&](const std::optional<AnnouncedEndpoint>& endpoint) {
        if (endpoint) announce({false, id.resp_h, endpoint->host, endpoint->port}, channels, now, out);
    };
    switch (command) {
    case FtpCommand::user: info.set_user(request.argument); break;
    case FtpCommand::pass: info.set_password(request.argument); break;
    case FtpCommand::auth: security.ask(request.argument, pending.last_number()); break;
    case FtpCommand::port: announced(parse_port_argument(request.argument)); break;
    case FtpCommand::eprt: announced(parse_eprt_argument(request.argument)); break;
    default: break;
    }
}

// The first thing said opens the session, with a shim for the server's greeting to answer.
void FtpSession::State::open(Timestamp now) {
    if (opened) return;
    opened = true;
    if (!incomplete) security.expect_greeting();
    pending.push(FtpCommand::init, kInitCommandName, {}, now);
}

void FtpSession::State::queue(FtpCommand command, std::string_view name, std::string_view argument, Timestamp now,
                              FtpOutput& out) {
    if ((bit(command) & kAnnouncingCommands) != 0) ++channels;
    const std::size_t needed = name.size() + argument.size();
    if (options.extended && !has_room(needed)) [[unlikely]]
        make_room(needed, out);
    if (pending.size() >= pending_max)
        events.count(Event::FTP_too_many_pending_commands);
    else if (!pending.push(command, name, argument, now, channels))
        events.count(Event::ftp_session_memory);
}

// Who sends many commands and waits for no reply must not hide the one that comes behind them: the oldest is done with.
// In the reference it is the newest that is not remembered.
void FtpSession::State::make_room(std::size_t needed, FtpOutput& out) {
    static_assert(kFtpLineBytesMax <= kFtpPendingBytesMax, "a command alone has room");
    while (pending.size() > 0 && !has_room(needed)) {
        events.count(pending.size() >= pending_max ? Event::FTP_too_many_pending_commands : Event::ftp_session_memory);
        const PendingCommand& oldest = pending.all().front();
        info.end_unanswered_turn(turn_of(oldest), out);
        pending.remove(oldest);
    }
}

void FtpSession::State::take_reply(std::string_view line, Timestamp now, FtpOutput& out) {
    const FtpReply reply = parse_reply(line, open_reply);
    if (reply.is_violation()) {
        violate(now, out);
        return;
    }
    open(now);
    const AuthMechanism asked = security.asked(); // what the reply ends is still what it answers
    const bool inner = reply.kind == FtpReply::Kind::inner;
    if (!inner || !info.has_reply() || looks_like_reply(reply.text)) match_reply(reply, now, out);
    if (FtpSecurity::concerns(reply.code)) [[unlikely]]
        take_security(security.take_reply(reply, asked), now, out);
    if (reply.kind == FtpReply::Kind::whole && reply.code >= 200) security.answered();
    if (security.is_open() && security.look(reply) == FtpSecurity::Sign::clear) [[unlikely]]
        events.count(Event::ftp_clear_text_after_auth);
}

// As in Zeek, what comes after the first 10 KiB does not make it another protocol; nor does any line once something is
// missing, for it may be the end of another one. Who has logged in speaks FTP, whatever a server makes of a file's
// name.
void FtpSession::State::violate(Timestamp now, FtpOutput& out) {
    if (incomplete) return;
    events.count(Event::ftp_violation);
    if (bytes > kViolationBytesMax || violated || (options.extended && logged_in)) return;
    violated = true;
    done = options.extended;
    FtpEvent& event = out.events.emplace_back();
    event.kind = FtpOutcome::violated;
    event.ts = now;
}

void FtpSession::State::match_reply(const FtpReply& reply, Timestamp now, FtpOutput& out) {
    if (reply.kind == FtpReply::Kind::first) matched_lines = 0;
    if (reply.kind == FtpReply::Kind::inner && options.extended && ++matched_lines > kMatchedLinesMax) {
        info.set_reply(reply.code, reply.text); // to the command that the line before was given to
        return;
    }
    PendingCommand* const command = pending.best_match(reply.code, reply.text);
    current = command != nullptr ? command->number : 0;
    info.set_reply(reply.code, reply.text);
    if (reply.code >= 400) security.forget(current);                       // AUTH was refused
    if (reply.kind != FtpReply::Kind::whole || command == nullptr) return; // only whole replies are read any further

    constexpr std::uint64_t login = bit(FtpCommand::user) | bit(FtpCommand::pass) | bit(FtpCommand::acct);
    if (reply.code / 100 == 2 && (bit(command->command) & login) != 0) logged_in = true;
    take_transfer(*command, reply, now, out);
    take_directory(*command, reply, out);
    if (pending.size() > 1) end_current_turn(out); // commands sent ahead: the next one will not wait for this
}

void FtpSession::State::take_transfer(const PendingCommand& pending_command, const FtpReply& reply, Timestamp now,
                                      FtpOutput& out) {
    const FtpCommand command = pending_command.command;
    transfer_size.reply(command, pending.argument(pending_command), reply.code, reply.text);
    if (reply.code == 150 || reply.code == 125) began = pending_command.number;
    if ((reply.code == 150 && command == FtpCommand::retr) || (reply.code == 213 && command == FtpCommand::size)) {
        info.set_file_size(extract_last_count(reply.text));
    } else if ((reply.code == 227 || reply.code == 229) &&
               (command == FtpCommand::pasv || command == FtpCommand::epsv)) {
        auto endpoint = reply.code == 227 ? parse_pasv_reply(reply.text) : parse_epsv_reply(reply.text);
        if (!endpoint) return;
        if (reply.code == 229 && endpoint->host.is_unspecified()) endpoint->host = id.resp_h;
        announce({true, id.orig_h, endpoint->host, endpoint->port}, pending_command.channel, now, out);
    }
}

void FtpSession::State::take_directory(PendingCommand& command, const FtpReply& reply, FtpOutput& out) {
    if (command.directory_taken || !tells_directory(command.command, reply.code)) return;
    command.directory_taken = true;
    if (command.command == FtpCommand::cwd)
        info.change_directory(pending.argument(command), out);
    else if (command.command == FtpCommand::cdup)
        info.change_directory("/..", out); // so does the reference: from the root, wherever the client was
    else if (const std::string_view path = extract_path(reply.text); path.empty())
        info.set_directory({});
    else
        info.change_directory(path, out);
}

void FtpSession::State::take_security(FtpSecurity::Outcome outcome, Timestamp now, FtpOutput& out) {
    if (outcome == FtpSecurity::Outcome::none) return;
    const bool encrypted = outcome == FtpSecurity::Outcome::encrypted;
    FtpEvent& event = out.events.emplace_back();
    event.kind = encrypted ? FtpOutcome::encrypted : FtpOutcome::gssapi_tls;
    event.ts = now;
    done = done || encrypted;
}

bool FtpSession::State::is_encrypted(bool from_originator, std::uint8_t next_byte, Timestamp now, FtpOutput& out) {
    const FtpSecurity::Sign sign = security.look(from_originator, next_byte);
    if (sign == FtpSecurity::Sign::clear) events.count(Event::ftp_clear_text_after_auth);
    if (sign == FtpSecurity::Sign::encrypted) take_security(FtpSecurity::Outcome::encrypted, now, out);
    return done;
}

void FtpSession::State::announce(const DataChannel& channel, std::uint32_t number, Timestamp now, FtpOutput& out) {
    info.set_data_channel(channel, number);
    FtpEvent& event = out.events.emplace_back();
    event.kind = FtpOutcome::announcement;
    event.ts = now;
    event.data_channel = channel;
    event.channel = number;
}

FtpTurn FtpSession::State::turn_of(const PendingCommand& command) {
    const std::uint64_t least_bytes = command.number == began ? transfer_size.take_least_bytes() : 0;
    const bool refused = command.number == current && command.number != began && info.is_refused();
    return {command.command, pending.name(command), pending.argument(command),
            command.sent,    command.channel,       least_bytes,
            refused};
}

void FtpSession::State::end_turn(const PendingCommand& command, bool with_strings, FtpOutput& out) {
    info.end_turn(turn_of(command), with_strings, out);
}

// The command that the last reply was given to, unless its turn is over already.
void FtpSession::State::end_current_turn(FtpOutput& out) {
    if (current == 0) return;
    const PendingCommand* const command = pending.find(current);
    if (command == nullptr) return;
    end_turn(*command, false, out);
    security.forget(current);
    pending.remove(*command);
    current = 0;
}

FtpSession::FtpSession(const FtpOptions& options, EventCounters& events)
    : state_(std::make_unique<State>(options, events)) {}
FtpSession::~FtpSession() = default;

void FtpSession::reset(const EndpointId& id, const Id96& uid, bool partial) { state_->reset(id, uid, partial); }

void FtpSession::deliver(bool from_originator, std::span<const std::uint8_t> data, Timestamp now, FtpOutput& out) {
    if (!state_->done) state_->take_lines(from_originator, data, now, out);
}

void FtpSession::incomplete() { state_->incomplete = true; }

void FtpSession::gap(bool from_originator, std::uint64_t bytes, Timestamp now, FtpOutput& out) {
    State& s = *state_;
    s.bytes += bytes;
    s.incomplete = true;
    if (!s.done) s.take_security(s.security.bytes_missing(from_originator), now, out);
    if (!from_originator) return;
    s.doubtful = true;
    s.info.doubt_user();
    if (const std::size_t there = s.requests.partial_line_bytes(); there > 0)
        s.sound_bytes = std::min(s.sound_bytes, there);
}

void FtpSession::end_of_stream(bool from_originator, Timestamp now, FtpOutput& out) {
    static constexpr std::uint8_t kLineEnd[] = {'\n'};
    if (state_->reader(from_originator).has_partial_line()) deliver(from_originator, kLineEnd, now, out);
}

void FtpSession::finish(bool originator_closed, Timestamp, FtpOutput& out) {
    State& s = *state_;
    if (originator_closed && !s.done && s.requests.has_partial_line()) s.events.count(Event::partial_ftp_request);
    s.done = true;
    if (!s.opened) return;
    s.opened = false;
    for (const PendingCommand& command : s.pending.all()) {
        const bool last = &command == &s.pending.all().back();
        s.end_turn(command, last && !s.info.logged_command_seen(), out);
    }
    if (s.info.logged_command_seen() || s.pending.size() == 0) return;
    FtpEvent entry = out.events.back();
    entry.logged = entry.final_entry = true;
    entry.file_size.reset();
    entry.data_channel.reset();
    out.events.push_back(entry);
}

bool FtpSession::done() const { return state_->done; }

std::size_t FtpSession::memory_bytes() const {
    const State& s = *state_;
    return sizeof(FtpSession) + sizeof(State) + s.requests.capacity() + s.replies.capacity() +
           s.pending.capacity_bytes() + s.info.capacity_bytes();
}

} // namespace ftpsensor
