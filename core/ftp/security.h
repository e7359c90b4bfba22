// The security extensions of a session (RFC 2228, RFC 4217): what AUTH asked for, and whether what follows is
// encrypted.
//
// A 234 alone says nothing: whoever goes on in clear text would hide behind it. With `extended` it counts where an AUTH
// waits for its answer, and then what the client sends next decides: a TLS record or SSL 2's hello, or else the session
// goes on. Replies come in the order of the commands (RFC 959 5.4), so an AUTH of that number waits for so many of them
// and no longer, to whatever commands they are given. Where the AUTH or its answer was not captured, only a hello of
// the client's counts, and only until somebody has gone on in clear text. Without `extended` it is as in the reference:
// a 234 ends the session, whenever TLS was asked for. Part of one session, so one worker's.
#pragma once

#include "core/ftp/ftp_session.h"
#include "core/ftp/parse.h"

#include <cstdint>
#include <string_view>

namespace ftpsensor {

enum class AuthMechanism : std::uint8_t { none, tls, gssapi };

class FtpSecurity {
public:
    explicit FtpSecurity(const FtpOptions& options) : options_(options) {}

    // `partial`: the session's beginning was not captured.
    void reset(bool partial);

    // A command has come: an AUTH that was not captured was not followed by one, for then came TLS.
    void command_came() { request_missing_ = false; }
    // AUTH, the session's command of that number.
    void ask(std::string_view argument, std::uint32_t command);
    // The command was refused, or its turn is over.
    void forget(std::uint32_t command) {
        if (command == command_ && options_.extended) asked_ = AuthMechanism::none;
    }
    AuthMechanism asked() const { return asked_; }

    enum class Outcome : std::uint8_t { none, encrypted, gssapi_tls };
    static bool concerns(std::uint32_t code) { return code == 234 || code == 334; }
    // Of a reply that concerns it. `asked` is from before the reply ended any turn.
    Outcome take_reply(const FtpReply& reply, AuthMechanism asked);
    // ADAT's argument.
    Outcome take_token(std::string_view argument);
    // So many replies of 200 and above have come.
    void answered(std::uint32_t replies) {
        if (replies >= command_) forget(command_);
    }
    // Bytes of a direction were not captured.
    Outcome bytes_missing(bool from_originator);
    // A command of the client's may be among those; also one whose line was cut.
    void request_missing() { request_missing_ = true; }

    // TLS was granted, or may have been, and nothing has told yet whether it is used.
    bool is_open() const { return grant_ != Grant::none; }
    enum class Sign : std::uint8_t { open, clear, encrypted };
    // Of a line of the responder's, while it is_open(): who has granted TLS says nothing more in clear text.
    Sign look(const FtpReply& reply);
    // Of the next byte of a direction, while it is_open().
    Sign look(bool from_originator, std::uint8_t next_byte);
    void line_ended(bool from_originator) { in_reply_ = in_reply_ && from_originator; }

private:
    enum class Grant : std::uint8_t { none, guessed, said };

    const FtpOptions& options_;
    std::uint32_t command_ = 0; // that asked
    AuthMechanism asked_ = AuthMechanism::none;
    Grant grant_ = Grant::none;
    bool request_missing_ = false; // an AUTH may be what was not captured last
    bool in_reply_ = false;        // since then: a line of the responder's has begun
    bool gssapi_ = false;          // granted: the first token is awaited
    bool gssapi_tls_ = false;      // reported
};

} // namespace ftpsensor
