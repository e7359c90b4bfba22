// Strings from the wire: Zeek's escapes, and that no byte breaks a line, the JSON or the columns.
#include "core/log/escape.h"
#include "tests/support/catch.h"

#include <cstdint>
#include <string>

using namespace ftpsensor;

namespace {

std::string json(std::string_view text) {
    std::string out(json_string_bytes_max(text), '#');
    out.resize(static_cast<std::size_t>(put_json_string(out.data(), text) - out.data()));
    return out;
}

std::string tsv(std::string_view text, bool in_set = false) {
    std::string out(tsv_string_bytes_max(text), '#');
    out.resize(static_cast<std::size_t>(put_tsv_string(out.data(), text, in_set) - out.data()));
    return out;
}

// A strict reader of one JSON string (RFC 8259 7): its value, or nothing where it is not one.
bool is_json_string(std::string_view text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (static_cast<std::uint8_t>(text[i]) < 0x20 || text[i] == '"') return false;
        if (text[i] != '\\') continue;
        if (text.substr(i, 6) == "\\u003a") {
            i += 5;
            continue;
        }
        if (++i == text.size() || std::string_view("\"\\/bfnrt").find(text[i]) == std::string_view::npos) return false;
    }
    return true;
}

// A plain UTF-8 decoder, written apart from the one under test.
bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<std::uint8_t>(text[i]);
        const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
        if (size == 0 || i + size > text.size()) return false;
        std::uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
        for (std::size_t k = 1; k < size; ++k) {
            const auto byte = static_cast<std::uint8_t>(text[i + k]);
            if (byte >> 6 != 2) return false;
            code = code << 6 | (byte & 0x3f);
        }
        const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
        i += size;
    }
    return true;
}

std::string hex(unsigned byte) {
    const char* digits = "0123456789abcdef";
    return std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
}

} // namespace

TEST_CASE("every single byte in JSON") {
    for (unsigned value = 0; value < 256; ++value) {
        const char c = static_cast<char>(value);
        std::string expected;
        switch (c) {
        case '"': expected = "\\\""; break;
        case '\\': expected = "\\\\"; break;
        case '\b': expected = "\\b"; break;
        case '\f': expected = "\\f"; break;
        case '\n': expected = "\\n"; break;
        case '\r': expected = "\\r"; break;
        case '\t': expected = "\\t"; break;
        default: expected = value >= 32 && value < 127 ? std::string(1, c) : '\\' + hex(value);
        }
        CAPTURE(value);
        // at each place of a word of eight and behind it: the fast path looks at eight bytes at once
        for (std::size_t before = 0; before < 10; ++before) {
            const std::string fill(before, 'a');
            const std::string escaped = json(fill + c + "bc");
            CHECK(escaped == '"' + fill + expected + "bc\"");
            CHECK(is_json_string(escaped));
            CHECK(is_utf8(escaped));
        }
    }
}

TEST_CASE("every single byte in a tab-separated field") {
    for (unsigned value = 0; value < 256; ++value) {
        const char c = static_cast<char>(value);
        const std::string expected = c == '\\' ? "\\\\" : value >= 32 && value < 127 ? std::string(1, c) : hex(value);
        CAPTURE(value);
        CHECK(tsv(std::string("a") + c + "b") == "a" + expected + "b");
    }
}

TEST_CASE("every pair of bytes stays one line of valid JSON in UTF-8") {
    for (unsigned pair = 0; pair < 65536; ++pair) {
        const char bytes[] = {static_cast<char>(pair >> 8), static_cast<char>(pair & 0xff)};
        const std::string escaped = json({bytes, 2});
        if (!is_json_string(escaped) || !is_utf8(escaped)) FAIL("pair " << pair);
        const std::string field = tsv({bytes, 2});
        if (field.find_first_of("\t\n\r") != std::string::npos || !is_utf8(field)) FAIL("pair " << pair);
    }
}

TEST_CASE("valid UTF-8 stays, in JSON and in fields") {
    for (const char* text : {"\xc3\xb1", "\xe2\x82\xa1", "\xe0\xa3\xa1", "\xf0\x90\x8c\xbc", "\xf1\x80\x8c\xbc",
                             "\xf4\x80\x8c\xbc", "\xe2\x80\xa8", "\xef\xbb\xbf", "caf\xc3\xa9 \xe2\x82\xac"}) {
        CHECK(json(text) == std::string("\"") + text + '"');
        CHECK(tsv(text) == text);
    }
}

TEST_CASE("what is not UTF-8, or not meant to be seen, is escaped byte by byte") {
    const std::pair<const char*, const char*> cases[] = {
        {"\xc3\x28", "\\xc3("},                                // bad second byte
        {"\xc0\x81", "\\xc0\\x81"},                            // overlong
        {"\xe0\x80\xa1", "\\xe0\\x80\\xa1"},                   // overlong
        {"\xf0\x80\x8c\xbc", "\\xf0\\x80\\x8c\\xbc"},          // overlong
        {"\xed\xa0\xa1", "\\xed\\xa0\\xa1"},                   // surrogate
        {"\xf4\x90\x8c\xbc", "\\xf4\\x90\\x8c\\xbc"},          // beyond U+10FFFF
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"}, // five bytes
        {"\xe2\x82", "\\xe2\\x82"},                            // cut
        {"\xa0\xa1", "\\xa0\\xa1"},                            // no lead
        {"\xc2\x85", "\\xc2\\x85"},                            // C1 control
        {"\xee\x8b\xa0", "\\xee\\x8b\\xa0"},                   // private use
        {"\xef\xbf\xbd", "\\xef\\xbf\\xbd"},                   // specials
    };
    for (const auto& [text, escaped] : cases) {
        CHECK(tsv(text) == escaped);
        std::string doubled;
        for (const char c : std::string_view(escaped)) doubled += c == '\\' ? std::string("\\\\") : std::string(1, c);
        CHECK(json(text) == '"' + doubled + '"');
    }
}

TEST_CASE("one bad byte escapes its valid neighbours too") {
    CHECK(json("\xc3\xb1\xc0\x81") == R"("\\xc3\\xb1\\xc0\\x81")");
    CHECK(json("\x07\xd4\xb7o") == R"("\\x07\\xd4\\xb7o")");
    CHECK(json("\n\xc3\xb1") == "\"\\n\xc3\xb1\""); // a line feed is not bad: JSON has a name for it
    CHECK(tsv("\n\xc3\xb1") == "\\x0a\\xc3\\xb1");  // in a field it is
    CHECK(tsv("\xc3\xb1\\\x07\xc3\xb1") == "\xc3\xb1\\\\\\x07\\xc3\\xb1"); // as far as the next backslash or tab
}

TEST_CASE("reserved words and separators of the tab-separated form") {
    CHECK(tsv("") == "(empty)");
    CHECK(tsv("-") == "\\x2d");
    CHECK(tsv("(empty)") == "\\x28empty)");
    CHECK(tsv("--") == "--");
    CHECK(tsv("a,b") == "a,b");
    CHECK(tsv("a,b", true) == "a\\x2cb");
    CHECK(tsv("a\tb\nc") == "a\\x09b\\x0ac");
    CHECK(json("") == "\"\"");
}

TEST_CASE("what is cut off by sed 's/.*gz://' is in no JSON string") {
    CHECK(json("gz:") == R"("gz\u003a")");
    CHECK(json("ftp://10.0.0.1/a.gz:b.tgz:") == R"("ftp://10.0.0.1/a.gz\u003ab.tgz\u003a")");
    CHECK(json("a \"gz:\" gz\\:") == R"("a \"gz\u003a\" gz\\:")");
    CHECK(json("\xffgz:g:z:") == R"("\\xffgz\u003ag:z:")");
    CHECK(json("zip: 7z: g:z GZ:") == R"("zip: 7z: g:z GZ:")");
    const std::string longest(1000, 'x');
    CHECK(json(longest + "gz:" + longest).size() == 2 * longest.size() + 10);
}

TEST_CASE("what needs an escape is seen at every place of a string of every size") {
    for (std::size_t size = 1; size <= 70; ++size) {
        CHECK(json(std::string(size, 'a')) == '"' + std::string(size, 'a') + '"');
        for (std::size_t at = 0; at < size; ++at) {
            const std::string before(at, 'a'), behind(size - at - 1, 'z');
            const auto written = [&](std::string_view c) { return json(before + std::string(c) + behind); };
            const auto expected = [&](std::string_view c) { return '"' + before + std::string(c) + behind + '"'; };
            REQUIRE(written("\"") == expected("\\\""));
            REQUIRE(written("\\") == expected("\\\\"));
            REQUIRE(written("\x1f") == expected("\\\\x1f"));
            REQUIRE(written("\x7f") == expected("\\\\x7f"));
            REQUIRE(written("\x80") == expected("\\\\x80"));
            REQUIRE(written("gz:") == expected("gz\\u003a"));
            REQUIRE(written(" ~z:") == expected(" ~z:"));
        }
    }
}
