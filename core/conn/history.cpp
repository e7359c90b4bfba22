#include "core/conn/history.h"

#include <array>

namespace ftpsensor {

namespace {

// The code of each letter; what is none reads as the last one.
constexpr std::array<std::uint8_t, 128> kCodes = [] {
    std::array<std::uint8_t, 128> codes{};
    codes.fill(static_cast<std::uint8_t>(kHistoryLetters.size() - 1));
    for (std::size_t i = 0; i < kHistoryLetters.size(); ++i)
        codes[static_cast<std::size_t>(kHistoryLetters[i])] = static_cast<std::uint8_t>(i);
    return codes;
}();

} // namespace

char History::at(const Connection& c, std::size_t i) const {
    if (i >= Connection::kHistoryInline) return extras_[c.cold().extra].history_more[i - Connection::kHistoryInline];
    const unsigned code = load_pair(c.history + pair_of(i)) >> shift_of(i) & kLetterMask;
    return kHistoryLetters[code % kHistoryLetters.size()];
}

void History::add(Connection& c, char letter) const {
    if (c.history_size < Connection::kHistoryInline) [[likely]] {
        put_inline(c, c.history_size++, kCodes[static_cast<unsigned char>(letter) % kCodes.size()]);
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
