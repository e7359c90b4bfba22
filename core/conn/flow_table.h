// The connections of one worker, found by their key.
//
// Buckets of one cache line hold eight 16-bit signatures and eight indices; connections lie in an array of their own,
// allocated at the start and never moved. A full bucket spills into a chain of more buckets. The hash is keyed, so that
// nobody on the wire can aim at one bucket. Bounded by the number of connections. Worker's thread only.
#pragma once

#include "core/base/ids.h"
#include "core/conn/connection.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace ftpsensor {

std::uint64_t hash_key(const ConnKey& key, std::uint64_t secret);

class FlowTable {
public:
    static constexpr std::uint32_t kNone = Connection::kNone;

    FlowTable(std::uint32_t connections_max, std::uint64_t secret);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;

    std::uint64_t hash(const ConnKey& key) const { return hash_key(key, secret_); }
    void prefetch_bucket(std::uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }
    // Prefetches the connections whose signatures fit; the bucket should be in cache by now.
    void prefetch_connection(std::uint64_t hash) const;

    std::uint32_t find(const ConnKey& key, std::uint64_t hash) const; // kNone: not there
    std::uint32_t insert(const ConnKey& key, std::uint64_t hash);     // kNone: full. The connection is fresh.
    void erase(std::uint32_t index);

    Connection& operator[](std::uint32_t index) { return connections_[index]; }
    const Connection& operator[](std::uint32_t index) const { return connections_[index]; }
    Connection* data() { return connections_; }
    std::uint32_t size() const { return size_; }
    std::uint32_t capacity() const { return capacity_; }
    // One past the highest index that was ever used.
    std::uint32_t used_end() const { return fresh_; }
    bool in_use(std::uint32_t index) const { return connections_[index].in_use; }

private:
    struct alignas(64) Bucket {
        static constexpr unsigned kSlots = 8;
        std::uint16_t signature[kSlots];
        std::uint32_t index[kSlots]; // kNone: free
        std::uint32_t more;          // next bucket of the chain, in overflow_; kNone: none
        std::uint32_t unused[3];
    };
    static_assert(sizeof(Bucket) == 64);
    static std::uint16_t signature_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash >> 48); }
    Bucket& bucket_with_room(std::uint64_t hash);
    std::uint32_t new_overflow();

    std::uint64_t secret_;
    std::uint64_t mask_;
    std::uint32_t capacity_;
    std::uint32_t size_ = 0;
    std::uint32_t fresh_ = 0; // connections at and above were never used
    std::vector<std::uint32_t> free_;
    Bucket* buckets_ = nullptr;
    std::size_t bucket_count_;
    std::vector<Bucket> overflow_; // a chain stays with its bucket, so there are never many
    Connection* connections_ = nullptr;
    std::size_t connection_bytes_;
};

} // namespace ftpsensor
