// Fuzzes FragmentTable, and holds it against a slow one that keeps a cell a byte: what comes out, and what is counted.
//
// An input: fragments of up to 48 datagrams, each an option byte, with kMore three more, an offset, a size and a byte
// that its contents are made of. A second table, so small that its bounds are reached all the time, takes the same
// fragments: it may drop what it likes, within its bounds, but what it says is whole consists of what was sent for that
// datagram at that place. A third one is wary, and held against a slow one that has Linux's queues beside the others.
//
// A fragment that is a whole datagram by itself reaches no table; the decoder's fuzzer has those.
#include "core/packet/fragments.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::uint32_t kPayloadMax = 2000;

using Key = std::tuple<unsigned, unsigned, unsigned, unsigned>;

Key key_of(const FragmentKey& key) { return {key.source.bytes[15], key.destination.bytes[15], key.id, key.proto}; }

constexpr Event kCounted[] = {Event::fragment_protocol_inconsistency,
                              Event::fragment_with_DF,
                              Event::excessively_large_fragment,
                              Event::fragment_size_inconsistency,
                              Event::excessively_small_fragment,
                              Event::fragment_inconsistency,
                              Event::fragment_overlap,
                              Event::fragment_contradiction};

struct Sent {
    Fragment fragment;
    std::unique_ptr<std::uint8_t[]> contents; // of its own size: reading beyond it shows
};

constexpr std::int16_t kEmpty = -1;

struct SlowEntry {
    Timestamp deadline = 0;
    std::uint32_t end = 0;
    std::uint32_t hole = 0; // the first cell that is empty
    std::uint32_t header_length = 0;
    std::uint8_t proto = 0;
    std::vector<std::int16_t> cells; // a byte each, or kEmpty
};

bool note_limits(SlowEntry& e, const Fragment& f, EventCounters& events) {
    if (f.proto != e.proto || f.header_length != e.header_length) events.count(Event::fragment_protocol_inconsistency);
    if (f.dont_fragment) events.count(Event::fragment_with_DF);
    const std::uint32_t upper = f.offset + f.size;
    if (upper > 64000) events.count(Event::excessively_large_fragment);
    const std::uint32_t headers = std::max(e.header_length, f.header_length);
    if (upper + headers > 65535u + (f.is_v6 ? 40u : 0u)) return false;
    if (f.offset == 0) e.proto = f.proto;
    if (e.end == 0) {
        if (!f.more) e.end = upper;
    } else if (f.more ? upper > e.end : upper != e.end) {
        events.count(Event::fragment_size_inconsistency);
        e.end = std::max(e.end, upper);
    }
    if (f.more && f.total_length < 64) events.count(Event::excessively_small_fragment);
    return f.size != 0;
}

void fill(SlowEntry& e, const Fragment& f, EventCounters& events) {
    if (e.cells.size() < f.offset + f.size) e.cells.resize(f.offset + f.size, kEmpty);
    bool seen = false;
    bool differs = false;
    for (std::uint32_t i = 0; i < f.size; ++i) {
        std::int16_t& cell = e.cells[f.offset + i];
        seen |= cell != kEmpty;
        differs |= cell != kEmpty && cell != f.data[i];
        if (cell == kEmpty) cell = f.data[i];
    }
    if (seen) events.count(differs ? Event::fragment_inconsistency : Event::fragment_overlap);
}

// True: it is whole, in `out`.
bool add_to(SlowEntry& e, const Fragment& f, EventCounters& events, std::vector<std::uint8_t>& out, Datagram& whole) {
    if (!note_limits(e, f, events)) return false;
    fill(e, f, events);
    while (e.hole < e.cells.size() && e.cells[e.hole] != kEmpty) ++e.hole;
    if (e.hole == 0 || e.end == 0 || e.hole < e.end) return false;
    if (e.hole > e.end || e.cells.size() > e.hole) events.count(Event::fragment_size_inconsistency);
    out.assign(e.cells.begin(), e.cells.begin() + e.hole);
    whole = {.proto = e.proto, .header_length = e.header_length, .size = e.hole};
    return true;
}

void begin(SlowEntry& e, const Fragment& f, Timestamp now, const FragmentTimeouts& timeouts) {
    e.deadline = now + (f.is_v6 ? timeouts.ipv6 : timeouts.ipv4);
    e.proto = f.proto;
    e.header_length = f.header_length;
}

// RFC 791 and 815, with the reference's choices where datagrams contradict themselves: see fragments.h.
class SlowTable {
public:
    void set_timeouts(const FragmentTimeouts& timeouts) { timeouts_ = timeouts; }

    bool add(const Fragment& f, Timestamp now, std::vector<std::uint8_t>& out, Datagram& whole) {
        if (const auto found = datagrams_.find(key_of(f.key));
            found != datagrams_.end() && found->second.deadline <= now)
            datagrams_.erase(found);
        const auto [at, fresh] = datagrams_.try_emplace(key_of(f.key));
        if (fresh) begin(at->second, f, now, timeouts_);
        if (!add_to(at->second, f, events_, out, whole)) return false;
        datagrams_.erase(at);
        return true;
    }
    std::uint64_t count(Event event) const { return events_.value(event); }

private:
    FragmentTimeouts timeouts_;
    EventCounters events_;
    std::map<Key, SlowEntry> datagrams_;
};

// What the kernel's inet_frag_queue_insert() and ip_frag_queue() do: rows of fragments ("runs") that came one behind
// the other, at the end of what had come, and the fragments themselves.
class LinuxQueue {
public:
    // False: the queue is thrown away.
    bool takes(const Fragment& f) {
        const std::uint32_t upper = f.offset + f.size;
        if (!f.more) {
            if (upper < length_ || (last_in_ && upper != length_)) return false;
        } else if (upper > length_ && last_in_)
            return false;
        if (f.size == 0) return false;
        for (const auto& [lower, end] : rows_) {
            if (upper <= lower || f.offset >= end) continue;
            return f.offset >= lower && upper <= end;
        }
        return true;
    }
    void insert(const Fragment& f) {
        const std::uint32_t upper = f.offset + f.size;
        last_in_ |= !f.more;
        length_ = std::max(length_, upper);
        for (const auto& [lower, end] : rows_)
            if (upper > lower && f.offset < end) return; // comes twice
        if (!rows_.empty() && f.offset == rows_.rbegin()->second)
            rows_.rbegin()->second = upper;
        else
            rows_.emplace(f.offset, upper);
    }

private:
    std::map<std::uint32_t, std::uint32_t> rows_;
    std::uint32_t length_ = 0;
    bool last_in_ = false;
};

class SlowWaryTable {
public:
    void set_timeouts(const FragmentTimeouts& timeouts) { timeouts_ = timeouts; }

    bool add(const Fragment& f, Timestamp now, std::vector<std::uint8_t>& out, Datagram& whole) {
        Readings& r = datagrams_[key_of(f.key)];
        if (r.plain && r.plain->entry.deadline <= now) r.plain.reset();
        if (r.doubtful && r.doubtful->deadline <= now) r.doubtful.reset();
        const bool in_doubt = r.doubtful.has_value();
        bool is_whole = false;
        if (f.size == 0 || (r.plain && !r.plain->queue.takes(f))) {
            events_.count(Event::fragment_contradiction);
            if (r.plain && !in_doubt) r.doubtful = r.plain->entry;
            r.plain.reset();
        } else {
            if (!r.plain) begin(r.plain.emplace().entry, f, now, timeouts_);
            const auto highest = r.plain->entry.cells.size();
            is_whole = add_to(r.plain->entry, f, in_doubt ? unheard_ : events_, out, whole);
            if (r.plain->entry.cells.size() != highest || f.offset + f.size <= highest) r.plain->queue.insert(f);
            if (is_whole) r.plain.reset();
        }
        if (!r.doubtful) return is_whole;
        std::vector<std::uint8_t> doubtful;
        Datagram d;
        if (!add_to(*r.doubtful, f, events_, doubtful, d)) return is_whole;
        r.doubtful.reset();
        if (is_whole) return true;
        out = doubtful;
        whole = d;
        whole.doubtful = true;
        return true;
    }
    std::uint64_t count(Event event) const { return events_.value(event); }

private:
    struct Plain {
        LinuxQueue queue;
        SlowEntry entry;
    };
    struct Readings {
        std::optional<Plain> plain;
        std::optional<SlowEntry> doubtful;
    };
    FragmentTimeouts timeouts_;
    EventCounters events_, unheard_;
    std::map<Key, Readings> datagrams_;
};

constexpr std::uint8_t kMore = 0x80;

// The option byte and what follows it; `now` goes on.
Sent read_fragment(FuzzInput& input, Timestamp& now, std::uint8_t& timeout) {
    const std::uint8_t option = input.u8();
    const bool more = (option & kMore) != 0;
    const std::uint8_t place = more ? input.u8() : 0;
    const std::uint8_t time = more ? input.u8() : 0;
    timeout = more ? input.u8() : 0;
    if ((option & 32) != 0) now += kMinute;
    now += time * (kSecond / 2);

    Sent sent;
    Fragment& f = sent.fragment;
    f.key.source = IpAddress::from_v4(10, 0, 0, place & 1);
    f.key.destination = IpAddress::from_v4(10, 0, 0, place >> 1 & 1);
    f.key.id = option & 3;
    f.more = (option & 4) != 0;
    f.is_v6 = (option & 8) != 0;
    f.proto = (place & 4) != 0 ? 0 : (option & 16) != 0 ? 17 : 6; // IPv4's 0: a key that IPv6 may have, too
    if (!f.is_v6) f.key.proto = f.proto;
    f.dont_fragment = (place & 8) != 0;
    f.header_length = (f.is_v6 ? 40 : 20) + (place >> 4 & 3) * (f.is_v6 ? 8 : 4);
    f.offset = input.u16() & 0xfff8u;
    f.size = input.u16() % (kPayloadMax + 1);
    f.total_length = (place & 64) != 0 ? input.u8() : f.size + f.header_length;
    sent.contents = std::make_unique<std::uint8_t[]>(f.size);
    for (std::uint32_t i = 0, seed = input.u8(); i < f.size; ++i)
        sent.contents[i] = static_cast<std::uint8_t>(seed + i * 7);
    f.data = sent.contents.get();
    return sent;
}

// That `out` may be put together of `fragments`.
void require_sent(const std::vector<Sent>& fragments, const std::uint8_t* out, const Datagram& whole) {
    std::vector<bool> known(whole.size, false);
    bool header_length = false;
    for (const auto& [f, contents] : fragments) {
        header_length |= f.header_length == whole.header_length;
        for (std::uint32_t i = 0; i < f.size && f.offset + i < whole.size; ++i)
            if (out[f.offset + i] == f.data[i]) known[f.offset + i] = true;
    }
    require(std::find(known.begin(), known.end(), false) == known.end(), "bytes that were sent for that datagram");
    require(header_length, "the header length of one of its fragments");
}

class Tables {
public:
    // `fragments_max`: each needs three pages at most.
    explicit Tables(std::size_t fragments_max)
        : table_((3 * fragments_max + 64) * FragmentTable::page_size(), 80, {}, false, events_),
          wary_((6 * fragments_max + 64) * FragmentTable::page_size(), 160, {}, true, wary_events_),
          small_(3 * FragmentTable::page_size(), 2, {}, (fragments_max & 1) != 0, unheard_) {}

    void set_timeouts(const FragmentTimeouts& timeouts) {
        table_.set_timeouts(timeouts);
        small_.set_timeouts(timeouts);
        wary_.set_timeouts(timeouts);
        slow_wary_.set_timeouts(timeouts);
        slow_.set_timeouts(timeouts);
    }

    void take(Sent sent, Timestamp now) {
        const Fragment& f = sent.fragment;
        require_same(table_, events_, slow_, f, now);
        require_same(wary_, wary_events_, slow_wary_, f, now);

        Datagram whole;
        std::vector<Sent>& fragments = sent_[key_of(f.key)];
        fragments.push_back(std::move(sent));
        if (small_.add(fragments.back().fragment, now, out_.data(), whole)) {
            require_sent(fragments, out_.data(), whole);
            if (!whole.doubtful && small_.datagrams() == 0) fragments.clear(); // another datagram begins
        }
        require(small_.datagrams() <= 2 && small_.pages() <= 3, "within its bounds");
    }

private:
    template <typename Slow>
    void require_same(FragmentTable& table, EventCounters& events, Slow& slow, const Fragment& f, Timestamp now) {
        Datagram whole;
        Datagram expected;
        const bool complete = slow.add(f, now, expected_, expected);
        require(table.add(f, now, out_.data(), whole) == complete, "complete when the slow one is");
        if (complete) {
            require(whole.size == expected.size && whole.proto == expected.proto, "the same size and protocol");
            require(whole.header_length == expected.header_length, "the same header length");
            require(whole.doubtful == expected.doubtful, "the same reading");
            require(std::equal(expected_.begin(), expected_.end(), out_.begin()), "the same bytes");
        }
        for (const Event event : kCounted) require(events.value(event) == slow.count(event), "the same events");
        require(events.value(Event::fragment_evicted) + events.value(Event::fragment_memory) == 0, "room for all");
    }

    inline static std::vector<std::uint8_t> out_ = std::vector<std::uint8_t>(kMaxDatagramPayload);
    EventCounters events_;
    EventCounters unheard_;
    EventCounters wary_events_;
    FragmentTable table_;
    FragmentTable wary_;
    FragmentTable small_;
    SlowTable slow_;
    SlowWaryTable slow_wary_;
    std::vector<std::uint8_t> expected_;
    std::map<Key, std::vector<Sent>> sent_; // since the small table was last empty
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    Tables tables(size / 6 + 1);
    Timestamp now = kSecond;
    while (!input.empty()) {
        std::uint8_t timeout = 0;
        Sent sent = read_fragment(input, now, timeout);
        if (timeout != 0) tables.set_timeouts({.ipv4 = timeout * kSecond, .ipv6 = timeout * (kSecond / 2)});
        tables.take(std::move(sent), now);
    }
    return 0;
}
