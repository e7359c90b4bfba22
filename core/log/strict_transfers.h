// Zeek's rule of which connection is a transfer, and of what an ftp entry says of it.
//
// A connection from the announced originator to the announced endpoint is a transfer (Zeek: schedule_analyzer); the
// latest announcement of an endpoint has it (ftp_data_expected); it stands until the first of its connections is
// removed, or five minutes unused. Any command's entry takes what was left since the last one. Bounded:
// announcements_max endpoints that nobody has used (as in Zeek), eight times as many that were scheduled within five
// minutes, sessions_max and connections_max. Logger thread only.
#pragma once

#include "core/log/pooled_map.h"
#include "core/log/transfer_join.h"

#include <deque>
#include <unordered_map>
#include <utility>

namespace ftpsensor {

class StrictTransfers final : public TransferJoin {
public:
    StrictTransfers(const TransferOptions& options, EventCounters& events)
        : options_(options), events_(events), scheduled_(16, PlaceHash{options.hash_secret}),
          expected_(16, PlaceHash{options.hash_secret}) {}

    void announcement(const FtpRecord& r) override;
    void session_end(const FtpRecord& r) override;
    void data_open(const FtpRecord& r) override;
    void data_first(const FtpRecord& r) override;
    void data_typed(const FtpRecord& r, std::string_view type) override;
    void data_removed(const FtpRecord& r) override;
    const ForEntry& message(const FtpRecord& r) override;
    ForConnection connection(const Id96& uid, bool last) override;
    std::size_t expected() const override { return expected_.size(); }
    std::size_t connections() const override { return connections_.size(); }

private:
    struct Place { // an endpoint, and who may connect to it: all zeros where anyone
        IpAddress originator;
        IpAddress responder;
        std::uint16_t port = 0;
        friend bool operator==(const Place&, const Place&) = default;
    };
    struct PlaceHash {
        std::uint64_t secret;
        std::size_t operator()(const Place& p) const;
    };
    struct Expected {
        Id96 control;
        Timestamp until = 0;
        std::uint64_t queued =
            0; // its entry in expiries_, by its number; another one is of an endpoint that was used since
    };
    struct Expiry {
        Timestamp until;
        std::uint64_t number;
        Place endpoint;
    };
    struct Session {
        std::optional<Id96> fuid;
        std::optional<std::string> mime_type;
    };
    struct Connection {
        EndpointId id;
        bool attached = false; // its originator was awaited at its endpoint
        bool is_transfer = false;
        std::optional<Id96> file_session[2]; // the session that each file was told to, by from_originator
    };

    Expected* find_expected(const Connection& c, Timestamp now);
    Session* find_session(const std::optional<Id96>& control);
    bool schedule(const Place& place, Timestamp now);
    void queue_expiry(const Place& endpoint, Expected& expected);
    Expected* expected_of(const Expiry& expiry);
    bool expect(const Place& endpoint, const Id96& control, Timestamp now);
    void expire(Timestamp now);

    TransferOptions options_;
    EventCounters& events_;
    std::unordered_map<Place, Timestamp, PlaceHash> scheduled_; // until when
    std::unordered_map<Place, Expected, PlaceHash> expected_;
    PooledMap<Id96, Session, Id96Hash> sessions_;
    PooledMap<Id96, Connection, Id96Hash> connections_;
    std::deque<std::pair<Timestamp, Place>> scheduled_expiries_; // one each
    std::deque<Expiry> expiries_;                                // of expected_
    std::uint64_t last_expiry_ = 0;
    RemovedConnections removed_;
    ForEntry for_entry_;
};

} // namespace ftpsensor
