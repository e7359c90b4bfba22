// The changes of state of an end by its segments, and what they make of the connection (conn_state).
#include "core/conn/tcp_step.h"

#include <string_view>

namespace ftpsensor {

namespace {

// Services whose users may be silent for long; Zeek's port_inactivity_timeouts.
bool is_interactive(std::uint16_t port) { return port == 21 || port == 22 || port == 23 || port == 513; }

bool is_handshake(TcpState state) {
    return state == TcpState::inactive || state == TcpState::syn_sent || state == TcpState::syn_ack_sent;
}

// A number of the segment lies between two others, going upwards.
bool seq_between(std::uint32_t seq, std::uint32_t low, std::uint32_t high) {
    return static_cast<std::int32_t>(seq - low) >= 0 && static_cast<std::int32_t>(high - seq) >= 0;
}

// A SYN, and a RST of the same end before anything of substance came of it (an optional ^ in front).
bool is_syn_then_reset(std::string_view history) {
    if (history.starts_with('^')) history.remove_prefix(1);
    if (!history.starts_with('S')) return false;
    return history.find('R') < history.find_first_of("HAFGIQ");
}

} // namespace

void TcpTracker::set_state(Connection& c, unsigned side, TcpState state) const {
    Endpoint& end = c.end[side];
    if (end.state == state) return;
    if (!is_handshake(state) && is_handshake(end.state) && is_handshake(c.end[side ^ 1].state) &&
        inactivity_[c.inactivity] < inactivity_[Inactivity::tcp])
        c.inactivity = Inactivity::tcp;
    end.previous = end.state;
    end.state = state;
}

void TcpTracker::update_state(Connection& c, Step& s) const {
    switch (c.end[s.side].state) {
    case TcpState::inactive: from_inactive(c, s); break;
    case TcpState::syn_sent:
    case TcpState::syn_ack_sent: from_syn_sent(c, s); break;
    case TcpState::established:
    case TcpState::partial: from_established(c, s); break;
    case TcpState::closed: from_closed(c, s); break;
    case TcpState::reset: from_reset(c, s); break;
    }
}

void TcpTracker::established(Connection& c) const {
    std::uint16_t port = c.id().resp_p;
    // Half a connection: the originator's port may be the service's.
    if (c.orig().state == TcpState::inactive && !likely_.tcp(port) && likely_.tcp(c.id().orig_p)) port = c.id().orig_p;
    if (is_interactive(port)) c.inactivity = Inactivity::interactive;
}

void TcpTracker::from_inactive_syn(Connection& c, Step& s) const {
    Endpoint& peer = c.end[s.side ^ 1];
    if (s.from_orig) {
        if (s.has(kAck)) events_.count(c, Event::connection_originator_SYN_ack);
        set_state(c, s.side, s.has(kAck) ? TcpState::syn_ack_sent : TcpState::syn_sent);
        c.deadline_kind = Deadline::attempt;
        c.cold().deadline = s.now + timeouts_.attempt_delay;
        return;
    }
    if (s.has(kAck)) {
        if (peer.state != TcpState::inactive && peer.state != TcpState::partial &&
            !seq_between(s.segment.tcp_ack, peer.start_seq, peer.last_seq))
            events_.count(c, Event::bad_SYN_ack);
    } else if (peer.state == TcpState::syn_ack_sent && s.segment.tcp_seq == c.end[s.side].start_seq) {
        // A SYN-ACK that overtook its SYN: this is the originator after all.
        flip_roles(c, history_);
        set_state(c, s.side ^ 1, TcpState::established);
        c.orig_first_seen = true;
    } else
        events_.count(c, Event::simultaneous_open);

    if (peer.state == TcpState::syn_sent)
        set_state(c, s.side ^ 1, TcpState::established);
    else if (peer.state == TcpState::inactive)
        events_.count(c, Event::unsolicited_SYN_response);
    set_state(c, s.side, TcpState::established);
    if (peer.state != TcpState::partial) established(c);
}

void TcpTracker::from_inactive_rst(Connection& c, Step& s) const {
    const Endpoint& peer = c.end[s.side ^ 1];
    set_state(c, s.side, TcpState::reset);
    const bool rejects = s.from_orig ? peer.state == TcpState::established // a SYN-ACK without a SYN: a reverse scan
                                     : peer.state == TcpState::syn_sent || peer.state == TcpState::syn_ack_sent;
    s.do_close = true;
    if (!rejects && peer.state == TcpState::inactive) events_.count(c, Event::spontaneous_RST);
}

void TcpTracker::from_inactive(Connection& c, Step& s) const {
    if (s.has(kSyn)) from_inactive_syn(c, s);
    if (s.has(kFin)) {
        set_state(c, s.side, TcpState::closed);
        s.do_close = true;
        if (c.end[s.side ^ 1].state != TcpState::partial && !s.has(kSyn)) events_.count(c, Event::spontaneous_FIN);
    }
    if (s.has(kRst)) from_inactive_rst(c, s);
    if (c.end[s.side].state != TcpState::inactive) return;

    // No flag that changes the state.
    // Some stacks acknowledge a SYN before they answer it: that does not make the connection partial.
    if (!s.from_orig && s.length == 0 && c.orig().state == TcpState::syn_sent) return;
    if (s.has(kAck) && c.end[s.side ^ 1].state == TcpState::established) {
        // A SYN-ACK, and now its acknowledgement: the SYN was missed, nothing else.
        set_state(c, s.side, TcpState::established);
        c.partial = false;
        if (s.from_orig)
            c.orig_first_seen = true;
        else
            c.resp_first_seen = true;
        return;
    }
    set_state(c, s.side, TcpState::partial);
}

void TcpTracker::from_syn_sent(Connection& c, Step& s) const {
    const Endpoint& peer = c.end[s.side ^ 1];
    const TcpState state = c.end[s.side].state;
    if (s.has(kSyn)) {
        if (s.from_orig && s.has(kAck) && !s.has(kFin) && !s.has(kRst) && state != TcpState::syn_ack_sent)
            events_.count(c, Event::repeated_SYN_with_ack);
        if (!s.from_orig && !s.has(kAck) && state != TcpState::syn_sent)
            events_.count(c, Event::repeated_SYN_reply_wo_ack);
    }
    if (s.has(kFin)) {
        if (peer.state == TcpState::inactive || peer.state == TcpState::syn_sent)
            events_.count(c, Event::inappropriate_FIN);
        set_state(c, s.side, TcpState::closed);
        s.do_close = true;
    }
    if (s.has(kRst)) {
        set_state(c, s.side, TcpState::reset);
        c.active = false;
        s.do_close = true;
    } else if (s.length > 0)
        events_.count(c, Event::data_before_established);
}

void TcpTracker::from_established(Connection& c, Step& s) const {
    const Endpoint& peer = c.end[s.side ^ 1];
    if (s.has(kSyn) && c.end[s.side].state == TcpState::partial && peer.state == TcpState::inactive && !s.has(kAck)) {
        events_.count(c, Event::SYN_after_partial);
        set_state(c, s.side, TcpState::syn_sent);
    }
    if (s.has(kFin) && !s.has(kRst)) {
        set_state(c, s.side, TcpState::closed);
        // A FIN and then a RST of the peer was a normal end after all.
        if (peer.state == TcpState::reset && peer.previous == TcpState::closed)
            set_state(c, s.side ^ 1, TcpState::closed);
        s.do_close = true;
    }
    if (s.has(kRst)) {
        set_state(c, s.side, TcpState::reset);
        s.do_close = true;
        if (peer.state != TcpState::reset || peer.previous != TcpState::established) c.active = false;
    }
}

void TcpTracker::from_closed(Connection& c, Step& s) const {
    Endpoint& end = c.end[s.side];
    if (s.has(kSyn)) events_.count(c, Event::SYN_after_close);
    if (s.has(kFin) && s.delta_last > 0) events_.count(c, Event::FIN_advanced_last_seq);
    // A RST after both FINs changes nothing.
    if (!s.has(kRst) || c.end[s.side ^ 1].state == TcpState::closed) return;
    set_state(c, s.side, TcpState::reset);
    if (!end.did_close)
        s.do_close = true;
    else if (c.deadline_kind != Deadline::closing)
        arm_expire(c);
}

void TcpTracker::from_reset(const Connection& c, const Step& s) const {
    if (s.has(kSyn)) events_.count(c, Event::SYN_after_reset);
    if (s.has(kFin)) events_.count(c, Event::FIN_after_reset);
    if (s.length > 0 && !s.has(kRst)) events_.count(c, Event::data_after_reset);
}

ConnState TcpTracker::state(const Connection& c) const {
    const Endpoint& orig = c.orig();
    const Endpoint& resp = c.resp();
    const auto silent = [](const Endpoint& e) { return e.state == TcpState::inactive || e.state == TcpState::partial; };
    if (resp.state == TcpState::reset) {
        const bool empty = endpoint_size(orig, resp) == 0 && endpoint_size(resp, orig) == 0;
        if (orig.state == TcpState::syn_sent || orig.state == TcpState::syn_ack_sent ||
            (orig.state == TcpState::reset && empty))
            return ConnState::REJ;
        return silent(orig) ? ConnState::RSTRH : ConnState::RSTR;
    }
    if (orig.state == TcpState::reset) {
        if (!silent(resp)) return ConnState::RSTO;
        return is_syn_then_reset(history_.text(c)) ? ConnState::RSTOS0 : ConnState::OTH;
    }
    if (resp.state == TcpState::closed && orig.state == TcpState::closed) return ConnState::SF;
    if (orig.state == TcpState::closed) return silent(resp) ? ConnState::SH : ConnState::S2;
    if (resp.state == TcpState::closed) return silent(orig) ? ConnState::SHR : ConnState::S3;
    if (orig.state == TcpState::syn_sent && resp.state == TcpState::inactive) return ConnState::S0;
    if (orig.state == TcpState::established && resp.state == TcpState::established) return ConnState::S1;
    return ConnState::OTH;
}

} // namespace ftpsensor
