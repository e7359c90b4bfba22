// Whether a connection on any port is FTP, by its first bytes from both sides.
//
// The rule is the reference's pair of signatures: the responder greets with 120 or 220 and a later line of it begins
// with 230 or 331; a line of the originator begins with USER. It is looked for in the first kBytesMax bytes of both
// directions together. Plain functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ftpsensor {

inline constexpr std::size_t kDetectBytesMax = 1024; // Zeek's dpd_buffer_size

enum class Detection : unsigned char { undecided, ftp, other };

// What the bytes so far say; `other`: no further bytes can make it FTP.
Detection detect_ftp(std::string_view originator, std::string_view responder);

} // namespace ftpsensor
