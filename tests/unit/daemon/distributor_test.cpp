// Packets to several workers: all of them, in order, and no deadlock however slow a worker is.
#include "daemon/offline/distributor.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

struct Seen {
    std::vector<std::uint64_t> numbers;
    Timestamp last_time = INT64_MIN;
    bool in_order = true;
    bool time_after_packets = true; // no packet came with a time before one that had been published
};

void work(Distributor& distributor, std::size_t worker, Seen& seen, bool slow) {
    for (;;) {
        auto w = distributor.take(worker);
        if (w.block) {
            for (const auto& p : w.block->packets) {
                seen.in_order = seen.in_order && (seen.numbers.empty() || seen.numbers.back() < p.number);
                seen.time_after_packets = seen.time_after_packets && p.now >= seen.last_time;
                seen.numbers.push_back(p.number);
            }
            if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(2));
            distributor.done(worker, std::move(w.block));
        } else if (w.time != INT64_MIN)
            seen.last_time = w.time;
        if (w.ended) return;
    }
}

// A frame whose addresses depend on n, so that n spreads over the workers.
std::vector<std::uint8_t> frame(std::uint32_t n) {
    std::vector<std::uint8_t> bytes(34, 0);
    bytes[12] = 8; // IPv4
    bytes[14] = 0x45;
    bytes[17] = 20;
    bytes[26] = 10;
    bytes[28] = static_cast<std::uint8_t>(n >> 8);
    bytes[29] = static_cast<std::uint8_t>(n);
    bytes[30] = 11;
    return bytes;
}

} // namespace

TEST_CASE("every packet comes to one worker, in order, with one worker slow and one idle") {
    constexpr std::uint32_t kPackets = 60'000;
    constexpr std::size_t kWorkers = 3;
    Distributor distributor(kWorkers);
    std::vector<Seen> seen(kWorkers);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kWorkers; ++i) threads.emplace_back([&, i] { work(distributor, i, seen[i], i == 1); });
    for (std::uint32_t n = 1; n <= kPackets; ++n) {
        const auto bytes = frame(n % 1000);
        PacketView p;
        p.data = bytes.data();
        p.captured = p.length = static_cast<std::uint32_t>(bytes.size());
        p.number = n;
        p.now = p.time = n;
        distributor.put(p);
    }
    distributor.end();
    for (auto& t : threads) t.join();
    std::size_t total = 0;
    for (const Seen& s : seen) {
        total += s.numbers.size();
        CHECK(s.in_order);
        CHECK(s.time_after_packets);
        CHECK(s.last_time == kPackets);
        CHECK(s.numbers.size() > kPackets / 10);
    }
    CHECK(total == kPackets);
}

TEST_CASE("packets of a mapped file are not copied, and the file stays until they are done with") {
    const int fd = ::memfd_create("capture", MFD_CLOEXEC);
    const auto bytes = frame(1);
    REQUIRE(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    auto first = MappedFile::of(fd), second = MappedFile::of(fd);
    REQUIRE((first && second));
    const std::weak_ptr<const MappedFile> watched = first;
    Distributor distributor(1);
    PacketView p;
    p.captured = p.length = static_cast<std::uint32_t>(bytes.size());
    for (const auto& memory : {first, second, std::shared_ptr<const MappedFile>()}) {
        p.data = memory ? memory->data() : bytes.data();
        p.now = p.time = static_cast<Timestamp>(++p.number);
        distributor.put(p, memory);
    }
    distributor.end();
    const std::uint8_t* const in_first = first->data();
    first.reset();
    auto work = distributor.take(0);
    REQUIRE(work.block);
    REQUIRE(work.block->packets.size() == 1); // of one file; the next block is of the other
    CHECK(work.block->packets[0].data == in_first);
    CHECK(work.block->packets[0].data[12] == 8);
    CHECK_FALSE(watched.expired());
    distributor.done(0, std::move(work.block));
    CHECK(watched.expired());
    work = distributor.take(0);
    REQUIRE(work.block);
    REQUIRE(work.block->packets.size() == 2);
    CHECK(work.block->packets[0].data == second->data());
    CHECK(work.block->packets[1].data != bytes.data()); // a copy
    CHECK(work.block->packets[1].data[12] == 8);
    distributor.done(0, std::move(work.block));
    ::close(fd);
}

TEST_CASE("a capture without packets ends") {
    Distributor distributor(2);
    distributor.end();
    Seen seen[2];
    work(distributor, 0, seen[0], false);
    work(distributor, 1, seen[1], false);
    CHECK(seen[0].numbers.empty());
}

TEST_CASE("one worker in the reader's thread gets every packet in order, those of a mapped file where they lie") {
    const int fd = ::memfd_create("capture", MFD_CLOEXEC);
    const auto bytes = frame(1);
    REQUIRE(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    auto file = MappedFile::of(fd);
    REQUIRE(file);
    const std::uint8_t* const in_file = file->data();
    const std::weak_ptr<const MappedFile> watched = file;

    constexpr std::uint64_t kPackets = 3 * Distributor::Block::kPackets + 7;
    std::vector<std::uint64_t> numbers;
    std::size_t calls = 0, in_place = 0, copied = 0;
    Distributor distributor([&](std::span<const PacketView> packets) {
        ++calls;
        CHECK(packets.size() <= Distributor::Block::kPackets);
        for (const PacketView& p : packets) {
            numbers.push_back(p.number);
            ++(p.data == in_file ? in_place : copied);
            CHECK(p.data[12] == 8);
        }
    });
    for (std::uint64_t n = 1; n <= kPackets; ++n) {
        PacketView p;
        p.captured = p.length = static_cast<std::uint32_t>(bytes.size());
        p.number = n;
        p.now = p.time = static_cast<Timestamp>(n);
        const bool mapped = n % 2 == 0;
        p.data = mapped ? in_file : bytes.data();
        distributor.put(p, mapped ? file : nullptr);
    }
    file.reset();
    CHECK(numbers.size() < kPackets); // the last ones wait for company
    CHECK_FALSE(watched.expired());
    distributor.end();
    CHECK(watched.expired());
    CHECK(calls >= 4);
    CHECK(in_place == kPackets / 2);
    CHECK(copied == kPackets - kPackets / 2);
    CHECK(numbers.size() == kPackets);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    ::close(fd);
}
