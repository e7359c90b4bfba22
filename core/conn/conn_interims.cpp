// Interim entries: which connections have theirs now, and what is left for the last one.
#include "core/conn/conn_tracker.h"

namespace ftpsensor {

// In order of their times, each before the packets of its time are looked at, so that what an entry tells depends on
// nothing but these times.
void ConnTracker::tell_interims(Timestamp now) {
    Timestamp due;
    for (std::uint32_t index; (index = interims_.take_due(now, due)) != Interims::kNone;) {
        Connection& c = table_[index];
        Timestamp end;
        // One that is over, or about to be, has its last entry instead. What is over leaves: behind a stamp far ahead
        // it would be due each interval of a century.
        if (over(c, due, end)) {
            interims_.leave(index);
            continue;
        }
        if (c.deadline_kind == Deadline::closing) continue;
        if (!interims_.has_room(index)) {
            conn_events_.count(c, Event::interim_limit);
            continue;
        }
        ConnRecord record;
        if (observer_.interim(c, index, due, record)) interims_.told(index, c.orig_side, record);
    }
}

void ConnTracker::fill_rest(const Connection& c, std::uint32_t index, ConnRecord& r, std::string& text) const {
    fill_record(c, r, text);
    if (interims_.were_on()) interims_.subtract(index, c.orig_side, r, text);
}

} // namespace ftpsensor
