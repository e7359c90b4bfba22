// Memory for what is held for a while and given back in about the order in which it came.
//
// Pieces lie one after the other in chunks; a chunk is used again when all of its pieces have been given back, the one
// that became free last first, and the one in use starts over as soon as it holds nothing. So what is held for a
// millisecond stays in the cache, and what was held once is not asked of the kernel again. As many chunks as were
// needed at a time are kept. One thread.
#pragma once

#include "core/base/table_memory.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace ftpsensor {

class HeldMemory {
public:
    static constexpr std::size_t kChunkBytes = TableMemory::kAlignment;
    static constexpr std::size_t kBytesMax = kChunkBytes - 64; // of a piece

    // Aligned to eight bytes.
    void* allocate(std::size_t bytes) {
        assert(bytes <= kBytesMax);
        const std::size_t size = (bytes + 7) & ~std::size_t{7};
        if (current_ == nullptr || current_->used + size > kChunkBytes) current_ = next_chunk();
        std::byte* const piece = reinterpret_cast<std::byte*>(current_) + current_->used;
        current_->used += size;
        ++current_->pieces;
        return piece;
    }
    void release(void* piece) {
        // Chunks are aligned to their size.
        auto* const chunk = reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(piece) & ~(kChunkBytes - 1));
        if (--chunk->pieces != 0) return;
        chunk->used = sizeof(Chunk);
        if (chunk != current_) free_.push_back(chunk);
    }
    std::size_t chunks() const { return memory_.size(); }

private:
    struct Chunk { // its beginning
        std::size_t used = sizeof(Chunk);
        std::size_t pieces = 0;
    };
    Chunk* next_chunk() {
        if (free_.empty()) {
            memory_.push_back(std::make_unique<TableMemory>(kChunkBytes));
            free_.reserve(memory_.size());
            return new (memory_.back()->data()) Chunk;
        }
        Chunk* const chunk = free_.back();
        free_.pop_back();
        return chunk;
    }

    std::vector<std::unique_ptr<TableMemory>> memory_;
    std::vector<Chunk*> free_;
    Chunk* current_ = nullptr;
};

} // namespace ftpsensor
