// Which connection belongs to which command, from the merged stream.
#include "core/log/transfer_join.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

const IpAddress kClient = IpAddress::from_v4(10, 0, 0, 1);
const IpAddress kServer = IpAddress::from_v4(10, 0, 0, 2);
const IpAddress kOtherServer = IpAddress::from_v4(10, 0, 0, 3);
const IpAddress kStranger = IpAddress::from_v4(10, 0, 0, 9);
constexpr Id96 kControl{0, 1}, kOtherControl{0, 2}, kData{0, 10}, kSecondData{0, 11};

// Events of one control connection of kClient at kServer, and of the data connections beside it.
struct Join {
    explicit Join(bool extended, std::size_t announcements_max = 100)
        : Join(TransferOptions{.extended = extended, .announcements_max = announcements_max, .hash_secret = 7}) {}
    explicit Join(const TransferOptions& options) : owned(TransferJoin::make(options, events)), join(*owned) {}

    EventCounters events;
    std::unique_ptr<TransferJoin> owned;
    TransferJoin& join;

    static FtpRecord at(Timestamp t, const Id96& uid) {
        FtpRecord r;
        r.key.time = t;
        r.key.uid = uid;
        r.id = {kClient, 40000, kServer, 21};
        return r;
    }
    void announce(Timestamp t, std::uint16_t port, const IpAddress& host = kServer, const Id96& control = kControl) {
        FtpRecord r = at(t, control);
        r.channel = {true, kClient, host, port};
        join.announcement(r);
    }
    // PORT: kOtherServer will connect to `host`. The session is kOtherControl, of kClient.
    void announce_active(Timestamp t, std::uint16_t port, const IpAddress& host = kServer,
                         const IpAddress& client = kClient) {
        FtpRecord r = at(t, kOtherControl);
        r.id = {client, 40001, kOtherServer, 21};
        r.channel = {false, kOtherServer, host, port};
        join.announcement(r);
    }
    void open(Timestamp t, std::uint16_t port, const Id96& data = kData, const IpAddress& from = kClient,
              const IpAddress& to = kServer) {
        FtpRecord r = at(t, data);
        r.id = {from, 50000, to, port};
        join.data_open(r);
    }
    void first(Timestamp t, const Id96& data = kData) { join.data_first(at(t, data)); }
    void removed(Timestamp t, const Id96& data = kData, bool reused = false) {
        FtpRecord r = at(t, data);
        r.reused = reused;
        join.data_removed(r);
    }
    TransferJoin::ForEntry message(Timestamp t, const Id96& control = kControl, bool transfers = true) {
        FtpRecord r = at(t, control);
        r.transfers = transfers;
        return join.message(r);
    }
};

} // namespace

TEST_CASE("the announced connection carries the command's file, once") {
    for (const bool extended : {false, true}) {
        Join j(extended);
        j.announce(1, 2000);
        j.open(2, 2000);
        j.first(3);
        CHECK(j.message(4).fuid == file_uid({}, kData, false));
        CHECK_FALSE(j.message(5).fuid.has_value());
        CHECK(j.join.connection(kData, true).is_transfer);
        CHECK(j.join.connections() == 0);
    }
}

TEST_CASE("another port, another originator or another host is no transfer (strict)") {
    Join j(false);
    j.announce(1, 2000);
    j.open(2, 2001);
    CHECK_FALSE(j.join.connection(kData, true).is_transfer);
    j.open(2, 2000, kData, kStranger);
    CHECK_FALSE(j.join.connection(kData, true).is_transfer);
    j.open(2, 2000, kData, kClient, kStranger);
    CHECK_FALSE(j.join.connection(kData, true).is_transfer);
}

TEST_CASE("an announcement stands five minutes unused") {
    Join j(false);
    j.announce(0, 2000);
    j.open(5 * kMinute - 1, 2000);
    CHECK(j.join.connection(kData, true).is_transfer);
    Join late(false);
    late.announce(0, 2000);
    late.open(5 * kMinute, 2000);
    CHECK_FALSE(late.join.connection(kData, true).is_transfer);
}

TEST_CASE("it stands until its first connection is removed") {
    Join j(false);
    j.announce(1, 2000);
    j.open(2, 2000);
    j.open(3, 2000, kSecondData);
    CHECK(j.join.connection(kSecondData, true).is_transfer);
    j.removed(4);
    j.open(5, 2000, kSecondData);
    CHECK_FALSE(j.join.connection(kSecondData, true).is_transfer);
    Join reused(false);
    reused.announce(1, 2000);
    reused.open(2, 2000);
    reused.removed(3, kData, true);
    reused.open(3, 2000, kSecondData);
    CHECK(reused.join.connection(kSecondData, true).is_transfer);
}

TEST_CASE("the latest announcement of an endpoint has it") {
    Join j(false);
    j.announce(1, 2000);
    j.announce(2, 2000, kServer, kOtherControl);
    j.open(3, 2000);
    j.first(4);
    CHECK_FALSE(j.message(5).fuid.has_value());
    CHECK(j.message(5, kOtherControl).fuid.has_value());
}

TEST_CASE("extended: a server behind NAT announces an address that is not on this wire") {
    Join j(true);
    j.announce(1, 2000, IpAddress::from_v4(192, 168, 1, 1));
    j.open(2, 2000);
    j.first(3);
    const auto entry = j.message(4);
    CHECK(entry.fuid.has_value());
    CHECK(entry.data_uid == kData);
    Join strict(false);
    strict.announce(1, 2000, IpAddress::from_v4(192, 168, 1, 1));
    strict.open(2, 2000);
    CHECK_FALSE(strict.join.connection(kData, true).is_transfer);
}

TEST_CASE("extended: a stranger who connects first does not hide the real transfer") {
    Join j(true);
    j.announce(1, 2000);
    j.open(2, 2000, kData, kStranger);
    j.first(2);
    j.open(3, 2000, kSecondData);
    j.first(3, kSecondData);
    const auto entry = j.message(4);
    CHECK(entry.data_uid == kSecondData);
    CHECK(entry.fuid == file_uid({}, kSecondData, false));
    CHECK(j.join.connection(kData, true).control_uid == kControl); // the bounce is still told
}

TEST_CASE("extended: a connection may be a second older than its announcement") {
    for (const Duration age : {kSecond, kSecond + 1}) {
        Join j(true);
        j.open(10 * kSecond, 2000);
        j.first(10 * kSecond);
        j.announce(10 * kSecond + age, 2000);
        CHECK(j.message(12 * kSecond).fuid.has_value() == (age == kSecond));
    }
}

TEST_CASE("extended: of a flood before an announcement, the latest are looked at; who is awaited is found in it") {
    constexpr std::uint64_t kFlood = 30'000;
    const auto from = [](std::uint64_t n) { return IpAddress::from_v4(10, 1, std::uint8_t(n >> 8), std::uint8_t(n)); };
    Join j(true);
    j.open(1, 2000, kData); // the first of them, and then nobody cares for it
    for (std::uint64_t n = 0; n < kFlood; ++n) j.open(2, 2000, {1, n}, from(n));
    for (Timestamp t = 3; t < 100; ++t) j.announce(t, 2000);
    std::uint64_t bounces = 0;
    for (std::uint64_t n = 0; n < kFlood; ++n) bounces += j.join.connection({1, n}, true).is_transfer;
    CHECK(bounces == 32);
    CHECK(j.events.value(Event::stream_event_dropped) == 1); // what was left out once is no new loss each time
    CHECK(j.message(100).data_uid == kData);
    CHECK(j.join.connection(kData, true).is_transfer);
}

TEST_CASE("extended: of connections that might be announced yet, the oldest makes room") {
    Join j(true);
    const auto port = [](std::uint64_t n) { return static_cast<std::uint16_t>(n); };
    for (std::uint64_t n = 1; n < 60'000; ++n) j.open(1, port(n), {1, n});
    CHECK(j.events.value(Event::stream_event_dropped) > 0);
    j.announce(2, port(1));
    j.announce(2, port(59'999), kServer, kOtherControl);
    CHECK_FALSE(j.message(3).data_uid.has_value());
    CHECK(j.message(3, kOtherControl).data_uid == Id96{1, 59'999});
}

TEST_CASE("extended: a transfer between two servers is both sessions', in either order") {
    for (const bool passive_first : {true, false}) {
        Join j(true);
        if (passive_first) j.announce(1, 2000);
        j.announce_active(2, 2000);
        if (!passive_first) j.announce(3, 2000);
        j.open(4, 2000, kData, kOtherServer);
        j.first(5);
        for (const Id96& control : {kControl, kOtherControl}) {
            const auto entry = j.message(6, control);
            CHECK(entry.data_uid == kData);
            CHECK(entry.fuid == file_uid({}, kData, false));
        }
        CHECK(j.join.connection(kData, true).control_uid == kOtherControl); // whose originator connected
    }
}

TEST_CASE("extended: and so it is where the connection is older than one of them, or both") {
    for (const Timestamp opened : {2, 4}) {
        Join j(true);
        if (opened == 2) j.open(opened, 2000, kData, kOtherServer);
        j.announce_active(3, 2000);
        if (opened == 4) j.open(opened, 2000, kData, kOtherServer);
        j.announce(5, 2000);
        CHECK(j.message(6, kControl).data_uid == kData);
        CHECK(j.message(6, kOtherControl).data_uid == kData);
    }
}

TEST_CASE("extended: between two servers, the listening one behind NAT") {
    const IpAddress hidden = IpAddress::from_v4(192, 168, 1, 1);
    Join j(true);
    j.announce(1, 2000, hidden);
    j.announce_active(2, 2000, hidden);
    j.open(3, 2000, kData, kOtherServer);
    CHECK(j.message(6, kControl).data_uid == kData);
    CHECK(j.message(6, kOtherControl).data_uid == kData);
}

TEST_CASE("extended: of two clients' announcements of an endpoint the latest has it") {
    Join j(true);
    j.announce(1, 2000);
    j.announce_active(2, 2000, kServer, kServer); // the server's host is a client, too
    j.open(3, 2000, kData, kOtherServer);
    CHECK_FALSE(j.message(6, kControl).data_uid.has_value());
    CHECK(j.message(6, kOtherControl).data_uid == kData);
}

TEST_CASE("extended: an announcement is not over with a stranger's connection, or with another one's") {
    Join j(true);
    j.announce(1, 2000);
    j.open(2, 2000, kData, kStranger);
    j.removed(3);
    j.open(4, 2000, kSecondData);
    CHECK(j.message(5).data_uid == kSecondData);
    j.announce(6, 2000, kServer, kOtherControl); // the port again, before the first connection is removed
    j.removed(7, kSecondData);
    j.open(8, 2000);
    CHECK(j.message(9, kOtherControl).data_uid == kData);
}

TEST_CASE("extended: an announcement of its own takes a connection from an older one that awaited somebody else") {
    Join j(true);
    j.announce_active(1, 2000);
    j.open(2, 2000);
    j.announce(3, 2000, kServer, kControl);
    CHECK_FALSE(j.message(4, kOtherControl).data_uid.has_value());
    CHECK(j.message(4, kControl).data_uid == kData);
    CHECK(j.join.connection(kData, true).control_uid == kControl);
}

TEST_CASE("extended: a command has the connections of the announcement before it") {
    Join j(true);
    const auto announce = [&](Timestamp t, std::uint16_t port, std::uint32_t number) {
        FtpRecord r = Join::at(t, kControl);
        r.channel = {true, kClient, kServer, port};
        r.channel_number = number;
        j.join.announcement(r);
    };
    const auto message = [&](Timestamp t, std::uint32_t number) {
        FtpRecord r = Join::at(t, kControl);
        r.transfers = true;
        r.channel_number = number;
        return j.join.message(r).data_uid;
    };
    announce(1, 2000, 1);
    announce(2, 2001, 2);
    CHECK_FALSE(message(3, 1).has_value()); // sent ahead: its entry was due before its connection began
    j.open(4, 2000);
    j.open(5, 2001, kSecondData);
    CHECK(message(6, 2) == kSecondData);
    CHECK_FALSE(message(7, 2).has_value());
}

TEST_CASE("extended: bytes of an open transfer, by the packet") {
    Join j(true);
    j.announce(1, 2000);
    j.open(2, 2000);
    const ProgressSample samples[] = {{10, 5, 100}, {10, 7, 200}, {20, 9, 300}};
    FtpRecord progress = Join::at(10, kData);
    j.join.data_progress(progress, {reinterpret_cast<const char*>(samples), sizeof samples});
    const auto entry = [&] {
        FtpRecord r = Join::at(10, kControl);
        r.key.packet = 6;
        r.transfers = true;
        return j.join.message(r);
    }();
    CHECK(entry.data_bytes == 100);
    CHECK_FALSE(entry.data_complete.has_value());
}

TEST_CASE("extended: a transfer is whole that moved what was named, at least") {
    for (const std::uint64_t least : {0u, 74u, 75u}) {
        Join j(true);
        j.announce(1, 2000);
        j.open(2, 2000);
        FtpRecord closed = Join::at(3, kData);
        closed.bytes = 74;
        closed.complete = true;
        j.join.data_closed(closed);
        FtpRecord r = Join::at(4, kControl);
        r.transfers = true;
        r.least_bytes = least;
        CHECK(j.join.message(r).data_complete == (least <= 74));
    }
}

TEST_CASE("extended: the entries of other commands leave the file alone") {
    Join j(true);
    j.announce(1, 2000);
    j.open(2, 2000);
    j.first(2);
    CHECK_FALSE(j.message(3, kControl, false).fuid.has_value());
    CHECK(j.message(4, kControl, true).fuid.has_value());
}

TEST_CASE("announced endpoints have a bound, and what is beyond it is counted") {
    Join j(false, 3);
    for (std::uint16_t port = 1; port <= 10; ++port) j.announce(1, port);
    CHECK(j.join.expected() == 3);
    CHECK(j.events.value(Event::FTP_too_many_expected_data_channels) == 7);
    j.open(5 * kMinute + 2, 99); // time goes on: they expire
    CHECK(j.join.expected() == 0);
}

TEST_CASE("announcements that were used do not count: fifty transfers, one after the other, with room for ten") {
    for (const bool extended : {false, true}) {
        CAPTURE(extended);
        Join j(extended, 10);
        for (std::uint16_t i = 0; i < 50; ++i) {
            const Timestamp t = 10 * kSecond + i * 5 * kSecond;
            const Id96 data{1, i};
            j.announce(t, static_cast<std::uint16_t>(2000 + i));
            j.open(t + 1, static_cast<std::uint16_t>(2000 + i), data);
            j.first(t + 2, data);
            CHECK(j.message(t + 3).fuid.has_value());
            j.removed(t + 4, data);
            CHECK(j.join.expected() == 0);
        }
        CHECK(j.events.value(Event::FTP_too_many_expected_data_channels) == 0);
    }
}

TEST_CASE("one place, used and announced again without end: the live announcement stands, beside another") {
    for (const bool extended : {false, true}) {
        CAPTURE(extended);
        Join j(extended, 2);
        for (std::uint16_t i = 0; i < 1000; ++i) {
            j.announce(i, 2000);
            j.open(i, 2000, {1, i});
            j.removed(i, {1, i});
            j.join.connection({1, i}, true);
        }
        j.announce(2000, 2000); // what is left of the first thousand is older, and not it
        j.announce(2001, 2001, kServer, kOtherControl);
        if (extended) j.announce(2002, 2002, kServer, {0, 3}), j.announce(2003, 2003, kServer, {0, 4}); // four places
        j.open(5 * kMinute + 1500, 2000); // the stale ones have expired
        j.first(5 * kMinute + 1500);
        CHECK(j.message(5 * kMinute + 1501).fuid.has_value());
        CHECK(j.events.value(Event::FTP_too_many_expected_data_channels) == 0);
    }
}

TEST_CASE("extended: at the bound the one that was announced longest ago goes, not one that was announced again") {
    Join j(true, 1); // two places
    j.announce(1, 2000);
    j.announce(2, 2001, kServer, kOtherControl);
    j.announce(3, 2000); // again
    j.announce(4, 2002, kServer, {0, 3});
    CHECK(j.events.value(Event::FTP_too_many_expected_data_channels) == 1);
    j.open(5, 2000);
    j.open(5, 2001, kSecondData);
    CHECK(j.join.connection(kData, true).is_transfer);
    CHECK_FALSE(j.join.connection(kSecondData, true).is_transfer);
}

TEST_CASE("connections whose end is never told have a bound, and go before those that are new") {
    constexpr std::size_t kMax = 1000, kOpen = 10;
    for (const bool extended : {false, true}) {
        Join j(TransferOptions{.extended = extended, .hash_secret = 7, .connections_max = kMax});
        std::uint64_t next = 100;
        const auto id = [](std::uint64_t n) { return Id96{0, n * 0x9e3779b97f4a7c15u}; }; // a uid is a hash
        for (std::size_t i = 0; i < kMax + 5; ++i) j.open(1, 99, id(next++));
        CHECK(j.join.connections() == kMax);
        CHECK(j.events.value(Event::stream_event_dropped) == 5);
        // They go on without end; beside them are transfers, ten at a time, as they should be.
        std::size_t told = 0;
        Timestamp now = 10 * kSecond;
        for (std::uint64_t round = 0; round < 100; ++round, now += kMillisecond) {
            for (std::size_t i = 0; i < kOpen; ++i) j.open(now, 99, id((std::uint64_t{1} << 32) + round * kOpen + i));
            const std::uint64_t first = next;
            for (std::size_t i = 0; i < kOpen; ++i) {
                const auto port = static_cast<std::uint16_t>(2000 + next);
                j.announce(now, port);
                j.open(now, port, id(next++));
            }
            CHECK(j.join.connections() == kMax);
            for (std::uint64_t n = first; n < next; ++n) {
                told += j.join.connection(id(n), false).is_transfer;
                j.removed(now, id(n));
                j.join.connection(id(n), true);
            }
        }
        CHECK(told >= 950);
    }
}

TEST_CASE("as many removed connections wait for their conn records, and no more") {
    for (const bool extended : {false, true}) {
        Join j(TransferOptions{.extended = extended, .connections_max = 10});
        j.open(1, 2000);
        j.removed(1);
        for (std::uint64_t n = 100; n < 110; ++n) {
            CHECK(j.join.connections() == 1);
            j.open(2, 2000, {0, n});
            j.removed(2, {0, n});
            j.join.connection({0, n}, true);
        }
        CHECK(j.join.connections() == 0);
        CHECK(j.events.value(Event::stream_event_dropped) == 1);
    }
}

TEST_CASE("sessions whose end is never told have a bound, too") {
    for (const bool extended : {false, true}) {
        Join j(TransferOptions{.extended = extended, .sessions_max = 10});
        const auto port = [](std::uint64_t n) { return static_cast<std::uint16_t>(2000 + n); };
        for (std::uint64_t n = 0; n < 25; ++n) j.announce(1, port(n), kServer, {1, n});
        CHECK(j.events.value(Event::stream_event_dropped) == 15);
        std::size_t told = 0;
        for (std::uint64_t n = 0; n < 25; ++n) {
            j.open(2, port(n), {2, n});
            j.first(2, {2, n});
            told += j.message(3, {1, n}).fuid.has_value();
        }
        CHECK(told == 10);
    }
}
