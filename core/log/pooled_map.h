// A hash table whose values lie in memory that is used again: for what comes and goes with the traffic.
//
// A look-up takes one cache line of the index and those of the value. The index says of each value 32 bits of its hash,
// so that it grows without looking at values, which stay where they are: pointers hold until erase(). Memory lies in
// chunks, each twice as large as the last one, and what was given back last is given out first. As much as was needed
// at a time is kept. The bound is the caller's, and so is a hash that strangers can't foresee. One thread.
#pragma once

#include "core/base/table_memory.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace ftpsensor {

template <class Key, class Value, class Hash>
class PooledMap {
public:
    explicit PooledMap(Hash hash = {}) : hash_(hash), index_(kIndexMin) {}
    ~PooledMap() {
        for (const Entry& entry : index_)
            if (entry.node != 0) node(entry.node)->~Node();
    }
    PooledMap(const PooledMap&) = delete;
    PooledMap& operator=(const PooledMap&) = delete;

    Value* find(const Key& key) {
        const std::uint32_t hash = hash_of(key);
        for (std::size_t at = hash & mask(); index_[at].node != 0; at = (at + 1) & mask())
            if (is(index_[at], hash, key)) return &node(index_[at].node)->value;
        return nullptr;
    }
    bool contains(const Key& key) { return find(key) != nullptr; }
    // The value of `key`, and whether it is a new one.
    std::pair<Value*, bool> emplace(const Key& key) {
        const std::uint32_t hash = hash_of(key);
        std::size_t at = hash & mask();
        for (; index_[at].node != 0; at = (at + 1) & mask())
            if (is(index_[at], hash, key)) return {&node(index_[at].node)->value, false};
        const std::uint32_t number = allocate();
        Node* const made = new (node(number)) Node{key, {}};
        index_[at] = {hash, number};
        if (++size_ * 2 > index_.size()) grow();
        return {&made->value, true};
    }
    bool erase(const Key& key) {
        const std::uint32_t hash = hash_of(key);
        for (std::size_t at = hash & mask(); index_[at].node != 0; at = (at + 1) & mask()) {
            if (!is(index_[at], hash, key)) continue;
            erase_at(at);
            return true;
        }
        return false;
    }
    // One or another.
    void erase_any() {
        if (size_ == 0) return;
        while (index_[any_ & mask()].node == 0) ++any_;
        erase_at(any_ & mask());
    }
    std::size_t size() const { return size_; }

private:
    struct Entry { // of the index
        std::uint32_t hash = 0;
        std::uint32_t node = 0; // 0: none
    };
    struct Node {
        Key key;
        Value value;
    };
    static constexpr std::size_t kIndexMin = 16;
    static constexpr std::uint32_t kChunkMin = 256; // nodes of the first chunk

    std::size_t mask() const { return index_.size() - 1; }
    std::uint32_t hash_of(const Key& key) const { return static_cast<std::uint32_t>(hash_(key)); }
    bool is(const Entry& entry, std::uint32_t hash, const Key& key) {
        return entry.hash == hash && node(entry.node)->key == key;
    }

    // Numbers begin at kChunkMin: chunk n has those of n bits more.
    Node* node(std::uint32_t number) {
        const auto chunk = static_cast<std::size_t>(std::bit_width(number) - std::bit_width(kChunkMin));
        const std::uint32_t first = kChunkMin << chunk;
        return reinterpret_cast<Node*>(chunks_[chunk]->data()) + (number - first);
    }
    std::uint32_t allocate() {
        if (!free_.empty()) {
            const std::uint32_t number = free_.back();
            free_.pop_back();
            return number;
        }
        if (std::has_single_bit(fresh_)) {
            chunks_.push_back(std::make_unique<TableMemory>(fresh_ * sizeof(Node)));
            free_.reserve(2 * std::size_t{fresh_});
        }
        return fresh_++;
    }

    void erase_at(std::size_t at) {
        const std::uint32_t number = index_[at].node;
        node(number)->~Node();
        free_.push_back(number);
        --size_;
        // Who stands behind it, and would have stood here, moves up.
        for (std::size_t next = (at + 1) & mask(); index_[next].node != 0; next = (next + 1) & mask()) {
            const std::size_t from_home = (next - index_[next].hash) & mask();
            if (from_home < ((next - at) & mask())) continue;
            index_[at] = index_[next];
            at = next;
        }
        index_[at] = {};
    }
    void grow() {
        std::vector<Entry> larger(index_.size() * 2);
        for (const Entry& entry : index_) {
            if (entry.node == 0) continue;
            std::size_t at = entry.hash & (larger.size() - 1);
            while (larger[at].node != 0) at = (at + 1) & (larger.size() - 1);
            larger[at] = entry;
        }
        index_ = std::move(larger);
    }

    Hash hash_;
    std::vector<Entry> index_;
    std::size_t size_ = 0;
    std::size_t any_ = 0;
    std::vector<std::unique_ptr<TableMemory>> chunks_;
    std::uint32_t fresh_ = kChunkMin; // nodes from here on were never used
    std::vector<std::uint32_t> free_;
};

} // namespace ftpsensor
