// The transport header of an IP packet: TCP, UDP, ICMP, ICMPv6, and every protocol that has no ports here.
//
// Internal to core/packet. No state but the event counters; a Decoder's thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/decode.h"
#include "core/packet/ip.h"

#include <cstdint>

namespace ftpsensor {

// Fills in all of `layer` but its addresses, ip_length and carried_by. False: the header is not whole, which makes no
// connection; counted. With `check_sums`, checksums are computed where the whole segment is there.
bool read_transport(const Segment& segment, bool check_sums, EventCounters& events, Layer& layer);

inline constexpr std::uint8_t kTcpSyn = 0x02;

// The window scale (RFC 7323 2.2) in the options [option, end) of a SYN, as it stands there; -1: none.
std::int8_t tcp_window_scale(const std::uint8_t* option, const std::uint8_t* end);

} // namespace ftpsensor
