// The opening words of candidates: until the responder answers.
#include "core/pipeline/control_sessions.h"

namespace ftpsensor {

// What a candidate without a place in slots_ sends, as far as it is in order. True: that is all there is to it.
bool ControlSessions::take_opening(Connection& c, std::uint32_t index, const Layer& layer, unsigned side,
                                   const TcpOutcome& outcome, bool has_data) {
    const bool has = has_words(c), syn = (layer.tcp_flags & kSyn) != 0;
    if (!has_data) return !has || (!outcome.has_gaps && !syn); // it did not begin, or says nothing
    if (syn || layer.doubtful || (outcome.has_gaps && !options_.extended))
        return false; // the stream has more to know of these
    const std::span<const std::uint8_t> data{layer.payload, layer.payload_length};
    const std::uint64_t offset = outcome.data_rel - 1;
    if (side != c.orig_side) {
        if (offset != 0 || may_begin_ftp({reinterpret_cast<const char*>(data.data()), data.size()})) return false;
        give_up_words(c);
        return true;
    }
    // Words that acknowledge what was not seen have to wait for it.
    const Endpoint& peer = c.end[side ^ 1];
    if (options_.extended && !c.partial && (layer.tcp_flags & kAck) != 0 &&
        (peer.state == TcpState::inactive ? c.awaits_answer() : layer.tcp_ack != peer.start_seq + 1))
        return false;
    const std::uint32_t chain = c.cold().content_index & ~kWords;
    const std::uint64_t known = has ? words_.size(chain) : 0;
    if (offset != known || (has && words_.side(chain) != side)) return false;
    keep_words(c, index, side, data);
    return true;
}

void ControlSessions::keep_words(Connection& c, std::uint32_t index, unsigned side,
                                 std::span<const std::uint8_t> data) {
    std::uint32_t chain = c.cold().content_index & ~kWords;
    const bool has = has_words(c);
    const std::uint32_t size = has ? words_.size(chain) : 0;
    if (size + data.size() > kDetectBytesMax || (has && words_.segments(chain) >= kChunksMax)) {
        give_up_words(c); // something else
        return;
    }
    while (!words_.has_room(size, static_cast<std::uint32_t>(data.size()))) {
        Connection& oldest = connections_[words_.oldest()];
        connections_.events().count(oldest, Event::ftp_session_limit);
        give_up_words(oldest);
        if (&oldest == &c) return;
    }
    if (!has) {
        chain = words_.open(index, side);
        c.cold().content_index = kWords | chain;
    }
    words_.append(chain, data);
}

// The connection is not followed.
void ControlSessions::give_up_words(Connection& c) {
    if (has_words(c)) words_.release(c.cold().content_index & ~kWords);
    c.cold().content_index = Connection::kNone;
    c.content = ContentUse::none;
}

} // namespace ftpsensor
