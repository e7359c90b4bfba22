// What no host takes of a TCP session, and what must therefore not end it or hide what follows.
//
// Who wants to be unseen sends what the sensor believes and the other end does not: a SYN, a RST, a FIN, an
// acknowledgement of numbers that are not the session's. A host ignores each of them or answers with a challenge (RFC
// 9293 3.10.7, RFC 5961 3 to 5), and so does this, for sessions of FTP and what may yet show to be one. Zeek believes
// them: only where ConnOptions::wary_of_decoys. What is doubtful and not impossible is let through: packets that the
// tap lost must not hide a session either. Internal to core/conn; worker's thread.
#pragma once

#include "core/base/events.h"
#include "core/conn/conn_oddities.h"
#include "core/conn/connection.h"
#include "core/packet/packet_view.h"

#include <optional>

namespace ftpsensor {

// So far ahead of what was seen an acknowledgement is believed (packets may be lost on the tap), and as near as this to
// the session's own numbers another one's cannot be told from them; bytes.
constexpr std::int32_t kAheadMax = 1 << 16;

// The segment begins before the first byte of `end`, and ends behind it.
inline bool reaches_back(const Endpoint& end, const Layer& layer) {
    const auto before = static_cast<std::int32_t>(end.start_seq + 1 - layer.tcp_seq);
    return before > 0 && static_cast<std::uint32_t>(before) < layer.payload_length &&
           (layer.tcp_flags & (kSyn | kRst)) == 0 && end.seq_wraps() == 0 && end.state != TcpState::inactive;
}

// The number that the peer of `end` expects next: behind what came without a hole.
std::uint32_t number_due(const Connection& c, const Endpoint& end);

// In the middle of a session (Connection::in_session): what the segment of the end `side` is counted as, and for
// nothing else. None: it is not known to be a decoy. `guard`: null, where nothing was odd so far.
std::optional<Event> decoy_in_session(const Connection& c, const SessionGuard* guard, const Layer& layer,
                                      unsigned side);

// The same where a SYN has not been answered, as far as we saw (Connection::awaits_answer): a host that asks listens to
// what acknowledges its SYN, and goes on from there.
std::optional<Event> decoy_before_answer(const Connection& c, const Layer& layer, unsigned side);

// In the middle of a session: the segment acknowledges what its peer has not sent, by all that was seen. Its bytes may
// be true, if packets of the peer were lost on the tap; that it was acknowledged is not believed.
bool acknowledges_too_much(const Connection& c, const Layer& layer, unsigned side);

// Exactly what comes next in this session, and acknowledges what is its own: nobody who does not see it can send that.
bool is_of_session(const Connection& c, const Layer& layer, unsigned side);

// In the middle of a session: the segment belongs to another one on the same addresses and ports, whose beginning is
// remembered as a decoy. Two packets of a handshake agree, in any order, and one of them may have been lost.
bool begins_anew(const SessionGuard& guard, const Connection& c, const Layer& layer, unsigned side);

// The responder has answered by SYNs of two numbers, and has said nothing yet.
bool has_other_answer(const SessionGuard& guard, const Connection& c);
// The segment says that it goes by the other one.
bool takes_other_answer(const SessionGuard& guard, const Connection& c, const Layer& layer, unsigned side);

} // namespace ftpsensor
