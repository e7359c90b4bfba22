// The security extensions of a session (RFC 2228, RFC 4217): what AUTH asked for, and whether what follows is
// encrypted.
//
// A 234 alone says nothing: whoever goes on in clear text would hide behind it. With `extended` it counts where an AUTH
// waits for its answer, and then what the client sends next decides: a TLS record or SSL 2's hello, or else the session
// goes on. Without `extended` it is as in the reference: a 234 ends the session, whenever TLS was asked for. Part of
// one session, so one worker's.
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

    void reset();

    // AUTH, the session's command of that number.
    void ask(std::string_view argument, std::uint32_t command);
    // The command was refused, or its turn is over.
    void forget(std::uint32_t command) {
        if (command == command_ && options_.extended) asked_ = AuthMechanism::none;
    }
    AuthMechanism asked() const { return asked_; }

    enum class Outcome : std::uint8_t { none, encrypted, gssapi_tls };
    static bool concerns(std::uint32_t code) { return code == 234 || code == 235 || code == 334 || code == 335; }
    // Of a reply that concerns it. `asked` is from before the reply ended any turn. `incomplete`: an AUTH may not have
    // been captured.
    Outcome take_reply(const FtpReply& reply, AuthMechanism asked, bool incomplete);

    // TLS was granted, and nothing has told yet whether it is used.
    bool is_open() const { return granted_; }
    enum class Sign : std::uint8_t { open, clear, encrypted };
    // Of the next byte of a direction, while it is_open().
    Sign look(bool from_originator, std::uint8_t next_byte);
    void line_ended(bool from_originator) { in_reply_ = in_reply_ && from_originator; }

private:
    const FtpOptions& options_;
    std::uint32_t command_ = 0; // that asked
    AuthMechanism asked_ = AuthMechanism::none;
    bool granted_ = false;
    bool in_reply_ = false;   // since then: a line of the responder's has begun
    bool gssapi_ = false;     // granted: tokens are exchanged
    bool gssapi_tls_ = false; // reported
};

} // namespace ftpsensor
