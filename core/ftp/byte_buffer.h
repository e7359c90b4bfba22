// A byte string with a bound on its memory.
//
// std::string doubles past any limit one has in mind; this one grows by doubling too, but never beyond `bytes_max`, so
// that the memory of a session can be added up beforehand. What does not fit is refused, and the caller counts it.
// Owns its bytes; a part of one session, so one worker's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace ftpsensor {

class ByteBuffer {
public:
    explicit ByteBuffer(std::size_t bytes_max) : max_(bytes_max) {}

    // Appends the beginning of `bytes` that still fits; returns how many bytes that is.
    std::size_t append(std::string_view bytes) {
        const std::size_t fits = std::min(bytes.size(), max_ - size_);
        if (size_ + fits > capacity_) grow(size_ + fits);
        if (fits > 0) std::memcpy(data_.get() + size_, bytes.data(), fits);
        size_ += fits;
        return fits;
    }
    // The same from nothing. `bytes` may not lie in this buffer.
    std::size_t assign(std::string_view bytes) {
        size_ = 0;
        return append(bytes);
    }
    // Takes `count` bytes out at `offset`; both lie within.
    void erase(std::size_t offset, std::size_t count) {
        if (offset + count < size_)
            std::memmove(data_.get() + offset, data_.get() + offset + count, size_ - offset - count);
        size_ -= count;
    }
    void pop_back() { --size_; }
    void clear() { size_ = 0; }
    // Empties, and gives memory back where there is more of it than `bytes_kept`.
    void release(std::size_t bytes_kept) {
        size_ = 0;
        if (capacity_ <= bytes_kept) return;
        data_.reset();
        capacity_ = 0;
    }

    std::string_view view() const { return {data_.get(), size_}; }
    std::string_view view(std::size_t offset, std::size_t count) const { return {data_.get() + offset, count}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    std::size_t room() const { return max_ - size_; }
    std::size_t capacity() const { return capacity_; }

private:
    void grow(std::size_t needed) {
        constexpr std::size_t kFirstBytes = 64;
        const std::size_t capacity = std::min(max_, std::max({needed, capacity_ * 2, kFirstBytes}));
        auto data = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
        data_ = std::move(data);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::size_t max_;
};

} // namespace ftpsensor
