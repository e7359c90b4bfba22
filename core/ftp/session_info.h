// What is known of an FTP session while it goes on (Zeek's FTP::Info), and the entries made of it (its ftp_message()).
//
// Part of one session, so one worker's. Memory: the bounds below, whatever is sent.
#pragma once

#include "core/base/events.h"
#include "core/ftp/byte_buffer.h"
#include "core/ftp/commands.h"
#include "core/ftp/ftp_session.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ftpsensor {

inline constexpr std::size_t kFtpLoginBytesMax = 1024;         // user and password, each
inline constexpr std::size_t kFtpReplyBytesMax = 8u << 10;     // the last reply
inline constexpr std::size_t kFtpDirectoryBytesMax = 8u << 10; // the working directory

// Counts named events, with the session's uid as the example.
class SessionEvents {
public:
    explicit SessionEvents(EventCounters& counters) : counters_(counters) {}
    void reset(const Id96& uid) { uid_ = uid; }
    void count(Event event, std::uint64_t n = 1) {
        counters_.count(event, n);
        if (counters_.wants_example(event)) counters_.keep_example(event, uid_);
    }

private:
    EventCounters& counters_;
    Id96 uid_;
};

// A command whose turn is over.
struct FtpTurn {
    FtpCommand command = FtpCommand::unknown;
    std::string_view name; // upper case
    std::string_view argument;
    Timestamp sent = 0;
    std::uint32_t channel = 0;     // FtpEvent's
    std::uint64_t least_bytes = 0; // FtpEvent's
    bool refused = false;          // by an error at once: no data connection was used
};

class SessionInfo {
public:
    SessionInfo(const FtpOptions& options, SessionEvents& events);

    void reset(const IpAddress& server);

    void set_user(std::string_view name);
    void set_password(std::string_view password);
    // Bytes of the client are missing: who is named may be another one, until a whole USER comes.
    void doubt_user() { user_in_doubt_ = true; }
    bool hides_passwords() const;     // by the user as known now
    bool hides_next_password() const; // of a PASS that is sent now
    // What stands for a password that is hidden when it is sent, whoever is named as the user before its turn is over.
    std::string_view hide(std::string_view argument);
    void set_reply(std::uint32_t code, std::string_view text);
    void forget_reply() { reply_code_.reset(); } // the last one is of what is told already
    void set_file_size(std::uint64_t bytes) { file_size_ = bytes; }
    void set_data_channel(const DataChannel& channel, std::uint32_t number) {
        data_channel_ = channel;
        channel_number_ = number;
    }
    // `out.text` serves as scratch space.
    void change_directory(std::string_view path, FtpOutput& out);
    void set_directory(std::string_view path);

    bool has_reply() const { return reply_code_.has_value(); }
    bool is_refused() const { return reply_code_.value_or(0) >= 400; } // RFC 959 4.2.1: 4yz and 5yz
    bool logged_command_seen() const { return logged_command_seen_; }

    // Appends the `message` of a turn, and forgets what belongs to one turn alone. Strings are filled in for an entry,
    // or where `with_strings` asks for them.
    void end_turn(const FtpTurn& turn, bool with_strings, FtpOutput& out);
    // The same of a command that has to make room: its reply is not known, and what is known now belongs to others. A
    // turn that means nothing to anybody has no message.
    void end_unanswered_turn(const FtpTurn& turn, FtpOutput& out);

    std::size_t capacity_bytes() const;

private:
    void look_up_commands();
    void follow_options() {
        if (generation_ != options_.generation) [[unlikely]]
            look_up_commands();
    }
    bool is_logged(const FtpTurn& turn) const;
    bool may_be_too_long(const FtpTurn& turn) const;
    void count_too_long(const FtpTurn& turn, FtpOutput& out);
    void fill_strings(const FtpTurn& turn, FtpEvent& event, FtpOutput& out);
    FtpText put_argument(const FtpTurn& turn, FtpOutput& out);
    void put_url(std::string_view path, FtpOutput& out);
    std::string_view url_root();

    const FtpOptions& options_;
    SessionEvents& events_;
    std::uint32_t generation_ = 0;      // of options_, when the next was made
    std::uint64_t logged_commands_ = 0; // those of options_.logged_commands that find_command() knows
    std::size_t user_bytes_max_;
    std::size_t password_bytes_max_;
    std::size_t reply_bytes_max_;

    IpAddress server_;
    std::array<char, 64> url_root_{}; // "ftp://" and the server, once it is needed
    std::uint8_t url_root_bytes_ = 0;
    ByteBuffer user_{kFtpLoginBytesMax};
    ByteBuffer password_{kFtpLoginBytesMax};
    ByteBuffer reply_text_{kFtpReplyBytesMax};
    ByteBuffer directory_{kFtpDirectoryBytesMax};
    std::optional<std::uint32_t> reply_code_;
    std::optional<std::uint64_t> file_size_;
    std::optional<DataChannel> data_channel_;
    std::uint32_t channel_number_ = 0; // of the command that data_channel_ is of
    bool user_known_ = false;
    bool user_is_guest_ = false;
    bool user_in_doubt_ = false;
    bool password_known_ = false;
    bool password_hidden_ = false; // for good, once an entry might have shown it, though the user may change
    bool reply_too_long_ = false;
    bool logged_command_seen_ = false;
};

} // namespace ftpsensor
