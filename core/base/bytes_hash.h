// The keyed hash of a string of bytes, for tables whose keys strangers choose. Any thread.
#pragma once

#include "core/base/mix.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ftpsensor {

inline std::uint64_t bytes_hash(std::string_view bytes, std::uint64_t secret) {
    // Four multiplications at a time, each of words that the secret has made unknown.
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
    constexpr std::size_t kLanes = 4;
    constexpr std::size_t kBlock = kLanes * 16;
    const std::uint64_t key = mix(secret ^ kOdd, kOdd + 2); // also of a secret of few bits
    // None is the key itself: the halves of a block may not trade places.
    std::uint64_t lanes[kLanes] = {key + kOdd, key + 2 * kOdd, key + 3 * kOdd, key + 4 * kOdd};
    const auto take = [&](const char* block) {
        for (std::size_t i = 0; i < kLanes; ++i) {
            std::uint64_t a, b;
            std::memcpy(&a, block + 16 * i, 8);
            std::memcpy(&b, block + 16 * i + 8, 8);
            lanes[i] = mix(a ^ key, b ^ lanes[i]);
        }
    };
    std::size_t at = 0;
    for (; bytes.size() - at >= kBlock; at += kBlock) take(bytes.data() + at);
    if (at != bytes.size()) {
        char rest[kBlock] = {}; // the length tells zeros of the text from these
        std::memcpy(rest, bytes.data() + at, bytes.size() - at);
        take(rest);
    }
    const std::uint64_t sum = mix(lanes[0] ^ key, lanes[1]) ^ mix(lanes[2] + key, lanes[3]);
    return mix(sum ^ key, bytes.size() ^ ~key);
}

} // namespace ftpsensor
