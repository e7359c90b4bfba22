#include "core/conn/flow_table.h"

#include "core/base/mix.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace ftpsensor {

namespace {

// Large and touched at random: huge pages spare most of the TLB misses. Zero pages until first touched.
void* map_table(std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    ::madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

std::uint64_t load64(const std::uint8_t* bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    return word;
}

} // namespace

// Multiplications of 64 to 128 bits with the secret in every factor (the construction of wyhash).
std::uint64_t hash_key(const ConnKey& key, std::uint64_t secret) {
    const std::uint64_t s1 = secret ^ 0xa0761d6478bd642f, s2 = std::rotl(secret, 23) ^ 0xe7037ed1a0b428db;
    const std::uint64_t ports = static_cast<std::uint64_t>(key.port[0]) << 32 |
                                static_cast<std::uint64_t>(key.port[1]) << 16 |
                                static_cast<std::uint64_t>(key.ip_proto) << 8 | key.one_way;
    const std::uint64_t a = mix(load64(key.address[0].bytes.data()) ^ s1, load64(key.address[0].bytes.data() + 8) ^ s2);
    const std::uint64_t b = mix(load64(key.address[1].bytes.data()) ^ s2, load64(key.address[1].bytes.data() + 8) ^ s1);
    return mix(a ^ ports ^ s1, std::rotl(b, 17) ^ secret ^ 0x8ebc6af09c88c6e3);
}

FlowTable::FlowTable(std::uint32_t connections_max, std::uint64_t secret)
    : secret_(secret), capacity_(connections_max),
      bucket_count_(std::bit_ceil(std::max<std::size_t>(connections_max / 4, 16))),
      connection_bytes_(static_cast<std::size_t>(connections_max) * sizeof(Connection)) {
    mask_ = bucket_count_ - 1;
    free_.reserve(connections_max);
    buckets_ = static_cast<Bucket*>(map_table(bucket_count_ * sizeof(Bucket)));
    std::memset(buckets_, 0xff, bucket_count_ * sizeof(Bucket));
    connections_ = static_cast<Connection*>(map_table(connection_bytes_));
}

FlowTable::~FlowTable() {
    ::munmap(buckets_, bucket_count_ * sizeof(Bucket));
    ::munmap(connections_, connection_bytes_);
}

void FlowTable::prefetch_connection(std::uint64_t hash) const {
    const Bucket& bucket = buckets_[hash & mask_];
    const std::uint16_t signature = signature_of(hash);
    for (unsigned i = 0; i < Bucket::kSlots; ++i) {
        if (bucket.signature[i] != signature || bucket.index[i] == kNone) continue;
        const auto* line = reinterpret_cast<const char*>(&connections_[bucket.index[i]]);
        for (std::size_t offset = 0; offset < sizeof(Connection); offset += 64) __builtin_prefetch(line + offset, 1);
    }
}

std::uint32_t FlowTable::find(const ConnKey& key, std::uint64_t hash) const {
    const std::uint16_t signature = signature_of(hash);
    const Bucket* bucket = &buckets_[hash & mask_];
    for (;;) {
        for (unsigned i = 0; i < Bucket::kSlots; ++i) {
            if (bucket->signature[i] == signature && bucket->index[i] != kNone &&
                connections_[bucket->index[i]].key == key)
                return bucket->index[i];
        }
        if (bucket->more == kNone) [[likely]]
            return kNone;
        bucket = &overflow_[bucket->more];
    }
}

std::uint32_t FlowTable::new_overflow() {
    overflow_.emplace_back();
    std::memset(&overflow_.back(), 0xff, sizeof(Bucket));
    return static_cast<std::uint32_t>(overflow_.size() - 1);
}

FlowTable::Bucket& FlowTable::bucket_with_room(std::uint64_t hash) {
    std::uint32_t at = kNone; // in overflow_; kNone: the main bucket
    for (;;) {
        Bucket& bucket = at == kNone ? buckets_[hash & mask_] : overflow_[at];
        for (unsigned i = 0; i < Bucket::kSlots; ++i)
            if (bucket.index[i] == kNone) return bucket;
        std::uint32_t next = bucket.more;
        if (next == kNone) {
            next = new_overflow(); // may move overflow_: name the bucket anew
            (at == kNone ? buckets_[hash & mask_] : overflow_[at]).more = next;
        }
        at = next;
    }
}

std::uint32_t FlowTable::insert(const ConnKey& key, std::uint64_t hash) {
    std::uint32_t index;
    if (!free_.empty()) {
        index = free_.back();
        free_.pop_back();
    } else if (fresh_ < capacity_)
        index = fresh_++;
    else
        return kNone;
    Connection* c = new (&connections_[index]) Connection{};
    c->key = key;
    c->in_use = true;
    Bucket& bucket = bucket_with_room(hash);
    for (unsigned i = 0; i < Bucket::kSlots; ++i) {
        if (bucket.index[i] != kNone) continue;
        bucket.index[i] = index;
        bucket.signature[i] = signature_of(hash);
        break;
    }
    ++size_;
    return index;
}

void FlowTable::erase(std::uint32_t index) {
    const std::uint64_t h = hash(connections_[index].key);
    Bucket* bucket = &buckets_[h & mask_];
    for (;;) {
        for (unsigned i = 0; i < Bucket::kSlots; ++i) {
            if (bucket->index[i] != index) continue;
            bucket->index[i] = kNone;
            connections_[index].in_use = false;
            free_.push_back(index);
            --size_;
            return;
        }
        if (bucket->more == kNone) return; // not there: nothing to erase
        bucket = &overflow_[bucket->more];
    }
}

} // namespace ftpsensor
