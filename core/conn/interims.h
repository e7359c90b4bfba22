// Interim entries of long connections (log.conn.interim): when each is due, and what of a connection has been told.
//
// Beside the connections, by their index, so that they cost nothing where there are no such entries. A connection
// is due an interval after it began, and an interval after each time it was told; lists in order of that time, since
// time never goes back, so that opening, removing and telling a connection take constant time. What has been told lies
// in a bounded pool of blocks, one a connection that lived long enough.
//
// Another interval (a reload) empties the lists at once, which is a count of rounds. Then the owner walks over its
// connections, a few at a time, and has them join: each is due an interval after that. What has been told stays told.
// Worker's thread only.
#pragma once

#include "core/base/time.h"
#include "core/record/records.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ftpsensor {

struct InterimOptions {
    Duration interval = 0;             // 0: none
    std::uint32_t told_max = 1u << 18; // connections with interim entries at a time: 18 MiB
};

class Interims {
    enum ListName : std::uint32_t { kFirst, kJoined, kAgain, kLists }; // never told; open before the round; told in it
    struct Slot {
        Timestamp due = 0;
        std::uint32_t next = kNone;
        std::uint32_t previous = kNone;
        std::uint32_t told = kNone;
        ListName list : 2 = kLists;   // kLists: none
        std::uint32_t round : 30 = 0; // not the one of now: in no list
    };
    struct Side {
        std::uint64_t bytes = 0, packets = 0, ip_bytes = 0;
    };
    struct Told {
        Timestamp last = 0;
        std::uint64_t missed_bytes = 0;
        Side side[2];
    };

public:
    static constexpr std::uint32_t kNone = 0xffffffff;

    // All that it ever allocates.
    class Memory {
    public:
        Memory() = default; // none
        Memory(std::uint32_t connections_max, std::uint32_t told_max);

    private:
        friend class Interims;
        std::vector<Slot> slots; // by connection
        std::vector<Told> told;  // grows within what is reserved
        std::vector<std::uint32_t> free;
    };

    Interims(const InterimOptions& options, std::uint32_t connections_max);

    bool on() const { return options_.interval != 0; }
    bool were_on() const { return !memory_.slots.empty(); } // now or before: something may have been told
    Timestamp next_due() const { return next_due_; }        // of all connections
    // The connection that is due first, by `now`; it is due again an interval later. kNone: there is none.
    std::uint32_t take_due(Timestamp now, Timestamp& due);

    void opened(std::uint32_t index, Timestamp now);
    void removed(std::uint32_t index);
    void leave(std::uint32_t index); // it is due no more, until it joins

    // Another interval; no connection is due then until it joins. False: it is the same, and nothing has changed.
    // `memory` is swapped in where interims were never on, and needed there unless `interval` is 0.
    bool change(Duration interval, Memory& memory);
    // A connection that is open is due an interval after `now`, unless it opened or joined since the change.
    void join(std::uint32_t index, Timestamp now);

    // Leaves of a record, which tells the whole connection, what has not been told; `orig_side` as at this moment.
    // `text` gets the end of what has been told, if anything has.
    void subtract(std::uint32_t index, unsigned orig_side, ConnRecord& record, std::string& text) const;
    // Whether it can be remembered what is told of this connection.
    bool has_room(std::uint32_t index) const {
        return memory_.slots[index].told != kNone || !memory_.free.empty() || memory_.told.size() < options_.told_max;
    }
    // What subtract() left has been told.
    void told(std::uint32_t index, unsigned orig_side, const ConnRecord& record);

private:
    struct List {
        std::uint32_t first = kNone;
        std::uint32_t last = kNone;
    };

    bool is_listed(const Slot& slot) const { return slot.list != kLists && slot.round == round_; }
    void append(ListName list, std::uint32_t index, Timestamp due);
    void unlink(std::uint32_t index);
    void set_next_due();

    InterimOptions options_;
    Memory memory_;
    List lists_[kLists];
    std::uint32_t round_ : 30 = 0; // how often the interval has changed
    Timestamp next_due_ = std::numeric_limits<Timestamp>::max();
};

} // namespace ftpsensor
