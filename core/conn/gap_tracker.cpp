#include "core/conn/gap_tracker.h"

#include <algorithm>

namespace ftpsensor {

std::uint64_t endpoint_size(const Endpoint& end, const Endpoint& peer) {
    // A half-open connection that was found and aborted: its numbers say nothing of data.
    if (end.previous == TcpState::syn_sent && end.state == TcpState::reset && peer.state == TcpState::inactive &&
        !end.no_data_acked())
        return 0;
    const std::uint64_t last = (static_cast<std::uint64_t>(end.seq_wraps()) << 32) + end.last_seq;
    const std::uint64_t acked = (static_cast<std::uint64_t>(end.ack_wraps()) << 32) + end.ack_seq;
    std::uint64_t size = std::max(last, acked) - end.start_seq;
    if (size != 0) --size;                 // the SYN
    if (end.fin_seen && size != 0) --size; // the FIN
    return size;
}

namespace {
constexpr std::uint64_t kNumbersEnd = std::uint64_t{1} << 48; // what an Endpoint can say (Uint48)
} // namespace

GapTracker::GapTracker(std::uint32_t ranges_max, EventCounters& events) : pool_(ranges_max), events_(events) {
    static_assert(Endpoint::kNoRange == RangePool::kEmpty);
    gaps_.reserve(64);
}

void GapTracker::acknowledged(Endpoint& end, std::uint64_t seq, bool partial_connection) {
    gaps_.clear();
    renew(end);
    // A FIN from before the beginning (0) says nothing of where the stream ends.
    if (end.fin_seen && end.fin_rel != 0 && seq >= end.fin_rel) seq = end.fin_rel - 1;
    if (seq <= end.trimmed_rel || seq >= kNumbersEnd) return;
    if (seq > end.delivered_rel) [[unlikely]] {
        undelivered(end, seq, partial_connection);
        absorb(end);
    }
    end.trimmed_rel = seq;
}

void GapTracker::undelivered(Endpoint& end, std::uint64_t up_to, bool partial_connection) {
    // The numbering of a partial connection is made up as though there had been a SYN: nothing is missing there.
    if (up_to <= 2 && partial_connection) return;
    if (!end.skip_deliveries) {
        while (end.ranges != Endpoint::kNoRange && pool_.first(end.ranges).lower < up_to) {
            const std::uint64_t lower = pool_.first(end.ranges).lower;
            gaps_.push_back({end.delivered_rel, lower - end.delivered_rel});
            end.delivered_rel = lower;
            absorb(end);
        }
        if (up_to > end.delivered_rel) gaps_.push_back({end.delivered_rel, up_to - end.delivered_rel});
    }
    end.delivered_rel = std::max<std::uint64_t>(end.delivered_rel, up_to);
}

bool GapTracker::data(Endpoint& end, const Endpoint& peer, std::uint64_t seq, std::uint64_t size) {
    count_payload(size);
    renew(end);
    if (end.skip_deliveries) return false;
    const std::uint64_t acked = end.acked_rel();
    const std::uint64_t upper = seq + size;
    if (upper >= kNumbersEnd) [[unlikely]] {
        stop(end, Event::excessive_data_without_further_acks);
        return false;
    }
    if (seq < acked) {
        if (upper <= acked) return false;
        seq = acked;
    }
    if (upper > end.trimmed_rel) insert(end, std::max<std::uint64_t>(seq, end.trimmed_rel), upper);

    const bool no_acks = end.no_data_acked();
    if (no_acks) [[unlikely]] {
        // Most likely the peer's acknowledgements are not on this wire: do not hold what was delivered.
        if (endpoint_size(end, peer) > kInitialWindowMax)
            end.trimmed_rel = std::max<std::uint64_t>(end.trimmed_rel, end.delivered_rel);
        if (end.ranges != Endpoint::kNoRange && highest(end) - end.delivered_rel > kAboveHoleWithoutAcksMax)
            stop(end, Event::above_hole_data_without_any_acks);
    }
    if (held(end) > kUnacknowledgedMax) [[unlikely]]
        stop(end, Event::excessive_data_without_further_acks);
    return true;
}

void GapTracker::insert(Endpoint& end, std::uint64_t lower, std::uint64_t upper) {
    if (lower > end.delivered_rel) [[unlikely]] {
        const std::uint64_t lost = pool_.ranges_lost();
        pool_.insert(&end, end.ranges, lower, upper);
        if (pool_.ranges_lost() != lost) // seen, but not remembered, or no longer: will read as missing
            events_.count(Event::reassembly_memory, pool_.ranges_lost() - lost);
        return;
    }
    if (upper <= end.delivered_rel) return;
    end.delivered_rel = upper;
    if (end.ranges != Endpoint::kNoRange) [[unlikely]]
        absorb(end);
}

// Ranges that touch what is delivered become delivered.
void GapTracker::absorb(Endpoint& end) {
    while (end.ranges != Endpoint::kNoRange && pool_.first(end.ranges).lower <= end.delivered_rel) {
        end.delivered_rel = std::max<std::uint64_t>(end.delivered_rel, pool_.first(end.ranges).upper);
        pool_.remove_first(end.ranges);
    }
}

std::uint64_t GapTracker::held(const Endpoint& end) const {
    const std::uint64_t delivered = end.delivered_rel > end.trimmed_rel ? end.delivered_rel - end.trimmed_rel : 0;
    return delivered + pool_.bytes(end.ranges);
}

bool GapTracker::pending(const Endpoint& end, const Endpoint& peer) const {
    if (end.skip_deliveries) return false;
    const std::uint64_t delivered = end.start_seq + end.delivered_rel;
    const std::uint64_t last = (static_cast<std::uint64_t>(end.seq_wraps()) << 32) + end.last_seq;
    if (last < delivered) return false;                          // numbers that a RST made up
    if (delivered != last - 1 && delivered != last) return true; // a FIN takes a number, a RST does not
    return end.state != TcpState::reset && has_blocks(peer);
}

void GapTracker::stop(Endpoint& end, Event why) {
    events_.count(why);
    forget(end);
    end.trimmed_rel = std::max<std::uint64_t>(end.trimmed_rel, end.delivered_rel);
    end.skip_deliveries = true;
}

} // namespace ftpsensor
