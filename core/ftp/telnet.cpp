#include "core/ftp/telnet.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ftpsensor {

namespace {

// Telnet's commands (RFC 854, RFC 855).
constexpr std::uint8_t kSuboptionEnd = 240;   // SE
constexpr std::uint8_t kSuboptionBegin = 250; // SB
constexpr std::uint8_t kWill = 251;           // WILL, WONT, DO, DONT: one more byte follows
constexpr std::uint8_t kDont = 254;
constexpr std::uint8_t kIac = 255;

constexpr bool is_special(std::uint8_t byte) { return byte == '\n' || byte == '\r' || byte == 0 || byte == kIac; }

std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

#if defined(__SSE2__)
unsigned special_mask(const std::uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i ends =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(kIac))));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(ends, odd)));
}
#endif

// The first byte that is not simply part of a line; data.size() where there is none.
std::size_t find_special(std::span<const std::uint8_t> data) {
    std::size_t i = 0;
#if defined(__SSE2__)
    constexpr std::size_t kStep = 16;
    for (; i + kStep <= data.size(); i += kStep)
        if (const unsigned mask = special_mask(data.data() + i); mask != 0)
            return i + static_cast<std::size_t>(std::countr_zero(mask));
    if (i < data.size() && data.size() >= kStep) { // the last step overlaps what is already known to hold none
        const std::size_t at = data.size() - kStep;
        const unsigned mask = special_mask(data.data() + at);
        return mask != 0 ? at + static_cast<std::size_t>(std::countr_zero(mask)) : data.size();
    }
#endif
    while (i < data.size() && !is_special(data[i])) ++i;
    return i;
}

} // namespace

void TelnetLineReader::reset(bool partial, bool line_first) {
    constexpr std::size_t kKeptBytes = 1024; // what one hostile line needed is not kept for the pool's next session
    buffer_.release(kKeptBytes);
    suboption_bytes_ = 0;
    last_byte_ = 0;
    telnet_ = Telnet::none;
    emitted_ = overflow_ = false;
    drop_nul_ = first_byte_ = true;
    partial_ = partial;
    line_first_ = line_first;
}

bool TelnetLineReader::next(std::span<const std::uint8_t>& data, std::string_view& line) {
    if (emitted_) {
        buffer_.clear();
        emitted_ = false;
    }
    while (!data.empty()) {
        if (telnet_ != Telnet::none) {
            data = data.subspan(skip_telnet(data));
            continue;
        }
        const std::size_t special = find_special(data);
        if (buffer_.empty() && take_in_place(data, special, line)) return true;
        if (special > 0) {
            append(as_text(data.first(special)));
            first_byte_ = false;
        }
        if (special == data.size()) {
            data = {};
            return false;
        }
        const std::uint8_t byte = data[special];
        data = data.subspan(special + 1);
        const bool ended = take_special(byte, line);
        first_byte_ = false;
        if (ended) return true;
    }
    return false;
}

// The common case: the line is whole and plain, so that nothing is copied.
bool TelnetLineReader::take_in_place(std::span<const std::uint8_t>& data, std::size_t special, std::string_view& line) {
    std::size_t end = special;
    if (end < data.size() && data[end] == '\r') ++end;
    if (end >= data.size() || data[end] != '\n') return false;
    line = cut(as_text(data.first(special)));
    data = data.subspan(end + 1);
    last_byte_ = '\n';
    first_byte_ = false;
    return true;
}

void TelnetLineReader::append(std::string_view bytes) {
    if (last_byte_ == '\r') oddities_.lone_cr = true;
    if (buffer_.append(bytes) < bytes.size() && !overflow_) {
        overflow_ = true;
        ++oddities_.too_long; // now: its end may never come
    }
    last_byte_ = static_cast<std::uint8_t>(bytes.back());
}

// LF, CR, NUL or IAC. True: the line has ended.
bool TelnetLineReader::take_special(std::uint8_t byte, std::string_view& line) {
    switch (byte) {
    case '\n': line = end_line(); return true;
    case '\r': append("\r"); return false;
    case 0: take_nul(); return false;
    default:
        telnet_ = Telnet::command; // last_byte_ stays: a CR and a LF may stand around an option
        return false;
    }
}

void TelnetLineReader::take_nul() {
    if (last_byte_ == '\r') {
        last_byte_ = 0; // CR NUL is how Telnet sends a lone CR
        return;
    }
    if (drop_nul_) {
        if (!partial_ || !first_byte_) {
            oddities_.nul = true;
            drop_nul_ = false;
        }
        last_byte_ = 0;
        return;
    }
    append(std::string_view("\0", 1));
}

std::string_view TelnetLineReader::end_line() {
    if (last_byte_ == '\r' && !overflow_) buffer_.pop_back();
    const std::string_view line = cut(buffer_.view());
    last_byte_ = '\n';
    overflow_ = false;
    emitted_ = true;
    return line;
}

std::string_view TelnetLineReader::cut(std::string_view line) {
    if (line.size() <= kFtpLineBytesMax) return line;
    if (!overflow_) ++oddities_.too_long;
    return line.substr(0, kFtpLineBytesMax);
}

void TelnetLineReader::drop_line() {
    ++oddities_.too_long;
    buffer_.clear();
    overflow_ = false;
    last_byte_ = 0;
    telnet_ = Telnet::none;
}

// Takes a Telnet command out of the stream, up to its end or the end of `data`; returns the bytes that were part of it.
std::size_t TelnetLineReader::skip_telnet(std::span<const std::uint8_t> data) {
    std::size_t i = 0;
    while (i < data.size() && telnet_ != Telnet::none) {
        const std::uint8_t byte = data[i];
        if (byte == '\n' && line_first_) {
            telnet_ = Telnet::none;
            break;
        }
        switch (telnet_) {
        case Telnet::command:
            ++i;
            telnet_ = Telnet::none;
            if (byte == kIac) { // an escaped 255
                append("\xff");
            } else if (byte == kSuboptionBegin) {
                telnet_ = Telnet::suboption;
                suboption_bytes_ = 0;
            } else if (byte >= kWill && byte <= kDont) {
                telnet_ = Telnet::option;
            }
            break;
        case Telnet::option:
            ++i;
            telnet_ = Telnet::none;
            break;
        case Telnet::suboption: {
            if (suboption_bytes_ >= kFtpLineBytesMax) { // as Zeek: a suboption without end takes the line with it
                drop_line();
                return i;
            }
            std::size_t most = std::min(data.size() - i, kFtpLineBytesMax - suboption_bytes_);
            if (const void* end = line_first_ ? std::memchr(data.data() + i, '\n', most) : nullptr; end != nullptr)
                most = static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - data.data()) - i;
            const void* iac = std::memchr(data.data() + i, kIac, most);
            const std::size_t count =
                iac != nullptr ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(iac) - data.data()) - i + 1
                               : most;
            i += count;
            suboption_bytes_ += static_cast<std::uint32_t>(count);
            if (iac != nullptr) telnet_ = Telnet::suboption_command;
            break;
        }
        case Telnet::suboption_command:
            if (byte == kIac) { // an escaped 255
                ++i;
                telnet_ = Telnet::suboption;
            } else if (byte == kSuboptionEnd) {
                ++i;
                telnet_ = Telnet::none;
            } else { // ended wrongly: the IAC begins the next command
                telnet_ = Telnet::command;
            }
            break;
        case Telnet::none: break;
        }
    }
    return i;
}

} // namespace ftpsensor
