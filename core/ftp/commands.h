// The FTP commands that mean something to the session, and the reply codes that answer them.
//
// The pairs are those of Zeek's FTP::cmd_reply_code (RFC 959, 1639, 2389, 2428, 3659 and what servers do); they only
// rank pending commands against a reply, nothing is refused by them. Plain functions; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ftpsensor {

enum class FtpCommand : std::uint8_t {
    unknown, // any other command: told apart by its name
    init,    // not a command: what the server's greeting answers (Zeek: "<init>")
    abor,
    acct,
    allo,
    appe,
    auth,
    cdup,
    clnt,
    cwd,
    dele,
    eprt,
    epsv,
    feat,
    help,
    list,
    lprt,
    macb,
    mdtm,
    mkd,
    mlsd,
    mlst,
    mode,
    nlst,
    noop,
    opts,
    pass,
    pasv,
    port,
    pwd,
    quit,
    rein,
    rest,
    retr,
    rmd,
    rnfr,
    rnto,
    site,
    size,
    smnt,
    stat,
    stor,
    stou,
    stru,
    syst,
    type,
    user,
    xpwd,
    count_
};
static_assert(static_cast<int>(FtpCommand::count_) <= 64, "sets of commands are 64-bit masks");

inline constexpr std::string_view kInitCommandName = "<init>";

constexpr std::uint64_t bit(FtpCommand command) { return std::uint64_t{1} << static_cast<unsigned>(command); }

// They, or their replies, announce a data connection.
inline constexpr std::uint64_t kAnnouncingCommands =
    bit(FtpCommand::port) | bit(FtpCommand::eprt) | bit(FtpCommand::pasv) | bit(FtpCommand::epsv);

// `name` in upper case.
FtpCommand find_command(std::string_view name);

// The code is one that answers this command.
bool answers(FtpCommand command, std::uint32_t reply_code);

// The argument names a file or directory of the server (Zeek's file_cmds); the log shows it as a URL.
bool takes_path(FtpCommand command);

// The code grants a command that shows or changes the working directory (Zeek's directory_cmds).
bool tells_directory(FtpCommand command, std::uint32_t reply_code);

} // namespace ftpsensor
