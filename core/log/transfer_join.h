// Which connection belongs to which command: the transfers, put together from the merged streams of all workers.
//
// Records come in the order of packet time, so that what is decided here does not depend on which worker saw what
// first. Strict is Zeek's rule: a connection from the announced originator to the announced endpoint is a transfer; the
// latest announcement of an endpoint has it; it stands until the first of its connections is removed, or five minutes
// unused. Extended adds, in this order: the control connection's own address with the announced port (the announced
// address is not on this wire), any other originator (a bounce), and connections that began up to a second before they
// were announced. Bounded: announcements_max endpoints. Logger thread only.
#pragma once

#include "core/base/events.h"
#include "core/base/ids.h"
#include "core/record/records.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace ftpsensor {

struct TransferOptions {
    bool extended = true;
    std::size_t announcements_max = 100'000; // Zeek's max_expected_data_channels
    IdKey id_key;
    std::uint64_t hash_secret = 0; // keys the tables of endpoints, which strangers choose
};

class TransferJoin {
public:
    TransferJoin(const TransferOptions& options, EventCounters& events)
        : options_(options), events_(events), scheduled_(16, PlaceHash{options.hash_secret}),
          expected_(16, PlaceHash{options.hash_secret}), unmatched_(16, PlaceHash{options.hash_secret}) {}

    void announcement(const FtpRecord& r);
    void data_open(const FtpRecord& r);
    void data_first(const FtpRecord& r);
    // `type`: the MIME type by the first bytes; empty where none is known.
    void data_typed(const FtpRecord& r, std::string_view type);
    void data_closed(const FtpRecord& r);
    void data_removed(const FtpRecord& r);
    void session_end(const FtpRecord& r);

    // A command's turn is over: what the session's transfers left for its entry (valid until the next call). Strict,
    // any command's entry takes what was left since the last one, as in Zeek. Extended, a file goes to the command that
    // moved it: the entries of others leave it alone, and what comes after its command's entry is not another's.
    struct ForEntry {
        std::optional<Id96> fuid;
        std::optional<std::string> mime_type;
        std::optional<Id96> data_uid;
        std::optional<std::uint64_t> data_bytes;
        std::optional<bool> data_complete;
    };
    const ForEntry& message(const FtpRecord& r);

    // Of a connection whose events were in the stream, at its conn record.
    struct ForConnection {
        bool is_transfer = false;
        std::optional<Id96> control_uid;
    };
    ForConnection connection(const Id96& uid);

    std::size_t expected() const { return expected_.size(); }
    std::size_t connections() const { return connections_.size(); }

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
    struct IdHash {
        std::size_t operator()(const Id96& id) const { return static_cast<std::size_t>(id.low); }
    };
    struct Expected { // Zeek's ftp_data_expected
        Id96 control;
        Timestamp until = 0;
    };
    struct Transfer {
        explicit Transfer(const Id96& connection) : uid(connection) {}

        Id96 uid;
        std::uint64_t bytes = 0;
        bool closed = false;
        bool complete = false;
        std::optional<Id96> fuid;
        std::optional<std::string> mime_type;
    };
    struct Session {
        std::optional<Id96> fuid; // strict
        std::optional<std::string> mime_type;
        std::optional<Transfer> transfer; // the last that began, until an entry tells of it
    };
    struct Connection {
        Place endpoint; // as announced: the key of expected_; originator unset
        EndpointId id;
        Timestamp opened = 0;
        bool attached = false; // its originator was awaited at its endpoint
        bool is_transfer = false;
        bool started[2] = {false, false}; // by from_originator
        std::optional<Id96> control;      // who announced it
        bool closed = false;
        bool complete = false;
        std::uint64_t bytes = 0;
        std::string type;                    // found before anybody announced it
        std::optional<Id96> file_session[2]; // the session that each file was told to
    };

    Expected* find_expected(const Place& endpoint, Timestamp now);
    void match(Connection& c, const Id96& uid, Timestamp now);
    static Transfer transfer_of(const Connection& c, const Id96& uid);
    bool attach(Connection& c, const Id96& uid, const Place& awaited, const Place& endpoint, Timestamp now);
    void tell_file(Connection& c, const Id96& uid, bool from_originator, Timestamp now);
    void match_earlier(Timestamp now, const Place& endpoint);
    bool schedule(const IpAddress& originator, const IpAddress& responder, std::uint16_t port, Timestamp now);
    bool expect(const Place& endpoint, const Id96& control, Timestamp now);
    void keep_unmatched(const Connection& c, const Id96& uid);
    void expire(Timestamp now);

    TransferOptions options_;
    EventCounters& events_;
    std::unordered_map<Place, Timestamp, PlaceHash> scheduled_; // until when
    std::unordered_map<Place, Expected, PlaceHash> expected_;
    std::unordered_map<Id96, Session, IdHash> sessions_;
    std::unordered_map<Id96, Connection, IdHash> connections_;
    std::deque<std::pair<Timestamp, Place>> expiries_; // of scheduled_ and expected_
    // Connections that may yet be announced (extended), by the endpoint that they were opened to.
    std::unordered_map<Place, std::vector<Id96>, PlaceHash> unmatched_;
    std::deque<std::pair<Timestamp, Place>> unmatched_order_;
    std::deque<std::pair<Timestamp, Id96>> removed_; // connections whose conn record should follow soon
    ForEntry for_entry_;
};

} // namespace ftpsensor
