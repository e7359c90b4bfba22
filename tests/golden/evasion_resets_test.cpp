// RSTs that no host takes, and that the sensor believed or would have believed: before the answer, behind bytes that
// the peer refuses, behind a byte far ahead; and that one which was believed all the same is taken back
// (core/conn/conn_resets.cpp).
#include "tests/golden/evasion.h"

#include <functional>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPorts[] = {21, 8080};
constexpr std::uint32_t kOther = 1u << 30;
constexpr std::uint8_t kSynAck = kFlagSyn | kFlagAck, kSynRst = kFlagSyn | kFlagRst;

enum class Then { nothing, another, late }; // in the middle of the session, behind the login
constexpr Then kThen[] = {Then::nothing, Then::another, Then::late};

void speak(TcpTalk& talk, Then then) {
    for (std::size_t i = 0; i < std::size(kSession); ++i) {
        talk.say(kSession[i].side, kSession[i].line);
        if (i != 4) continue;
        if (then == Then::another)
            talk.send(Side::client, {.flags = kFlagSyn, .seq = talk.next_seq(Side::client) + kOther}).ack(Side::server);
        if (then == Then::late) talk.trace().wait(20 * kSecond);
    }
    talk.close();
}

// `packets` come behind the SYN, before its answer.
void check_before_answer(const std::function<void(TcpTalk&)>& packets) {
    for (const std::uint16_t port : kPorts) {
        for (const Then then : kThen) {
            CAPTURE(port, static_cast<int>(then));
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.before_open().send(Side::client, {.flags = kFlagSyn});
            packets(talk);
            talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
            speak(talk, then);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

} // namespace

TEST_CASE("evasion: a SYN with RST before the answer") {
    for (const std::uint32_t seq : {1000u, 1001u + kOther, 1000u + 3 * kOther}) {
        for (const std::uint8_t more : {std::uint8_t{0}, std::uint8_t{kFlagAck}}) {
            const auto flags = static_cast<std::uint8_t>(kSynRst | more);
            for (const Side side : {Side::client, Side::server}) {
                CAPTURE(seq, more, side == Side::client);
                check_before_answer(
                    [&](TcpTalk& talk) { talk.send(side, {.flags = flags, .seq = seq, .ack = 0x12345678}); });
            }
        }
    }
}

TEST_CASE("evasion: before the answer, a RST behind a byte that the server does not take") {
    for (const std::uint32_t ahead : {0u, 200'000u, kOther}) {
        CAPTURE(ahead);
        check_before_answer([&](TcpTalk& talk) {
            const std::uint32_t seq = talk.options().client_isn + 1 + ahead;
            talk.send(Side::client, {.text = "x", .seq = seq, .ack = 1});
            talk.send(Side::client, {.flags = kFlagRst, .seq = seq + 1});
        });
    }
}

TEST_CASE("evasion: a SYN-ACK of the client before its SYN, and a RST of any number") {
    for (const std::uint16_t port : kPorts) {
        for (const Side side : {Side::client, Side::server}) {
            for (const Then then : kThen) {
                CAPTURE(port, side == Side::client, static_cast<int>(then));
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.before_open().send(Side::client, {.flags = kSynAck, .seq = talk.options().client_isn, .ack = 5});
                talk.before_open().send(Side::client, {.flags = kFlagSyn});
                talk.send(side, {.flags = kFlagRst, .seq = 777});
                talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
                speak(talk, then);
                check_deleted(trace, kExtended, "mallory");
            }
        }
    }
}

TEST_CASE("evasion: a byte that the peer refuses, a RST behind it, and then a SYN or a pause") {
    for (const std::uint16_t port : kPorts) {
        for (const Side side : {Side::client, Side::server}) {
            for (const std::uint32_t ahead : {5000u, 500'000u}) {
                for (const Then then : kThen) {
                    CAPTURE(port, side == Side::client, ahead, static_cast<int>(then));
                    Trace trace;
                    FtpTalk ftp(trace, on_port(port));
                    log_in(ftp);
                    TcpTalk& talk = ftp.control();
                    const std::uint32_t seq = talk.next_seq(side);
                    talk.send(side, {.text = "2", .seq = seq, .ack = talk.next_seq(other(side)) + ahead});
                    talk.ack(other(side));
                    talk.send(side, {.flags = kFlagRst, .seq = seq + 1}).ack(other(side));
                    if (then == Then::another)
                        talk.send(side, {.flags = kFlagSyn, .seq = seq + kOther}).ack(other(side));
                    if (then == Then::late) trace.wait(20 * kSecond);
                    delete_secret(ftp);
                    check_deleted(trace, kExtended, "mallory");
                }
            }
        }
    }
}

// A RST of the right number that dies on the way, and so was believed: its sender goes on, and is acknowledged.
TEST_CASE("evasion: a RST that was believed, and a session that goes on") {
    for (const std::uint16_t port : kPorts) {
        for (const Side side : {Side::client, Side::server}) {
            for (const Then then : {Then::nothing, Then::another}) {
                CAPTURE(port, side == Side::client, then == Then::another);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.open();
                for (std::size_t i = 0; i < std::size(kSession); ++i) {
                    if (i == 2) talk.send(side, {.flags = kFlagRst, .seq = talk.next_seq(side)});
                    talk.say(kSession[i].side, kSession[i].line);
                    if (i != 4) continue;
                    trace.wait(20 * kSecond);
                    if (then == Then::another)
                        talk.send(side, {.flags = kFlagSyn, .seq = talk.next_seq(side) + kOther});
                }
                talk.close();
                check_deleted(trace, kExtended, "mallory");
                CHECK(read(trace, kExtended).show("conn", "conn_state") == "SF");
            }
        }
    }
}

// And a SYN right behind it, which the server denies: the session is known by its numbers.
TEST_CASE("evasion: a RST that was believed, a SYN behind it, and commands in flight") {
    for (const int in_flight : {0, 1, 2}) {
        CAPTURE(in_flight);
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        const std::uint32_t seq = talk.next_seq(Side::client);
        for (int i = 0; i < in_flight; ++i) talk.send(Side::client, {.text = "NOOP\r\n"});
        talk.send(Side::client, {.flags = kFlagRst, .seq = talk.next_seq(Side::client)});
        talk.send(Side::client, {.flags = kFlagSyn, .seq = seq + kOther}).ack(Side::server);
        for (int i = 0; i < in_flight; ++i) talk.server("200 Yes.\r\n");
        delete_secret(ftp);
        CHECK(read(trace, kExtended).show("ftp", "command reply_code", {{"command", "DELE"}}) == "DELE 250");
    }
}

// What hosts take.
TEST_CASE("a RST stays one, whatever its peer had sent before it came") {
    for (const bool behind_fin : {false, true}) {
        for (const bool again : {false, true}) { // on the same ports, and the server's last packets are late
            CAPTURE(behind_fin, again);
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            TcpTalk& talk = ftp.control();
            const std::uint32_t seq = talk.next_seq(Side::client);
            talk.send(Side::client, {.text = "DELE old\r\n"});
            if (behind_fin) talk.send(Side::client, {.flags = kFlagFin | kFlagAck});
            talk.send(Side::client, {.flags = kFlagRst, .seq = talk.next_seq(Side::client)});
            const auto late = [&] {
                talk.send(Side::server, {.ack = seq});
                talk.ack(Side::server).send(Side::server, {.text = "250 Gone.\r\n"});
            };
            if (!again) late();
            trace.wait(again ? kMillisecond : 20 * kSecond);
            TcpTalk next(trace, {.server = {ip("10.0.0.2"), 21}, .client_isn = 900'000, .server_isn = 800'000});
            next.before_open().send(Side::client, {.flags = kFlagSyn});
            if (again) late();
            next.send(Side::server, {.flags = kSynAck}).ack(Side::client);
            speak(next, Then::nothing);
            const Logs logs = read(trace, kExtended);
            CHECK(logs.show("conn", "conn_state") == "RSTO | SF");
            CHECK(logs.show("ftp", "user command arg reply_code", {{"arg", "ftp://10.0.0.2/./secret"}}) ==
                  "mallory DELE ftp://10.0.0.2/./secret 250");
        }
    }
}
