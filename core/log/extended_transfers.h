// The wider rule of which connection is a transfer (ftp.extended), and of what an ftp entry says of it.
//
// A connection belongs to the announcement of its endpoint, at the announced address or at the control connection's own
// (NAT: the announced one is not on this wire): to one whose originator it comes from, also where its beginning was not
// seen and it reads the wrong way round; else to any (a bounce). It may be up to a second older than the announcement.
// The latest announcement of an endpoint has it, until a later connection of the announced originator to it is
// removed, and for connections that begin within five minutes, as the reference waits for them (no use makes that
// longer: whether a worker has to tell of a connection would depend on other workers'). Where one client makes one
// server listen (PASV) and tells the other to connect there (PORT), both announcements stand: the transfer between the
// servers is both sessions', and its control_uid the session whose announced originator connects.
//
// A file goes to the command that moved it: a command's connections are those of the announcement made just before it
// (FtpRecord::channel_number). Of several, one that moved something has it; but a stranger never hides who was awaited,
// nor one that had begun before the announcement who came after it.
//
// Bounded: announcements_max announcements that nobody has used (each at two endpoints at most), sessions_max and
// connections_max, kRecentMax ends of connections that may yet be announced (the oldest makes room), kSlotsMax
// transfers of a session that no entry has told. An announcement looks at kLookedAtMax of those that came before it
// from whom it awaits, and as many of anyone's, the latest: who floods an endpoint that is announced again and again
// costs no more, and hides none that is awaited. Logger thread only.
#pragma once

#include "core/log/pooled_map.h"
#include "core/log/recent_ends.h"
#include "core/log/transfer_join.h"

#include <array>
#include <deque>
#include <utility>
#include <vector>

namespace ftpsensor {

class ExtendedTransfers final : public TransferJoin {
public:
    ExtendedTransfers(const TransferOptions& options, EventCounters& events)
        : options_(options), events_(events), endpoints_(PlaceHash{options.hash_secret}), recent_(kRecentMax) {}

    void announcement(const FtpRecord& r) override;
    void session_end(const FtpRecord& r) override;
    void data_open(const FtpRecord& r) override;
    void data_first(const FtpRecord& r) override;
    void data_typed(const FtpRecord& r, std::string_view type) override;
    void data_progress(const FtpRecord& r, std::string_view samples) override;
    void data_closed(const FtpRecord& r) override;
    void data_removed(const FtpRecord& r) override;
    const ForEntry& message(const FtpRecord& r) override;
    ForConnection connection(const Id96& uid, bool last) override;
    std::size_t expected() const override { return endpoints_.size(); }
    std::size_t connections() const override { return connections_.size(); }

    static constexpr std::uint32_t kRecentMax = 1u << 17; // three a connection
    static constexpr std::uint32_t kLookedAtMax = 32;
    static constexpr std::size_t kSlotsMax = 8;

private:
    struct Place {
        IpAddress address;
        std::uint16_t port = 0;
        bool translated = false; // the announced address was another one
        friend bool operator==(const Place&, const Place&) = default;
    };
    struct PlaceHash {
        std::uint64_t secret;
        std::size_t operator()(const Place& p) const;
    };
    struct Announcer {
        Id96 control;
        std::uint32_t channel = 0; // FtpRecord::channel_number
        std::uint64_t serial = 0;  // of all announcements
        bool passive = false;
        IpAddress originator; // who will connect
        IpAddress client;     // of the control connection
        Timestamp since = 0;
        std::array<Place, 2> places;
        std::uint8_t place_count = 0;
        Timestamp until = 0;
        bool listens_at(const IpAddress& address) const;
    };
    struct Endpoint { // by Announcer::passive; both: a third-party transfer
        std::optional<Announcer> by_kind[2];
        std::uint64_t queued =
            0; // its entry in expiries_, by its number; another one is of a place that was used, and announced again
    };
    struct Expiry {
        Timestamp until;
        std::uint64_t number;
        Place place;
    };
    struct Match {
        Announcer primary;
        std::optional<Announcer> partner; // the listening side of a third-party transfer
        bool awaited = false;             // else a bounce

        bool includes(std::uint64_t serial) const {
            return primary.serial == serial || (partner && partner->serial == serial);
        }
    };
    struct Transfer { // what is known of a connection, for the entries that tell it
        Id96 uid;
        std::uint64_t bytes = 0;
        bool over = false;
        bool complete = false;
        std::optional<Id96> fuid;
        std::optional<std::string> mime_type;
        std::vector<ProgressSample> progress; // the latest
        std::uint64_t bytes_before(const StreamKey& key) const;
    };
    struct Slot {
        std::uint32_t channel;
        bool awaited;
        bool older; // than its announcement
        std::shared_ptr<Transfer> transfer;
        int rank() const;
    };
    struct Session {
        std::vector<Slot> slots; // by channel, then in the order in which they came
    };
    struct Connection {
        EndpointId id;
        Timestamp opened = 0;
        std::optional<Match> match;
        std::shared_ptr<Transfer> transfer;
    };

    bool expect(const Place& place, const Announcer& a);
    void make_room();
    void queue_expiry(const Place& place, Endpoint& endpoint, Timestamp until);
    Endpoint* endpoint_of(const Expiry& expiry);
    Endpoint* find_endpoint(const Place& place, Timestamp now);
    Announcer* find_announcer(const Place& place, const IpAddress* originator, Timestamp opened, Timestamp now);
    Announcer* find_latest(const IpAddress& address, std::uint16_t port, const IpAddress* originator, Timestamp opened,
                           Timestamp now);
    std::optional<Match> find_match(const Connection& c, Timestamp now);
    std::optional<Match> with_partner(const Announcer& found, const IpAddress& from, const IpAddress& to,
                                      Timestamp now);
    void consider(Connection& c, Timestamp now);
    void reconsider(const Place& place, const IpAddress& originator, bool paired, Timestamp now);
    template <class Settled>
    void find_candidates(std::uint64_t key, Timestamp now, const Settled& settled);
    void offer(const Announcer& a, bool awaited, const Connection& c);
    void withdraw(const Announcer& a, const Connection& c);
    void forget(const Announcer& a);
    void keep_recent(const Connection& c, Timestamp now);
    void expire(Timestamp now);
    Transfer* find_transfer(const Id96& connection);

    TransferOptions options_;
    EventCounters& events_;
    PooledMap<Place, Endpoint, PlaceHash> endpoints_;
    PooledMap<Id96, Session, Id96Hash> sessions_;
    PooledMap<Id96, Connection, Id96Hash> connections_;
    std::deque<Expiry> expiries_; // of endpoints_
    std::uint64_t last_expiry_ = 0;
    RecentEnds recent_; // of connections that may yet be announced
    std::vector<std::pair<Timestamp, Id96>> candidates_;
    RemovedConnections removed_;
    std::uint64_t last_serial_ = 0;
    ForEntry for_entry_;
};

} // namespace ftpsensor
