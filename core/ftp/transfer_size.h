// How many bytes a transfer has to move to be whole, as far as the server has said.
//
// Two replies say it: the one that begins the transfer, where it ends in "(1234 bytes)", and, where that names no size,
// the 213 to a SIZE of the same file just before (RFC 3659 4). Everything else in a reply is not a size: "150
// Connecting to port 44855", "75.0 kbytes to download". What a REST left out counts as moved: servers name the size of
// the file or of what is left of it. It is a least number, because text with line ends converted is longer than its
// file, and a file may grow. Part of one session, so one worker's.
#pragma once

#include "core/ftp/commands.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace ftpsensor {

// The number in a final "(1234 bytes)" or "(1234 octets)", in any case and with or without a full stop.
std::optional<std::uint64_t> extract_named_size(std::string_view reply_text);

class TransferSize {
public:
    void reset() { *this = {}; }
    // A whole reply was given to a command; in the order of the replies.
    void reply(FtpCommand command, std::string_view argument, std::uint32_t code, std::string_view text);
    // Of the RETR whose transfer has begun; 0: nobody said. Forgotten with that.
    std::uint64_t take_least_bytes();

private:
    std::uint64_t asked_file_ = 0; // hash of SIZE's argument
    std::optional<std::uint64_t> asked_bytes_;
    std::uint64_t restart_at_ = 0; // REST's
    std::uint64_t least_bytes_ = 0;
};

} // namespace ftpsensor
