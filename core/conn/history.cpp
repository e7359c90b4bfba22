#include "core/conn/history.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::string_view kLetters = "^SsHhAaDdFfRrCcGgTtWwIiQqXx"; // by their codes
constexpr unsigned kLetterBits = 5;
constexpr unsigned kLetterMask = (1u << kLetterBits) - 1;
static_assert(kLetters.size() <= kLetterMask + 1);
static_assert(Connection::kHistoryInline * kLetterBits <= 8 * sizeof(Connection::history));

unsigned load_pair(const std::uint8_t* bytes) { return bytes[0] | static_cast<unsigned>(bytes[1]) << 8; }

} // namespace

void History::put_inline(Connection& c, std::size_t i, char letter) {
    const std::size_t bit = i * kLetterBits;
    std::uint8_t* const at = c.history + std::min(bit / 8, sizeof c.history - 2);
    const unsigned shift = static_cast<unsigned>(bit - static_cast<std::size_t>(at - c.history) * 8);
    const unsigned pair = (load_pair(at) & ~(kLetterMask << shift)) |
                          static_cast<unsigned>(std::min(kLetters.find(letter), kLetters.size() - 1)) << shift;
    at[0] = static_cast<std::uint8_t>(pair);
    at[1] = static_cast<std::uint8_t>(pair >> 8);
}

char History::at(const Connection& c, std::size_t i) const {
    if (i >= Connection::kHistoryInline) return extras_[c.cold().extra].history_more[i - Connection::kHistoryInline];
    const std::size_t bit = i * kLetterBits;
    const std::uint8_t* const at = c.history + std::min(bit / 8, sizeof c.history - 2);
    const unsigned shift = static_cast<unsigned>(bit - static_cast<std::size_t>(at - c.history) * 8);
    return kLetters[(load_pair(at) >> shift & kLetterMask) % kLetters.size()];
}

void History::add(Connection& c, char letter) const {
    if (c.history_size < Connection::kHistoryInline) [[likely]] {
        put_inline(c, c.history_size++, letter);
        return;
    }
    std::uint32_t& extra = c.cold().extra;
    if (extra == Connection::kNone) extra = extras_.allocate();
    if (extra == Connection::kNone || c.history_size >= kLettersMax) {
        events_.count(Event::history_too_long);
        return;
    }
    extras_[extra].history_more[c.history_size++ - Connection::kHistoryInline] = letter;
}

void History::replace(Connection& c, std::string_view letters) const {
    c.history_size = 0;
    for (const char letter : letters) add(c, letter);
}

std::string History::text(const Connection& c) const {
    std::string letters;
    for (std::size_t i = 0; i < c.history_size; ++i) letters.push_back(at(c, i));
    return letters;
}

} // namespace ftpsensor
