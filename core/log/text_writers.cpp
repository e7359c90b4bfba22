#include "core/log/text_writers.h"

#include <array>
#include <chrono>
#include <cmath>

namespace ftpsensor {

namespace {

struct Octet {
    char text[4]; // up to three digits and the dot that follows
    std::uint8_t size;
};

constexpr std::array<Octet, 256> make_octets() {
    std::array<Octet, 256> octets{};
    for (unsigned value = 0; value < 256; ++value) {
        Octet& octet = octets[value];
        if (value >= 100) octet.text[octet.size++] = static_cast<char>('0' + value / 100);
        if (value >= 10) octet.text[octet.size++] = static_cast<char>('0' + value / 10 % 10);
        octet.text[octet.size++] = static_cast<char>('0' + value % 10);
        octet.text[octet.size] = '.';
    }
    return octets;
}
constexpr std::array<Octet, 256> kOctets = make_octets();

constexpr char kHexDigits[] = "0123456789abcdef";

struct ZeroRun { // of 16-bit words
    int start = -1;
    int length = 1; // a single zero word is written out (RFC 5952 4.2.2)
};

// The longest run of zero words; the first of equally long ones (RFC 5952 4.2.3).
ZeroRun longest_zero_run(const std::array<unsigned, 8>& words) {
    ZeroRun best;
    for (int i = 0; i < 8;) {
        int end = i;
        while (end < 8 && words[static_cast<std::size_t>(end)] == 0) ++end;
        if (end - i > best.length) best = {i, end - i};
        i = end + 1;
    }
    return best;
}

char* put_hex_word(char* out, unsigned word) {
    if (word >= 0x1000) *out++ = kHexDigits[word >> 12];
    if (word >= 0x100) *out++ = kHexDigits[word >> 8 & 0xf];
    if (word >= 0x10) *out++ = kHexDigits[word >> 4 & 0xf];
    *out++ = kHexDigits[word & 0xf];
    return out;
}

char* put_v6(char* out, const IpAddress& address) {
    std::array<unsigned, 8> words{};
    for (std::size_t i = 0; i < 8; ++i)
        words[i] = static_cast<unsigned>(address.bytes[2 * i]) << 8 | address.bytes[2 * i + 1];
    const ZeroRun zeros = longest_zero_run(words);
    // ::a.b.c.d, the deprecated IPv4-compatible form: rare, and inet_ntop(3) knows its exceptions.
    if (zeros.start == 0 && zeros.length == 6) return out + address.format(out);
    for (int i = 0; i < 8;) {
        if (i == zeros.start) {
            out = put(out, "::");
            i += zeros.length;
            continue;
        }
        if (i != 0 && i != zeros.start + zeros.length) *out++ = ':';
        out = put_hex_word(out, words[static_cast<std::size_t>(i)]);
        ++i;
    }
    return out;
}

struct Base62Pair {
    char text[2];
};

constexpr std::uint32_t kPow62To2 = 62 * 62;
constexpr char kBase62Digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr std::array<Base62Pair, kPow62To2> make_base62_pairs() {
    std::array<Base62Pair, kPow62To2> pairs{};
    for (unsigned value = 0; value < pairs.size(); ++value)
        pairs[value] = {{kBase62Digits[value / 62], kBase62Digits[value % 62]}};
    return pairs;
}
constexpr std::array<Base62Pair, kPow62To2> kBase62Pairs = make_base62_pairs();

// Two and five base-62 digits of `value`, with leading zeros.
void put_base62_2(char* out, std::uint32_t value) { std::memcpy(out, kBase62Pairs[value].text, 2); }
void put_base62_5(char* out, std::uint32_t value) {
    put_base62_2(out + 3, value % kPow62To2);
    value /= kPow62To2;
    put_base62_2(out + 1, value % kPow62To2);
    out[0] = kBase62Digits[value / kPow62To2];
}

constexpr std::uint64_t kPow62To5 = 62ull * 62 * 62 * 62 * 62; // below 2^30: a remainder and a limb make 62 bits

// Divides a number of three 32-bit limbs, the highest first, in place; returns the remainder.
std::uint32_t divide_by_pow62_to_5(std::array<std::uint32_t, 3>& limbs) {
    std::uint64_t remainder = 0;
    for (std::uint32_t& limb : limbs) {
        const std::uint64_t part = remainder << 32 | limb;
        limb = static_cast<std::uint32_t>(part / kPow62To5);
        remainder = part % kPow62To5;
    }
    return static_cast<std::uint32_t>(remainder);
}

void put_two_digits(char* out, unsigned value) {
    out[0] = static_cast<char>('0' + value / 10);
    out[1] = static_cast<char>('0' + value % 10);
}

void put_six_digits(char* out, std::uint32_t value) {
    put_two_digits(out, value / 10000);
    put_two_digits(out + 2, value / 100 % 100);
    put_two_digits(out + 4, value % 100);
}

struct Decimal { // 0.DIGITS * 10^point
    char digits[24];
    int count = 0;
    int point = 0;
};

// `value` is finite and not negative.
Decimal shortest_decimal(double value) {
    char text[40];
    const char* end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
    Decimal decimal;
    const char* p = text;
    for (; *p != 'e'; ++p)
        if (*p != '.') decimal.digits[decimal.count++] = *p;
    ++p;
    if (*p == '+') ++p; // from_chars() takes no plus sign
    std::from_chars(p, end, decimal.point);
    ++decimal.point;
    return decimal;
}

char* put_zeros(char* out, int count) {
    std::memset(out, '0', static_cast<std::size_t>(count));
    return out + count;
}

char* put_digits(char* out, const Decimal& decimal, int from, int to) {
    return put(out, {decimal.digits + from, static_cast<std::size_t>(to - from)});
}

// Of `seconds` and microseconds: true where put_epoch_json() needs no floating point. From 0 to 2^32 a double tells any
// two microseconds apart, so that the decimal of at most six places is the shortest one that reads back.
bool is_plain_epoch(Timestamp t) { return t >= 0 && t < (std::int64_t{1} << 32) * kSecond; }

} // namespace

char* put_hex_escape(char* out, std::uint8_t byte) {
    out[0] = '\\';
    out[1] = 'x';
    out[2] = kHexDigits[byte >> 4];
    out[3] = kHexDigits[byte & 0xf];
    return out + 4;
}

char* put_address(char* out, const IpAddress& address) {
    if (!address.is_v4()) return put_v6(out, address);
    for (std::size_t i = 12; i < 16; ++i) {
        const Octet& octet = kOctets[address.bytes[i]];
        std::memcpy(out, octet.text, sizeof octet.text);
        out += octet.size + 1;
    }
    return out - 1; // no dot behind the last
}

char* put_id(char* out, char letter, const Id96& id) {
    // 96 bits are at most 17 digits: three groups of five from the right, and two.
    std::array<std::uint32_t, 3> limbs = {id.high, static_cast<std::uint32_t>(id.low >> 32),
                                          static_cast<std::uint32_t>(id.low)};
    char digits[17];
    for (int group = 12; group > 0; group -= 5) put_base62_5(digits + group, divide_by_pow62_to_5(limbs));
    put_base62_2(digits, limbs[2]);
    std::size_t zeros = 0;
    while (zeros < 16 && digits[zeros] == '0') ++zeros;
    *out++ = letter;
    return put(out, {digits + zeros, sizeof digits - zeros});
}

char* put_double(char* out, double value) {
    if (!std::isfinite(value)) return put(out, "null");
    if (std::signbit(value)) {
        *out++ = '-';
        value = -value;
    }
    if (value == 0) return put(out, "0.0");
    const Decimal decimal = shortest_decimal(value);
    const int count = decimal.count;
    const int point = decimal.point;
    if (point > 21 || point <= -6) { // d.ddde-7
        *out++ = decimal.digits[0];
        if (count > 1) {
            *out++ = '.';
            out = put_digits(out, decimal, 1, count);
        }
        *out++ = 'e';
        return std::to_chars(out, out + 5, point - 1).ptr;
    }
    if (point <= 0) { // 0.000ddd
        out = put_zeros(put(out, "0."), -point);
        return put_digits(out, decimal, 0, count);
    }
    if (point >= count) { // ddd000.0
        out = put_zeros(put_digits(out, decimal, 0, count), point - count);
        return put(out, ".0");
    }
    out = put_digits(out, decimal, 0, point);
    *out++ = '.';
    return put_digits(out, decimal, point, count);
}

char* put_fixed6(char* out, double seconds) {
    const auto result = std::to_chars(out, out + kDoubleChars, seconds, std::chars_format::fixed, 6);
    // More digits than any time in nanoseconds has: said as unset, not cut.
    return result.ec == std::errc{} ? result.ptr : put(out, "-");
}

char* put_epoch_json(char* out, Timestamp t) {
    if (!is_plain_epoch(t)) return put_double(out, zeek_seconds(t));
    out = put_uint(out, static_cast<std::uint64_t>(t / kSecond));
    *out++ = '.';
    put_six_digits(out, static_cast<std::uint32_t>(t % kSecond / kMicrosecond));
    int digits = 6;
    while (digits > 1 && out[digits - 1] == '0') --digits;
    return out + digits;
}

char* put_epoch_tsv(char* out, Timestamp t) {
    if (!is_plain_epoch(t)) return put_fixed6(out, zeek_seconds(t));
    out = put_uint(out, static_cast<std::uint64_t>(t / kSecond));
    *out++ = '.';
    put_six_digits(out, static_cast<std::uint32_t>(t % kSecond / kMicrosecond));
    return out + 6;
}

void IsoTimeWriter::set_second(std::int64_t second) {
    constexpr std::int64_t kDaySeconds = 86400;
    std::int64_t day = second / kDaySeconds;
    auto clock = static_cast<std::int32_t>(second % kDaySeconds);
    if (clock < 0) clock += kDaySeconds, --day;
    if (day != day_) set_day(day);
    const auto seconds = static_cast<std::uint32_t>(clock);
    put_two_digits(text_ + 11, seconds / 3600);
    put_two_digits(text_ + 14, seconds / 60 % 60);
    put_two_digits(text_ + 17, seconds % 60);
    second_ = second;
}

void IsoTimeWriter::set_day(std::int64_t day) {
    using namespace std::chrono;
    const year_month_day date{sys_days{days{day}}};
    // A Timestamp reaches from 1677 to 2262: four digits.
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    put_two_digits(text_, year / 100);
    put_two_digits(text_ + 2, year % 100);
    text_[4] = text_[7] = '-';
    put_two_digits(text_ + 5, static_cast<unsigned>(date.month()));
    put_two_digits(text_ + 8, static_cast<unsigned>(date.day()));
    text_[10] = 'T';
    text_[13] = text_[16] = ':';
    text_[19] = '.';
    day_ = day;
}

char* IsoTimeWriter::put_micros(char* out, std::uint32_t micros) {
    put_six_digits(out, micros);
    out[6] = 'Z';
    return out + 7;
}

} // namespace ftpsensor
