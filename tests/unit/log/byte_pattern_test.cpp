// Patterns that bytes begin with.
#include "core/log/byte_pattern.h"
#include "tests/support/catch.h"

#include <stdexcept>
#include <string>
#include <string_view>

using namespace ftpsensor;

namespace {

bool begins(std::string_view pattern, std::string_view bytes) { return BytePattern(pattern).begins(bytes); }

} // namespace

TEST_CASE("bytes stand for themselves, at the beginning", "[byte_pattern]") {
    CHECK(begins("abc", "abc"));
    CHECK(begins("abc", "abcd"));
    CHECK_FALSE(begins("abc", "ab"));
    CHECK_FALSE(begins("abc", ""));
    CHECK_FALSE(begins("abc", "xabc"));
}

TEST_CASE("any byte, a line end and a NUL, too", "[byte_pattern]") {
    CHECK(begins("a.c", "a\nc"));
    CHECK(begins("a.c", std::string_view("a\0c", 3)));
    CHECK_FALSE(begins("a.c", "ac"));
}

TEST_CASE("sets and what is not in them", "[byte_pattern]") {
    CHECK(begins("[a-c]x", "bx"));
    CHECK_FALSE(begins("[a-c]x", "dx"));
    CHECK(begins("[^a-c]x", "dx"));
    CHECK_FALSE(begins("[^a-c]x", "ax"));
    CHECK(begins("[ab-]x", "-x"));
    CHECK(begins(R"([\x80-\xff]x)", "\xffx"));
    CHECK_FALSE(begins(R"([\x80-\xff]x)", "\x7fx"));
    CHECK(begins(R"([\]]x)", "]x"));
}

TEST_CASE("escapes", "[byte_pattern]") {
    CHECK(begins(R"(\x41\x422)", "AB2"));
    CHECK(begins(R"(\0\x00)", std::string_view("\0\0", 2)));
    CHECK(begins(R"(\r\n\t\.\\)", "\r\n\t.\\"));
    CHECK_FALSE(begins(R"(\.)", "x"));
}

TEST_CASE("repetition", "[byte_pattern]") {
    CHECK(begins("ab?c", "ac"));
    CHECK(begins("ab?c", "abc"));
    CHECK_FALSE(begins("ab?c", "abbc"));
    CHECK(begins("ab*c", "ac"));
    CHECK(begins("ab*c", "abbbbc"));
    CHECK_FALSE(begins("ab+c", "ac"));
    CHECK(begins("ab+c", "abbc"));
    CHECK(begins("a{3}b", "aaab"));
    CHECK_FALSE(begins("a{3}b", "aab"));
    CHECK_FALSE(begins("a{2,3}b", "ab"));
    CHECK(begins("a{2,3}b", "aab"));
    CHECK(begins("a{2,3}b", "aaab"));
    CHECK_FALSE(begins("a{2,3}b", "aaaab"));
    CHECK(begins("(ab){2}c", "ababc"));
    CHECK(begins("(a?b?)*c", "abbac"));
    CHECK(begins(".*end", "what then is the end"));
    CHECK(begins(".*a.*b", "xxaxxb"));
    CHECK_FALSE(begins(".*a.*b", "bxxa"));
}

TEST_CASE("what anything may stand before is looked for as a whole", "[byte_pattern]") {
    CHECK(begins(".*ab.*cde.", "x ab y cdez"));
    CHECK_FALSE(begins(".*ab.*cde.", "x ab y cde"));
    CHECK_FALSE(begins(".*ab.*cde.", "x cdez ab"));
    CHECK_FALSE(begins(".{3}word", "a word"));
    CHECK(begins(".{2}word", "a word"));
    CHECK(begins(".a+b", "xaab"));
    CHECK(begins(R"([^\0](ab|cd)e?f)", "xcdf"));
}

TEST_CASE("choices, of any number and in each other", "[byte_pattern]") {
    for (const char* bytes : {"one", "two", "three", "fours", "fourth"})
        CHECK(begins("one|two|three|four(s|th)", bytes));
    CHECK_FALSE(begins("one|two", "tw"));
    CHECK(begins("(a|b)*c", "abbac"));
    CHECK(begins("x(|y)z", "xz"));
}

TEST_CASE("letters of either case, where asked for", "[byte_pattern]") {
    CHECK(begins("(?i:html)>", "HtMl>"));
    CHECK_FALSE(begins("(?i:ht)ml", "HTML"));
    CHECK(begins("(?i:[a-c]{3})", "aBC"));
}

TEST_CASE("what is no pattern is refused", "[byte_pattern]") {
    for (const char* text :
         {"(a", "a)", "[a", "a{", "a{2", "a{3,2}", "[b-a]", R"(\)", R"(\x4)", R"(\xgg)", "", "a*", "a|"}) {
        INFO(text);
        CHECK_THROWS_AS(BytePattern(text), std::invalid_argument);
    }
}
