// The board that every worker reads, and what a worker keeps of it.
#include "core/pipeline/announcements.h"
#include "tests/support/catch.h"

#include <thread>

using namespace ftpsensor;

namespace {
Announcement at_port(std::uint16_t port) { return {IpAddress::from_v4(10, 0, 0, 1), {}, port, 0}; }
} // namespace

TEST_CASE("every reader reads every announcement, once and in order") {
    AnnouncementBoard board(2);
    for (std::uint16_t port = 1; port <= 5; ++port) REQUIRE(board.append(at_port(port)));
    for (const std::size_t reader : {0u, 1u}) {
        std::vector<std::uint16_t> ports;
        const auto collect = [&](const Announcement& a) { ports.push_back(a.port); };
        board.read(reader, collect);
        board.read(reader, collect);
        CHECK(ports == std::vector<std::uint16_t>{1, 2, 3, 4, 5});
        CHECK(board.read_by(reader) == board.appended());
    }
}

TEST_CASE("a board that the slowest reader does not read takes no more") {
    constexpr std::size_t kSlots = 64;
    AnnouncementBoard board(2, kSlots);
    for (std::size_t i = 0; i < kSlots; ++i) REQUIRE(board.append(at_port(7)));
    CHECK_FALSE(board.append(at_port(7)));
    board.read(0, [](const Announcement&) {});
    CHECK_FALSE(board.append(at_port(7)));
    board.read(1, [](const Announcement&) {});
    CHECK(board.append(at_port(7)));
}

TEST_CASE("several workers may append while all read") {
    constexpr std::size_t kEach = 50'000;
    AnnouncementBoard board(3);
    std::vector<std::size_t> seen(3, 0);
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < 3; ++worker)
        threads.emplace_back([&, worker] {
            const auto count = [&](const Announcement&) { ++seen[worker]; };
            for (std::size_t i = 0; i < kEach; ++i) {
                while (!board.append(at_port(static_cast<std::uint16_t>(i)))) board.read(worker, count);
                board.read(worker, count);
            }
            while (seen[worker] < 3 * kEach) board.read(worker, count);
        });
    for (auto& thread : threads) thread.join();
    CHECK(seen == std::vector<std::size_t>{3 * kEach, 3 * kEach, 3 * kEach});
}

TEST_CASE("a hint stands until its time, or longer where it was announced again") {
    AnnouncementHints hints(10, 7, false);
    const IpAddress host = IpAddress::from_v4(10, 0, 0, 1);
    hints.add(host, 2000, 100);
    CHECK(hints.contains(host, 2000, 50));
    CHECK_FALSE(hints.contains(host, 2001, 50));
    CHECK_FALSE(hints.contains(IpAddress::from_v4(10, 0, 0, 2), 2000, 50));
    hints.add(host, 2000, 300);
    hints.expire(200);
    CHECK(hints.contains(host, 2000, 50));
    hints.expire(300);
    CHECK_FALSE(hints.contains(host, 2000, 50));
    CHECK(hints.size() == 0);
}

TEST_CASE("hints have a bound: eight times that of announcements, since one that was used stays") {
    AnnouncementHints hints(2, 7, false);
    const IpAddress host = IpAddress::from_v4(10, 0, 0, 1);
    for (std::uint16_t port = 1; port <= 16; ++port) CHECK(hints.add(host, port, 100));
    CHECK_FALSE(hints.add(host, 17, 100));
    CHECK(hints.add(host, 2, 200)); // known already
}

TEST_CASE("hints: at the bound the oldest makes room, where that is wanted") {
    AnnouncementHints hints(1, 7, true);
    const auto host = IpAddress::from_v4(10, 0, 0, 1);
    for (std::uint16_t port = 1; port <= 8; ++port) CHECK(hints.add(host, port, kMinute));
    CHECK_FALSE(hints.add(host, 9, kMinute));
    CHECK(hints.size() == 8);
    CHECK_FALSE(hints.contains(host, 1, 0));
    CHECK(hints.contains(host, 2, 0));
    CHECK(hints.contains(host, 9, 0));
    hints.expire(kMinute);
    CHECK(hints.size() == 0);
}
