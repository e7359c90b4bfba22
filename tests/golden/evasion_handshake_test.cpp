// Handshakes that are none, and which of several is believed; and what a tap that loses packets makes of honest ones.
// Which segments are decoys in a session is in evasion_guard_test.cpp.
#include "tests/golden/evasion.h"

#include <functional>
#include <utility>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPorts[] = {21, 8080};
constexpr std::uint8_t kFinAck = kFlagFin | kFlagAck, kSynAck = kFlagSyn | kFlagAck;

TcpTalk& speak(TcpTalk& talk) {
    for (const auto& [side, line] : kSession) talk.say(side, line);
    return talk.close();
}

std::string deleted(const Trace& trace) {
    return read(trace, kExtended).show("ftp", "user command reply_code", {{"command", "DELE"}});
}

// What a host answers to what is none of its session: where it is.
void challenge(TcpTalk& talk, Side side) { talk.ack(side); }

struct BeforeAnswer {
    std::string_view name;
    std::uint8_t flags;
    std::string_view text;
};

} // namespace

TEST_CASE("evasion: the server says something else before it answers the SYN") {
    const BeforeAnswer cases[] = {
        {"ACK", kFlagAck, ""}, {"FIN", kFinAck, ""}, {"SYN-ACK", kSynAck, ""}, {"bytes", kFlagAck, "220 Hi.\r\n"}};
    constexpr std::uint32_t kOther = 999'999'999;
    for (const std::uint16_t port : kPorts) {
        for (const auto& [name, flags, text] : cases) {
            for (const bool refused : {false, true}) { // by the client, which goes on to ask
                for (const bool late : {false, true}) {
                    CAPTURE(port, name, refused, late);
                    Trace trace;
                    TcpTalk talk(trace, on_port(port));
                    talk.before_open().send(Side::client, {.flags = kFlagSyn});
                    talk.send(Side::server, {.flags = flags, .text = std::string(text), .seq = 5, .ack = kOther});
                    if (refused) talk.send(Side::client, {.flags = kFlagRst, .seq = kOther});
                    talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
                    if (late) trace.wait(20 * kSecond);
                    speak(talk);
                    CHECK(deleted(trace) == "mallory DELE 250");
                }
            }
        }
    }
}

TEST_CASE("evasion: a FIN and a RST before the answer") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        const std::uint32_t isn = talk.options().client_isn;
        talk.before_open().send(Side::client, {.flags = kFlagSyn});
        talk.send(Side::client, {.flags = kFlagFin, .seq = isn + 1});
        talk.send(Side::client, {.flags = kFlagRst, .seq = 777});
        talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
        trace.wait(10 * kSecond);
        speak(talk);
        CHECK(deleted(trace) == "mallory DELE 250");
    }
}

TEST_CASE("evasion: two SYN-ACKs, and the client says which it took") {
    constexpr std::uint32_t kOther = 1u << 30;
    for (const std::uint16_t port : kPorts) {
        for (const bool other_first : {false, true}) {
            CAPTURE(port, other_first);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            const std::uint32_t other = talk.options().server_isn + kOther;
            const std::uint32_t isn = talk.options().client_isn;
            const auto send_other = [&] { talk.send(Side::server, {.flags = kSynAck, .seq = other, .ack = isn + 1}); };
            talk.before_open().send(Side::client, {.flags = kFlagSyn});
            if (other_first) {
                send_other();
                talk.send(Side::client, {.ack = other + 1}); // the server does not care
            }
            talk.send(Side::server, {.flags = kSynAck});
            if (!other_first) send_other();
            talk.ack(Side::client);
            speak(talk);
            CHECK(deleted(trace) == "mallory DELE 250");
        }
    }
}

TEST_CASE("evasion: the client lets the answer be repeated, and speaks before the server does") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kSynAck});
        talk.retransmit(Side::server).ack(Side::client);
        for (const char* line : {"USER mallory\r\n", "PASS x\r\n", "DELE secret\r\n"})
            talk.send(Side::client, {.flags = kFlagAck | kFlagUrg, .text = line});
        for (const char* line : {"220 Hi.\r\n", "331 Password?\r\n", "230 In.\r\n", "250 Gone.\r\n"}) talk.server(line);
        talk.close();
        CHECK(deleted(trace) == "mallory DELE 250");
    }
}

TEST_CASE("evasion: two SYNs, an answer that the client acknowledges, and a RST as though it refused") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        const std::uint32_t isn = talk.options().client_isn;
        talk.before_open().send(Side::client, {.flags = kFlagSyn});
        talk.send(Side::client, {.flags = kFlagSyn, .seq = isn + (1u << 30)});
        talk.send(Side::server, {.flags = kSynAck}).ack(Side::client);
        talk.send(Side::client, {.flags = kFlagRst, .seq = isn + 1}); // dies on the way
        speak(talk);
        CHECK(deleted(trace) == "mallory DELE 250");
    }
}

TEST_CASE("evasion: a second SYN-ACK that the client does not take, and a byte behind it") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t off : {1u << 17, 1u << 30, 0u - (1u << 30)}) {
            for (const bool asked_twice : {false, true}) {
                CAPTURE(port, off, asked_twice);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                const std::uint32_t other = talk.options().server_isn + off;
                talk.before_open().send(Side::client, {.flags = kFlagSyn});
                if (asked_twice) talk.retransmit(Side::client);
                talk.send(Side::server, {.flags = kSynAck});
                if (!asked_twice) talk.send(Side::server, {.flags = kSynAck, .seq = other});
                talk.ack(Side::client);
                if (asked_twice)
                    talk.send(Side::server, {.flags = kSynAck, .seq = other});
                else
                    talk.send(Side::server, {.text = "2", .seq = other + 1});
                trace.wait(3 * kSecond);
                speak(talk);
                CHECK(deleted(trace) == "mallory DELE 250");
            }
        }
    }
}

TEST_CASE("evasion: a SYN that is answered by a SYN") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.before_open().send(Side::client, {.flags = kFlagSyn}).send(Side::server, {.flags = kFlagSyn});
        talk.send(Side::client, {.flags = kSynAck, .seq = talk.options().client_isn}).ack(Side::server);
        speak(talk);
        const Logs logs = read(trace, kExtended);
        CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
        CHECK(logs.show("conn", "id.resp_p service") == std::to_string(port) + " ftp");
    }
}

TEST_CASE("evasion: bytes of the client before its SYN") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint8_t flags : {kFlagAck, kFlagPsh}) {
            CAPTURE(port, flags);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.before_open().send(Side::client, {.flags = flags,
                                                   .text = "USER innocen\r\nPASS x\r\nNOOP\r\n",
                                                   .seq = talk.options().client_isn + 1,
                                                   .ack = 1});
            talk.before_open().open();
            speak(talk);
            CHECK(deleted(trace) == "mallory DELE 250");
        }
    }
}

TEST_CASE("evasion: two bytes of the server so far ahead that numbers come round") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        FtpTalk ftp(trace, on_port(port));
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        const std::uint32_t seq = talk.next_seq(Side::server) + (1u << 31) - 2;
        talk.send(Side::server, {.text = "x", .seq = seq}).send(Side::server, {.text = "x", .seq = seq + (1u << 30)});
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

// All of it is forged. Both hosts answer that they are elsewhere, and go on.
TEST_CASE("evasion: a handshake of somebody else in the middle of a session") {
    for (const std::uint16_t port : kPorts) {
        for (const bool confirmed : {false, true}) {
            for (const auto& [at_first, denied] : {std::pair{false, true}, {true, true}, {false, false}}) {
                CAPTURE(port, confirmed, at_first, denied);
                Trace trace;
                FtpTalk ftp(trace, on_port(port));
                TcpTalk& talk = ftp.control();
                if (!at_first) log_in(ftp);
                talk.send(Side::client, {.flags = kFlagSyn, .seq = 0x77777777});
                talk.send(Side::server, {.flags = kSynAck, .seq = 77, .ack = 0x77777778});
                if (confirmed) talk.send(Side::client, {.seq = 0x77777778, .ack = 78});
                if (denied) {
                    challenge(talk, Side::server);
                    challenge(talk, Side::client);
                } else // no host has seen it, and nobody says anything for a while
                    trace.wait(3 * kSecond);
                if (at_first) log_in(ftp);
                delete_secret(ftp);
                // What was said before it is of the other entry: on a port that is not FTP's the rest is not found.
                if (at_first || port == 21)
                    CHECK(deleted(trace) == std::string(at_first ? "mallory" : "<unknown>") + " DELE 250");
            }
        }
    }
}

TEST_CASE("evasion: a SYN of somebody else that the server has denied, and then the answer to it") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        FtpTalk ftp(trace, on_port(port));
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        talk.send(Side::client, {.flags = kFlagSyn, .seq = 0x77777777});
        challenge(talk, Side::server);
        talk.send(Side::server, {.flags = kSynAck, .seq = 77, .ack = 0x77777778});
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

// The end of the first session was not captured, and not all of the second one's handshake.
TEST_CASE("losses: a session on the ports of another whose end was not seen") {
    enum class Handshake { whole, no_syn, no_answer, exchanged };
    for (const std::uint16_t port : kPorts) {
        for (const Handshake handshake :
             {Handshake::whole, Handshake::no_syn, Handshake::no_answer, Handshake::exchanged}) {
            CAPTURE(port, static_cast<int>(handshake));
            Trace trace;
            FtpTalk first(trace, on_port(port));
            log_in(first);
            trace.wait(5 * kSecond);
            TalkOptions options = on_port(port);
            options.client_isn = 3'000'000'000;
            options.server_isn = 2'000'000'000;
            TcpTalk second(trace, options);
            second.before_open();
            if (handshake == Handshake::no_syn || handshake == Handshake::exchanged) second.lose_next();
            second.send(Side::client, {.flags = kFlagSyn});
            if (handshake == Handshake::no_answer) second.lose_next();
            second.send(Side::server, {.flags = kSynAck});
            if (handshake == Handshake::exchanged)
                second.send(Side::client, {.flags = kFlagSyn, .seq = options.client_isn, .ack = 0});
            second.ack(Side::client);
            speak(second);
            const Logs logs = read(trace, kExtended);
            CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
            CHECK(logs.show("conn", "service") == "ftp | ftp");
        }
    }
}

TEST_CASE("losses: the server is not captured any more, or not for 70,000 bytes") {
    for (const std::uint32_t step : {4380u, 70'000u}) {
        for (const bool comes_back : {false, true}) {
            CAPTURE(step, comes_back);
            Trace trace;
            FtpTalk ftp(trace);
            log_in(ftp);
            TcpTalk& talk = ftp.control();
            for (int i = 0; i < 5; ++i) {
                talk.send(Side::client, {.text = "STAT\r\n"});
                for (int k = 0; k < 4; ++k) talk.skip(Side::server, step).ack(Side::client);
            }
            talk.send(Side::client, {.text = "DELE secret\r\n"});
            if (comes_back) talk.server("250 Gone.\r\n");
            talk.send(Side::client, {.text = "QUIT\r\n"}).send(Side::client, {.flags = kFinAck});
            const Logs logs = read(trace, kExtended);
            CHECK(logs.show("ftp", "user command", {{"command", "DELE"}}) == "mallory DELE");
            CHECK(logs.show("conn", "conn_state") == "S2");
        }
    }
}

TEST_CASE(
    "losses: a session that ends by FINs is over after seconds, whatever was captured of their acknowledgements") {
    for (const bool crossed : {false, true}) { // or: the second FIN, which acknowledges the first, overtakes it
        CAPTURE(crossed);
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        const std::uint32_t client = talk.next_seq(Side::client), server = talk.next_seq(Side::server);
        if (crossed) {
            talk.send(Side::client, {.flags = kFinAck, .seq = client, .ack = server});
            talk.send(Side::server, {.flags = kFinAck, .seq = server, .ack = client});
        } else {
            talk.send(Side::server, {.flags = kFinAck, .seq = server, .ack = client + 1});
            talk.send(Side::client, {.flags = kFinAck, .seq = client, .ack = server});
        }
        trace.wait(kMinute);
        TcpTalk later(trace, {.client = {ip("10.0.0.1"), 1234}});
        later.open().client("x").close();
        CHECK(read(trace, kExtended).show("conn", "id.resp_p conn_state") == "21 SF | 80 SF");
    }
}

TEST_CASE("losses: the RST of an idle session of which a keep-alive alone was captured") {
    Trace trace;
    TcpTalk talk(trace, on_port(21));
    const std::uint32_t seq = talk.next_seq(Side::server);
    talk.send(Side::server, {.seq = seq - 1}).ack(Side::client);
    talk.send(Side::server, {.flags = kFlagRst, .seq = seq});
    trace.wait(kMinute);
    TcpTalk later(trace, {.client = {ip("10.0.0.1"), 1234}});
    later.open().client("x").close();
    CHECK(read(trace, kExtended).show("conn", "conn_state") == "RSTRH | SF");
}
