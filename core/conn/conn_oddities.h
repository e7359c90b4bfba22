// What only odd connections have: repeated control packets, retransmissions, holes, closed windows, wrong checksums.
//
// Blocks of a pool, taken when first needed; there is one for each connection, so that none is ever refused. Worker's
// thread only.
#pragma once

#include "core/base/table_memory.h"
#include "core/conn/connection.h"

namespace ftpsensor {

// Handshakes in the middle of a session, RSTs, and what a host may refuse (session_guard.h). Sides: an index of
// Connection::end.
struct SessionGuard {
    std::uint32_t syn = 0;         // the last SYN
    std::uint32_t syn_numbers = 0; // that it took; 0: none
    std::uint32_t syn_ack = 0;     // the last SYN-ACK, and what it acknowledged
    std::uint32_t syn_ack_acks = 0;
    std::uint32_t asked_syn = 0; // the originator's SYN, where the answer took another one
    bool has_asked = false;
    std::uint8_t syn_side = 0;
    std::uint8_t syn_ack_side = 0;
    bool has_syn_ack = false;
    // The session whose place this one took: the numbers that were due, until it is clear that it is over.
    bool has_former = false;
    bool former_established = false;
    std::uint8_t former_sides = 0; // a bit a side: whose segments tell that it goes on
    std::uint32_t former[2] = {0, 0};
    std::uint32_t former_doubted[2] = {0, 0}; // bytes before it that its peer may have refused
    Timestamp former_until = 0;
    // By side: its RST was believed, and a peer that acknowledges more than this has not taken it.
    bool has_reset[2] = {false, false};
    std::uint32_t reset_at[2] = {0, 0};
    // By side, where its bytes are not followed any more: where the last ones near what is acknowledged ended.
    bool has_sent[2] = {false, false};
    std::uint32_t sent_to[2] = {0, 0};
    // By side: bytes from here on its peer may have refused, until it acknowledges more than this.
    bool has_doubted[2] = {false, false};
    std::uint32_t doubted_from[2] = {0, 0};

    bool is_waiting() const { return syn_numbers != 0 || has_syn_ack; }
    void forget_handshake() {
        syn_numbers = 0;
        has_syn_ack = false;
    }
};

struct ConnOddities {
    struct Side {                   // of each end
        std::uint32_t last_syn = 0; // relative numbers of the last control packets, low 32 bits: for the history
        std::uint32_t last_rst = 0;
        std::uint32_t last_fin = 0; // where it is not the byte before fin_rel
        std::uint32_t retransmissions = 0;
        std::uint32_t gaps = 0;
        std::uint32_t zero_windows = 0;
        std::uint32_t bad_checksums = 0;
        bool has_last_fin = false;
    };
    Side side[2];
    SessionGuard guard;
    std::uint64_t missed_bytes = 0;
};

class ConnOdditiesPool {
public:
    explicit ConnOdditiesPool(std::uint32_t connections_max) : pool_(connections_max) {}

    ConnOddities& of(Connection& c) {
        if (c.odd == Connection::kNone) c.odd = pool_.allocate();
        return pool_[c.odd];
    }
    // Null: nothing odd so far.
    const ConnOddities* find(const Connection& c) const { return c.odd == Connection::kNone ? nullptr : &pool_[c.odd]; }
    void release(Connection& c) {
        if (c.odd == Connection::kNone) return;
        pool_.release(c.odd);
        c.odd = Connection::kNone;
    }
    std::uint32_t used() const { return pool_.used(); }

private:
    BlockPool<ConnOddities> pool_;
};

} // namespace ftpsensor
