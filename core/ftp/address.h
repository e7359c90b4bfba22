// The endpoints that PORT, EPRT and the replies 227 and 229 announce.
//
// RFC 959 4.1.2, RFC 2428. What is taken and what is not is exactly what Zeek's parse_ftp_port(), parse_eftp_port(),
// parse_ftp_pasv() and parse_ftp_epsv() take: they read with sscanf(3) and strtol(3), so numbers may have leading white
// space, a sign or zeros, and text may follow. Plain functions; any thread.
#pragma once

#include "core/base/ip_address.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace ftpsensor {

struct AnnouncedEndpoint {
    IpAddress host; // "::": none was named (EPRT, 229)
    std::uint16_t port = 0;
};

// Each takes the argument, or the text of the reply, and gives nothing where that is not valid.
std::optional<AnnouncedEndpoint> parse_port_argument(std::string_view argument); // "10,0,0,1,4,31"
std::optional<AnnouncedEndpoint> parse_eprt_argument(std::string_view argument); // "|1|10.0.0.1|1055|"
std::optional<AnnouncedEndpoint> parse_pasv_reply(std::string_view text);        // "Entering ... (10,0,0,1,4,31)"
std::optional<AnnouncedEndpoint> parse_epsv_reply(std::string_view text);        // "Entering ... (|||1055|)"

} // namespace ftpsensor
