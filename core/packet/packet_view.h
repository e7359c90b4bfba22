// A packet as a source hands it to a worker.
//
// The bytes belong to the source (an mbuf, a slot of the distributor's ring) and stay valid until process_burst()
// returns. Plain values; any thread.
#pragma once

#include "core/base/time.h"

#include <cstdint>

namespace ftpsensor {

// What the first byte of a packet is. Sources translate their own numbering (libpcap's DLT_*) to it.
enum class LinkType : std::uint8_t {
    ethernet,
    raw_ip,        // an IP header at once; the version nibble tells which
    null_host,     // BSD loopback: protocol family in host byte order of the capturing machine
    loop_network,  // OpenBSD loopback: the same in network byte order
    linux_cooked,  // LINUX_SLL
    linux_cooked2, // LINUX_SLL2
    ppp,           // PPP, with or without HDLC framing
    ppp_serial,    // PPP, always with two bytes of framing before its protocol
    pppoe,         // PPP over Ethernet payload (session stage)
    fddi,
    ieee802_11, // wireless LAN
    radiotap,   // the same behind a radiotap header
    nflog,      // Linux netfilter log; lengths in host byte order (libpcap swaps them)
    unknown,    // taken for an IP header at once, if its first byte allows
};

struct PacketView {
    const std::uint8_t* data = nullptr;
    std::uint32_t captured = 0; // bytes at `data`
    std::uint32_t length = 0;   // bytes on the wire; >= captured
    Timestamp time = 0;         // as stamped
    Timestamp now = 0;          // the highest `time` of the source so far: never goes back, drives timers and _write_ts
    std::uint64_t number = 0; // place in the capture, from 1; live: 0. Breaks ties of equal times, for any worker count
    LinkType link = LinkType::ethernet;
    bool checksum_known_good = false; // the port verified IP and L4 checksums
    bool vlan_stripped = false;       // `vlan_tci` was taken off the frame by the port
    std::uint16_t vlan_tci = 0;
};

} // namespace ftpsensor
