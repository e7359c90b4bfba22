// The table of connections beside DPDK's rte_hash, in one run: keys put in, looked up in bursts of 64 in random order,
// and taken out again, at 10 thousand, 1 million and 10 million keys.
//
// A look-up has the hash computed (from the key, by our function for both; rte_hash's own CRC is a case of its own),
// and "used" also stores into the connection that was found, for which rte_hash has an array beside it. Both lie on
// huge pages: ours on transparent ones, as in the sensor, rte_hash's in EAL's memory, which has them where 512 of 2 MiB
// are free (sysctl vm.nr_hugepages=512; as root), else on small ones, and the row says so. CPU time.
//
//     flow_table_bench [--json FILE] [CASE...]
#include "bench/measure.h"
#include "bench/traffic.h"
#include "core/conn/flow_table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

constexpr std::uint64_t kSecret = 0x1234567;
constexpr std::size_t kBurst = 64; // RTE_HASH_LOOKUP_BULK_MAX, too
constexpr std::size_t kBatch = 1u << 14;

// Of a length that rte_hash compares without memcmp.
struct alignas(16) Key {
    ConnKey conn;
    std::uint8_t zero[48 - sizeof(ConnKey)] = {};
};
static_assert(sizeof(Key) == 48);

Key key_of(std::uint32_t flow) {
    const auto byte = [&](int shift) { return static_cast<std::uint8_t>(flow >> shift); };
    Key key;
    key.conn.address[0] = IpAddress::from_v4(10, byte(16), byte(8), byte(0));
    key.conn.address[1] = IpAddress::from_v4(198, 18, 0, static_cast<std::uint8_t>(flow % 251));
    key.conn.port[0] = static_cast<std::uint16_t>(32768 + flow % 28232);
    key.conn.port[1] = 443;
    key.conn.ip_proto = 6;
    return key;
}

class Ours {
public:
    explicit Ours(std::uint32_t keys) : table_(keys, kSecret) {}

    bool insert(const Key& key) { return table_.insert(key.conn, table_.hash(key.conn)) != FlowTable::kNone; }
    template <bool kUse>
    std::size_t look_up(std::span<const Key> keys) { // as a worker does it
        std::array<std::uint64_t, kBurst> hashes;
        std::size_t found = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) hashes[i] = table_.hash(keys[i].conn);
        for (std::size_t i = 0; i < keys.size(); ++i) table_.prefetch_bucket(hashes[i]);
        for (std::size_t i = 0; i < keys.size(); ++i) table_.prefetch_connection(hashes[i], false);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const std::uint32_t index = table_.find(keys[i].conn, hashes[i]);
            if (index == FlowTable::kNone) continue;
            ++found;
            if constexpr (kUse) table_[index].seen += 1;
        }
        return found;
    }
    bool erase(const Key& key) {
        const std::uint32_t index = table_.find(key.conn, table_.hash(key.conn));
        if (index == FlowTable::kNone) return false;
        table_.erase(index);
        return true;
    }

private:
    FlowTable table_;
};

// kOurHash: rte_hash_lookup_with_hash_bulk() and so on, by our function's low half; else rte_hash_crc over all 48
// bytes.
template <bool kOurHash>
class Rte {
public:
    explicit Rte(std::uint32_t keys) : connections_(std::size_t{keys + kSlack} * sizeof(Connection)) {
        std::memset(connections_.data(), 1, std::size_t{keys + kSlack} * sizeof(Connection)); // touched, as ours are
        rte_hash_parameters parameters{};
        parameters.name = "flow_table_bench";
        parameters.entries = keys + kSlack;
        parameters.key_len = sizeof(Key);
        parameters.hash_func = rte_hash_crc;
        parameters.socket_id = SOCKET_ID_ANY;
        hash_ = rte_hash_create(&parameters);
        if (hash_ == nullptr) {
            std::fprintf(stderr, "rte_hash_create: %s\n", rte_strerror(rte_errno));
            std::exit(1);
        }
    }
    ~Rte() { rte_hash_free(hash_); }
    Rte(const Rte&) = delete;
    Rte& operator=(const Rte&) = delete;

    bool insert(const Key& key) {
        if constexpr (kOurHash)
            return rte_hash_add_key_with_hash(hash_, &key, signature(key)) >= 0;
        else
            return rte_hash_add_key(hash_, &key) >= 0;
    }
    template <bool kUse>
    std::size_t look_up(std::span<const Key> keys) {
        std::array<const void*, kBurst> pointers;
        std::array<std::int32_t, kBurst> positions;
        const auto n = static_cast<std::uint32_t>(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) pointers[i] = &keys[i];
        if constexpr (kOurHash) {
            std::array<hash_sig_t, kBurst> signatures;
            for (std::size_t i = 0; i < keys.size(); ++i) signatures[i] = signature(keys[i]);
            rte_hash_lookup_with_hash_bulk(hash_, pointers.data(), signatures.data(), n, positions.data());
        } else {
            rte_hash_lookup_bulk(hash_, pointers.data(), n, positions.data());
        }
        std::size_t found = 0;
        if constexpr (kUse)
            for (std::size_t i = 0; i < keys.size(); ++i)
                if (positions[i] >= 0) __builtin_prefetch(&connection(positions[i]).seen, 1);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (positions[i] < 0) continue;
            ++found;
            if constexpr (kUse) connection(positions[i]).seen += 1;
        }
        return found;
    }
    bool erase(const Key& key) {
        if constexpr (kOurHash)
            return rte_hash_del_key_with_hash(hash_, &key, signature(key)) >= 0;
        else
            return rte_hash_del_key(hash_, &key) >= 0;
    }

private:
    static constexpr std::uint32_t kSlack = 1024; // rte_hash may not place its very last keys

    static hash_sig_t signature(const Key& key) { return static_cast<hash_sig_t>(hash_key(key.conn, kSecret)); }
    Connection& connection(std::int32_t position) {
        return reinterpret_cast<Connection*>(connections_.data())[position];
    }

    rte_hash* hash_ = nullptr;
    TableMemory connections_;
};

// Nanoseconds a key, of the batches: the best, and the mean.
struct LookUps {
    double best = 1e300, mean = 0;
};

template <bool kUse, class Table>
LookUps look_up(Table& table, std::uint32_t count) {
    constexpr int rounds = 128;
    std::vector<Key> keys(kBatch);
    Sequence random(7);
    LookUps result;
    for (int round = -4; round < rounds; ++round) { // the first ones fetch pages
        for (Key& key : keys) key = key_of(random.below(count));
        std::size_t found = 0;
        const double before = cpu_nanoseconds();
        for (std::size_t i = 0; i < kBatch; i += kBurst)
            found += table.template look_up<kUse>(std::span(keys).subspan(i, kBurst));
        const double ns = (cpu_nanoseconds() - before) / kBatch;
        if (found != kBatch) {
            std::fprintf(stderr, "only %zu of %zu keys were found\n", found, kBatch);
            std::exit(1);
        }
        if (round < 0) continue;
        result.best = std::min(result.best, ns);
        result.mean += ns / rounds;
    }
    return result;
}

// Each of `flows` to `work`, nanoseconds a key; making the keys is not counted.
template <class Work>
double each(std::span<const std::uint32_t> flows, const char* what, Work work) {
    std::vector<Key> keys(kBatch);
    double ns = 0;
    std::size_t done = 0;
    for (std::size_t at = 0; at < flows.size(); at += kBatch) {
        const std::size_t n = std::min(kBatch, flows.size() - at);
        for (std::size_t i = 0; i < n; ++i) keys[i] = key_of(flows[at + i]);
        const double before = cpu_nanoseconds();
        for (std::size_t i = 0; i < n; ++i) done += work(keys[i]);
        ns += cpu_nanoseconds() - before;
    }
    if (done != flows.size()) {
        std::fprintf(stderr, "%s: only %zu of %zu keys\n", what, done, flows.size());
        std::exit(1);
    }
    return ns / static_cast<double>(flows.size());
}

template <class Table>
void measure(Results& results, const std::string& name, std::uint32_t count) {
    if (!results.wants(name)) return;
    std::vector<std::uint32_t> flows(count);
    std::iota(flows.begin(), flows.end(), 0);
    Table table(count);
    const auto insert = [&](const Key& key) { return table.insert(key); };
    const double fill = each(flows, "fill", insert);
    const LookUps plain = look_up<false>(table, count);
    const LookUps used = look_up<true>(table, count);
    Sequence random(11);
    for (std::uint32_t i = count; i > 1; --i) std::swap(flows[i - 1], flows[random.below(i)]);
    const double erase = each(flows, "erase", [&](const Key& key) { return table.erase(key); });
    results.row(name, {{"ns_fill", fill},
                       {"ns_lookup", plain.best},
                       {"ns_lookup_mean", plain.mean},
                       {"ns_lookup_used", used.best},
                       {"ns_lookup_used_mean", used.mean},
                       {"ns_erase", erase},
                       {"ns_insert", each(flows, "insert", insert)}});
}

// Starts EAL with as much memory as rte_hash needs for 10 million keys; true: on huge pages.
bool start_eal() {
    constexpr int pages = 512;
    std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    int free = 0;
    file >> free;
    const bool huge = free >= pages;
    std::vector<std::string> arguments = {"flow_table_bench", "--no-pci",         "--lcores", "0@(0)",
                                          "--no-telemetry",   "--log-level=error"};
    if (huge)
        arguments.emplace_back("--in-memory");
    else
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf", "-m", std::to_string(2 * pages)});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        std::fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
        std::exit(1);
    }
    return huge;
}

} // namespace

int main(int argc, char** argv) {
    Results results("flow_table", argc, argv);
    const std::string pages = start_eal() ? "2 MiB pages, " : "4 KiB pages, ";
    for (const auto& [count, keys] :
         {std::pair{10'000u, "10 k keys"}, {1'000'000u, "1 M keys"}, {10'000'000u, "10 M keys"}}) {
        measure<Ours>(results, std::string("ours, ") + keys, count);
        measure<Rte<true>>(results, "rte_hash, our hash, " + pages + keys, count);
        measure<Rte<false>>(results, "rte_hash, CRC, " + pages + keys, count);
    }
    rte_eal_cleanup();
}
