// What a line of a control channel says: a command with its argument, or a part of a reply.
//
// RFC 959 4.1.3 and 4.2, read as Zeek's FTP analyzer reads them. Views point into the line. Plain functions; any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ftpsensor {

struct FtpRequest {
    std::string_view name; // as sent; printable ASCII of three bytes or more, or empty: not a command
    std::string_view argument;
};

FtpRequest parse_request(std::string_view line);

struct FtpReply {
    enum class Kind : std::uint8_t {
        whole,        // "226 Done" in one line, or the last line of a longer reply
        first,        // "220-Welcome": more lines follow
        inner,        // a line of such a reply, text as it stands
        no_code,      // violation: it does not begin with three digits, or with "000"
        code_too_low, // violation: below 100
        no_space,     // violation: neither a blank nor "-" after the code
    };
    Kind kind = Kind::whole;
    std::uint32_t code = 0; // 100..999; 0: inner line
    std::string_view text;

    bool is_violation() const { return kind >= Kind::no_code; }
};

// `open_code` is the session's: the code of the reply whose lines are being read, 0 between replies.
FtpReply parse_reply(std::string_view line, std::uint32_t& open_code);

// An inner line that looks like a reply of its own: some servers open "230-" and never close it, but go on with
// "226 Transfer complete." (Zeek tells them so too.)
bool looks_like_reply(std::string_view line);

} // namespace ftpsensor
