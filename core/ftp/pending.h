// The commands of a session that wait for their replies.
//
// A client may send commands ahead; a reply is given to the one it fits best (Zeek's get_pending_cmd()). Names and
// arguments lie in one buffer, so that a queue of one command, the usual length, costs no allocation and no search.
// Part of one session, so one worker's.
#pragma once

#include "core/base/time.h"
#include "core/ftp/byte_buffer.h"
#include "core/ftp/commands.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace ftpsensor {

// Names and arguments of all pending commands of a session. An argument that no longer fits is cut; has_room() tells
// beforehand.
inline constexpr std::size_t kFtpPendingBytesMax = 32u << 10;

struct PendingCommand {
    Timestamp sent = 0;
    std::uint32_t number = 0; // of the client's lines that are answered, the greeting's shim included, from 1; 0: none
    std::uint32_t text_offset = 0;
    std::uint32_t argument_bytes = 0;
    // Number of the last PORT, EPRT, PASV or EPSV that is in effect for it, itself included; 0: none.
    std::uint32_t channel = 0;
    std::uint32_t previous_channel = 0; // of one of those four: the one that was in effect before it
    std::uint8_t name_bytes = 0;
    FtpCommand command = FtpCommand::unknown;
    bool directory_taken = false; // its argument is part of the working directory already
};

class PendingCommands {
public:
    PendingCommands() : text_(kFtpPendingBytesMax) {}

    void reset(std::size_t commands_max);

    // Queues a command. `name` has at most 255 bytes. False: something had to be cut or, with no room for the name,
    // left out.
    bool push(FtpCommand command, std::string_view name, std::string_view argument, Timestamp sent,
              std::uint32_t channel = 0, std::uint32_t previous_channel = 0);
    // A line that is no command to us, but is answered.
    void skip_number() { ++last_number_; }
    // The command that a reply fits best; of equals, the first sent. Null: none is pending. Valid until the next call.
    PendingCommand* best_match(std::uint32_t reply_code, std::string_view reply_text);
    PendingCommand* find(std::uint32_t number);
    void remove(const PendingCommand& command);
    // That channel was refused: for what was sent behind, the one before it is still in effect.
    void refuse(std::uint32_t channel, std::uint32_t previous);
    bool awaits_passive() const; // PASV or EPSV

    std::string_view name(const PendingCommand& c) const { return text_.view(c.text_offset, c.name_bytes); }
    std::string_view argument(const PendingCommand& c) const {
        return text_.view(c.text_offset + c.name_bytes, c.argument_bytes);
    }

    // A command of so many bytes, name and argument, fits in whole; one of a line does where there is no other.
    bool has_room(std::size_t bytes) const { return text_.room() >= bytes; }
    std::uint32_t last_number() const { return last_number_; }           // of the line sent last
    const std::vector<PendingCommand>& all() const { return commands_; } // in the order sent
    std::size_t size() const { return commands_.size(); }
    std::size_t capacity_bytes() const { return text_.capacity() + commands_.capacity() * sizeof(PendingCommand); }

private:
    int score(const PendingCommand& command, std::uint32_t reply_code, std::string_view reply_text) const;

    std::vector<PendingCommand> commands_;
    ByteBuffer text_;
    std::uint32_t last_number_ = 0;
};

} // namespace ftpsensor
