// Community ID, version 1, seed 0: one short name of a flow that other tools compute too.
//
// https://github.com/corelight/community-id-spec, with what Zeek's community_id_v1() makes of it where the two differ:
// the result is the reference's, so that logs can be compared. Plain function; any thread.
#pragma once

#include "core/record/entries.h"

#include <cstddef>
#include <cstdint>

namespace ftpsensor {

inline constexpr std::size_t kCommunityIdChars = 30; // "1:" and the base64 of a SHA-1

// Writes the kCommunityIdChars characters to `out` and returns their end. `id`: for ICMP the ports are type and
// counterpart (or code, where nothing answers the type), as in Layer. `ip_proto`: used where `proto` is unknown.
char* put_community_id(char* out, const EndpointId& id, Transport proto, std::uint8_t ip_proto);

} // namespace ftpsensor
