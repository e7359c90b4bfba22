// Announced data connections, told to all workers.
//
// The board is a ring that every worker may append to and every worker reads in order; a worker keeps what it read as
// hints: endpoints whose connections are worth watching. Hints decide nothing: which transfer a connection belongs to
// is decided by the logger, in the order of packet time (core/log/transfer_join.h). Lock-free; append() and the cursors
// may be used by any worker, a Reader by its own.
#pragma once

#include "core/base/endpoint_hash.h"
#include "core/base/ip_address.h"
#include "core/base/table_memory.h"
#include "core/base/time.h"

#include <atomic>
#include <bit>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace ftpsensor {

struct Announcement {
    IpAddress address; // of the endpoint that will accept the connection
    IpAddress other;   // extended: the control connection's end on that side, where it is another (NAT)
    std::uint16_t port = 0;
    Timestamp time = 0;
};

class AnnouncementBoard {
public:
    static constexpr std::size_t kSlots = 1u << 15;

    // `slots`: a power of two, as many as may wait for the slowest reader.
    explicit AnnouncementBoard(std::size_t readers, std::size_t slots = kSlots);

    // False: the slowest reader is a whole ring behind. Any worker.
    bool append(const Announcement& a);
    // How many were appended so far: those a worker appended before it published a watermark are counted by whoever
    // reads that watermark first and this after.
    std::uint64_t appended() const { return tail_.load(std::memory_order_acquire); }
    std::uint64_t read_by(std::size_t reader) const { return cursors_[reader].value.load(std::memory_order_acquire); }

    // The reader will never read again: nobody waits for it any more. Reader `reader` only, at its end.
    void leave(std::size_t reader) { cursors_[reader].value.store(kGone, std::memory_order_release); }

    // Hands what is new to `f(const Announcement&)`. Reader `reader` only.
    template <class F>
    void read(std::size_t reader, F&& f) {
        std::uint64_t at = cursors_[reader].value.load(std::memory_order_relaxed);
        const std::uint64_t start = at;
        while (slots_[at & (slots_.size() - 1)].filled.load(std::memory_order_acquire) == at + 1) {
            f(slots_[at & (slots_.size() - 1)].announcement);
            ++at;
        }
        if (at != start) cursors_[reader].value.store(at, std::memory_order_release);
    }

private:
    struct Slot {
        std::atomic<std::uint64_t> filled{0}; // its place + 1
        Announcement announcement;
    };
    static constexpr std::uint64_t kGone = UINT64_MAX / 4; // beyond any place, and comparable with it
    struct alignas(64) Cursor {
        std::atomic<std::uint64_t> value{0};
    };
    ZeroedArray<Slot> slots_;
    std::vector<Cursor> cursors_;
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

// What one worker knows of announced endpoints. Worker's thread only.
class AnnouncementHints {
public:
    // At most kHintsPerAnnouncement times `announcements`: a hint stays for its time, since what a worker watches must
    // not depend on what another one has seen, while an announcement that was used counts no more. `secret` keys the
    // table: what is announced is chosen by strangers. `oldest_goes`: at the bound the oldest makes room
    // (ftp.extended), else the new one is not kept.
    static constexpr std::size_t kHintsPerAnnouncement = 8;
    AnnouncementHints(std::size_t announcements, std::uint64_t secret, bool oldest_goes)
        : limit_(kHintsPerAnnouncement * announcements), oldest_goes_(oldest_goes), secret_(secret), ports_(65536),
          marks_(std::bit_ceil(kMarksPerAnnouncement * announcements + 1)), hints_(16, KeyHash{secret}) {}

    // Kept until then, or longer where it was announced with a later one. False: the bound was reached.
    bool add(const IpAddress& address, std::uint16_t port, Timestamp until);
    void expire(Timestamp now);
    bool contains(const IpAddress& address, std::uint16_t port, Timestamp now) const {
        return until(address, port) > now;
    }
    // INT64_MIN: not announced.
    Timestamp until(const IpAddress& address, std::uint16_t port) const {
        if (ports_[port] == 0 || mark({address, port}) == 0) [[likely]]
            return INT64_MIN;
        const auto hint = hints_.find({address, port});
        return hint != hints_.end() ? hint->second : INT64_MIN;
    }
    std::size_t size() const { return hints_.size(); }

private:
    struct Key {
        IpAddress address;
        std::uint16_t port;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::uint64_t secret;
        std::size_t operator()(const Key& k) const {
            return static_cast<std::size_t>(endpoint_hash(k.address, k.port, secret));
        }
    };
    struct Expiry {
        Timestamp until;
        Key key;
    };
    static constexpr std::size_t kMarksPerAnnouncement = 5; // a power of two: 1 MiB for 100,000
    void forget(const Key& key);
    std::size_t place(const Key& k) const { return endpoint_hash(k.address, k.port, secret_) & (marks_.size() - 1); }
    std::uint16_t mark(const Key& k) const { return marks_[place(k)]; }
    std::uint16_t& mark(const Key& k) { return marks_[place(k)]; }

    std::size_t limit_;
    bool oldest_goes_;
    std::uint64_t secret_;
    // Hints of each port, and of each hash: nearly all connections are told apart by these two, without a look at what
    // lies all over the memory.
    ZeroedArray<std::uint32_t> ports_;
    ZeroedArray<std::uint16_t> marks_; // one that is full stays so
    std::unordered_map<Key, Timestamp, KeyHash> hints_;
    std::deque<Expiry> expiries_;
};

} // namespace ftpsensor
