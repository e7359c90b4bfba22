// The way from a worker to the logger: a bounded queue of records of one kind, each with text of any size beside it.
//
// The queue is moodycamel's ConcurrentQueue, one of the packages that this project is built on by its charter (with
// DPDK, spdlog, yaml-cpp and Catch2): it is not to be replaced by our own. Preallocated, and used with a token by its
// one producer, it takes the block that became empty first, so that it touches as much as waits in it at most, not all
// that may. The text lies in a ring of bytes, which starts over once all of it has been read, for the same reason.
//
// Both are bounded: push() refuses what does not fit. Nothing is allocated after construction.
// Producer side (push): one worker. Consumer side (drain, take): the logger thread.
#pragma once

#include "core/base/table_memory.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>

#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#elif __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

namespace ftpsensor {

// Bytes in order from one producer to one consumer. Each piece is contiguous: where it does not fit before the end of
// the buffer, it starts over at the beginning and the rest of the buffer is left out. Positions only grow.
class TextRing {
public:
    explicit TextRing(std::size_t capacity) : capacity_(capacity), memory_(capacity) {}

    // The place of `text`, now copied, or false where there is no room. Producer.
    bool write(std::string_view text, std::uint64_t& position) {
        if (text.empty()) {
            position = head_;
            return true;
        }
        const std::uint64_t tail = tail_.load(std::memory_order_acquire);
        if (tail == head_ && head_ != begin_) head_ = begin_ = head_ + to_end(); // all has been read
        const std::uint64_t start = to_end() < text.size() ? head_ + to_end() : head_;
        if (start + text.size() - std::max(tail, begin_) > capacity_) return false;
        std::memcpy(bytes() + start % capacity_, text.data(), text.size());
        position = start;
        head_ = start + text.size();
        return true;
    }
    // The piece that was written last is not needed after all. Producer.
    void take_back(std::uint64_t position, std::size_t size) {
        if (size != 0) head_ = position;
    }
    std::string_view at(std::uint64_t position, std::size_t size) const { // consumer
        return {bytes() + position % capacity_, size};
    }
    // Everything before `position` may be overwritten. Consumer.
    void release_through(std::uint64_t position) { tail_.store(position, std::memory_order_release); }

private:
    std::size_t to_end() const { return capacity_ - static_cast<std::size_t>(head_ % capacity_); }
    char* bytes() const { return reinterpret_cast<char*>(memory_.data()); }

    std::size_t capacity_;
    TableMemory memory_;
    std::uint64_t head_ = 0;  // producer's own
    std::uint64_t begin_ = 0; // the same: all that lies before it has been read
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

template <class Record>
class RecordChannel {
public:
    // `records`: most that may wait; `text_bytes`: most text that may wait with them.
    RecordChannel(std::size_t records, std::size_t text_bytes)
        : limit_(records), queue_(records + kBlock), token_(queue_), text_(text_bytes) {}

    // False where it does not fit (nothing is kept then). `share` is the part of the limit that this record may fill.
    bool push(const Record& record, std::string_view text = {}, double share = 1.0) {
        const auto waiting = pushed_ - drained_.load(std::memory_order_acquire);
        if (static_cast<double>(waiting) >= share * static_cast<double>(limit_)) return false;
        Item item{record, 0, static_cast<std::uint32_t>(text.size())};
        if (!text_.write(text, item.position)) return false;
        if (!queue_.try_enqueue(token_, item)) {
            text_.take_back(item.position, text.size());
            return false;
        }
        ++pushed_;
        return true;
    }

    // Hands the records that wait (as many as fit into the channel, at most) to `f(const Record&, std::string_view
    // text)`, in order; both are gone after. Returns how many.
    template <class F>
    std::size_t drain(F&& f) {
        std::size_t total = 0;
        while (total < limit_) { // a producer that keeps pace must not keep the consumer from everything else
            const std::size_t n = take_some(kBlock, f);
            if (n == 0) break;
            total += n;
        }
        return total;
    }

    // One record, without its text; false: none waits.
    bool take(Record& record) {
        return take_some(1, [&](const Record& r, std::string_view) { record = r; }) != 0;
    }

private:
    struct Item {
        Record record;
        std::uint64_t position;
        std::uint32_t size;
    };
    static_assert(std::is_trivially_copyable_v<Item>);
    struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
        static constexpr std::size_t BLOCK_SIZE = 256; // each has a head of its own, which is touched when it is made
    };
    static constexpr std::size_t kBlock = Traits::BLOCK_SIZE;

    // What the queue writes its items to: they are looked at where they lie.
    template <class F>
    class Reader {
    public:
        using iterator_category = std::output_iterator_tag;
        using value_type = void;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = void;

        Reader(F& f, const TextRing& text, std::uint64_t& text_end) : f_(f), text_(text), text_end_(text_end) {}
        Reader& operator*() { return *this; }
        Reader& operator++() { return *this; }
        Reader& operator++(int) { return *this; }
        Reader& operator=(const Item& item) {
            f_(item.record, text_.at(item.position, item.size));
            text_end_ = item.position + item.size;
            return *this;
        }

    private:
        F& f_;
        const TextRing& text_;
        std::uint64_t& text_end_;
    };

    template <class F>
    std::size_t take_some(std::size_t max, F&& f) {
        std::uint64_t text_end = 0;
        const std::size_t n =
            queue_.try_dequeue_bulk_from_producer(token_, Reader<std::remove_reference_t<F>>(f, text_, text_end), max);
        if (n == 0) return 0;
        text_.release_through(text_end);
        drained_.store(drained_.load(std::memory_order_relaxed) + n, std::memory_order_release);
        return n;
    }

    std::size_t limit_;
    moodycamel::ConcurrentQueue<Item, Traits> queue_;
    moodycamel::ProducerToken token_;
    TextRing text_;
    std::uint64_t pushed_ = 0; // producer's own
    alignas(64) std::atomic<std::uint64_t> drained_{0};
};

} // namespace ftpsensor
