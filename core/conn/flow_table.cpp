#include "core/conn/flow_table.h"

#include <algorithm>

namespace ftpsensor {

namespace {

std::size_t slab_bytes(std::uint32_t connections) {
    return (std::size_t{connections} + ConnSlab::kConnections - 1) / ConnSlab::kConnections * ConnSlab::kBytes;
}

} // namespace

FlowTable::FlowTable(std::uint32_t connections_max, std::uint64_t secret)
    : secret_(secret), bucket_count_(std::max(connections_max / kConnectionsPerBucket, 16u)),
      capacity_(connections_max), bucket_memory_(bucket_count_ * sizeof(Bucket)),
      buckets_(reinterpret_cast<Bucket*>(bucket_memory_.data())), slabs_(slab_bytes(connections_max)) {}

FlowTable::Bucket& FlowTable::bucket_with_room(std::uint64_t hash) {
    Bucket* bucket = bucket_of(hash);
    while (bucket->matches(0) == 0) {
        if (bucket->more == 0) {
            const auto number = static_cast<std::uint32_t>(overflow_.size() + 1);
            bucket->more = number; // before what may move overflow_, and with it the bucket
            return overflow_.emplace_back();
        }
        bucket = &overflow_[bucket->more - 1];
    }
    return *bucket;
}

std::uint32_t FlowTable::insert(const ConnKey& key, std::uint64_t hash) {
    std::uint32_t index = free_;
    if (index != kNone)
        free_ = cold(index).wheel_next;
    else if (fresh_ < capacity_)
        index = index_of(fresh_++);
    else
        return kNone;
    auto* c = new (&slab_of(index).hot[slot_of(index)]) Connection{};
    new (&slab_of(index).cold[slot_of(index)]) ConnCold{};
    c->key = key;
    c->in_use = true;
    Bucket& bucket = bucket_with_room(hash);
    const auto slot = static_cast<unsigned>(std::countr_zero(bucket.matches(0)));
    bucket.index[slot] = index;
    bucket.signature[slot] = signature_of(hash);
    ++size_;
    return index;
}

void FlowTable::erase(std::uint32_t index) {
    Connection& c = (*this)[index];
    const std::uint64_t h = hash(c.key);
    Bucket* bucket = bucket_of(h);
    for (;;) {
        for (unsigned fits = bucket->matches(signature_of(h)); fits != 0; fits &= fits - 1) {
            const auto slot = static_cast<unsigned>(std::countr_zero(fits));
            if (bucket->index[slot] != index) continue;
            bucket->signature[slot] = 0;
            c.in_use = c.calm = false;
            cold(index).wheel_next = free_;
            free_ = index;
            --size_;
            return;
        }
        if (bucket->more == 0) return; // not there: nothing to erase
        bucket = &overflow_[bucket->more - 1];
    }
}

} // namespace ftpsensor
