// Which connection belongs to which command: the transfers, put together from the merged streams of all workers.
//
// Records come in the order of packet time, so that what is decided here does not depend on which worker saw what
// first. There are two rules, chosen by ftp.extended: Zeek's to the letter (strict_transfers.h), and one that knows
// more (extended_transfers.h). Logger thread only.
#pragma once

#include "core/base/events.h"
#include "core/base/ids.h"
#include "core/record/records.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ftpsensor {

struct TransferOptions {
    bool extended = true;
    std::size_t announcements_max = 100'000; // Zeek's max_expected_data_channels
    IdKey id_key = {};
    std::uint64_t hash_secret = 0; // keys the tables of endpoints, which strangers choose
    // Sessions that announced, connections known by their events. Beyond, a new one takes the place of another: records
    // that would have ended one may have been dropped on the way (live).
    std::size_t sessions_max = 1u << 20;
    std::size_t connections_max = 1u << 20;
};

class TransferJoin {
public:
    // `events` outlives the join.
    static std::unique_ptr<TransferJoin> make(const TransferOptions& options, EventCounters& events);
    virtual ~TransferJoin() = default;

    virtual void announcement(const FtpRecord& r) = 0;
    virtual void session_end(const FtpRecord& r) = 0;
    virtual void data_open(const FtpRecord& r) = 0;
    virtual void data_first(const FtpRecord& r) = 0;
    // `type`: the MIME type by the first bytes; empty where none is known.
    virtual void data_typed(const FtpRecord& r, std::string_view type) = 0;
    // `samples`: ProgressSample after ProgressSample, in order.
    virtual void data_progress(const FtpRecord&, std::string_view /* samples */) {}
    virtual void data_closed(const FtpRecord&) {}
    virtual void data_removed(const FtpRecord& r) = 0;

    // A command's turn is over: what the session's transfers left for its entry (valid until the next call).
    struct ForEntry {
        std::optional<Id96> fuid;
        std::optional<std::string> mime_type;
        std::optional<Id96> data_uid;
        std::optional<std::uint64_t> data_bytes;
        std::optional<bool> data_complete;
    };
    virtual const ForEntry& message(const FtpRecord& r) = 0;

    // Of a connection whose events were in the stream, at its conn record. `last`: it is over, and forgotten.
    struct ForConnection {
        bool is_transfer = false;
        std::optional<Id96> control_uid;
    };
    virtual ForConnection connection(const Id96& uid, bool last) = 0;

    virtual std::size_t expected() const = 0;    // endpoints
    virtual std::size_t connections() const = 0; // known by their events
};

// What both rules count by.
inline constexpr Duration kExpectedLifetime = 5 * kMinute; // of an announcement that nobody uses
inline constexpr Duration kConnRecordDelay = 10 * kSecond; // after it a conn record was dropped on the way

struct Id96Hash {
    std::size_t operator()(const Id96& id) const { return static_cast<std::size_t>(id.low); }
};

// The value of `id` in a PooledMap of at most `limit`, which makes room for it.
template <class Map>
auto& bounded_emplace(Map& map, const Id96& id, std::size_t limit, EventCounters& events) {
    if (map.size() >= limit && !map.contains(id)) {
        map.erase_any();
        events.count(Event::stream_event_dropped);
    }
    return *map.emplace(id).first;
}

// Connections that are removed, until their conn records should have come: by then they are forgotten.
class RemovedConnections {
public:
    template <class Map>
    void push(Timestamp now, const Id96& uid, Map& connections, std::size_t limit, EventCounters& events) {
        if (removed_.size() >= limit) {
            if (connections.erase(removed_.front().second)) events.count(Event::stream_event_dropped);
            removed_.pop_front();
        }
        removed_.emplace_back(now, uid);
    }
    template <class Map>
    void expire(Timestamp now, Map& connections) {
        for (; !removed_.empty() && removed_.front().first + kConnRecordDelay < now; removed_.pop_front())
            connections.erase(removed_.front().second);
    }

private:
    std::deque<std::pair<Timestamp, Id96>> removed_;
};

} // namespace ftpsensor
