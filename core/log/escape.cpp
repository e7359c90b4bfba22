#include "core/log/escape.h"

#include "core/log/text_writers.h"

#include <cstdint>
#include <cstring>

namespace ftpsensor {

namespace {

using Bytes = std::int8_t __attribute__((vector_size(16))); // GCC's and clang's, of any processor

Bytes bytes_at(const char* p) {
    Bytes bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

bool any(Bytes mask) {
    std::uint64_t halves[2];
    std::memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

// What analysts cut off before an entry, file names and all, by sed 's/.*gz://' behind zgrep. A stranger's file of that
// name would have the entry itself cut, and jq end there: so the colon is written as \u003a, which means the same.
constexpr std::string_view kCut = "gz:";

// What a string has that cannot be written as it stands, or needs a closer look.
struct Findings {
    Bytes special{}; // below 32, from 127, quote, backslash
    Bytes cut{};     // "z:"

    void look(Bytes bytes) { special |= (bytes < 32) | (bytes == 127) | (bytes == '"') | (bytes == '\\'); }
    void look_at_17(const char* p) {
        const Bytes bytes = bytes_at(p);
        look(bytes);
        cut |= (bytes == 'z') & (bytes_at(p + 1) == ':');
    }
};

// Sixteen bytes at a time and the one behind them; the last of them may be looked at twice.
Findings look_through(std::string_view text) {
    constexpr std::size_t step = sizeof(Bytes), piece = step + 1;
    Findings findings;
    if (text.size() < piece) {
        char padded[piece];
        std::memset(padded, ' ', piece);
        if (!text.empty()) std::memcpy(padded, text.data(), text.size());
        findings.look_at_17(padded);
        return findings;
    }
    const char* const last = text.data() + text.size() - piece;
    for (const char* p = text.data(); p < last; p += step) findings.look_at_17(p);
    findings.look_at_17(last);
    findings.look(bytes_at(last + 1));
    return findings;
}

char* put_without_cut(char* out, std::string_view text) {
    for (std::size_t at; (at = text.find(kCut)) != std::string_view::npos; text.remove_prefix(at + kCut.size()))
        out = put(put(out, text.substr(0, at + kCut.size() - 1)), "\\u003a");
    return text.empty() ? out : put(out, text);
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
    const Findings findings = look_through(text);
    if (!any(findings.special)) {
        if (any(findings.cut))
            out = put_without_cut(out, text);
        else if (!text.empty())
            out = put(out, text);
    } else {
        const bool keep_utf8 = is_plain_utf8(text, true);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char c = text[i];
            const auto byte = static_cast<std::uint8_t>(c);
            if (c == ':' && text.substr(0, i + 1).ends_with(kCut))
                out = put(out, "\\u003a");
            else if (is_printable_ascii(byte) || is_escapable_control(byte) || keep_utf8)
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
    if (!in_set && !any(look_through(text).special)) return put(out, text);
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
