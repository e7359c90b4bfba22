// Fuzzes FragmentTable, and holds it against a slow one that keeps a cell a byte.
//
// An input: fragments of up to four datagrams, each an option byte, an offset, a size and a byte that its contents are
// made of. A second table, so small that its bounds are reached all the time, takes the same fragments: it may drop
// what it likes, within its bounds.
#include "core/packet/fragments.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <map>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr Duration kTimeout = 5 * kMinute;
constexpr std::uint32_t kPayloadMax = 2000;

constexpr std::uint32_t header_length(bool is_v6) { return is_v6 ? 40 : 20; }

// RFC 791 and 815, with the reference's choices where datagrams contradict themselves: see fragments.h.
class SlowTable {
public:
    bool add(unsigned key, const Fragment& f, Timestamp now, std::vector<std::uint8_t>& out, std::uint8_t& proto) {
        if (const auto found = datagrams_.find(key); found != datagrams_.end() && found->second.deadline <= now)
            datagrams_.erase(found);
        const auto [at, fresh] = datagrams_.try_emplace(key);
        Entry& e = at->second;
        if (fresh) {
            e.deadline = now + kTimeout;
            e.proto = f.proto;
            e.header_length = f.header_length;
        }
        const std::uint32_t upper = f.offset + f.size;
        const std::uint32_t headers = std::max(e.header_length, f.header_length);
        if (upper + headers > 65535u + (f.is_v6 ? 40u : 0u)) return false;
        if (f.is_v6 && f.offset == 0) e.proto = f.proto;
        if (!f.more && e.end == 0)
            e.end = upper;
        else if (e.end != 0 && (f.more ? upper > e.end : upper != e.end))
            e.end = std::max(e.end, upper);
        if (e.cells.size() < upper) e.cells.resize(upper, kEmpty);
        for (std::uint32_t i = 0; i < f.size; ++i)
            if (e.cells[f.offset + i] == kEmpty) e.cells[f.offset + i] = f.data[i];
        if (f.size == 0 || e.end == 0) return false;
        const auto hole = std::find(e.cells.begin(), e.cells.end(), kEmpty);
        if (hole == e.cells.begin() || static_cast<std::size_t>(hole - e.cells.begin()) < e.end) return false;
        out.assign(e.cells.begin(), hole);
        proto = e.proto;
        datagrams_.erase(at);
        return true;
    }
    std::size_t datagrams() const { return datagrams_.size(); }

private:
    static constexpr std::int16_t kEmpty = -1;
    struct Entry {
        Timestamp deadline = 0;
        std::uint32_t end = 0;
        std::uint32_t header_length = 0;
        std::uint8_t proto = 0;
        std::vector<std::int16_t> cells; // a byte each, or kEmpty
    };
    std::map<unsigned, Entry> datagrams_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    EventCounters events;
    FragmentTable table(400 * FragmentTable::page_size(), 8, {kTimeout, kTimeout}, events);
    FragmentTable small(3 * FragmentTable::page_size(), 2, {kTimeout, kTimeout}, events);
    SlowTable slow;
    Timestamp now = kSecond;
    static std::vector<std::uint8_t> out(kMaxDatagramPayload);
    std::vector<std::uint8_t> expected;
    while (!input.empty()) {
        const std::uint8_t option = input.u8();
        Fragment f;
        f.key.id = option & 3;
        f.more = (option & 4) != 0;
        f.is_v6 = (option & 8) != 0;
        f.proto = (option & 16) != 0 ? 17 : 6;
        if ((option & 32) != 0) now += kMinute;
        f.header_length = header_length(f.is_v6);
        f.offset = input.u16() & 0xfff8u;
        f.size = input.u16() % (kPayloadMax + 1);
        f.total_length = f.size + f.header_length;
        const auto contents = std::make_unique<std::uint8_t[]>(f.size); // of its own size: reading beyond it shows
        for (std::uint32_t i = 0, seed = input.u8(); i < f.size; ++i)
            contents[i] = static_cast<std::uint8_t>(seed + i * 7);
        f.data = contents.get();

        Datagram whole;
        std::uint8_t proto = 0;
        const bool complete = slow.add(f.key.id, f, now, expected, proto);
        require(table.add(f, now, out.data(), whole) == complete, "complete when the slow one is");
        if (complete) {
            require(whole.size == expected.size() && whole.proto == proto, "the same size and protocol");
            require(std::equal(expected.begin(), expected.end(), out.begin()), "the same bytes");
        }
        small.add(f, now, out.data(), whole);
        require(small.datagrams() <= 2 && small.pages() <= 3, "within its bounds");
    }
    return 0;
}
