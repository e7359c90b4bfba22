#include "core/log/escape.h"

#include "core/log/text_writers.h"

#include <cstdint>
#include <cstring>

namespace ftpsensor {

namespace {

constexpr std::uint64_t kLows = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// High bit of each byte of `word` that is zero. May also set it above such a byte: good enough for "is there any".
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - kLows) & ~word & kHighs; }
constexpr std::uint64_t equal_bytes(std::uint64_t word, char c) {
    return zero_bytes(word ^ (kLows * static_cast<std::uint8_t>(c)));
}

// Any byte of the eight that a JSON string cannot take as it stands, or that needs a closer look: below 32, from 127,
// quote, backslash.
constexpr bool needs_care(std::uint64_t word) {
    const std::uint64_t below_32 = (word - kLows * 32) & ~word & kHighs;
    const std::uint64_t from_127 = ((word + kLows) | word) & kHighs;
    return (below_32 | from_127 | equal_bytes(word, '"') | equal_bytes(word, '\\')) != 0;
}

bool is_plain_ascii(std::string_view text) {
    const char* p = text.data();
    std::size_t left = text.size();
    std::uint64_t word;
    for (; left >= 8; left -= 8, p += 8) {
        std::memcpy(&word, p, 8);
        if (needs_care(word)) return false;
    }
    if (left == 0) return true;
    word = kLows * ' ';
    std::memcpy(&word, p, left);
    return !needs_care(word);
}

bool is_escapable_control(std::uint8_t byte) {
    return byte == '\b' || byte == '\f' || byte == '\n' || byte == '\r' || byte == '\t';
}

// Size of the UTF-8 sequence at `text` that stands for a character Zeek lets through; 0: there is none.
std::size_t printable_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = byte(0);
    const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 0 || text.size() < size) return 0;
    std::uint32_t code = lead & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        code = code << 6 | (byte(i) & 0x3fu);
    }
    static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[size] || code > 0x10ffff) return 0; // overlong, or beyond Unicode
    if (code >= 0xd800 && code <= 0xdfff) return 0;         // surrogates
    if (code < 0xa0) return 0;                              // C1 controls
    if (code >= 0xe000 && code <= 0xf8ff) return 0;         // private use
    if (code >= 0xfff0 && code <= 0xffff) return 0;         // specials
    return size;
}

// JSON's own escapes, of characters that stay what they are.
char* put_json_char(char* out, char c) {
    switch (c) {
    case '"': return put(out, "\\\"");
    case '\\': return put(out, "\\\\");
    case '\b': return put(out, "\\b");
    case '\f': return put(out, "\\f");
    case '\n': return put(out, "\\n");
    case '\r': return put(out, "\\r");
    case '\t': return put(out, "\\t");
    default: *out++ = c; return out;
    }
}

bool is_printable_ascii(std::uint8_t byte) { return byte >= 32 && byte < 127; }

// A stretch without backslash and separators.
char* put_tsv_stretch(char* out, std::string_view text) {
    if (is_plain_utf8(text, false)) return put(out, text);
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (is_printable_ascii(byte))
            *out++ = c;
        else
            out = put_hex_escape(out, byte);
    }
    return out;
}

} // namespace

bool is_plain_utf8(std::string_view text, bool controls) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        if (is_printable_ascii(byte) || (controls && is_escapable_control(byte))) {
            ++i;
            continue;
        }
        const std::size_t size = printable_sequence(text.substr(i));
        if (size == 0) return false;
        i += size;
    }
    return true;
}

char* put_json_string(char* out, std::string_view text) {
    *out++ = '"';
    if (is_plain_ascii(text)) {
        if (!text.empty()) out = put(out, text);
    } else {
        const bool keep_utf8 = is_plain_utf8(text, true);
        for (const char c : text) {
            const auto byte = static_cast<std::uint8_t>(c);
            if (is_printable_ascii(byte) || is_escapable_control(byte) || keep_utf8)
                out = put_json_char(out, c);
            else
                out = put_hex_escape(put(out, "\\"), byte); // the backslash of \xNN is itself escaped in JSON
        }
    }
    *out++ = '"';
    return out;
}

char* put_tsv_string(char* out, std::string_view text, bool in_set) {
    if (text.empty()) return put(out, "(empty)");
    if (text == "-" || text == "(empty)")
        return put(put_hex_escape(out, static_cast<std::uint8_t>(text[0])), text.substr(1));
    if (!in_set && is_plain_ascii(text)) return put(out, text);
    const std::string_view special = in_set ? "\\\t," : "\\\t";
    while (true) {
        const std::size_t stretch = text.find_first_of(special);
        out = put_tsv_stretch(out, text.substr(0, stretch));
        if (stretch == std::string_view::npos) return out;
        const char c = text[stretch];
        out = c == '\\' ? put(out, "\\\\") : put_hex_escape(out, static_cast<std::uint8_t>(c));
        text.remove_prefix(stretch + 1);
    }
}

} // namespace ftpsensor
