#include "core/pipeline/announcements.h"

#include <algorithm>

namespace ftpsensor {

AnnouncementBoard::AnnouncementBoard(std::size_t readers, std::size_t slots) : slots_(slots), cursors_(readers) {}

bool AnnouncementBoard::append(const Announcement& a) {
    std::uint64_t at = tail_.load(std::memory_order_relaxed);
    do {
        for (const Cursor& cursor : cursors_)
            if (static_cast<std::int64_t>(at - cursor.value.load(std::memory_order_acquire)) >=
                static_cast<std::int64_t>(slots_.size()))
                return false;
    } while (!tail_.compare_exchange_weak(at, at + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    Slot& slot = slots_[at & (slots_.size() - 1)];
    slot.announcement = a;
    slot.filled.store(at + 1, std::memory_order_release);
    return true;
}

namespace {
constexpr std::uint16_t kFull = UINT16_MAX;
}

bool AnnouncementHints::add(const IpAddress& address, std::uint16_t port, Timestamp until) {
    const Key key{address, port};
    const auto known = hints_.find(key);
    if (known != hints_.end()) {
        known->second = std::max(known->second, until);
        return true; // expire() will meet its old place in the queue, and put it back
    }
    const bool full = hints_.size() >= limit_;
    if (full && (!oldest_goes_ || expiries_.empty())) return false;
    if (full) {
        const Key oldest = expiries_.front().key;
        expiries_.pop_front();
        forget(oldest);
    }
    hints_.emplace(key, until);
    expiries_.push_back({until, key});
    ++ports_[port];
    if (std::uint16_t& m = mark(key); m != kFull) ++m;
    return !full;
}

void AnnouncementHints::forget(const Key& key) {
    hints_.erase(key);
    --ports_[key.port];
    if (std::uint16_t& m = mark(key); m != kFull) --m;
}

void AnnouncementHints::expire(Timestamp now) {
    while (!expiries_.empty() && expiries_.front().until <= now) {
        const Expiry e = expiries_.front();
        expiries_.pop_front();
        const auto hint = hints_.find(e.key);
        if (hint == hints_.end()) continue;
        if (hint->second > now) {
            expiries_.push_back({hint->second, e.key});
            continue;
        }
        forget(e.key);
    }
}

} // namespace ftpsensor
