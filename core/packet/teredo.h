// Teredo (RFC 4380): IPv6 over UDP, with an authentication header and an origin indication before it where needed.
//
// Zeek's rules: on the port of Teredo's servers each packet is one; on others those that look like one are, packet by
// packet. Internal to core/packet. No state; any thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/cursor.h"

#include <cstdint>
#include <optional>

namespace ftpsensor {

inline constexpr std::uint16_t kTeredoPort = 3544;
inline constexpr std::uint32_t kTeredoLeast = 40; // an IPv6 header
inline constexpr std::uint32_t kTeredoPrefix = 0x20010000;

// Whether the payload of a UDP packet on no tunnel's port is Teredo.
bool is_teredo(const std::uint8_t* payload, std::uint32_t size);

// The same quickly, and right where it says no. At least kTeredoLeast bytes are there. Many protocols begin with a
// zero, or with six as their first four bits.
inline bool may_be_teredo(const std::uint8_t* payload) {
    if (payload[0] == 0) return payload[1] == 1 || (payload[1] == 0 && payload[8] >> 4 == 6);
    return payload[0] >> 4 == 6 &&
           (payload[1] <= 1 || load_be32(payload + 8) == kTeredoPrefix || load_be32(payload + 24) == kTeredoPrefix);
}

// Moves `at` to the IPv6 header of an unbroken Teredo packet. Returns what is wrong with it.
std::optional<Event> open_teredo(Cursor& at, EventCounters& events);

} // namespace ftpsensor
