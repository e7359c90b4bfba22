// The tunnels that a connection came through.
#include "core/conn/conn_tracker.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::uint8_t kTunnelChangesMax = 5; // Zeek's Tunnel::max_changes_per_connection

} // namespace

// Null: the bound is reached.
ConnExtra* ConnTracker::extra_of(Connection& c) {
    std::uint32_t& extra = c.cold().extra;
    if (extra == Connection::kNone) extra = extras_.allocate();
    return extra != Connection::kNone ? &extras_[extra] : nullptr;
}

void ConnTracker::check_encapsulation(Connection& c, const Tunnel& tunnel) {
    ConnExtra* extra = extra_of(c);
    if (extra == nullptr) { // which tunnels it came through is not remembered
        conn_events_.count(c, Event::tunnel_parents_limit);
        return;
    }
    if (tunnel.present == c.has_encapsulation && tunnel.stack == extra->encapsulation) return;
    c.has_encapsulation = tunnel.present;
    extra->encapsulation = tunnel.stack;
    if (extra->tunnel_changes >= kTunnelChangesMax) {
        conn_events_.count(c, Event::tunnel_max_changes_per_connection_exceeded);
        limit_reached(c);
        return;
    }
    ++extra->tunnel_changes;
    if (tunnel.present) add_tunnel_parent(c, tunnel.parent);
}

void ConnTracker::add_tunnel_parent(Connection& c, const Id96& parent) {
    ConnExtra* extra = extra_of(c);
    if (extra == nullptr) {
        conn_events_.count(c, Event::tunnel_parents_limit);
        return;
    }
    const auto end = extra->parents.begin() + extra->parent_count;
    if (std::find(extra->parents.begin(), end, parent) != end) return;
    if (extra->parent_count == ConnExtra::kParentsMax) {
        conn_events_.count(c, Event::tunnel_parents_limit);
        return;
    }
    extra->parents[extra->parent_count++] = parent;
}

} // namespace ftpsensor
