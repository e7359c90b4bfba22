// Memory for large tables: reserved at once, zero, on huge pages where the machine gives them, touched when used.
//
// A page belongs to the NUMA node that the thread that makes the table prefers (memory_node.h), else to that of the
// thread that touches it first: who makes a table need not be who uses it. Throws std::bad_alloc where the address
// space is not there. One owner. Under the address sanitizer, which does not know of mappings, a page's worth before
// and behind the table is forbidden ground.
#pragma once

#include "core/base/memory_node.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FTPSENSOR_ADDRESS_SANITIZER
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FTPSENSOR_ADDRESS_SANITIZER
#endif
#ifdef FTPSENSOR_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace ftpsensor {

class TableMemory {
public:
    static constexpr std::size_t kAlignment = 2u << 20; // a huge page

    explicit TableMemory(std::size_t bytes) : bytes_(bytes) {
        mapped_ =
            ::mmap(nullptr, mapped_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (mapped_ == MAP_FAILED) throw std::bad_alloc();
        const auto start = reinterpret_cast<std::uintptr_t>(mapped_);
        data_ = reinterpret_cast<std::byte*>((start + kEdge + kAlignment - 1) / kAlignment * kAlignment);
        forbid_edges();
        keep_on_this_threads_node(data_, bytes);
        if (bytes >= kAlignment) ::madvise(data_, bytes, MADV_HUGEPAGE); // advice: without it, it is slower
    }
    ~TableMemory() {
        allow_edges();
        ::munmap(mapped_, mapped_bytes());
    }
    TableMemory(const TableMemory&) = delete;
    TableMemory& operator=(const TableMemory&) = delete;

    std::byte* data() const { return data_; }

private:
#ifdef FTPSENSOR_ADDRESS_SANITIZER
    static constexpr std::size_t kEdge = 4096;
    void forbid_edges() {
        ASAN_POISON_MEMORY_REGION(data_ - kEdge, kEdge);
        ASAN_POISON_MEMORY_REGION(data_ + bytes_, kEdge);
    }
    void allow_edges() {
        ASAN_UNPOISON_MEMORY_REGION(data_ - kEdge, kEdge);
        ASAN_UNPOISON_MEMORY_REGION(data_ + bytes_, kEdge);
    }
#else
    static constexpr std::size_t kEdge = 0;
    void forbid_edges() {}
    void allow_edges() {}
#endif
    std::size_t mapped_bytes() const { return bytes_ + kAlignment + 2 * kEdge; }

    void* mapped_;
    std::size_t bytes_;
    std::byte* data_;
};

// So many T, all bits zero: that is a T as good as new, or its owner writes it before it reads it. A page of them is
// there once it is touched.
template <class T>
class ZeroedArray {
public:
    static_assert(std::is_trivially_destructible_v<T>);

    explicit ZeroedArray(std::size_t size) : size_(size), memory_(size * sizeof(T)) {}

    T& operator[](std::size_t at) { return *std::launder(reinterpret_cast<T*>(memory_.data()) + at); }
    const T& operator[](std::size_t at) const { return *std::launder(reinterpret_cast<const T*>(memory_.data()) + at); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    std::size_t size_;
    TableMemory memory_;
};

// Objects of one kind by index, at most `limit`, which stay where they are: made when they are first asked for, and
// gone with the store. Which of them are in use is the owner's to know. One thread.
template <class T>
class ObjectStore {
public:
    explicit ObjectStore(std::uint32_t limit) : limit_(limit), memory_(std::size_t{limit} * sizeof(T)) {}
    ~ObjectStore() {
        for (std::uint32_t i = 0; i < size_; ++i) std::destroy_at(&(*this)[i]);
    }
    ObjectStore(const ObjectStore&) = delete;
    ObjectStore& operator=(const ObjectStore&) = delete;

    bool full() const { return size_ == limit_; }
    std::uint32_t add() { // the index of one more; not when full()
        new (memory_.data() + std::size_t{size_} * sizeof(T)) T;
        return size_++;
    }
    T& operator[](std::uint32_t index) { return *std::launder(reinterpret_cast<T*>(memory_.data()) + index); }
    const T& operator[](std::uint32_t index) const {
        return *std::launder(reinterpret_cast<const T*>(memory_.data()) + index);
    }
    std::uint32_t size() const { return size_; }

private:
    std::uint32_t limit_;
    std::uint32_t size_ = 0;
    TableMemory memory_;
};

// Blocks of one kind by index, at most `limit`; the one that was given back last is given out first. One thread.
template <class T>
class BlockPool {
public:
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t));
    static constexpr std::uint32_t kNone = 0xffffffff;

    explicit BlockPool(std::uint32_t limit) : limit_(limit), memory_(std::size_t{limit} * sizeof(T)) {}

    std::uint32_t allocate() { // a fresh T, default-initialized; kNone: the bound is reached
        std::uint32_t index = free_;
        if (index != kNone)
            std::memcpy(&free_, place(index), sizeof free_);
        else if (fresh_ < limit_)
            index = fresh_++;
        else
            return kNone;
        new (place(index)) T;
        ++used_;
        return index;
    }
    void release(std::uint32_t index) {
        std::memcpy(place(index), &free_, sizeof free_); // the list of free ones runs through themselves
        free_ = index;
        --used_;
    }
    T& operator[](std::uint32_t index) { return *std::launder(reinterpret_cast<T*>(place(index))); }
    const T& operator[](std::uint32_t index) const { return *std::launder(reinterpret_cast<const T*>(place(index))); }
    std::uint32_t used() const { return used_; }
    std::uint32_t limit() const { return limit_; }
    std::uint32_t fresh() const { return fresh_; } // one past the highest index that was ever given out

private:
    std::byte* place(std::uint32_t index) const { return memory_.data() + std::size_t{index} * sizeof(T); }

    std::uint32_t limit_;
    std::uint32_t fresh_ = 0; // blocks at and above were never used
    std::uint32_t free_ = kNone;
    std::uint32_t used_ = 0;
    TableMemory memory_;
};

} // namespace ftpsensor
