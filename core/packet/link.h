// From the first byte of a frame to its IP header: Ethernet, 802.3 with SNAP, VLAN tags, MPLS, PPPoE, PPP, Linux cooked
// captures, BSD loopback, 802.1ah, VN-Tag, Cisco FabricPath, FDDI, wireless LAN, and Linux netfilter logs.
//
// Internal to core/packet; used by the decoder and by Distribution. No state; any thread.
#pragma once

#include "core/base/events.h"
#include "core/packet/cursor.h"
#include "core/packet/packet_view.h"

#include <cstdint>
#include <optional>

namespace ftpsensor {

inline constexpr std::uint32_t kEthernetHeaderLength = 14;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100; // 802.1Q

// Headers of one frame between its first byte and IP; a stack of MPLS labels is one. Zeek stops at 25 analyzers in all.
inline constexpr unsigned kMaxLinkHeaders = 16;
inline constexpr unsigned kMaxMplsLabels = 64;

// Moves `at` to the IP header, whose version is not looked at yet. Returns what stopped it; nothing where all is well.
// What is odd without stopping it is counted, where `events` is not null. `rest`: where it is a wireless LAN's
// aggregate, the frames behind the one that `at` is moved into; else, and where there are none, it is left as it was.
std::optional<Event> skip_link_headers(LinkType link, Cursor& at, EventCounters* events, Cursor* rest = nullptr);
// The same from the rest of an aggregate, of which `rest` tells what is left then.
std::optional<Event> skip_subframe_headers(Cursor& at, EventCounters* events, Cursor& rest);

} // namespace ftpsensor
