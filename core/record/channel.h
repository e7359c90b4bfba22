// The way from a worker to the logger: a bounded queue of records of one kind, each with text of any size beside it.
//
// The queue is moodycamel's ConcurrentQueue, one of the packages that this project is built on by its charter (with
// DPDK, spdlog, yaml-cpp and Catch2): it is not to be replaced by our own. Preallocated, and used with a token by its
// one producer, it takes the block that became empty first, so that it touches as much as waits in it at most, not all
// that may. The text lies in a ring of bytes. Both are bounded: push() refuses what does not fit. Nothing is allocated
// after construction. Producer side (push, ...): one worker. Consumer side (drain, ...): the logger thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#if __has_include(<concurrentqueue/moodycamel/concurrentqueue.h>)
#include <concurrentqueue/moodycamel/concurrentqueue.h>
#elif __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

namespace ftpsensor {

// Bytes in order from one producer to one consumer. Each piece is contiguous: where it does not fit before the end of
// the buffer, it starts over at the beginning and the rest of the buffer is left out.
class TextRing {
public:
    explicit TextRing(std::size_t capacity)
        : capacity_(capacity), bytes_(std::make_unique_for_overwrite<char[]>(capacity)) {}

    // The place of `text`, now copied, or false where there is no room. Producer.
    bool write(std::string_view text, std::uint64_t& position) {
        if (text.empty()) {
            position = head_;
            return true;
        }
        std::uint64_t start = head_;
        const std::size_t to_end = capacity_ - static_cast<std::size_t>(start % capacity_);
        if (to_end < text.size()) start += to_end;
        if (start + text.size() - tail_.load(std::memory_order_acquire) > capacity_) return false;
        std::memcpy(bytes_.get() + start % capacity_, text.data(), text.size());
        position = start;
        head_ = start + text.size();
        return true;
    }
    // The piece that was written last is not needed after all. Producer.
    void take_back(std::uint64_t position, std::size_t size) {
        if (size != 0) head_ = position;
    }
    std::string_view at(std::uint64_t position, std::size_t size) const { // consumer
        return {bytes_.get() + position % capacity_, size};
    }
    // Everything before `position` may be overwritten. Consumer.
    void release_through(std::uint64_t position) { tail_.store(position, std::memory_order_release); }
    std::size_t capacity() const { return capacity_; }

private:
    std::size_t capacity_;
    std::unique_ptr<char[]> bytes_;
    std::uint64_t head_ = 0; // producer's own
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

template <class Record>
class RecordChannel {
public:
    // `records`: most that may wait; `text_bytes`: most text that may wait with them.
    RecordChannel(std::size_t records, std::size_t text_bytes)
        : limit_(records), queue_(records + 2 * kBlock, 1, 0), token_(queue_), consumer_(queue_), text_(text_bytes) {}

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
    // text)`, in order; the text is gone after. Returns how many.
    template <class F>
    std::size_t drain(F&& f) {
        std::size_t total = 0;
        Item items[kBlock];
        while (total < limit_) { // a producer that keeps pace must not keep the consumer from everything else
            const std::size_t n = queue_.try_dequeue_bulk(consumer_, items, kBlock);
            if (n == 0) break;
            for (std::size_t i = 0; i < n; ++i) {
                f(items[i].record, text_.at(items[i].position, items[i].size));
                text_.release_through(items[i].position + items[i].size);
            }
            total += n;
            drained_.store(drained_.load(std::memory_order_relaxed) + n, std::memory_order_release);
        }
        return total;
    }

    // One record, without its text; false: none waits.
    bool take(Record& record) {
        Item item;
        if (!queue_.try_dequeue(consumer_, item)) return false;
        record = item.record;
        text_.release_through(item.position + item.size);
        drained_.store(drained_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
        return true;
    }

private:
    struct Item {
        Record record;
        std::uint64_t position;
        std::uint32_t size;
    };
    static constexpr std::size_t kBlock = 32; // moodycamel's default block

    std::size_t limit_;
    moodycamel::ConcurrentQueue<Item> queue_;
    moodycamel::ProducerToken token_;
    moodycamel::ConsumerToken consumer_;
    TextRing text_;
    std::uint64_t pushed_ = 0; // producer's own
    alignas(64) std::atomic<std::uint64_t> drained_{0};
};

} // namespace ftpsensor
