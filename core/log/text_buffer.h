// A growing buffer of text that is written through a plain pointer.
//
// The formatter reserves the most that an entry can take once, writes its pieces without any check between them, and
// commits the end. clear() keeps the memory, so that a buffer in use allocates only while it grows. One thread.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace ftpsensor {

class TextBuffer {
public:
    // Room for `bytes` behind the text. The pointer is valid until the next reserve().
    char* reserve(std::size_t bytes) {
        if (capacity_ - size_ < bytes) grow(bytes);
        return data_.get() + size_;
    }
    // `end`: one past the last byte written since reserve().
    void commit(const char* end) {
        const auto size = static_cast<std::size_t>(end - data_.get());
        assert(size >= size_ && size <= capacity_);
        size_ = size;
    }
    void append(std::string_view text) {
        char* out = reserve(text.size());
        if (!text.empty()) std::memcpy(out, text.data(), text.size());
        commit(out + text.size());
    }

    std::string_view text() const { return {data_.get(), size_}; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void clear() { size_ = 0; }

private:
    void grow(std::size_t bytes) {
        const std::size_t capacity = std::max(size_ + bytes, capacity_ * 2);
        auto data = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
        data_ = std::move(data);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace ftpsensor
