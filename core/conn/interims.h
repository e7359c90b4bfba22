// Interim entries of long connections (log.conn.interim): when each is due, and what of a connection has been told.
//
// Beside the connections, by their index, so that they cost nothing where there are no such entries. A connection
// is due an interval after it began, and an interval after each time it was told; two lists, each in order of that time
// since time never goes back, so that opening, removing and telling a connection take constant time. What has been told
// lies in a bounded pool of blocks, one a connection that lived long enough. Worker's thread only.
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
    std::uint32_t told_max = 1u << 18; // connections with interim entries at a time: 16 MiB
};

class Interims {
public:
    static constexpr std::uint32_t kNone = 0xffffffff;

    Interims(const InterimOptions& options, std::uint32_t connections_max);

    bool on() const { return options_.interval != 0; }
    Timestamp next_due() const { return next_due_; } // of all connections
    // The connection that is due first, by `now`; it is due again an interval later. kNone: there is none.
    std::uint32_t take_due(Timestamp now, Timestamp& due);

    void opened(std::uint32_t index, Timestamp now);
    void removed(std::uint32_t index);

    // Leaves of a record, which tells the whole connection, what has not been told; `orig_side` as at this moment.
    // `text` gets the end of what has been told, if anything has.
    void subtract(std::uint32_t index, unsigned orig_side, ConnRecord& record, std::string& text) const;
    // Whether it can be remembered what is told of this connection.
    bool has_room(std::uint32_t index) const {
        return slots_[index].told != kNone || !free_.empty() || told_.size() < options_.told_max;
    }
    // What subtract() left has been told.
    void told(std::uint32_t index, unsigned orig_side, const ConnRecord& record);

private:
    struct Slot {
        Timestamp due = 0;
        std::uint32_t next = kNone;
        std::uint32_t previous = kNone;
        std::uint32_t told = kNone;
        std::uint32_t list = kNone; // kFirst, kAgain; kNone: not open
    };
    struct Side {
        std::uint64_t bytes = 0, packets = 0, ip_bytes = 0;
    };
    struct Told {
        Timestamp last = 0;
        std::uint64_t missed_bytes = 0;
        Side side[2];
    };
    struct List {
        std::uint32_t first = kNone;
        std::uint32_t last = kNone;
    };
    static constexpr std::uint32_t kFirst = 0, kAgain = 1; // never told, told before

    void append(std::uint32_t list, std::uint32_t index, Timestamp due);
    void unlink(std::uint32_t index);
    void set_next_due();

    InterimOptions options_;
    std::vector<Slot> slots_; // by connection
    std::vector<Told> told_;
    std::vector<std::uint32_t> free_;
    List lists_[2];
    Timestamp next_due_ = std::numeric_limits<Timestamp>::max();
};

} // namespace ftpsensor
