// Which worker a packet goes to, where software decides: `read --workers` and capture.resteer.
//
// By a hash of two addresses, the same for both directions. They are those of the connection that the packet belongs
// to: inside of GRE and IP in IP, which are no connections themselves, the inner packet's, so that a connection is
// found together with what comes of it outside of the tunnel, or through another one. A tunnel over UDP is a
// connection, and stays together with all that it carries. For IPv6 the addresses are the connection's, as of the
// headers before a fragment header. Fragments of one datagram agree; those of a tunnel's go where its first fragment's
// addresses say, or, where another one comes first, where the tunnel's do; the memory for that is bounded (kDatagrams),
// and where it is used up, the rest of a datagram may go elsewhere, and the datagram is never whole (event
// fragment_timeout). Any bytes will do; packets without IP give 0. One thread.
#pragma once

#include "core/base/events.h"
#include "core/base/time.h"
#include "core/packet/cursor.h"
#include "core/packet/packet_view.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ftpsensor {

class Distribution {
public:
    // `secret`: what strangers must not know who could else make fragments take each other's places.
    explicit Distribution(std::uint64_t secret) : secret_(secret) {}

    std::uint32_t hash(const PacketView& packet);

private:
    struct Ip;
    struct Datagram { // a tunnel's, in fragments
        std::uint64_t key = 0;
        std::uint32_t hash = 0;
        bool first = false; // its first fragment decided
        Timestamp time = 0; // of the fragment that decided
    };
    // Ids come again, sooner or later, for other packets; fragments of one come close together.
    static constexpr Duration kTogether = kSecond;
    // As many as may be on their way at a time; a later one takes the place of an earlier one.
    static constexpr std::size_t kDatagrams = 4096;

    std::uint32_t hash_ip(const Cursor& at, std::size_t depth);
    std::uint32_t hash_inside(const Ip& ip, std::size_t depth);
    std::uint32_t hash_fragment(const Ip& ip, std::size_t depth);

    std::uint64_t secret_;
    Timestamp time_ = 0; // of the packet in hand
    std::vector<Datagram> datagrams_ = std::vector<Datagram>(kDatagrams);
    EventCounters unheard_; // the decoder counts what is odd
};

} // namespace ftpsensor
