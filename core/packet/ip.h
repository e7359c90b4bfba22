// One IP packet of either version: header checks, lengths, extension headers, fragments put together.
//
// The rules are those of Zeek's IP analyzer, also in what it lets pass. Internal to core/packet; a Decoder's thread.
#pragma once

#include "core/base/events.h"
#include "core/base/time.h"
#include "core/packet/cursor.h"
#include "core/packet/decode.h"
#include "core/packet/fragments.h"

#include <cstdint>
#include <cstring>

namespace ftpsensor {

// IpAddress::from_v4() in two stores of a word each: bytes written singly and then moved as 16 stall the load.
inline void set_ipv4(IpAddress& address, const std::uint8_t* network_order) {
    std::uint32_t number;
    std::memcpy(&number, network_order, sizeof number);
    const std::uint64_t high = 0;
    const std::uint64_t low = std::uint64_t{number} << 32 | 0xffff0000; // ::ffff:a.b.c.d, as little-endian words
    std::memcpy(address.bytes.data(), &high, sizeof high);
    std::memcpy(address.bytes.data() + 8, &low, sizeof low);
}

// What the packet carries, as the transport reads it.
struct Segment {
    const std::uint8_t* data = nullptr;
    std::uint32_t captured = 0; // bytes at `data`, without what the link layer padded
    std::uint32_t length = 0;   // by the IP header's lengths; 0 also where a header of IPv6 claims nothing (see Zeek)
    std::uint32_t missing = 0;  // of the frame: what the capture cut off its end
    std::uint8_t proto = 0;
    bool reassembled = false;
    bool doubtful = false; // by its fragments
};

struct IpContext {
    EventCounters& events;
    FragmentTable& fragments;
    std::uint8_t* reassembly_buffer = nullptr; // kMaxDatagramPayload bytes that live as long as the layer
    Timestamp now = 0;
    ChecksumPolicy checksums = ChecksumPolicy::ignore; // ignore also where the port has verified them
    bool drop_zero_length = false; // checksums are verified: a total length of 0 comes with a wrong one
};

// Reads the packet at `at` into the addresses and ip_length of `layer`, and its payload into `segment`. False: there is
// nothing to make a layer of (damaged, a fragment of more to come, or headers that end in no protocol); counted.
bool read_ip(const Cursor& at, const IpContext& context, Layer& layer, Segment& segment);

} // namespace ftpsensor
