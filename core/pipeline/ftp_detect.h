// Whether a connection on any port is FTP, by its first bytes from both sides.
//
// The rule is the reference's pair of signatures: the responder greets with 120 or 220 and a later line of it begins
// with 230 or 331; a line of the originator begins with USER. It is looked for in the first kBytesMax bytes of both
// directions together. Plain functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ftpsensor {

inline constexpr std::size_t kDetectBytesMax = 1024; // Zeek's dpd_buffer_size

enum class Detection : unsigned char { undecided, ftp, other };

// `text` without Telnet's commands (RFC 854 and 855), as a server reads it: with ftp.extended, what is between the
// letters of a USER does not hide it.
std::string strip_telnet(std::string_view text);

// Whether a responder that begins like this may be one of FTP, with Telnet's commands in between or without. False is
// final, whatever else is said.
bool may_begin_ftp(std::string_view responder);

// What the bytes so far say; `other`: no further bytes can make it FTP.
Detection detect_ftp(std::string_view originator, std::string_view responder);

} // namespace ftpsensor
