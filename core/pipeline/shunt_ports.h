// What a worker asks of the ports that count for it (capture.shunt), and what they report.
//
// Implemented by the daemon (daemon/live/shunt.h), which talks to the ports on a thread of its own; called by workers,
// each with its own number, on their own threads.
#pragma once

#include "core/base/ip_address.h"

#include <cstddef>
#include <cstdint>

namespace ftpsensor {

struct ShuntTicket { // a place among a worker's
    static constexpr std::uint32_t kNone = 0xffffffff;

    std::uint32_t place = kNone;
    std::uint32_t generation = 0;

    bool given() const { return place != kNone; }
};

struct ShuntFlow { // what the rules match: both directions of it
    IpAddress address[2];
    std::uint16_t port[2] = {0, 0};
    std::uint8_t vlan_tags = 0; // before the IP header
};

struct ShuntCounts {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0; // of frames, from the Ethernet header on
};

struct ShuntReport {
    enum class What : std::uint8_t {
        begun,   // the rules are there
        counted, // since the last report
        ended,   // the same; the rules are gone, or never were
    };
    ShuntTicket ticket;
    What what = What::counted;
    ShuntCounts counts[2]; // by what flow.address[side] sent
};

// The ports' end, for a worker: none of these waits.
class ShuntPorts {
public:
    virtual ~ShuntPorts() = default;
    // How many connections of a worker may be with the ports at a time; 0: no port can. Never less but for 0.
    virtual std::uint32_t max() const = 0;
    // Each ticket that was begun is ended by one report, whether or not the rules were ever there.
    virtual void begin(std::size_t worker, ShuntTicket ticket, const ShuntFlow& flow) = 0;
    // `at_once`, or when what the ports count with delay has arrived.
    virtual void end(std::size_t worker, ShuntTicket ticket, bool at_once) = 0;
    virtual bool next_report(std::size_t worker, ShuntReport& report) = 0; // false: there is none
};

} // namespace ftpsensor
