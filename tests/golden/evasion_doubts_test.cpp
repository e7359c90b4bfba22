// Segments that lie in one thing alone, and whose bytes a host may take; half-closed sessions; what is sent before the
// answer; and directions that are not followed (core/conn/conn_segments.cpp, conn_doubts.cpp).
#include "tests/golden/evasion.h"

#include <functional>
#include <utility>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPorts[] = {21, 8080};
constexpr std::uint32_t kOther = 1u << 30;
constexpr std::uint8_t kFinAck = kFlagFin | kFlagAck, kSynAck = kFlagSyn | kFlagAck;
constexpr std::string_view kReplies[] = {"331 Password?\r\n", "230 In.\r\n", "250 Gone.\r\n", "221 Bye.\r\n"};
const std::string kCommands = "USER mallory\r\nPASS x\r\nDELE secret\r\nQUIT\r\n";

std::string deleted(const Trace& trace, const Reading& how = kExtended) {
    return read(trace, how).show("ftp", "user command reply_code", {{"command", "DELE"}});
}

void speak(TcpTalk& talk) {
    for (const auto& [side, line] : kSession) talk.say(side, line);
    talk.close();
}

} // namespace

TEST_CASE("evasion: all commands in a segment with FIN, behind bytes that the server refuses") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t ahead : {5000u, 500'000u}) {
            for (const std::size_t junk : {100u, 7u}) {
                CAPTURE(port, ahead, junk);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.open().server("220 Hi.\r\n");
                talk.send(Side::client, {.text = std::string(junk, 'x'),
                                         .seq = talk.next_seq(Side::client),
                                         .ack = talk.next_seq(Side::server) + ahead});
                talk.ack(Side::server);
                talk.send(Side::client, {.flags = kFinAck, .text = kCommands}).ack(Side::server);
                for (const std::string_view reply : kReplies) talk.server(reply);
                talk.fin(Side::server);
                CHECK(deleted(trace) == "mallory DELE 250");
            }
        }
    }
}

TEST_CASE("evasion: a client that acknowledges what is long past, and a server that takes its bytes") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t old : {70'001u, kOther}) {
            CAPTURE(port, old);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.open();
            for (const auto& [side, line] : kSession) {
                if (side == Side::client) {
                    talk.send(side, {.text = std::string(line), .ack = talk.options().server_isn - old});
                    talk.ack(Side::server);
                } else
                    talk.say(side, line);
            }
            talk.close();
            for (const Reading& how : {kStrict, kExtended}) CHECK(deleted(trace, how) == "mallory DELE 250");
        }
    }
}

// The bytes of such a segment make no number due.
TEST_CASE("evasion: bytes that acknowledge what is long past, which the server refuses, a RST behind them, and a SYN") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        FtpTalk ftp(trace, on_port(port));
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        const std::uint32_t seq = talk.next_seq(Side::client);
        talk.send(Side::client, {.text = "DELE innocent\r\n", .seq = seq, .ack = talk.options().server_isn - kOther});
        talk.send(Side::client, {.flags = kFlagRst, .seq = seq + 15}).ack(Side::server);
        talk.send(Side::client, {.flags = kFlagSyn, .seq = seq + kOther}).ack(Side::server);
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: the client closes its half, and a SYN or a RST that the server does not take") {
    const std::function<void(TcpTalk&)> attacks[] = {
        [](TcpTalk& talk) { talk.send(Side::client, {.flags = kFlagSyn, .seq = kOther}); },
        [](TcpTalk& talk) { talk.send(Side::client, {.flags = kFlagSyn, .seq = 3 * kOther}); },
        [](TcpTalk& talk) {
            talk.send(Side::client, {.flags = kFlagRst, .seq = 777}).ack(Side::server);
            talk.trace().wait(6 * kSecond);
        },
        [](TcpTalk& talk) { // one that dies on the way
            talk.send(Side::client, {.flags = kFlagRst, .seq = talk.next_seq(Side::client)});
        }};
    for (const std::uint16_t port : kPorts) {
        for (std::size_t i = 0; i < std::size(attacks); ++i) {
            CAPTURE(port, i);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.open().server("220 Hi.\r\n");
            talk.send(Side::client, {.flags = kFinAck, .text = kCommands}).ack(Side::server);
            attacks[i](talk);
            for (const std::string_view reply : kReplies) talk.server(reply);
            talk.fin(Side::server);
            CHECK(deleted(trace) == "mallory DELE 250");
        }
    }
}

// The server never closed: its host is gone, or waits for hours.
TEST_CASE("a client that has closed its half connects again from the same port") {
    for (const bool challenged : {false, true}) {
        CAPTURE(challenged);
        Trace trace;
        FtpTalk first(trace);
        log_in(first);
        TcpTalk& old = first.control();
        old.fin(Side::client);
        trace.wait(kMinute);
        TcpTalk again(trace, {.server = {ip("10.0.0.2"), 21}, .client_isn = 900'000, .server_isn = 800'000});
        again.before_open().send(Side::client, {.flags = kFlagSyn});
        if (challenged) {
            old.ack(Side::server).send(Side::client, {.flags = kFlagRst, .seq = old.next_seq(Side::client)});
            again.retransmit(Side::client);
        }
        again.send(Side::server, {.flags = kSynAck}).ack(Side::client);
        speak(again);
        const Logs logs = read(trace, kExtended);
        CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
        CHECK(logs.show("conn", "service") == "ftp | ftp");
    }
}

TEST_CASE("evasion: a refusal that no host sees, before the client takes the answer") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t off : {kOther, 3 * kOther}) {
            CAPTURE(port, off);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            const std::uint32_t isn = talk.options().client_isn;
            talk.before_open().send(Side::client, {.flags = kFlagSyn});
            talk.send(Side::client, {.flags = kFlagSyn, .seq = isn + off});
            talk.send(Side::server, {.flags = kSynAck});
            talk.send(Side::client, {.flags = kFlagRst, .seq = isn + 1}).ack(Side::client);
            speak(talk);
            CHECK(deleted(trace) == "mallory DELE 250");
        }
    }
}

TEST_CASE("evasion: a FIN where bytes will be, of a direction that is not followed") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t ahead : {20'000u, 70'000u}) {
            CAPTURE(port, ahead);
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            TcpTalk& talk = ftp.control();
            talk.send(Side::client, {.text = "x", .seq = talk.next_seq(Side::client) + ahead});
            log_in(ftp);
            talk.send(Side::client, {.flags = kFinAck, .seq = talk.next_seq(Side::client) + 5});
            ftp.client("NOOP").server("200 Yes.");
            talk.send(Side::client, {.flags = kFlagSyn, .seq = kOther}).ack(Side::server);
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("a true RST of a direction that is not followed") {
    for (const bool in_flight : {false, true}) { // that arrives before the RST: which then is of an old number
        CAPTURE(in_flight);
        Trace trace;
        FtpTalk ftp(trace);
        TcpTalk& talk = ftp.control();
        talk.send(Side::client, {.text = "x", .seq = talk.next_seq(Side::client) + 70'000});
        log_in(ftp);
        const std::uint32_t seq = talk.next_seq(Side::client);
        if (in_flight) talk.send(Side::client, {.text = "NOOP\r\n"});
        talk.send(Side::client, {.flags = kFlagRst, .seq = seq});
        if (in_flight) {
            talk.send(Side::client, {.flags = kFlagSyn, .seq = kOther}).ack(Side::server);
            talk.server("200 Yes.\r\n");
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
        } else
            CHECK(read(trace, kExtended).show("conn", "conn_state") == "RSTO");
    }
}

TEST_CASE("evasion: bytes of the server before its SYN-ACK, of other numbers, that acknowledge the SYN") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t later : {0u, kOther, 3 * kOther}) { // another SYN-ACK behind the login
            CAPTURE(port, later);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            const std::uint32_t isn = talk.options().client_isn;
            talk.before_open().send(Side::client, {.flags = kFlagSyn});
            talk.send(Side::server, {.text = "2", .seq = 5, .ack = isn + 1});
            talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
            for (std::size_t i = 0; i < std::size(kSession); ++i) {
                talk.say(kSession[i].side, kSession[i].line);
                if (i == 4 && later != 0)
                    talk.send(Side::server, {.flags = kSynAck, .seq = later, .ack = talk.next_seq(Side::client)});
            }
            talk.close();
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: bytes and a FIN of the client before its SYN") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        const std::uint32_t isn = talk.options().client_isn;
        talk.before_open().send(Side::client, {.text = "x", .seq = isn + 1, .ack = 9});
        talk.send(Side::client, {.flags = kFinAck, .seq = isn + 50, .ack = 9});
        talk.send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kSynAck}).ack(Side::client);
        speak(talk);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: bytes of the client before the answer, with any acknowledgement") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t ack : {1u, 5001u + kOther, 5001u + 3 * kOther}) {
            for (const std::string_view text : {"x", "USER innocent\r\nPASS x\r\n"}) {
                CAPTURE(port, ack, text);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.before_open().send(Side::client, {.flags = kFlagSyn});
                talk.send(Side::client, {.text = std::string(text), .seq = talk.next_seq(Side::client), .ack = ack});
                talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
                speak(talk);
                check_deleted(trace, kExtended, "mallory");
            }
        }
    }
}

TEST_CASE("losses: the answer to the SYN comes late, or not at all, and the client's first words count") {
    for (const std::uint16_t port : kPorts) {
        for (const bool late : {false, true}) {
            CAPTURE(port, late);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.before_open().send(Side::client, {.flags = kFlagSyn});
            talk.lose_next().send(Side::server, {.flags = kSynAck});
            talk.send(Side::client, {.text = kCommands});
            if (late)
                talk.send(Side::server,
                          {.flags = kSynAck, .seq = talk.options().server_isn, .ack = talk.options().client_isn + 1});
            for (const std::string_view line :
                 {"220 Hi.\r\n", "331 P\r\n", "230 In\r\n", "250 Gone\r\n", "221 Bye\r\n"})
                talk.server(line);
            talk.close();
            CHECK(deleted(trace) == "mallory DELE 250");
        }
    }
}

// The replies acknowledge one command after the other, so that no packet has both numbers that were due.
TEST_CASE("evasion: a handshake of somebody else while commands are in flight") {
    for (const auto& [syn, answer] : {std::pair{kOther, kOther}, {kOther, 3 * kOther}, {3 * kOther, 3 * kOther}}) {
        CAPTURE(syn, answer);
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        talk.send(Side::client, {.text = "NOOP\r\n"}).send(Side::client, {.text = "NOOP\r\n"});
        talk.send(Side::client, {.flags = kFlagSyn, .seq = syn});
        talk.send(Side::server, {.flags = kSynAck, .seq = answer, .ack = syn + 1});
        const std::uint32_t due = talk.next_seq(Side::client);
        talk.send(Side::server, {.text = "200 One.\r\n", .ack = due - 6}).server("200 Two.\r\n");
        delete_secret(ftp);
        CHECK(deleted(trace) == "<unknown> DELE 250");
    }
}
