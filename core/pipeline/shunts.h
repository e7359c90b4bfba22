// Connections of a worker that its ports count (capture.shunt): which are asked for, and what the ports say of them.
//
// A transfer of which nothing but counts is needed any more is given to the ports; they report what they have counted
// each second, and at the end. FIN and RST still come through where a port can tell them apart. One Shunts a worker,
// with room for so many connections (`max`); a place is free again only once the ports are done with it. Worker's
// thread.
#pragma once

#include "core/conn/conn_tracker.h"
#include "core/pipeline/shunt_ports.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ftpsensor {

class Shunts {
public:
    Shunts(std::size_t worker, ShuntPorts* ports, ConnTracker& connections, EventCounters& events)
        : worker_(worker), ports_(ports), connections_(connections), events_(events) {}

    bool on() const { return ports_ != nullptr; }
    bool wanted() const { return ports_->max() != 0; } // some port can count
    // Gives the connection to the ports; `headers` of IP and TCP in either direction, in bytes. None: there is no room.
    ShuntTicket begin(std::uint32_t connection, const ShuntFlow& flow, const std::uint16_t (&headers)[2]);
    // A segment of it came through, and is about to be processed.
    void coming_through(Connection& c, ShuntTicket ticket, const Layer& layer, unsigned side);
    void removed(ShuntTicket ticket); // the connection is over
    // What the ports have said by `now`; calls f(connection) for each whose counts have grown.
    template <class F>
    void take_reports(Timestamp now, F&& f) {
        ShuntReport report;
        while (ports_->next_report(worker_, report))
            if (Connection* c = take(report, now)) f(*c);
    }

private:
    struct Place {
        std::uint32_t generation = 0;
        std::uint32_t connection = kNone; // kNone: it is over
        std::uint16_t frame_header = 0;   // bytes before the IP header
        bool ending = false;              // end() was asked for
        bool ended = false;               // and has come
        Shunted shunted;
    };
    static constexpr std::uint32_t kNone = 0xffffffff;

    Place* find(ShuntTicket ticket); // null: it was given to another connection
    Connection* take(const ShuntReport& report, Timestamp now);
    void ask_for_end(ShuntTicket ticket, Place& place, bool at_once);
    void release(std::uint32_t at);

    std::size_t worker_;
    ShuntPorts* ports_;
    ConnTracker& connections_;
    EventCounters& events_;
    std::vector<Place> places_;
    std::vector<std::uint32_t> free_;
};

// The tags before the IP header of an Ethernet frame; none where something else than tags stands there.
std::optional<std::uint8_t> vlan_tags_of(const PacketView& packet);

} // namespace ftpsensor
