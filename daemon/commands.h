// The commands of ftpsensord, behind its command line.
//
// Each runs to its end on the main thread and returns the exit status (kExitSuccess, kExitFailure). What it cannot do
// it throws: ConfigError where the configuration is to blame (status 2), any other std::exception with a sentence that
// an operator can act on (status 1); main() prints it after the program's name. Messages (daemon/messages.h) are set up
// before the call.
#pragma once

#include "daemon/cli.h"

namespace ftpsensor {

int run_command(const CommandLine& command_line);   // live, until SIGTERM or SIGINT
int read_command(const CommandLine& command_line);  // capture files, to their end
int check_command(const CommandLine& command_line); // says what run would do
int stats_command(const CommandLine& command_line); // what a running sensor does

} // namespace ftpsensor
