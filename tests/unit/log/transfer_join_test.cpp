// Which connection belongs to which command, from the merged stream.
#include "core/log/transfer_join.h"
#include "tests/support/catch.h"

using namespace ftpsensor;

namespace {

const IpAddress kClient = IpAddress::from_v4(10, 0, 0, 1);
const IpAddress kServer = IpAddress::from_v4(10, 0, 0, 2);
const IpAddress kStranger = IpAddress::from_v4(10, 0, 0, 9);
constexpr Id96 kControl{0, 1}, kOtherControl{0, 2}, kData{0, 10}, kSecondData{0, 11};

// Events of one control connection of kClient at kServer, and of the data connections beside it.
struct Join {
    explicit Join(bool extended, std::size_t announcements_max = 100)
        : join({extended, announcements_max, {}, 7}, events) {}

    EventCounters events;
    TransferJoin join;

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
        CHECK(j.join.connection(kData).is_transfer);
        CHECK(j.join.connections() == 0);
    }
}

TEST_CASE("another port, another originator or another host is no transfer (strict)") {
    Join j(false);
    j.announce(1, 2000);
    j.open(2, 2001);
    CHECK_FALSE(j.join.connection(kData).is_transfer);
    j.open(2, 2000, kData, kStranger);
    CHECK_FALSE(j.join.connection(kData).is_transfer);
    j.open(2, 2000, kData, kClient, kStranger);
    CHECK_FALSE(j.join.connection(kData).is_transfer);
}

TEST_CASE("an announcement stands five minutes unused") {
    Join j(false);
    j.announce(0, 2000);
    j.open(5 * kMinute - 1, 2000);
    CHECK(j.join.connection(kData).is_transfer);
    Join late(false);
    late.announce(0, 2000);
    late.open(5 * kMinute, 2000);
    CHECK_FALSE(late.join.connection(kData).is_transfer);
}

TEST_CASE("it stands until its first connection is removed") {
    Join j(false);
    j.announce(1, 2000);
    j.open(2, 2000);
    j.open(3, 2000, kSecondData);
    CHECK(j.join.connection(kSecondData).is_transfer);
    j.removed(4);
    j.open(5, 2000, kSecondData);
    CHECK_FALSE(j.join.connection(kSecondData).is_transfer);
    Join reused(false);
    reused.announce(1, 2000);
    reused.open(2, 2000);
    reused.removed(3, kData, true);
    reused.open(3, 2000, kSecondData);
    CHECK(reused.join.connection(kSecondData).is_transfer);
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
    CHECK_FALSE(strict.join.connection(kData).is_transfer);
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
    CHECK(j.join.connection(kData).control_uid == kControl); // the bounce is still told
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
