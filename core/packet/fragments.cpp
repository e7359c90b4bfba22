#include "core/packet/fragments.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kSmallFragment = 64;    // Zeek's MIN_ACCEPTABLE_FRAG_SIZE: of the IP packet, not the last one
constexpr std::uint32_t kLargeDatagram = 64000; // Zeek's MAX_ACCEPTABLE_FRAG_SIZE: of the payload
constexpr std::uint32_t kMaxTotalLength = 65535;
constexpr std::uint32_t kIpv6HeaderLength = 40; // which the length field of IPv6 does not count
constexpr unsigned kExpiredAtOnce = 8;          // so that no packet pays for a flood of yesterday

struct Overlap {
    bool seen = false;
    bool differs = false;
};

// Copies the bytes of `data` whose bits are not set in `covered`, compares the others, and sets all.
void merge_word(std::uint64_t& covered, std::uint64_t mask, std::uint8_t* to, const std::uint8_t* data,
                std::uint32_t size, Overlap& overlap) {
    if ((covered & mask) == 0) [[likely]] {
        std::memcpy(to, data, size);
    } else {
        overlap.seen = true;
        const auto first = static_cast<std::uint32_t>(std::countr_zero(mask));
        for (std::uint32_t i = 0; i < size; ++i) {
            if (((covered >> (first + i)) & 1) == 0) {
                to[i] = data[i];
            } else if (to[i] != data[i]) {
                overlap.differs = true;
            }
        }
    }
    covered |= mask;
}

void count(EventCounters* events, Event event) {
    if (events != nullptr) events->count(event);
}

} // namespace

FragmentTable::FragmentTable(std::size_t bytes_max, std::size_t datagrams_max, const FragmentTimeouts& timeouts,
                             bool wary, EventCounters& events)
    : events_(events), timeouts_(timeouts),
      wary_(wary), hash_key_{reinterpret_cast<std::uintptr_t>(this), reinterpret_cast<std::uintptr_t>(&events)},
      entries_(std::min<std::size_t>(datagrams_max, 1u << 24)),
      buckets_(std::bit_ceil(std::max<std::size_t>(entries_.size(), 1)), kNone),
      pages_max_(static_cast<std::uint32_t>(std::min<std::size_t>(bytes_max / sizeof(Page), 1u << 24))) {
    pages_ = std::make_unique_for_overwrite<Page[]>(pages_max_);
}

bool FragmentTable::add(const Fragment& fragment, Timestamp now, std::uint8_t* out, Datagram& whole) {
    drop_expired(now);
    const std::uint32_t bucket = bucket_of(fragment.key);
    std::uint32_t index = find(fragment.key, false, bucket, now);
    bool in_doubt = wary_ && find(fragment.key, true, bucket, now) != kNone;
    bool is_whole = false;
    if (wary_ && (fragment.size == 0 || (index != kNone && contradicts(entries_[index], fragment)))) [[unlikely]] {
        events_.count(Event::fragment_contradiction);
        if (index != kNone && in_doubt) release(index);
        if (index != kNone && !in_doubt) entries_[index].doubtful = in_doubt = true;
    } else {
        if (index == kNone) index = create(fragment, bucket, now);
        if (index == kNone) return false;
        is_whole = add_to(index, fragment, !in_doubt, out, whole);
    }
    if (!in_doubt) [[likely]]
        return is_whole;
    index = find(fragment.key, true, bucket, now); // it may have made room
    if (index == kNone) return is_whole;
    return add_to(index, fragment, true, is_whole ? nullptr : out, whole) || is_whole;
}

// Without `out`, a datagram that is whole is forgotten. Counted in the other reading: not here.
bool FragmentTable::add_to(std::uint32_t index, const Fragment& fragment, bool counted, std::uint8_t* out,
                           Datagram& whole) {
    Entry& entry = entries_[index];
    EventCounters* const events = counted ? &events_ : nullptr;
    if (!note_limits(entry, fragment, events) || !store(index, fragment, events) || !complete(entry, events))
        return false;
    if (out != nullptr) {
        whole = {
            .proto = entry.proto, .header_length = entry.header_length, .size = entry.end, .doubtful = entry.doubtful};
        copy_out(entry, out);
    }
    release(index);
    return out != nullptr;
}

// Whether Linux throws away what has come of a datagram, since it cannot be one with this fragment.
bool FragmentTable::contradicts(const Entry& entry, const Fragment& fragment) const {
    const std::uint32_t upper = fragment.offset + fragment.size;
    if (fragment.more ? entry.end != 0 && upper > entry.end
                      : upper < entry.highest || (entry.end != 0 && upper != entry.end))
        return true;
    bool overlaps = false;
    return !is_within_row(entry, fragment, overlaps) && overlaps;
}

// `overlaps`: some byte of it has come.
bool FragmentTable::is_within_row(const Entry& entry, const Fragment& fragment, bool& overlaps) const {
    const std::uint32_t upper = fragment.offset + fragment.size;
    bool within = true;
    for (std::uint32_t at = fragment.offset; at < upper;) {
        const std::uint32_t in_word = at % 64, size = std::min(upper - at, 64 - in_word);
        const std::uint64_t mask = (size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1) << in_word;
        const std::uint32_t page = at / kPageBytes < kPagesPerDatagram ? entry.pages[at / kPageBytes] : kNone;
        const std::uint64_t covered = page == kNone ? 0 : pages_[page].covered[at % kPageBytes / 64] & mask;
        overlaps |= covered != 0;
        within &= covered == mask;
        if (page != kNone) { // a row that begins behind the fragment's beginning, and before its end
            unsigned units = (1u << (in_word + size + 7) / 8) - (1u << in_word / 8);
            if (at == fragment.offset) units &= units - 1;
            within &= (pages_[page].starts[at % kPageBytes / 64] & units) == 0;
        }
        at += size;
    }
    return within;
}

std::uint32_t FragmentTable::bucket_of(const FragmentKey& key) const {
    std::array<std::uint8_t, 37> bytes;
    std::memcpy(bytes.data(), key.source.bytes.data(), 16);
    std::memcpy(bytes.data() + 16, key.destination.bytes.data(), 16);
    std::memcpy(bytes.data() + 32, &key.id, 4);
    bytes[36] = key.proto;
    return static_cast<std::uint32_t>(siphash128(hash_key_, bytes.data(), bytes.size())[0] & (buckets_.size() - 1));
}

std::uint32_t FragmentTable::find(const FragmentKey& key, bool doubtful, std::uint32_t bucket, Timestamp now) {
    std::uint32_t index = buckets_[bucket];
    while (index != kNone && (entries_[index].key != key || entries_[index].doubtful != doubtful))
        index = entries_[index].next_in_bucket;
    if (index == kNone || entries_[index].deadline > now) return index;
    events_.count(Event::fragment_timeout);
    release(index);
    return kNone;
}

std::uint32_t FragmentTable::create(const Fragment& fragment, std::uint32_t bucket, Timestamp now) {
    if (entries_.empty()) {
        events_.count(Event::fragment_memory);
        return kNone;
    }
    if (free_entry_ == kNone && entries_touched_ == entries_.size()) {
        events_.count(Event::fragment_evicted);
        release(oldest_);
    }
    std::uint32_t index = free_entry_;
    if (index != kNone) {
        free_entry_ = entries_[index].next_in_bucket;
    } else {
        index = entries_touched_++;
    }
    Entry& entry = entries_[index];
    entry = Entry{};
    entry.pages.fill(kNone);
    entry.key = fragment.key;
    entry.deadline = now + (fragment.is_v6 ? timeouts_.ipv6 : timeouts_.ipv4);
    entry.header_length = fragment.header_length;
    entry.proto = fragment.proto;
    entry.older = newest_;
    entry.next_in_bucket = buckets_[bucket];
    buckets_[bucket] = index;
    (newest_ == kNone ? oldest_ : entries_[newest_].newer) = index;
    newest_ = index;
    ++datagrams_used_;
    return index;
}

void FragmentTable::release(std::uint32_t index) {
    Entry& entry = entries_[index];
    for (const std::uint32_t page : entry.pages) {
        if (page != kNone) release_page(page);
    }
    std::uint32_t* link = &buckets_[bucket_of(entry.key)];
    while (*link != index) link = &entries_[*link].next_in_bucket;
    *link = entry.next_in_bucket;
    (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
    (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
    entry.next_in_bucket = free_entry_;
    free_entry_ = index;
    --datagrams_used_;
}

void FragmentTable::drop_expired(Timestamp now) {
    for (unsigned i = 0; i < kExpiredAtOnce && oldest_ != kNone && entries_[oldest_].deadline <= now; ++i) {
        events_.count(Event::fragment_timeout);
        release(oldest_);
    }
}

// Where the datagram ends, and all that is odd about a fragment. False: it can be part of no datagram.
bool FragmentTable::note_limits(Entry& entry, const Fragment& fragment, EventCounters* events) {
    if (fragment.proto != entry.proto || fragment.header_length != entry.header_length) {
        count(events, Event::fragment_protocol_inconsistency);
    }
    if (fragment.dont_fragment) count(events, Event::fragment_with_DF);
    const std::uint32_t upper = fragment.offset + fragment.size;
    if (upper > kLargeDatagram) count(events, Event::excessively_large_fragment);
    const std::uint32_t uncounted = fragment.is_v6 ? kIpv6HeaderLength : 0;
    const std::uint32_t headers = std::max(entry.header_length, fragment.header_length);
    if (upper + headers > kMaxTotalLength + uncounted) return false;

    // An IPv6 datagram is of the protocol that its first fragment tells. IPv4's is part of the key.
    if (fragment.offset == 0) entry.proto = fragment.proto;
    if (!fragment.more && entry.end == 0) {
        entry.end = upper;
    } else if (entry.end != 0 && (fragment.more ? upper > entry.end : upper != entry.end)) {
        count(events, Event::fragment_size_inconsistency);
        entry.end = std::max(entry.end, upper);
    }
    if (fragment.more && fragment.total_length < kSmallFragment) count(events, Event::excessively_small_fragment);
    return fragment.size > 0;
}

bool FragmentTable::store(std::uint32_t index, const Fragment& fragment, EventCounters* events) {
    Overlap overlap;
    std::uint32_t at = fragment.offset;
    bool begins_row = at != entries_[index].highest; // behind what is furthest so far, a row goes on
    const std::uint8_t* data = fragment.data;
    const std::uint32_t upper = fragment.offset + fragment.size;
    while (at < upper) {
        std::uint32_t& slot = entries_[index].pages[at / kPageBytes];
        if (slot == kNone) {
            slot = acquire_page(index);
            if (slot == kNone) {
                release(index);
                return false;
            }
        }
        Page& page = pages_[slot];
        const std::uint32_t in_page = at % kPageBytes;
        const std::uint32_t in_word = in_page % 64;
        const std::uint32_t size = std::min(upper - at, 64 - in_word);
        const std::uint64_t ones = size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
        if (begins_row && (page.covered[in_page / 64] >> in_word & 1) == 0)
            page.starts[in_page / 64] |= static_cast<std::uint8_t>(1u << in_word / 8);
        begins_row = false;
        merge_word(page.covered[in_page / 64], ones << in_word, page.bytes.data() + in_page, data, size, overlap);
        data += size;
        at += size;
    }
    entries_[index].highest = std::max(entries_[index].highest, upper);
    if (overlap.seen) count(events, overlap.differs ? Event::fragment_inconsistency : Event::fragment_overlap);
    return true;
}

std::uint32_t FragmentTable::acquire_page(std::uint32_t for_entry) {
    while (free_page_ == kNone && pages_touched_ == pages_max_) {
        if (oldest_ == for_entry) {
            events_.count(Event::fragment_memory);
            return kNone;
        }
        events_.count(Event::fragment_evicted);
        release(oldest_);
    }
    std::uint32_t page = free_page_;
    if (page != kNone) {
        std::memcpy(&free_page_, pages_[page].bytes.data(), sizeof free_page_);
    } else {
        page = pages_touched_++;
    }
    pages_[page].covered.fill(0);
    pages_[page].starts.fill(0);
    ++pages_used_;
    return page;
}

void FragmentTable::release_page(std::uint32_t page) {
    std::memcpy(pages_[page].bytes.data(), &free_page_, sizeof free_page_);
    free_page_ = page;
    --pages_used_;
}

// Whether all is there; where fragments of two datagrams were mixed up, what is gapless up to a believable end is
// taken.
bool FragmentTable::complete(Entry& entry, EventCounters* events) {
    while (entry.contiguous < entry.highest) {
        const std::uint32_t page = entry.pages[entry.contiguous / kPageBytes];
        if (page == kNone) break;
        const std::uint32_t bit = entry.contiguous % 64;
        const std::uint64_t covered = pages_[page].covered[entry.contiguous % kPageBytes / 64] >> bit;
        const auto run = std::min(static_cast<std::uint32_t>(std::countr_one(covered)), 64 - bit);
        entry.contiguous += run;
        if (run < 64 - bit) break;
    }
    if (entry.contiguous == 0 || entry.end == 0 || entry.contiguous < entry.end) return false;
    if (entry.contiguous > entry.end || entry.highest > entry.contiguous) {
        count(events, Event::fragment_size_inconsistency);
        entry.end = entry.contiguous;
    }
    return true;
}

void FragmentTable::copy_out(const Entry& entry, std::uint8_t* out) const {
    for (std::uint32_t at = 0; at < entry.end; at += kPageBytes) {
        const std::uint32_t size = std::min(kPageBytes, entry.end - at);
        std::memcpy(out + at, pages_[entry.pages[at / kPageBytes]].bytes.data(), size);
    }
}

} // namespace ftpsensor
