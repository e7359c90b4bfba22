// The values of a log entry as text: numbers, addresses, ids, times.
//
// Each put_*() writes to `out` and returns the end of what it wrote. `out` must have room for the most that the value
// can take; the k*Chars constants say how much. Nothing allocates. Plain functions: any thread; IsoTimeWriter: one.
#pragma once

#include "core/base/ids.h"
#include "core/base/ip_address.h"
#include "core/base/time.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace ftpsensor {

inline constexpr std::size_t kUintChars = 20;
inline constexpr std::size_t kDoubleChars = 32;
inline constexpr std::size_t kAddressChars = 48;
inline constexpr std::size_t kIdChars = 18;
inline constexpr std::size_t kTimeChars = 32;

inline char* put(char* out, std::string_view text) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

inline char* put_uint(char* out, std::uint64_t value) { return std::to_chars(out, out + kUintChars, value).ptr; }

// "\x1f", in lower case as Zeek writes it.
char* put_hex_escape(char* out, std::uint8_t byte);

// Dotted quad or RFC 5952; the same text as IpAddress::format(), several times faster.
char* put_address(char* out, const IpAddress& address);

// The same text as Id96::format(), several times faster.
char* put_id(char* out, char letter, const Id96& id);

// The shortest decimal that reads back as the same double, laid out as Zeek's JSON writer does: 2.0, 0.9965,
// 0.000001, 9.5e-7 (an exponent only below 1e-6 and from 1e21). Not a number, or infinite: null.
char* put_double(char* out, double value);

// With exactly six decimals, as Zeek's tab-separated writer gives time and interval.
char* put_fixed6(char* out, double seconds);

// Seconds since the epoch. Nanoseconds are cut to microseconds, which is what the reference knows.
char* put_epoch_json(char* out, Timestamp t); // 1597559161.48
char* put_epoch_tsv(char* out, Timestamp t);  // 1597559161.480000

// "2020-08-16T06:26:01.485394Z". Entries come nearly in order of time: the part down to the second is kept between
// calls, and that down to the day.
class IsoTimeWriter {
public:
    char* put(char* out, Timestamp t) {
        std::int64_t second = t / kSecond;
        std::int64_t rest = t % kSecond;
        if (rest < 0) rest += kSecond, --second;
        if (second != second_) set_second(second);
        std::memcpy(out, text_, sizeof text_);
        return put_micros(out + sizeof text_, static_cast<std::uint32_t>(rest / kMicrosecond));
    }

private:
    void set_second(std::int64_t second);
    void set_day(std::int64_t day);
    static char* put_micros(char* out, std::uint32_t micros); // "485394Z"

    std::int64_t second_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t day_ = std::numeric_limits<std::int64_t>::min();
    char text_[20] = {}; // "2020-08-16T06:26:01."
};

} // namespace ftpsensor
