// What Zeek's DNS and NTP analyzers do to a UDP connection beside reading it: how long it stays, and whose roles turn.
//
// No state; worker's thread.
#pragma once

#include "core/conn/connection.h"
#include "core/packet/decode.h"

namespace ftpsensor {

// Zeek's DNS analyzer looks at its UDP connections each dns_session_timeout, and ends those that are silent by then.
inline constexpr Duration kDnsSessionTimeout = 10 * kSecond;

bool is_dns(const Connection& c);

// At the deadline of a DNS connection: whether it is over. Else the deadline has been moved.
bool dns_deadline_reached(Connection& c);

// The first packet of a connection, from its originator, is an answer: DNS with its QR bit (RFC 1035 4.1.1), of the
// operations that Zeek knows, or NTP from a server (RFC 5905 7.3).
bool is_answer(const Connection& c, const Layer& layer);

} // namespace ftpsensor
