// The first bytes of a stream, put together from segments in any order.
//
// Takes bytes at their place as they come and tells how many are there without a hole. Up to kBytesMax, in a block that
// grows by doubling, out of a shared budget: most connections say little. Worker's thread only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ftpsensor {

struct HeadBudget {
    std::size_t limit = 0;
    std::size_t used = 0;
};

class HeadBuffer {
public:
    static constexpr std::uint32_t kBytesMax = 4096; // Zeek's default_file_bof_buffer_size

    // Bytes of the stream at `offset` (0 is its first). False: there was no room to keep them.
    bool put(std::uint64_t offset, std::span<const std::uint8_t> data, HeadBudget& budget) {
        if (offset >= kBytesMax || closed_) return true;
        const auto begin = static_cast<std::uint32_t>(offset);
        const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(offset + data.size(), kBytesMax));
        if (end > capacity_ && !grow(end, budget)) return false;
        copy_new(begin, end, data.data());
        note(begin, end);
        return true;
    }
    // Nothing beyond what is there without a hole will be taken.
    void close() { closed_ = true; }
    bool closed() const { return closed_; }
    std::uint32_t size() const { return size_; }
    bool full() const { return size_ == kBytesMax; }
    bool holds_bytes() const { return capacity_ != 0; }
    std::string_view view(std::uint32_t size) const { return {reinterpret_cast<const char*>(bytes_.get()), size}; }
    // Its bytes have been told: they are not needed any longer, and no others are taken.
    void drop(HeadBudget& budget) {
        release(budget);
        closed_ = true;
    }
    void release(HeadBudget& budget) {
        budget.used -= capacity_;
        bytes_.reset();
        capacity_ = 0;
        size_ = 0;
        later_count_ = 0;
        closed_ = false;
    }

private:
    struct Range {
        std::uint16_t begin, end;
    };
    static_assert(kBytesMax <= UINT16_MAX);
    bool grow(std::uint32_t end, HeadBudget& budget) {
        const std::uint32_t capacity = std::max(kBytesMin, std::bit_ceil(end));
        if (budget.used + (capacity - capacity_) > budget.limit) return false;
        budget.used += capacity - capacity_;
        auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
        if (capacity_ != 0) std::memcpy(bytes.get(), bytes_.get(), capacity_);
        bytes_ = std::move(bytes);
        capacity_ = static_cast<std::uint16_t>(capacity);
        return true;
    }
    // What is there stays: of bytes that came twice, the first count.
    void copy_new(std::uint32_t begin, std::uint32_t end, const std::uint8_t* data) {
        for (std::uint32_t at = std::max<std::uint32_t>(begin, size_); at < end;) {
            std::uint32_t stop = end;
            bool there = false;
            for (std::size_t i = 0; i < later_count_ && !there; ++i) {
                there = later_[i].begin <= at && at < later_[i].end;
                if (there)
                    stop = std::min<std::uint32_t>(end, later_[i].end);
                else if (later_[i].begin > at)
                    stop = std::min<std::uint32_t>(stop, later_[i].begin);
            }
            if (!there) std::memcpy(bytes_.get() + at, data + (at - begin), stop - at);
            at = stop;
        }
    }
    void note(std::uint32_t begin, std::uint32_t end) {
        if (begin > size_) {
            if (later_count_ < later_.size())
                later_[later_count_++] = {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end)};
            return;
        }
        size_ = static_cast<std::uint16_t>(std::max<std::uint32_t>(size_, end));
        for (std::size_t i = 0; i < later_count_;) { // ranges that the new bytes reach
            if (later_[i].begin > size_) {
                ++i;
                continue;
            }
            size_ = std::max(size_, later_[i].end);
            later_[i] = later_[--later_count_];
            i = 0;
        }
    }

    static constexpr std::uint32_t kBytesMin = 256;

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::uint16_t capacity_ = 0;
    std::uint16_t size_ = 0;
    std::uint8_t later_count_ = 0;
    bool closed_ = false;
    std::array<Range, 8> later_; // the first later_count_
};

} // namespace ftpsensor
