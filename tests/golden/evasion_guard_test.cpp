// Numbers that no host takes, sent to end or hide a session: by its client, its server, or one who only knows the
// addresses and ports (core/conn/session_guard.h).
#include "tests/golden/evasion.h"

#include <functional>
#include <utility>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPorts[] = {21, 8080};
constexpr std::uint32_t kFarAway = 5'000'000;
constexpr std::uint8_t kFinAck = kFlagFin | kFlagAck, kSynAck = kFlagSyn | kFlagAck, kRstAck = kFlagRst | kFlagAck;

// What is done to a session, in words for the message and as packets.
struct Attack {
    std::string_view name;
    std::function<void(TcpTalk&)> packets;
};

std::uint32_t next(const TcpTalk& talk, Side side = Side::client) { return talk.next_seq(side); }

// What comes behind what was to end the session: a SYN of other numbers, or so long a pause that it would be forgotten.
void begin_another(TcpTalk& talk) {
    talk.send(Side::client, {.flags = kFlagSyn, .seq = next(talk) + (1u << 30)});
    talk.ack(Side::server);
}
void wait_long(TcpTalk& talk) { talk.trace().wait(20 * kSecond); }

void check_hides_nothing(const Attack& attack) {
    for (const std::uint16_t port : kPorts) {
        for (const auto behind : {begin_another, wait_long}) {
            CAPTURE(attack.name, port, behind == begin_another);
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            log_in(ftp);
            attack.packets(ftp.control());
            behind(ftp.control());
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

} // namespace

TEST_CASE("evasion: a RST of the number before bytes in flight") {
    check_hides_nothing({"NOOP in flight", [](TcpTalk& talk) {
                             const std::uint32_t seq = next(talk);
                             talk.send(Side::client, {.text = "NOOP\r\n"});
                             talk.send(Side::client, {.flags = kFlagRst, .seq = seq});
                             talk.ack(Side::server).server("200 Yes.\r\n");
                         }});
}

TEST_CASE("evasion: a FIN where bytes are, or that is none to the server") {
    const Attack attacks[] = {
        {"old", [](TcpTalk& talk) { talk.send(Side::client, {.flags = kFinAck, .seq = next(talk) - 10}); }},
        {"before the beginning",
         [](TcpTalk& talk) { talk.send(Side::client, {.flags = kFinAck, .seq = talk.options().client_isn - 1}); }},
        {"without ACK, and bytes in its place",
         [](TcpTalk& talk) {
             const std::uint32_t seq = next(talk);
             talk.send(Side::client, {.flags = kFlagFin, .seq = seq});
             talk.send(Side::client, {.text = "NOOP\r\n"}).ack(Side::server).server("200 Yes.\r\n");
         }},
        {"with ACK, and bytes in its place",
         [](TcpTalk& talk) {
             const std::uint32_t seq = next(talk);
             talk.send(Side::client, {.flags = kFinAck, .seq = seq});
             talk.send(Side::client, {.text = "NOOP\r\n"}).ack(Side::server).server("200 Yes.\r\n");
         }},
        {"far ahead, and a RST of the next number",
         [](TcpTalk& talk) {
             talk.send(Side::client, {.flags = kFinAck, .seq = next(talk) + kFarAway});
             talk.send(Side::client, {.flags = kFlagRst, .seq = next(talk) + 1});
         }},
        {"a little ahead, and a RST of the next number",
         [](TcpTalk& talk) {
             talk.send(Side::client, {.flags = kFinAck, .seq = next(talk) + 1000});
             talk.send(Side::client, {.flags = kFlagRst, .seq = next(talk) + 1});
         }},
        {"of both ends, old",
         [](TcpTalk& talk) {
             talk.send(Side::client, {.flags = kFinAck, .seq = next(talk) - 10});
             talk.send(Side::server, {.flags = kFinAck, .seq = next(talk, Side::server) - 10});
         }},
    };
    for (const Attack& attack : attacks) {
        CAPTURE(attack.name);
        check_hides_nothing(attack);
    }
}

TEST_CASE("evasion: a byte far ahead right behind the handshake, and a RST right behind it") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        FtpTalk ftp(trace, on_port(port));
        TcpTalk& talk = ftp.control();
        const std::uint32_t seq = next(talk) + kFarAway;
        talk.send(Side::client, {.text = "x", .seq = seq});
        talk.send(Side::client, {.flags = kFlagRst, .seq = seq + 1});
        begin_another(talk);
        log_in(ftp);
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: the SYN-ACK of the session's own number again, and a RST of a number near it") {
    check_hides_nothing({"client's", [](TcpTalk& talk) {
                             const std::uint32_t isn = talk.options().client_isn;
                             talk.send(Side::client, {.flags = kSynAck, .seq = isn});
                             talk.send(Side::client, {.flags = kFlagRst, .seq = isn + 3});
                         }});
    check_hides_nothing({"server's", [](TcpTalk& talk) {
                             const std::uint32_t isn = talk.options().server_isn;
                             talk.send(Side::server, {.flags = kSynAck, .seq = isn});
                             talk.send(Side::server, {.flags = kFlagRst, .seq = isn + 3});
                         }});
}

TEST_CASE("evasion: somebody else acknowledges what was never sent, resets at that number, and connects") {
    for (const std::uint32_t ahead : {1u << 17, (1u << 20) + 1, 1u << 30, (1u << 31) - 1, 1u << 31}) {
        CAPTURE(ahead);
        check_hides_nothing({"blind", [&](TcpTalk& talk) {
                                 const std::uint32_t number = next(talk) + ahead;
                                 talk.send(Side::server, {.seq = 77, .ack = number});
                                 talk.send(Side::client, {.flags = kFlagRst, .seq = number});
                             }});
    }
}

TEST_CASE("evasion: an acknowledgement of what was never sent is no missed byte and hides no true RST") {
    Trace trace;
    FtpTalk ftp(trace);
    log_in(ftp);
    TcpTalk& talk = ftp.control();
    talk.send(Side::server, {.seq = 77, .ack = next(talk) + 1'000'000'000});
    talk.rst(Side::client);
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("conn", "service conn_state missed_bytes") == "ftp RSTO 0");
}

TEST_CASE("evasion: a SYN-ACK of the server that answers no SYN") {
    for (const std::uint32_t off : {7u, 1u << 30, 0u - (1u << 30)}) {
        for (const bool acknowledges : {false, true}) {
            CAPTURE(off, acknowledges);
            check_hides_nothing({"blind", [&](TcpTalk& talk) {
                                     talk.send(Side::server, {.flags = kSynAck,
                                                              .seq = next(talk, Side::server) + off,
                                                              .ack = acknowledges ? next(talk) : 0});
                                 }});
        }
    }
}

TEST_CASE("evasion: a SYN in a session whose beginning was not captured") {
    for (const std::uint16_t port : kPorts) {
        for (const bool answered : {false, true}) { // whether both ends have been heard before it
            CAPTURE(port, answered);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            for (std::size_t i = 0; i < std::size(kSession); ++i) {
                talk.say(kSession[i].side, kSession[i].line);
                if (i == (answered ? 3u : 1u)) begin_another(talk);
            }
            talk.close();
            const Logs logs = read(trace, kExtended);
            CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
        }
    }
}

TEST_CASE("evasion: what ends a handshake that goes on") {
    const auto isn = [](const TcpTalk& talk) { return talk.options().client_isn; };
    const Attack attacks[] = {
        {"a RST of the SYN's own number",
         [&](TcpTalk& talk) { talk.send(Side::client, {.flags = kFlagRst, .seq = isn(talk)}); }},
        {"a RST that acknowledges another SYN",
         [](TcpTalk& talk) { talk.send(Side::server, {.flags = kRstAck, .seq = 0, .ack = 4242}); }},
        {"a RST that acknowledges nothing",
         [](TcpTalk& talk) { talk.send(Side::server, {.flags = kFlagRst, .seq = 0}); }},
        {"a FIN far ahead",
         [&](TcpTalk& talk) { talk.send(Side::client, {.flags = kFinAck, .seq = isn(talk) + kFarAway}); }},
        {"a FIN of the next number",
         [&](TcpTalk& talk) { talk.send(Side::client, {.flags = kFinAck, .seq = isn(talk) + 1}); }},
    };
    for (const std::uint16_t port : kPorts) {
        for (const Attack& attack : attacks) {
            for (const bool late : {false, true}) { // what follows it comes so late that it would be forgotten
                CAPTURE(port, attack.name, late);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.before_open().send(Side::client, {.flags = kFlagSyn});
                attack.packets(talk);
                talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
                if (late) wait_long(talk);
                for (const auto& [side, line] : kSession) talk.say(side, line);
                talk.close();
                check_deleted(trace, kExtended, "mallory");
            }
        }
    }
}

TEST_CASE("evasion: a SYN-ACK of the client before its SYN, and a SYN in the middle") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.before_open().send(Side::client, {.flags = kSynAck, .seq = talk.options().client_isn});
        talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kSynAck});
        talk.ack(Side::client);
        for (std::size_t i = 0; i < std::size(kSession); ++i) {
            talk.say(kSession[i].side, kSession[i].line);
            if (i == 4) begin_another(talk);
        }
        talk.close();
        check_deleted(trace, kExtended, "mallory");
    }
}

// What hosts do take still ends a session.
TEST_CASE("evasion: a true RST ends the session, and what is connected then is another") {
    for (const Side side : {Side::client, Side::server}) {
        for (const bool behind_fin : {false, true}) {
            CAPTURE(side == Side::client, behind_fin);
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            TcpTalk& talk = ftp.control();
            const std::uint32_t seq = next(talk, side);
            if (behind_fin) talk.send(side, {.flags = kFinAck});
            talk.send(side, {.flags = kFlagRst, .seq = seq}); // of the FIN's own number: some hosts do so
            talk.trace().wait(kSecond);
            FtpTalk again(trace, {.client_isn = 900'000, .server_isn = 800'000});
            log_in(again);
            delete_secret(again);
            const Logs logs = read(trace, kExtended);
            CHECK(logs.show("conn", "conn_state", {{"service", "ftp"}}) ==
                  std::string(side == Side::client ? "RSTO" : "RSTR") + " | SF");
            CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
        }
    }
}
