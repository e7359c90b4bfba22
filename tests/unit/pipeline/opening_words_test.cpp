// The first words of originators: kept in order, in chains, within a bound, where the oldest makes room.
#include "core/pipeline/opening_words.h"
#include "tests/support/catch.h"

#include <set>
#include <string>

using namespace ftpsensor;

namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text_of(const OpeningWords& words, std::uint32_t chain) {
    std::string text(words.size(chain), '\0');
    words.copy(chain, reinterpret_cast<std::uint8_t*>(text.data()));
    return text;
}

std::string letters(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text.push_back(static_cast<char>('a' + i % 26));
    return text;
}

} // namespace

TEST_CASE("words come out as they went in, however they were cut") {
    for (const std::size_t piece : {1u, 7u, 239u, 240u, 241u, 1000u}) {
        OpeningWords words(100);
        const std::string said = letters(1000);
        const std::uint32_t chain = words.open(5, 1);
        for (std::size_t at = 0; at < said.size(); at += piece)
            words.append(chain, bytes(std::string_view(said).substr(at, piece)));
        CHECK(text_of(words, chain) == said);
        CHECK(words.side(chain) == 1);
        CHECK(words.segments(chain) == static_cast<std::uint8_t>((said.size() + piece - 1) / piece));
        CHECK(words.blocks_used() == 5);
        words.release(chain);
        CHECK(words.blocks_used() == 0);
        CHECK(words.count() == 0);
    }
}

TEST_CASE("chains do not touch each other") {
    OpeningWords words(100);
    const std::uint32_t a = words.open(1, 0), b = words.open(2, 1);
    for (int i = 0; i < 50; ++i) {
        words.append(a, bytes("aaaaaaaaaa"));
        words.append(b, bytes("bbbbbbbb"));
    }
    CHECK(text_of(words, a) == std::string(500, 'a'));
    CHECK(text_of(words, b) == std::string(400, 'b'));
    words.release(a);
    CHECK(text_of(words, b) == std::string(400, 'b'));
}

TEST_CASE("room is told before it is used up") {
    OpeningWords words(18); // at least the longest chain's 18
    const std::uint32_t chain = words.open(1, 0);
    words.append(chain, bytes(letters(240)));
    CHECK(words.has_room(240, 17 * 240));
    CHECK_FALSE(words.has_room(240, 17 * 240 + 1));
    words.append(chain, bytes(letters(17 * 240)));
    CHECK(words.blocks_used() == 18);
    CHECK_FALSE(words.has_room(0, 1));
}

TEST_CASE("who came since the hand passed stays, the others make room in turn") {
    OpeningWords words(18);
    std::uint32_t chain[18];
    for (std::uint32_t i = 0; i < 18; ++i) {
        chain[i] = words.open(i, 0);
        words.append(chain[i], bytes("x"));
    }
    std::set<std::uint32_t> gone;
    std::uint32_t next = 100;
    for (int round = 0; round < 9; ++round) {
        const std::uint32_t victim = words.oldest();
        REQUIRE(victim < 18); // of the first ones
        CHECK(gone.insert(victim).second);
        words.release(chain[victim]);
        const std::uint32_t fresh = words.open(next++, 0); // in its block
        words.append(fresh, bytes("y"));
        CHECK(fresh == chain[victim]);
    }
}
