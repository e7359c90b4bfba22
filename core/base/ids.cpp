#include "core/base/ids.h"

#include "core/base/mix.h"

#include <bit>
#include <cstring>
#include <tuple>

namespace ftpsensor {

namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
        v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
        v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
        v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
    }
    void absorb(std::uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
    std::uint64_t squeeze() {
        for (int i = 0; i < 4; ++i) round();
        return v0 ^ v1 ^ v2 ^ v3;
    }
};

std::uint64_t load_le(const std::uint8_t* bytes, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, size);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

Id96 cut(const std::array<std::uint64_t, 2>& hash) { return {static_cast<std::uint32_t>(hash[1]), hash[0]}; }

} // namespace

std::array<std::uint64_t, 2> siphash128(const IdKey& key, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    SipState s{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d ^ 0xee, key.k0 ^ 0x6c7967656e657261,
               key.k1 ^ 0x7465646279746573};
    std::size_t left = size;
    for (; left >= 8; left -= 8, bytes += 8) s.absorb(load_le(bytes, 8));
    s.absorb(static_cast<std::uint64_t>(size) << 56 | load_le(bytes, left));
    s.v2 ^= 0xee;
    const std::uint64_t first = s.squeeze();
    s.v1 ^= 0xdd;
    return {first, s.squeeze()};
}

IdKey IdKey::from_seed(std::uint64_t seed) {
    // Spread the seed over both halves, so that seeds 1 and 2 share nothing visible.
    const auto hash = siphash128(IdKey{seed, ~seed}, "ftpsensor ids", 13);
    return {hash[0], hash[1]};
}

std::size_t Id96::format(char letter, char* out) const {
    static constexpr char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char reversed[18];
    std::size_t n = 0;
    auto value = static_cast<Uint128>(high) << 64 | low;
    do {
        reversed[n++] = digits[static_cast<std::size_t>(value % 62)];
        value /= 62;
    } while (value != 0);
    out[0] = letter;
    for (std::size_t i = 0; i < n; ++i) out[1 + i] = reversed[n - 1 - i];
    return n + 1;
}

std::string Id96::to_string(char letter) const {
    char text[24];
    return std::string(text, format(letter, text));
}

Id96 connection_uid(const IdKey& key, const ConnIdentity& c) {
    const bool swap = std::tie(c.resp_h, c.resp_p) < std::tie(c.orig_h, c.orig_p);
    const IpAddress& low = swap ? c.resp_h : c.orig_h;
    const IpAddress& high = swap ? c.orig_h : c.resp_h;
    const std::uint16_t low_port = swap ? c.resp_p : c.orig_p;
    const std::uint16_t high_port = swap ? c.orig_p : c.resp_p;
    std::array<std::uint8_t, 56> bytes{};
    std::memcpy(bytes.data(), low.bytes.data(), 16);
    std::memcpy(bytes.data() + 16, high.bytes.data(), 16);
    std::memcpy(bytes.data() + 32, &low_port, 2);
    std::memcpy(bytes.data() + 34, &high_port, 2);
    std::memcpy(bytes.data() + 36, &c.first_seq, 4);
    std::memcpy(bytes.data() + 40, &c.start, 8);
    std::memcpy(bytes.data() + 48, &c.ordinal, 2);
    bytes[50] = c.ip_proto;
    return cut(siphash128(key, bytes.data(), bytes.size()));
}

Id96 file_uid(const IdKey& key, const Id96& connection, bool from_originator) {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &connection.low, 8);
    std::memcpy(bytes.data() + 8, &connection.high, 4);
    bytes[12] = from_originator ? 1 : 2;
    return cut(siphash128(key, bytes.data(), bytes.size()));
}

} // namespace ftpsensor
