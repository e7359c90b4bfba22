// The letters of a connection's history, as conn.log's `history` documents them: upper case from the originator, lower
// case from the responder, `^` where the roles were flipped. There are fewer than 32 of them, so that the first sixteen
// lie in ten bytes of the connection; what is beyond is in its ConnExtra. Worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/conn/conn_extra.h"
#include "core/conn/connection.h"

#include <cstdint>
#include <string>

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
    static void put_inline(Connection& c, std::size_t i, char letter);

    ConnExtraPool& extras_;
    EventCounters& events_;
};

} // namespace ftpsensor
