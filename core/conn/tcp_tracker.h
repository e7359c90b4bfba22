// The TCP of a connection: states of both ends, sequence numbers, history, holes, and when it is over.
//
// The states and their changes are those of Zeek's TCPSessionAdapter, which conn_state, history, orig_bytes and
// missed_bytes are defined by; RFC 9293 tells what the ends themselves do. One tracker a worker; worker's thread only.
#pragma once

#include "core/conn/conn_events.h"
#include "core/conn/conn_oddities.h"
#include "core/conn/connection.h"
#include "core/conn/gap_tracker.h"
#include "core/conn/history.h"
#include "core/conn/likely_ports.h"
#include "core/packet/decode.h"

#include <array>
#include <cstdint>

namespace ftpsensor {

struct TcpTimeouts {
    Duration attempt_delay = 5 * kSecond;
    Duration close_delay = 5 * kSecond;
    Duration reset_delay = 5 * kSecond;                    // the same where an end has sent RST
    static constexpr Duration kSynTimeout = 5 * kSecond;   // Zeek's tcp_SYN_timeout
    static constexpr Duration kSessionTimer = 6 * kSecond; // tcp_session_timer
    static constexpr Duration kLinger = 5 * kSecond;       // tcp_connection_linger
};

// The configured times of Connection::inactivity.
struct InactivityTimes {
    std::array<Duration, static_cast<std::size_t>(Inactivity::count_)> times = {
        kMinute,     // until the handshake is over; Zeek starts TCP with udp_inactivity_timeout
        5 * kMinute, // once it is
        kHour,       // TCP to ports 21, 22, 23, 513
        kMinute,     // UDP
        kMinute,     // ICMP
        kMinute,     // other IP protocols
        kHour,       // FTP control connections
    };
    Duration& operator[](Inactivity kind) { return times[static_cast<std::size_t>(kind)]; }
    Duration operator[](Inactivity kind) const { return times[static_cast<std::size_t>(kind)]; }
};

// What one segment did that readers of the content need to know, in this order: holes of the peer's stream that the
// acknowledgement proved (GapTracker::gaps()), data of the segment's own stream, ends of streams.
struct TcpOutcome {
    bool flipped = false;     // roles changed: Connection::orig_side is another now
    bool has_gaps = false;    // of the peer's stream: GapTracker::gaps()
    bool has_payload = false; // all of the segment's payload was captured; it stands at data_rel of its stream
    bool has_data = false;    // and it is new to the reference's reassembly, which takes nothing that was acknowledged
    std::uint64_t data_rel = 0;
    bool ended[2] = {false, false}; // by side: that stream is now known to be complete
};

class TcpTracker {
public:
    TcpTracker(const TcpTimeouts& timeouts, const InactivityTimes& inactivity, const LikelyServerPorts& likely,
               const History& history, ConnOdditiesPool& oddities, GapTracker& gaps, const ConnEvents& events)
        : timeouts_(timeouts), inactivity_(inactivity), likely_(likely), history_(history), oddities_(oddities),
          gaps_(gaps), events_(events) {}

    void set_timeouts(const TcpTimeouts& timeouts) { timeouts_ = timeouts; }
    // Sets up the members of a connection that the first packet is about to open.
    void open(Connection& c) const;
    // A segment of a known connection that starts it anew: the same addresses and ports, another conversation.
    bool is_reuse(const Connection& c, const Layer& segment, Timestamp time) const;
    // One segment from `side`. Deadlines of `c` are kept up to date; the caller schedules them.
    void process(Connection& c, const Layer& segment, unsigned side, const PacketView& packet, TcpOutcome& out);
    // Whether the connection is over at its deadline; else the deadline has been moved or cleared.
    bool deadline_reached(Connection& c) const;
    ConnState state(const Connection& c) const;

private:
    struct Step;
    void init_end(Connection& c, Endpoint& end, const Step& s) const;
    void init_peer(Endpoint& end, Endpoint& peer, const Step& s) const;
    void update_history(Connection& c, Step& s) const;
    bool same_fin(const Connection& c, const Step& s, std::uint32_t fin) const;
    void keep_last_fin(Connection& c, const Step& s) const;
    bool check_history(Connection& c, unsigned side, unsigned mask, char letter) const;
    void add_letter(Connection& c, unsigned side, char letter) const;
    void zero_window(Connection& c, const Step& s) const;
    void acknowledge(Connection& c, Step& s) const;
    void update_last_seq(Connection& c, Step& s) const;
    void set_state(Connection& c, unsigned side, TcpState state) const;
    void update_state(Connection& c, Step& s) const;
    void from_inactive(Connection& c, Step& s) const;
    void from_inactive_syn(Connection& c, Step& s) const;
    void from_inactive_rst(Connection& c, Step& s) const;
    void from_syn_sent(Connection& c, Step& s) const;
    void from_established(Connection& c, Step& s) const;
    void from_closed(Connection& c, Step& s) const;
    void from_reset(const Connection& c, const Step& s) const;
    void established(Connection& c) const;
    void count_odd_syn(const Connection& c, const Step& s) const;
    void take_payload(Connection& c, const Step& s, TcpOutcome& out) const;
    void apply_gaps(Connection& c, unsigned side) const;
    void check_end_of_stream(Connection& c, unsigned side, TcpOutcome& out) const;
    void closed(Connection& c, unsigned side) const;
    void arm_expire(Connection& c) const;

    TcpTimeouts timeouts_;
    const InactivityTimes& inactivity_;
    const LikelyServerPorts& likely_;
    const History& history_;
    ConnOdditiesPool& oddities_;
    GapTracker& gaps_;
    const ConnEvents& events_;
};

// Exchanges the roles of the two ends (Zeek's FlipRoles): history gets a `^`, inbound becomes outbound.
void flip_roles(Connection& c, const History& history);

} // namespace ftpsensor
