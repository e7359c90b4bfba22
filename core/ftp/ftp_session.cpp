#include "core/ftp/ftp_session.h"

#include "core/ftp/address.h"
#include "core/ftp/parse.h"
#include "core/ftp/session_state.h"

#include <algorithm>
#include <array>

namespace ftpsensor {

namespace {

constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

using UpperName = std::array<char, kCommandNameBytesMax>;

// `name` in upper case, in `upper`; of a longer one the beginning.
std::string_view to_upper(std::string_view name, UpperName& upper) {
    name = name.substr(0, upper.size());
    std::transform(name.begin(), name.end(), upper.begin(), [](char c) { return to_upper(c); });
    return {upper.data(), name.size()};
}

} // namespace

void FtpSession::State::reset(const EndpointId& endpoints, const Id96& uid, bool partial) {
    id = endpoints;
    events.reset(uid);
    oddities = {};
    requests.reset(partial, options.extended);
    replies.reset(partial, options.extended);
    pending.reset(pending_max);
    told.reset();
    info.reset(endpoints.resp_h);
    transfer_size.reset();
    bytes = 0;
    open_reply = matched_lines = current = began = channels = channel = answered = 0;
    security.reset(partial);
    opened = confirmed = logged_in = done = false;
    violated = behind = false;
    incomplete = doubtful = partial;
    sound_bytes = kFtpLineBytesMax;
}

void FtpSession::State::take_lines(bool from_originator, std::span<const std::uint8_t> data, Timestamp now,
                                   FtpOutput& out) {
    TelnetLineReader& lines = reader(from_originator);
    std::string_view line;
    std::size_t left = data.size();
    while (!done) {
        if (security.is_open() && !data.empty() && is_encrypted(from_originator, data, now, out)) [[unlikely]]
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
        pending.skip_number();
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
    security.command_came();
    queue(command, name, secret ? info.hide(request.argument) : request.argument, now, out);

    const auto announced = [&](const std::optional<AnnouncedEndpoint>& endpoint) {
        if (!endpoint) return;
        const DataChannel announces = {false, id.resp_h, endpoint->host, endpoint->port};
        info.set_data_channel(announces, channels);
        announce(announces, channels, now, out);
    };
    switch (command) {
    case FtpCommand::user: info.set_user(request.argument); break;
    case FtpCommand::pass: info.set_password(request.argument); break;
    case FtpCommand::auth: security.ask(request.argument, pending.last_number()); break;
    case FtpCommand::unknown:
        if (name == "ADAT") take_security(security.take_token(request.argument), now, out);
        break;
    case FtpCommand::port: announced(parse_port_argument(request.argument)); break;
    case FtpCommand::eprt: announced(parse_eprt_argument(request.argument)); break;
    default: break;
    }
}

// The first thing said opens the session, with a shim for the server's greeting to answer.
void FtpSession::State::open(Timestamp now) {
    if (opened) return;
    opened = true;
    pending.push(FtpCommand::init, kInitCommandName, {}, now);
    if (incomplete) answered = pending.last_number(); // the greeting was before the capture
}

void FtpSession::State::queue(FtpCommand command, std::string_view name, std::string_view argument, Timestamp now,
                              FtpOutput& out) {
    const std::uint32_t previous_channel = channel;
    if ((bit(command) & kAnnouncingCommands) != 0) channel = ++channels;
    const std::size_t needed = name.size() + argument.size();
    if (options.extended && !has_room(needed)) [[unlikely]]
        make_room(needed, out);
    if (pending.size() >= pending_max)
        events.count(Event::FTP_too_many_pending_commands);
    else if (!pending.push(command, name, argument, now, channel, previous_channel))
        events.count(Event::ftp_session_memory);
}

// Who sends many commands and waits for no reply must not hide the one that comes behind them: the oldest is told, and
// its reply will be nobody's (take_told()). In the reference it is the newest that is not remembered.
void FtpSession::State::make_room(std::size_t needed, FtpOutput& out) {
    static_assert(kFtpLineBytesMax <= kFtpPendingBytesMax, "a command alone has room");
    while (pending.size() > 0 && !has_room(needed)) {
        events.count(pending.size() >= pending_max ? Event::FTP_too_many_pending_commands : Event::ftp_session_memory);
        const PendingCommand& oldest = pending.all().front();
        info.end_unanswered_turn(turn_of(oldest), out);
        if (!told.add(oldest, pending.argument(oldest))) events.count(Event::ftp_session_memory);
        if (oldest.number == current) current = 0;
        pending.remove(oldest);
        behind = true;
    }
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
    if (!from_originator) {
        // How many replies those were nobody knows; a client that waits for each has all now.
        if (!s.behind) s.answered = s.pending.last_number();
        return;
    }
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
           s.pending.capacity_bytes() + s.told.capacity_bytes() + s.info.capacity_bytes();
}

} // namespace ftpsensor
