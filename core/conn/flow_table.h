// The connections of one worker, found by their key.
//
// Buckets of one cache line hold eight 16-bit signatures and eight indices; connections lie in slabs of their own
// (connection.h), never moved. A full bucket spills into a chain of more buckets. The hash is keyed, so that nobody on
// the wire can aim at one bucket. Memory is reserved at the start and touched when used. Bounded by the number of
// connections. Worker's thread only.
#pragma once

#include "core/base/ids.h"
#include "core/base/mix.h"
#include "core/base/table_memory.h"
#include "core/conn/connection.h"

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ftpsensor {

// A key as the numbers that it is hashed from: its addresses, and its last six bytes in the low ones of `rest`.
struct ConnKeyWords {
    std::uint64_t address[2][2];
    std::uint64_t rest;
};

inline ConnKeyWords words_of(const ConnKey& key) {
    ConnKeyWords words;
    std::memcpy(words.address, key.address, sizeof words.address);
    std::memcpy(&words.rest, reinterpret_cast<const char*>(&key) + sizeof(ConnKey) - 8, 8);
    words.rest >>= 16;
    return words;
}

// Multiplications of 64 to 128 bits with the secret in every factor (the construction of wyhash).
inline std::uint64_t hash_words(const ConnKeyWords& k, std::uint64_t secret) {
    const std::uint64_t s1 = secret ^ 0xa0761d6478bd642f, s2 = std::rotl(secret, 23) ^ 0xe7037ed1a0b428db;
    const std::uint64_t a = mix(k.address[0][0] ^ s1, k.address[0][1] ^ s2);
    const std::uint64_t b = mix(k.address[1][0] ^ s2, k.address[1][1] ^ s1);
    return mix(a ^ k.rest ^ s1, std::rotl(b, 17) ^ secret ^ 0x8ebc6af09c88c6e3);
}

inline std::uint64_t hash_key(const ConnKey& key, std::uint64_t secret) { return hash_words(words_of(key), secret); }

class FlowTable {
public:
    static constexpr std::uint32_t kNone = Connection::kNone;

    FlowTable(std::uint32_t connections_max, std::uint64_t secret);

    std::uint64_t hash(const ConnKey& key) const { return hash_key(key, secret_); }
    std::uint64_t hash(const ConnKeyWords& words) const { return hash_words(words, secret_); }
    [[gnu::always_inline]] void prefetch_bucket(std::uint64_t hash) const { __builtin_prefetch(bucket_of(hash)); }
    // Prefetches the connections whose signatures fit, of which the last is returned (kNone: none); the bucket should
    // be in cache by now. `cold`: their cold parts as well, which a packet that begins or ends something needs. Always
    // inline: g++ takes a function that only prefetches for one without effect, and leaves out its calls.
    [[gnu::always_inline]] std::uint32_t prefetch_connection(std::uint64_t hash, bool cold) const {
        const Bucket& bucket = *bucket_of(hash);
        std::uint32_t index = kNone;
        for (unsigned fits = bucket.matches(signature_of(hash)); fits != 0; fits &= fits - 1) {
            index = bucket.index[std::countr_zero(fits)];
            prefetch(index);
            if (cold) __builtin_prefetch(&(*this)[index].cold(), 1);
        }
        return index;
    }
    [[gnu::always_inline]] void prefetch(std::uint32_t index) const { // not its cold part
        const auto* line = reinterpret_cast<const char*>(&(*this)[index]);
        for (std::size_t offset = 0; offset < sizeof(Connection); offset += 64) __builtin_prefetch(line + offset, 1);
    }

    // Whether `index`, which may be kNone or of a connection that is gone, is the one with this key.
    bool is(std::uint32_t index, const ConnKey& key) const {
        return index != kNone && (*this)[index].in_use && (*this)[index].key == key;
    }
    // kNone: not there.
    std::uint32_t find(const ConnKey& key, std::uint64_t hash) const {
        const Bucket* bucket = bucket_of(hash);
        const std::uint16_t signature = signature_of(hash);
        for (;;) {
            for (unsigned fits = bucket->matches(signature); fits != 0; fits &= fits - 1) {
                const std::uint32_t index = bucket->index[std::countr_zero(fits)];
                if ((*this)[index].key == key) [[likely]]
                    return index;
            }
            if (bucket->more == 0) [[likely]]
                return kNone;
            bucket = &overflow_[bucket->more - 1];
        }
    }
    std::uint32_t insert(const ConnKey& key, std::uint64_t hash); // kNone: full. The connection is fresh.
    void erase(std::uint32_t index);

    Connection& operator[](std::uint32_t index) { return slab_of(index).hot[slot_of(index)]; }
    const Connection& operator[](std::uint32_t index) const { return slab_of(index).hot[slot_of(index)]; }
    ConnCold& cold(std::uint32_t index) { return slab_of(index).cold[slot_of(index)]; }
    std::uint32_t size() const { return size_; }
    std::uint32_t capacity() const { return capacity_; }
    // The index of a place below capacity(), whether it is in use or not.
    static std::uint32_t index_of(std::uint32_t place) {
        return place / ConnSlab::kConnections << ConnSlab::kSlotBits | place % ConnSlab::kConnections;
    }
    // One past the highest index that there can be; indices have gaps.
    std::uint32_t index_end() const { return index_end(capacity_); }
    static std::uint32_t index_end(std::uint32_t capacity) { return capacity == 0 ? 0 : index_of(capacity - 1) + 1; }
    // Hands the index of each connection to `f`, which may erase that one.
    template <class F>
    void for_each(F&& f) {
        for (std::uint32_t place = 0; place < fresh_; ++place)
            if (const std::uint32_t index = index_of(place); (*this)[index].in_use) f(index);
    }
    // The same for the next `count` places from `place` on, whether they are in use or not. False: there are no more.
    template <class F>
    bool for_some(std::uint32_t& place, std::uint32_t count, F&& f) {
        for (; place < fresh_ && count != 0; ++place, --count)
            if (const std::uint32_t index = index_of(place); (*this)[index].in_use) f(index);
        return place < fresh_;
    }

private:
    struct alignas(64) Bucket { // all zero: empty
        static constexpr unsigned kSlots = 8;
        std::uint16_t signature[kSlots]; // 0: free
        std::uint32_t index[kSlots];
        std::uint32_t more; // next bucket of the chain, in overflow_, plus 1; 0: none
        std::uint32_t unused[3];

        // A bit for each slot with that signature.
        unsigned matches(std::uint16_t wanted) const {
#if defined(__SSE2__)
            const __m128i all = _mm_load_si128(reinterpret_cast<const __m128i*>(signature));
            const __m128i equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(wanted)));
            return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
            unsigned fits = 0;
            for (unsigned i = 0; i < kSlots; ++i) fits |= (signature[i] == wanted ? 1u : 0u) << i;
            return fits;
#endif
        }
    };
    static_assert(sizeof(Bucket) == 64);
    static constexpr std::uint32_t kConnectionsPerBucket = 4; // half full when the table is full

    static std::uint16_t signature_of(std::uint64_t hash) {
        const auto high = static_cast<std::uint16_t>(hash >> 48);
        return high != 0 ? high : std::uint16_t{1};
    }
    // By the low half of the hash, of which the signature has nothing.
    Bucket* bucket_of(std::uint64_t hash) const {
        return buckets_ + (static_cast<std::uint64_t>(static_cast<std::uint32_t>(hash)) * bucket_count_ >> 32);
    }
    static std::uint32_t slot_of(std::uint32_t index) { return index & ((1u << ConnSlab::kSlotBits) - 1); }
    ConnSlab& slab_of(std::uint32_t index) const {
        return *reinterpret_cast<ConnSlab*>(slabs_.data() +
                                            std::size_t{index >> ConnSlab::kSlotBits} * ConnSlab::kBytes);
    }
    Bucket& bucket_with_room(std::uint64_t hash);

    std::uint64_t secret_;
    std::uint64_t bucket_count_;
    std::uint32_t capacity_;
    std::uint32_t size_ = 0;
    std::uint32_t fresh_ = 0;    // connections at and above this place were never used
    std::uint32_t free_ = kNone; // first of those that were given back, linked by wheel_next
    TableMemory bucket_memory_;
    Bucket* buckets_;
    std::vector<Bucket> overflow_; // a chain stays with its bucket, so there are never many
    TableMemory slabs_;
};

} // namespace ftpsensor
