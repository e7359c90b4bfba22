// The letters of a connection's history, as conn.log's `history` documents them: upper case from the originator, lower
// case from the responder, `^` where the roles were flipped. There are fewer than 32 of them, so that the first sixteen
// lie in ten bytes of the connection; what is beyond is in its ConnExtra. Worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/conn/conn_extra.h"
#include "core/conn/connection.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace ftpsensor {

enum HistoryMask : std::uint16_t { // for the originator; the responder's are kHistoryResponderShift bits further up
    kHistorySyn = 0x1,
    kHistoryFin = 0x2,
    kHistoryRst = 0x4,
    kHistoryFinRst = 0x8,
    kHistoryData = 0x10,
    kHistoryAck = 0x20,
    kHistoryMultiFlag = 0x40,
    kHistoryLimit = 0x80, // 'X', for both
};
inline constexpr unsigned kHistoryResponderShift = 8;
inline constexpr std::string_view kHistoryLetters = "^SsHhAaDdFfRrCcGgTtWwIiQqXx"; // by their codes

class History {
public:
    static constexpr std::size_t kLettersMax = 255; // beyond it letters are dropped, and counted

    History(ConnExtraPool& extras, EventCounters& events) : extras_(extras), events_(events) {}

    void add(Connection& c, char letter) const;
    // Adds the letter the first time only. True where it had been seen before (Zeek's CheckHistory).
    bool check(Connection& c, unsigned mask, char letter) const {
        if (c.history_seen & mask) return true;
        c.history_seen = static_cast<std::uint16_t>(c.history_seen | mask);
        add(c, letter);
        return false;
    }
    // The same for a letter that was not seen, and for which there is room in the connection. `letter` should be a
    // constant.
    [[gnu::always_inline]] static void add_first(Connection& c, unsigned mask, char letter) {
        c.history_seen = static_cast<std::uint16_t>(c.history_seen | mask);
        put_inline(c, c.history_size++, static_cast<unsigned>(kHistoryLetters.find(letter)));
    }
    // Letters that repeat logarithmically: the 1st, 10th, 100th … occurrence adds one.
    void add_scaled(Connection& c, char letter, std::uint32_t& counter) const {
        ++counter;
        std::uint32_t n = counter;
        while (n >= 10 && n % 10 == 0) n /= 10;
        if (n == 1) add(c, letter);
    }
    void replace(Connection& c, std::string_view letters) const;
    char at(const Connection& c, std::size_t i) const; // i < history_size
    bool is(const Connection& c, char letter) const { return c.history_size == 1 && at(c, 0) == letter; }
    std::string text(const Connection& c) const; // for tests and rules that look at all of it

private:
    static constexpr unsigned kLetterBits = 5;
    static constexpr unsigned kLetterMask = (1u << kLetterBits) - 1;
    static_assert(kHistoryLetters.size() <= kLetterMask + 1);
    static_assert(Connection::kHistoryInline * kLetterBits <= 8 * sizeof(Connection::history));

    // The two bytes that have the letter at `i`, and how far up it stands in them.
    static std::size_t pair_of(std::size_t i) { return std::min(i * kLetterBits / 8, sizeof(Connection::history) - 2); }
    static unsigned shift_of(std::size_t i) { return static_cast<unsigned>(i * kLetterBits - pair_of(i) * 8); }
    static unsigned load_pair(const std::uint8_t* bytes) { return bytes[0] | static_cast<unsigned>(bytes[1]) << 8; }
    static void put_inline(Connection& c, std::size_t i, unsigned code) {
        std::uint8_t* const at = c.history + pair_of(i);
        const unsigned shift = shift_of(i);
        const unsigned pair = (load_pair(at) & ~(kLetterMask << shift)) | code << shift;
        at[0] = static_cast<std::uint8_t>(pair);
        at[1] = static_cast<std::uint8_t>(pair >> 8);
    }

    ConnExtraPool& extras_;
    EventCounters& events_;
};

} // namespace ftpsensor
