// The commands of a session that made room for others before their replies came.
//
// Their entries are told, but each has a reply to come, which must not be taken for another's. Replies come in the
// order of the commands (RFC 959 5.4), so the session counts them; what the reply may change for those that follow, the
// working directory and the data channel, is kept here. Part of one session, so one worker's. Memory: the bounds below.
#pragma once

#include "core/ftp/byte_buffer.h"
#include "core/ftp/commands.h"
#include "core/ftp/pending.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ftpsensor {

inline constexpr std::size_t kFtpToldMax = 64;
inline constexpr std::size_t kFtpToldBytesMax = 16u << 10; // arguments of CWD

struct ToldCommand {
    std::uint32_t number = 0;           // PendingCommand's
    std::uint32_t channel = 0;          // the same
    std::uint32_t previous_channel = 0; // the same
    std::uint32_t argument_bytes = 0;
    FtpCommand command = FtpCommand::unknown;
};

class ToldCommands {
public:
    ToldCommands() : text_(kFtpToldBytesMax) {}

    void reset();

    // False: the oldest ones were forgotten to make room, whatever becomes of them.
    bool add(const PendingCommand& command, std::string_view argument);
    // The one of that number, where it is kept; those before it are forgotten. Valid until the next call.
    ToldCommand* find(std::uint32_t number);
    std::string_view argument(const ToldCommand& c) const { return text_.view(0, c.argument_bytes); } // of find()'s
    // The channel of the first PASV or EPSV, whose reply has come.
    std::optional<std::uint32_t> take_passive();
    // That channel was refused: the one before it is the one in effect.
    void refuse(std::uint32_t channel, std::uint32_t previous);

    std::size_t capacity_bytes() const { return text_.capacity() + commands_.capacity() * sizeof(ToldCommand); }

private:
    void forget_oldest();

    std::vector<ToldCommand> commands_; // in the order sent
    ByteBuffer text_;
    std::uint32_t forgotten_passive_ = 0; // channel of the last PASV or EPSV that is not kept any more; 0: none
};

} // namespace ftpsensor
