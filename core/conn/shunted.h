// A TCP connection whose packets its port counts for a while (capture.shunt), so that they never reach the worker.
//
// The port tells packets and bytes; FIN and RST still come through where it can tell them apart. Packets and bytes of
// the IP level are the port's figures. Payload is an estimate, bytes less the headers that this direction had before,
// until a segment comes through whose number tells how much it was; a port's last figures then only say which round of
// 4 GiB the number is of. What lies in between is taken as seen: nobody knows of holes there. Worker's thread only.
#pragma once

#include "core/conn/connection.h"

#include <array>
#include <cstdint>

namespace ftpsensor {

struct ShuntedSide {
    std::uint16_t headers = 40; // bytes of IP and TCP headers of the packets that this end sends
    bool began = false;         // base_rel is set
    bool exact = false;         // a segment has told where the stream stands
    bool estimated = false;     // last_seq stands where the port's figures put it
    std::uint64_t base_rel = 0; // last_rel() when the port began to count
    std::uint64_t payload = 0;  // by the port's figures, since then
    std::uint64_t packets = 0;  // the port's
    std::uint64_t seen_rel = 0; // a segment has set last_seq back from here: what lies before this is no hole
};

struct Shunted {
    std::array<ShuntedSide, 2> side; // as Connection::end
    bool counting = false; // rules are there: what comes through without FIN or RST was on its way before them
};

// `packets` of end `side`, of `ip_bytes` in all, were counted by the port.
void add_counted(Connection& c, Shunted& s, unsigned side, std::uint64_t packets, std::uint64_t ip_bytes);

// Before a segment of such a connection is processed: moves the numbers of both ends to where the segment belongs.
void catch_up(Connection& c, Shunted& s, const Layer& segment, unsigned side);

} // namespace ftpsensor
