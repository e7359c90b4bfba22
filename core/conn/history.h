// The letters of a connection's history, as conn.log's `history` documents them: upper case from the originator, lower
// case from the responder, `^` where the roles were flipped. Worker's thread only.
#pragma once

#include "core/base/events.h"
#include "core/conn/conn_extra.h"
#include "core/conn/connection.h"

#include <cstdint>
#include <string>

namespace ftpsensor {

enum HistoryMask : std::uint32_t { // for the originator; the responder's are 16 bits further up
    kHistorySyn = 0x1,
    kHistoryFin = 0x2,
    kHistoryRst = 0x4,
    kHistoryFinRst = 0x8,
    kHistoryData = 0x10,
    kHistoryAck = 0x20,
    kHistoryMultiFlag = 0x40,
    kHistoryLimit = 0x400, // 'X', for both
};

class History {
public:
    static constexpr std::size_t kLettersMax = 255; // beyond it letters are dropped, and counted

    History(ConnExtraPool& extras, EventCounters& events) : extras_(extras), events_(events) {}

    void add(Connection& c, char letter) const;
    // Adds the letter the first time only. True where it had been seen before (Zeek's CheckHistory).
    bool check(Connection& c, std::uint32_t mask, char letter) const {
        if (c.history_seen & mask) return true;
        c.history_seen |= mask;
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
    char at(const Connection& c, std::size_t i) const;
    std::string text(const Connection& c) const; // for tests and rules that look at all of it

private:
    ConnExtraPool& extras_;
    EventCounters& events_;
};

} // namespace ftpsensor
