// The header of a wireless LAN's data frame (IEEE 802.11-2020 9.2, 9.3.2), and the 802.2 header with SNAP behind it.
//
// Zeek's rules. Internal to core/packet. No state; any thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/cursor.h"

#include <cstdint>
#include <optional>

namespace ftpsensor {

struct WirelessPayload {
    std::optional<Event> stopped = {}; // why there is no payload: not data, encrypted, damaged
    std::uint16_t ether_type = 0;
    Cursor rest = {}; // of an aggregate (A-MSDU): its frames behind this one; no bytes: none
};

// Moves `at` to what the frame carries; to what the first one does, where it is an aggregate.
WirelessPayload skip_wireless_header(Cursor& at);

// Moves `at`, the rest of an aggregate, to what the next frame of it carries. What is cut ends the aggregate; behind
// what carries something else it goes on.
WirelessPayload skip_subframe_header(Cursor& at);

} // namespace ftpsensor
