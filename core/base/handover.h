// A value from one thread to another, without a lock and without either waiting in a system call.
//
// The giver owns the value before and after; the taker sees it once, and may swap with it, so that neither the making
// nor the freeing of what it holds costs the taker anything. One value at a time; one giver, one taker.
#pragma once

#include <atomic>

namespace ftpsensor {

template <class Value>
class Handover {
public:
    // Giver. The value stays alive and untouched until is_taken(). Only once the one before is.
    void give(Value& value) { offered_.store(&value, std::memory_order_release); }
    bool is_taken() const { return offered_.load(std::memory_order_acquire) == nullptr; }

    // Taker: calls f(value) where one has been given; else a load and a branch.
    template <class F>
    void take(F&& f) {
        Value* value = offered_.load(std::memory_order_acquire);
        if (value == nullptr) [[likely]]
            return;
        f(*value);
        offered_.store(nullptr, std::memory_order_release);
    }

private:
    alignas(64) std::atomic<Value*> offered_{nullptr};
};

} // namespace ftpsensor
