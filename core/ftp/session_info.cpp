#include "core/ftp/session_info.h"

#include "core/ftp/path.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ftpsensor {

namespace {

// What moves over a data connection (RFC 959 4.1.3, RFC 3659 7).
constexpr std::uint64_t kTransferCommands = bit(FtpCommand::retr) | bit(FtpCommand::stor) | bit(FtpCommand::stou) |
                                            bit(FtpCommand::appe) | bit(FtpCommand::list) | bit(FtpCommand::nlst) |
                                            bit(FtpCommand::mlsd);
constexpr std::string_view kUnknownUser = "<unknown>";
constexpr std::string_view kHidden = "<hidden>";
constexpr std::string_view kUrlScheme = "ftp://";
constexpr std::size_t kKeptBytes = 512; // of a buffer, for the pool's next session

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_lower(x) == to_lower(y); });
}

FtpText since(std::size_t offset, const FtpOutput& out) {
    return {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(out.text.size() - offset), true};
}

FtpText put(std::string_view text, FtpOutput& out) {
    const std::size_t offset = out.text.size();
    out.text.append(text);
    return since(offset, out);
}

// Appends the path that `path` means in `directory` (Zeek's build_path_compressed()).
void put_path(std::string_view directory, std::string_view path, FtpOutput& out) {
    const std::size_t offset = out.text.size();
    std::size_t done = 0;
    if (!directory.empty() && !is_absolute_path(path)) {
        out.text.append(directory);
        const bool slash_there = directory.back() == '/'; // the root, or what was cut to its bound
        done = directory.size() - slash_there;
        if (!slash_there) out.text.push_back('/');
    }
    out.text.append(path);
    out.text.resize(offset + compress_path(out.text.data() + offset, out.text.size() - offset, done));
}

bool transfers(const FtpTurn& turn) { return (kTransferCommands & bit(turn.command)) != 0 && !turn.refused; }

} // namespace

SessionInfo::SessionInfo(const FtpOptions& options, SessionEvents& events)
    : options_(options), events_(events),
      user_bytes_max_(std::min<std::size_t>(options.max_user_length, kFtpLoginBytesMax)),
      password_bytes_max_(std::min<std::size_t>(options.max_password_length, kFtpLoginBytesMax)),
      reply_bytes_max_(std::min<std::size_t>(options.max_reply_msg_length, kFtpReplyBytesMax)) {
    look_up_commands();
}

void SessionInfo::look_up_commands() {
    generation_ = options_.generation;
    logged_commands_ = 0;
    for (const std::string& name : options_.logged_commands)
        if (const FtpCommand command = find_command(name); command != FtpCommand::unknown)
            logged_commands_ |= bit(command);
}

void SessionInfo::reset(const IpAddress& server) {
    server_ = server;
    url_root_bytes_ = 0;
    for (ByteBuffer* buffer : {&user_, &password_, &reply_text_, &directory_}) buffer->release(kKeptBytes);
    directory_.assign(".");
    reply_code_.reset();
    file_size_.reset();
    data_channel_.reset();
    user_known_ = user_is_guest_ = user_in_doubt_ = password_known_ = password_hidden_ = false;
    channel_number_ = 0;
    reply_too_long_ = logged_command_seen_ = false;
}

void SessionInfo::set_user(std::string_view name) {
    // By the whole name: what is left of a cut one may be a guest's.
    user_is_guest_ = std::any_of(options_.guest_ids.begin(), options_.guest_ids.end(),
                                 [name](const std::string& id) { return equal_without_case(id, name); });
    user_in_doubt_ = false;
    if (name.size() > user_bytes_max_) {
        events_.count(Event::FTP_user_too_long);
        name = name.substr(0, user_bytes_max_);
    }
    user_.assign(name);
    user_known_ = true;
}

std::string_view SessionInfo::hide(std::string_view argument) {
    if (argument.size() > options_.max_arg_length) events_.count(Event::FTP_arg_too_long);
    return kHidden;
}

void SessionInfo::set_password(std::string_view password) {
    if (password.size() > password_bytes_max_) {
        events_.count(Event::FTP_password_too_long);
        password = password.substr(0, password_bytes_max_);
    }
    password_.assign(password);
    password_known_ = true;
    password_hidden_ = hides_next_password(); // whoever is named as the user before its turn is over
}

void SessionInfo::set_reply(std::uint32_t code, std::string_view text) {
    reply_code_ = code;
    reply_too_long_ = text.size() > reply_bytes_max_; // counted once the reply's turn is over
    reply_text_.assign(text.substr(0, reply_bytes_max_));
}

void SessionInfo::change_directory(std::string_view path, FtpOutput& out) {
    const std::size_t scratch = out.text.size();
    put_path(directory_.view(), path, out);
    set_directory(std::string_view(out.text).substr(scratch));
    out.text.resize(scratch);
}

void SessionInfo::set_directory(std::string_view path) {
    if (directory_.assign(path) < path.size()) events_.count(Event::ftp_session_memory);
}

bool SessionInfo::is_logged(const FtpTurn& turn) const {
    if (options_.log_all_commands) return turn.command != FtpCommand::init;
    if (turn.command != FtpCommand::unknown) return (logged_commands_ & bit(turn.command)) != 0;
    const auto& logged = options_.logged_commands;
    return std::find(logged.begin(), logged.end(), turn.name) != logged.end();
}

bool SessionInfo::hides_passwords() const {
    switch (options_.passwords) {
    case PasswordPolicy::all: return false;
    case PasswordPolicy::none: return true;
    case PasswordPolicy::guests: break;
    }
    return !user_is_guest_;
}

// What a guest said before bytes were missing is still a guest's.
bool SessionInfo::hides_next_password() const {
    return hides_passwords() || (user_in_doubt_ && options_.passwords == PasswordPolicy::guests);
}

void SessionInfo::end_turn(const FtpTurn& turn, bool with_strings, FtpOutput& out) {
    follow_options();
    if (reply_too_long_) {
        events_.count(Event::FTP_reply_msg_too_long);
        reply_too_long_ = false;
    }
    if (password_known_ && hides_passwords()) password_hidden_ = true;

    FtpEvent& event = out.events.emplace_back();
    event.kind = FtpOutcome::message;
    event.ts = turn.sent;
    event.logged = is_logged(turn);
    event.transfers = transfers(turn);
    event.channel = turn.channel;
    event.least_bytes = turn.least_bytes;
    if (event.logged || with_strings) {
        fill_strings(turn, event, out);
    } else if (may_be_too_long(turn)) {
        count_too_long(turn, out);
    }
    logged_command_seen_ = logged_command_seen_ || event.logged;
    file_size_.reset();
    data_channel_.reset();
}

void SessionInfo::end_unanswered_turn(const FtpTurn& turn, FtpOutput& out) {
    follow_options();
    if (password_known_ && hides_passwords()) password_hidden_ = true;
    if (!is_logged(turn) && !transfers(turn)) {
        if (may_be_too_long(turn)) count_too_long(turn, out);
        return;
    }
    const bool announced = (kAnnouncingCommands & bit(turn.command)) != 0 && turn.channel == channel_number_;
    const auto reply_code = std::exchange(reply_code_, std::nullopt);
    const auto file_size = std::exchange(file_size_, std::nullopt);
    const auto channel = announced ? std::nullopt : std::exchange(data_channel_, std::nullopt);
    const bool reply_too_long = std::exchange(reply_too_long_, false);
    end_turn(turn, false, out);
    reply_code_ = reply_code;
    file_size_ = file_size;
    data_channel_ = channel;
    reply_too_long_ = reply_too_long;
}

// Of what is not logged it is counted all the same.
void SessionInfo::count_too_long(const FtpTurn& turn, FtpOutput& out) {
    const std::size_t scratch = out.text.size();
    put_argument(turn, out);
    out.text.resize(scratch);
}

void SessionInfo::fill_strings(const FtpTurn& turn, FtpEvent& event, FtpOutput& out) {
    event.user = put(user_known_ ? user_.view() : kUnknownUser, out);
    if (password_known_) event.password = put(password_hidden_ ? kHidden : password_.view(), out);
    event.command = put(turn.name, out);
    event.arg = put_argument(turn, out);
    if (reply_code_) event.reply_msg = put(reply_text_.view(), out);
    event.reply_code = reply_code_;
    event.file_size = file_size_;
    event.data_channel = data_channel_;
}

bool SessionInfo::may_be_too_long(const FtpTurn& turn) const {
    const std::size_t url_bytes_max = takes_path(turn.command) ? url_root_.size() + directory_.size() : 0;
    return turn.argument.size() + url_bytes_max > options_.max_arg_length;
}

FtpText SessionInfo::put_argument(const FtpTurn& turn, FtpOutput& out) {
    const std::size_t offset = out.text.size();
    if (takes_path(turn.command))
        put_url(turn.argument, out);
    else
        out.text.append(turn.argument);
    if (out.text.size() - offset > options_.max_arg_length) {
        events_.count(Event::FTP_arg_too_long);
        out.text.resize(offset + options_.max_arg_length);
    }
    if (turn.command == FtpCommand::pass && hides_passwords()) {
        out.text.resize(offset);
        out.text.append(kHidden);
    }
    return out.text.size() == offset ? FtpText{} : since(offset, out);
}

void SessionInfo::put_url(std::string_view path, FtpOutput& out) {
    out.text.append(url_root());
    const bool absolute = path.starts_with('/') || (!is_absolute_path(path) && directory_.view().starts_with('/'));
    if (!absolute) out.text.push_back('/'); // "./file" and "c:\file" follow a slash
    put_path(directory_.view(), path, out);
}

// An IPv6 address stands in brackets (RFC 3986 3.2.2).
std::string_view SessionInfo::url_root() {
    if (url_root_bytes_ == 0) {
        char* end = std::copy(kUrlScheme.begin(), kUrlScheme.end(), url_root_.data());
        if (!server_.is_v4()) *end++ = '[';
        end += server_.format(end);
        if (!server_.is_v4()) *end++ = ']';
        url_root_bytes_ = static_cast<std::uint8_t>(end - url_root_.data());
    }
    return {url_root_.data(), url_root_bytes_};
}

std::size_t SessionInfo::capacity_bytes() const {
    return user_.capacity() + password_.capacity() + reply_text_.capacity() + directory_.capacity();
}

} // namespace ftpsensor
