#include "core/conn/history.h"

#include <algorithm>

namespace ftpsensor {

void History::add(Connection& c, char letter) const {
    if (c.history_size < Connection::kHistoryInline) [[likely]] {
        c.history[c.history_size++] = letter;
        return;
    }
    if (c.extra == Connection::kNone) c.extra = extras_.allocate();
    if (c.extra == Connection::kNone || c.history_size >= kLettersMax) {
        events_.count(Event::history_too_long);
        return;
    }
    extras_[c.extra].history_more[c.history_size++ - Connection::kHistoryInline] = letter;
}

void History::replace(Connection& c, std::string_view letters) const {
    c.history_size = static_cast<std::uint8_t>(std::min(letters.size(), Connection::kHistoryInline));
    std::copy_n(letters.begin(), c.history_size, c.history);
}

char History::at(const Connection& c, std::size_t i) const {
    return i < Connection::kHistoryInline ? c.history[i]
                                          : extras_[c.extra].history_more[i - Connection::kHistoryInline];
}

std::string History::text(const Connection& c) const {
    std::string letters;
    for (std::size_t i = 0; i < c.history_size; ++i) letters.push_back(at(c, i));
    return letters;
}

} // namespace ftpsensor
