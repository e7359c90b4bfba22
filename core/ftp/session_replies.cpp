// What a session makes of the server's lines: to which command a reply is given, and what it changes.
#include "core/ftp/address.h"
#include "core/ftp/path.h"
#include "core/ftp/session_state.h"

namespace ftpsensor {

namespace {

constexpr std::uint32_t kMatchedLinesMax = 64;          // of one reply: a server alone can send lines without end
constexpr std::uint64_t kViolationBytesMax = 10 * 1024; // Zeek's DPD::ignore_violations_after

} // namespace

void FtpSession::State::take_reply(std::string_view line, Timestamp now, FtpOutput& out) {
    const FtpReply reply = parse_reply(line, open_reply);
    if (reply.is_violation()) {
        violate(now, out);
        return;
    }
    open(now);
    const AuthMechanism asked = security.asked(); // what the reply ends is still what it answers
    const bool to_the_only_one = !behind && pending.size() <= 1;
    const bool inner = reply.kind == FtpReply::Kind::inner;
    if (!inner || !info.has_reply() || looks_like_reply(reply.text)) match_reply(reply, now, out);
    if (FtpSecurity::concerns(reply.code)) [[unlikely]]
        take_security(security.take_reply(reply, asked), now, out);
    if (reply.kind == FtpReply::Kind::whole && reply.code >= 200) count_reply(to_the_only_one);
    if (security.is_open() && security.look(reply) == FtpSecurity::Sign::clear) [[unlikely]]
        events.count(Event::ftp_clear_text_after_auth);
}

// Replies come in the order of the commands (RFC 959 5.4). One that is the only command waiting has been waited for.
void FtpSession::State::count_reply(bool to_the_only_one) {
    answered = to_the_only_one ? pending.last_number() : std::min(answered + 1, pending.last_number());
    security.answered(answered);
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
    if (reply.code == 230 || reply.code == 232) logged_in = true; // whoever it is given to
    if (behind && take_told(reply, now, out)) [[unlikely]]
        return;
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
    if (reply.code >= 400 && options.extended) [[unlikely]] {
        const PendingCommand* const next = pending.find(answered + 1); // in order: its refusal, whatever the text says
        if (next != nullptr) refuse_channel(next->command, next->channel, next->previous_channel);
    }
    take_transfer(*command, reply, now, out);
    if (!command->directory_taken && tells_directory(command->command, reply.code)) {
        command->directory_taken = true;
        take_directory(command->command, pending.argument(*command), reply, out);
    }
    if (pending.size() > 1) end_current_turn(out); // commands sent ahead: the next one will not wait for this
}

// The reply is to a command that has made room, and whose entry is told: what is left of it is what it changes for
// others. Were it given to one of those that wait, each would have another's. False: it is not.
bool FtpSession::State::take_told(const FtpReply& reply, Timestamp now, FtpOutput& out) {
    if (pending.size() == 0 || answered + 1 >= pending.all().front().number) {
        behind = false;
        told.reset();
        return false;
    }
    info.forget_reply(); // who gets none of his own has none
    if (reply.kind != FtpReply::Kind::whole) return true;
    // It answers nothing else, so its place does not matter, should the server have left out a reply.
    if (const auto endpoint = passive_channel(reply)) {
        if (const auto number = told.take_passive())
            announce(*endpoint, *number, now, out);
        else if (pending.awaits_passive())
            return false;
        return true;
    }
    const ToldCommand* const command = told.find(answered + 1);
    if (command == nullptr || reply.code < 200) return true;
    if (reply.code >= 400) refuse_channel(command->command, command->channel, command->previous_channel);
    if (tells_directory(command->command, reply.code))
        take_directory(command->command, told.argument(*command), reply, out);
    return true;
}

// Servers go on with the endpoint they had: what is sent from here on, or was sent ahead, moves over that one.
void FtpSession::State::refuse_channel(FtpCommand command, std::uint32_t refused, std::uint32_t previous) {
    if ((bit(command) & kAnnouncingCommands) == 0) return;
    if (channel == refused) channel = previous;
    pending.refuse(refused, previous);
    told.refuse(refused, previous);
}

std::optional<DataChannel> FtpSession::State::passive_channel(const FtpReply& reply) const {
    if (reply.code != 227 && reply.code != 229) return {};
    auto endpoint = reply.code == 227 ? parse_pasv_reply(reply.text) : parse_epsv_reply(reply.text);
    if (!endpoint) return {};
    if (reply.code == 229 && endpoint->host.is_unspecified()) endpoint->host = id.resp_h;
    return DataChannel{true, id.orig_h, endpoint->host, endpoint->port};
}

void FtpSession::State::take_transfer(const PendingCommand& pending_command, const FtpReply& reply, Timestamp now,
                                      FtpOutput& out) {
    const FtpCommand command = pending_command.command;
    transfer_size.reply(command, pending.argument(pending_command), reply.code, reply.text);
    if (reply.code == 150 || reply.code == 125) began = pending_command.number;
    if ((reply.code == 150 && command == FtpCommand::retr) || (reply.code == 213 && command == FtpCommand::size)) {
        info.set_file_size(extract_last_count(reply.text));
    } else if (command == FtpCommand::pasv || command == FtpCommand::epsv) {
        const auto endpoint = passive_channel(reply);
        if (!endpoint) return;
        info.set_data_channel(*endpoint, pending_command.channel);
        announce(*endpoint, pending_command.channel, now, out);
    }
}

void FtpSession::State::take_directory(FtpCommand command, std::string_view argument, const FtpReply& reply,
                                       FtpOutput& out) {
    if (command == FtpCommand::cwd)
        info.change_directory(argument, out);
    else if (command == FtpCommand::cdup)
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

bool FtpSession::State::is_encrypted(bool from_originator, std::span<const std::uint8_t> next, Timestamp now,
                                     FtpOutput& out) {
    const FtpSecurity::Sign sign = security.look(from_originator, next.front());
    if (sign == FtpSecurity::Sign::clear) events.count(Event::ftp_clear_text_after_auth);
    if (sign == FtpSecurity::Sign::encrypted) {
        take_security(FtpSecurity::Outcome::encrypted, now, out);
        out.events.back().bytes_left = next.size();
    }
    return done;
}

void FtpSession::State::announce(const DataChannel& endpoint, std::uint32_t number, Timestamp now, FtpOutput& out) {
    FtpEvent& event = out.events.emplace_back();
    event.kind = FtpOutcome::announcement;
    event.ts = now;
    event.data_channel = endpoint;
    event.channel = number;
}

} // namespace ftpsensor
