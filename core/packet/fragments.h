// Datagrams under reassembly (RFC 791 3.2, RFC 8200 4.5), by Zeek's rules: of bytes that come twice the first ones
// stay, and a datagram is whole once it is gapless from 0 to where its last fragment ended. Not Zeek's is what a
// datagram is told by: see FragmentKey.
//
// Wary, there are two readings of a datagram whose fragments contradict one another. Linux throws such a one away, with
// the fragment that does it, and begins anew with the next (RFC 5722; what lies within a row of fragments that came one
// behind the other only comes twice). That is the true reading here, and Zeek's the doubtful one: a host that does not
// throw away may take it, or it may be a decoy. Where both become whole by one fragment, the true one comes out.
//
// Bounded three ways, whatever arrives. Bytes lie in pages of 1 KiB by their place in the datagram, so that tiny
// fragments cost no more than large ones; pages and datagrams are taken from fixed pools, and when one is used up the
// oldest datagram goes, counted. A datagram older than the timeout is gone whether or not anything swept it meanwhile.
//
// Internal to core/packet. Belongs to one Decoder and its worker. Memory is reserved by the constructor and touched
// when first used.
#pragma once

#include "core/base/events.h"
#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/table_memory.h"
#include "core/base/time.h"
#include "core/packet/decode.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ftpsensor {

inline constexpr std::uint32_t kMaxDatagramPayload = 65535;

// What hosts tell datagrams by: of IPv4 also the protocol (RFC 791 3.2), which Zeek leaves out. Without it, a fragment
// of another protocol, which the receiver keeps apart, would give a datagram its first bytes.
struct FragmentKey {
    IpAddress source;
    IpAddress destination;
    std::uint32_t id = 0;
    std::uint8_t proto = 0; // IPv6: 0; what a fragment's header names is not part of it there (RFC 8200 4.5)

    friend bool operator==(const FragmentKey&, const FragmentKey&) = default;
};

struct Fragment {
    FragmentKey key;
    std::uint32_t offset = 0; // bytes
    bool more = false;
    bool dont_fragment = false;
    bool is_v6 = false;
    std::uint8_t proto = 0;          // IPv4 protocol; IPv6: what the fragment header says follows
    std::uint32_t header_length = 0; // of all headers that are not fragmented, without the fragment header
    std::uint32_t total_length = 0;  // by the IP header
    const std::uint8_t* data = nullptr;
    std::uint32_t size = 0;
};

struct Datagram {
    std::uint8_t proto = 0;
    std::uint32_t header_length = 0; // of the fragment that came first
    std::uint32_t size = 0;          // bytes written to `out`
    bool doubtful = false;           // of fragments that hosts throw away
};

class FragmentTable {
public:
    FragmentTable(std::size_t bytes_max, std::size_t datagrams_max, const FragmentTimeouts& timeouts, bool wary,
                  EventCounters& events);
    void set_timeouts(const FragmentTimeouts& timeouts) { timeouts_ = timeouts; } // of datagrams that begin from now on

    // Takes in a fragment. True once its datagram is whole: it is then in `out` (kMaxDatagramPayload bytes) and
    // described by `whole`, and forgotten here.
    bool add(const Fragment& fragment, Timestamp now, std::uint8_t* out, Datagram& whole);

    std::size_t datagrams() const { return datagrams_used_; }
    std::size_t pages() const { return pages_used_; }
    static constexpr std::size_t page_size() { return sizeof(Page); }

private:
    static constexpr std::uint32_t kPageBytes = 1024;
    static constexpr std::uint32_t kPagesPerDatagram = (kMaxDatagramPayload + kPageBytes) / kPageBytes;
    static constexpr std::uint32_t kNone = 0xffffffff;

    struct Page {
        std::array<std::uint64_t, kPageBytes / 64> covered; // a bit a byte
        std::array<std::uint8_t, kPageBytes / 64> starts;   // a bit for 8 bytes: a row of fragments begins there
        std::array<std::uint8_t, kPageBytes> bytes;
    };

    struct Entry {
        FragmentKey key;
        Timestamp deadline = 0;
        std::uint32_t end = 0;        // where the last fragment ended; 0: not seen yet
        std::uint32_t contiguous = 0; // bytes from 0 without a gap
        std::uint32_t highest = 0;
        std::uint32_t header_length = 0;
        std::uint8_t proto = 0;
        bool doubtful = false;
        std::uint32_t older = kNone; // neighbours in order of creation
        std::uint32_t newer = kNone;
        std::uint32_t next_in_bucket = kNone; // or in the free list
        std::array<std::uint32_t, kPagesPerDatagram> pages{};
    };

    std::uint32_t bucket_of(const FragmentKey& key) const;
    std::uint32_t find(const FragmentKey& key, bool doubtful, std::uint32_t bucket, Timestamp now);
    std::uint32_t create(const Fragment& fragment, std::uint32_t bucket, Timestamp now);
    void release(std::uint32_t entry);
    void drop_expired(Timestamp now);

    bool contradicts(const Entry& entry, const Fragment& fragment) const;
    bool is_within_row(const Entry& entry, const Fragment& fragment, bool& overlaps) const;
    bool add_to(std::uint32_t index, const Fragment& fragment, bool counted, std::uint8_t* out, Datagram& whole);
    bool note_limits(Entry& entry, const Fragment& fragment, EventCounters* events);
    bool store(std::uint32_t index, const Fragment& fragment, EventCounters* events);
    std::uint32_t acquire_page(std::uint32_t for_entry);
    void release_page(std::uint32_t page);
    bool complete(Entry& entry, EventCounters* events);
    void copy_out(const Entry& entry, std::uint8_t* out) const;

    EventCounters& events_;
    FragmentTimeouts timeouts_;
    bool wary_;
    IdKey hash_key_; // of buckets alone: nothing that is seen depends on it
    ZeroedArray<Entry> entries_;
    std::vector<std::uint32_t> buckets_; // a power of two
    std::uint32_t free_entry_ = kNone;
    std::uint32_t entries_touched_ = 0; // those below were used before and are in the free list or in use
    std::uint32_t oldest_ = kNone;
    std::uint32_t newest_ = kNone;
    std::size_t datagrams_used_ = 0;

    std::unique_ptr<Page[]> pages_;
    std::uint32_t pages_max_;
    std::uint32_t pages_touched_ = 0;
    std::uint32_t free_page_ = kNone; // free pages hold the next one's number in their first bytes
    std::size_t pages_used_ = 0;
};

} // namespace ftpsensor
