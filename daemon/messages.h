// Operational messages: what the daemon says to its operator, on standard error. Never per packet.
//
// One form for each reader: on a terminal "warning: capture: text"; under systemd (JOURNAL_STREAM names our standard
// error, systemd.exec(5)) "<4>capture: text", whose prefix sd-daemon(3) turns into the entry's priority and whose time
// is the journal's; else (a file, a pipe) the terminal's form after an ISO 8601 time.
//
// init_messages(): main thread, before other threads start. messages() and the loggers it returns: any thread.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <memory>
#include <string>

namespace spdlog {
class logger; // callers that log include <spdlog/spdlog.h> in their .cpp
}

namespace ftpsensor {

enum class MessageForm : std::uint8_t { terminal, journal, plain };

// The form that suits standard error now.
MessageForm message_form();

// Sets the form and what is written: `level` and what is more severe. May be called again (a reload); loggers handed
// out before then follow the new level.
void init_messages(ConfigLevel level);

// The logger of one part of the daemon ("capture", "config", "logger"), made at its first use. The name stands in each
// line. Keep the pointer rather than asking again: the look-up takes a lock.
std::shared_ptr<spdlog::logger> messages(const std::string& name);

} // namespace ftpsensor
