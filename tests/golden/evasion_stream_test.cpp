// What would replace, shift or swallow the bytes of an FTP session and is taken by no host: bytes of a SYN that the
// answer leaves out, of numbers from elsewhere, with acknowledgements of what was never sent.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::uint16_t kPorts[] = {21, 8080};
const std::string kRequest = "GET / HTTP/1.1\r\nHost: " + std::string(280, 'h') + "\r\n\r\n";

// The session, or what is left of it from `first` on.
void say_session(TcpTalk& talk, std::size_t first = 0) {
    for (std::size_t i = first; i < std::size(kSession); ++i) talk.say(kSession[i].side, kSession[i].line);
    talk.close();
}

// A handshake whose SYN says `text`, of which the server takes so much.
void open_with(TcpTalk& talk, const std::string& text, std::uint32_t taken) {
    const std::uint32_t isn = talk.options().client_isn;
    talk.before_open().send(Side::client, {.flags = kFlagSyn, .text = text, .seq = isn});
    talk.skip(Side::client, 1 + taken);
    talk.send(Side::server, {.flags = kFlagSyn | kFlagAck, .ack = isn + 1 + taken}).ack(Side::client);
}

// Where the first SYN is an entry of its own.
void check_found(const Trace& trace) {
    const Logs logs = read(trace, kExtended);
    CHECK(logs.show("ftp", "user command arg reply_code", {{"command", "DELE"}}) ==
          "mallory DELE ftp://10.0.0.2/./secret 250");
    CHECK(logs.show("conn", "service", {{"service", "ftp"}}) == "ftp");
}

} // namespace

TEST_CASE("evasion: bytes of a second SYN, which the server does not take") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t off : {1u << 30, 0u - (1u << 30), 5'000'000u, 1000u, 0u - 1000u}) {
            for (const bool within : {true, false}) { // the SYN, or in a segment behind it
                CAPTURE(port, off, within);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                const std::uint32_t isn = talk.options().client_isn;
                talk.before_open().send(Side::client, {.flags = kFlagSyn});
                talk.send(Side::client, {.flags = kFlagSyn, .text = within ? "x" : "", .seq = isn + off});
                if (!within) talk.send(Side::client, {.text = kRequest, .seq = isn + off + 1, .ack = 1});
                talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client);
                say_session(talk);
                check_found(trace);
            }
        }
    }
}

TEST_CASE("evasion: bytes of a SYN that the answer does not take") {
    for (const std::uint16_t port : kPorts) {
        for (const std::string& text : {std::string("x"), std::string("NOOP\r\nX"), kRequest}) {
            CAPTURE(port, text);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            open_with(talk, text, 0);
            say_session(talk);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: bytes of a SYN of which the answer takes a part") {
    const std::string taken = "NOOP\r\nUSER ma"; // the greeting is NOOP's reply then
    Trace trace;
    TcpTalk talk(trace, on_port(21));
    open_with(talk, taken + "donna\r\n", static_cast<std::uint32_t>(taken.size()));
    talk.client("llory\r\n").server("220 Hi.\r\n");
    say_session(talk, 2);
    check_deleted(trace, kExtended, "mallory");
}

TEST_CASE("evasion: bytes before the answer that acknowledge nothing") {
    for (const std::uint16_t port : kPorts) {
        CAPTURE(port);
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.before_open().send(Side::client, {.flags = kFlagSyn});
        talk.send(Side::client, {.flags = kFlagPsh, .text = kRequest, .seq = talk.next_seq(Side::client)});
        talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client);
        say_session(talk);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: an acknowledgement before the SYN, and a byte far ahead first") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t ahead : {1000u, 5'000'000u, 1u << 30}) {
            CAPTURE(port, ahead);
            Trace trace;
            TcpTalk talk(trace, on_port(port));
            talk.before_open().send(Side::client, {.seq = talk.options().client_isn + 1, .ack = 1});
            talk.send(Side::client, {.flags = kFlagSyn});
            talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client);
            talk.send(Side::client, {.text = "x", .seq = talk.next_seq(Side::client) + ahead});
            talk.ack(Side::server);
            say_session(talk);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: a session whose beginning was not captured, and a byte far ahead first") {
    for (const std::uint16_t port : kPorts) {
        for (const bool greeted : {false, true}) {
            CAPTURE(port, greeted);
            Trace trace;
            TcpTalk talk(trace, on_port(port)); // never opened
            if (greeted) talk.say(kSession[0].side, kSession[0].line);
            talk.send(Side::client, {.text = "x", .seq = talk.next_seq(Side::client) + 5'000'000});
            talk.ack(Side::server); // "not this one"
            say_session(talk, greeted ? 1 : 0);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: bytes that acknowledge nothing, or what was never sent, or is long past, before the true ones") {
    struct Decoy {
        std::uint8_t flags;
        std::uint32_t ack; // from what the server has sent
    };
    const Decoy decoys[] = {{kFlagPsh, 0},
                            {0, 0},
                            {kFlagAck, 100},
                            {kFlagAck, 60'000},
                            {kFlagAck, 1'000'000},
                            {kFlagAck, 1u << 30},
                            {kFlagAck, 0u - 100'000},
                            {kFlagAck, 0u - (1u << 30)}};
    for (const std::uint16_t port : kPorts) {
        for (const Decoy& decoy : decoys) {
            for (const bool login : {true, false}) { // instead of the user's name, or of the command
                for (const Duration pause : {Duration{0}, 5 * kSecond}) {
                    CAPTURE(port, decoy.flags, decoy.ack, login, pause);
                    Trace trace;
                    FtpTalk ftp(trace, on_port(port));
                    TcpTalk& talk = ftp.control();
                    const auto send_decoy = [&](const std::string& text) {
                        TalkSegment segment{.flags = decoy.flags, .text = text, .seq = talk.next_seq(Side::client)};
                        if ((decoy.flags & kFlagAck) != 0) segment.ack = talk.next_seq(Side::server) + decoy.ack;
                        talk.send(Side::client, segment);
                        trace.wait(pause);
                    };
                    ftp.server("220 Hi.");
                    if (login) send_decoy("USER innocen\r\n");
                    ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
                    if (!login) send_decoy("NOOP secre\r\nx");
                    delete_secret(ftp);
                    check_deleted(trace, kExtended, "mallory");
                }
            }
        }
    }
}

TEST_CASE("evasion: the type of an upload is that of the bytes that the server took") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).");
    ftp.client("STOR a").server("150 Now.");
    TcpTalk data(trace, {.client = {ip("10.0.0.1"), 50000}, .server = {ip("10.0.0.2"), 40000}});
    const std::uint32_t isn = data.options().client_isn;
    data.before_open()
        .send(Side::client, {.flags = kFlagSyn})
        .send(Side::client, {.flags = kFlagSyn, .seq = isn + 5'000'000});
    data.send(Side::client, {.text = std::string(50, 'd'), .seq = isn + 5'000'001, .ack = 1});
    data.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client).client("text").close();
    ftp.server("226 Done.");
    trace.wait(10 * kSecond);
    ftp.quit();
    CHECK(read(trace, kExtended).show("ftp", "mime_type data_channel.bytes", {{"command", "STOR"}}) == "sniffed/4 4");
}

TEST_CASE("bytes of a SYN that nobody answers end with their connection") {
    for (const std::uint16_t port : kPorts) {
        Trace trace;
        TcpTalk talk(trace, on_port(port));
        talk.before_open().send(Side::client, {.flags = kFlagSyn, .text = "USER mallory\r\n"});
        CHECK(read(trace, kExtended).show("conn", "conn_state") == "S0");
    }
}

TEST_CASE("evasion: segments that reach back before the first byte") {
    // Hosts take what lies behind it (RFC 9293 3.10.7.4); Zeek leaves the whole segment out.
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t before : {1u, 2u, 10u, 600u}) {
            for (const bool both : {false, true}) {
                CAPTURE(port, before, both);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.open();
                const std::uint32_t first[2] = {talk.next_seq(Side::client), talk.next_seq(Side::server)};
                for (const SaidLine& said : kSession) {
                    if (said.side == Side::server && !both) {
                        talk.say(said.side, said.line);
                        continue;
                    }
                    const std::uint32_t begin = first[static_cast<std::size_t>(said.side)];
                    const std::uint32_t junk = talk.next_seq(said.side) - begin + before;
                    talk.send(said.side, {.flags = kFlagAck | kFlagPsh,
                                          .text = std::string(junk, 'j') + std::string(said.line),
                                          .seq = begin - before});
                    talk.skip(said.side, static_cast<std::uint32_t>(said.line.size()));
                    talk.ack(said.side == Side::client ? Side::server : Side::client);
                }
                talk.close();
                check_deleted(trace, kExtended, "mallory");
            }
        }
    }
}

TEST_CASE("evasion: bytes that acknowledge what was never sent, in the place of later ones that trade places") {
    for (const std::uint16_t port : kPorts) {
        for (const std::uint32_t ahead : {50u, 5'000u, 500'000u}) {
            for (const std::uint32_t at : {0u, 5u}) {
                CAPTURE(port, ahead, at);
                Trace trace;
                TcpTalk talk(trace, on_port(port));
                talk.open();
                for (std::size_t i = 0; i < 5; ++i) talk.say(kSession[i].side, kSession[i].line); // the login
                const std::uint32_t due = talk.next_seq(Side::client);
                std::string lie;
                while (lie.size() < 1380) lie += "DELE f\r\n";
                talk.send(Side::client, {.flags = kFlagAck | kFlagPsh,
                                         .text = lie,
                                         .seq = due + at,
                                         .ack = talk.next_seq(Side::server) + ahead});
                talk.ack(Side::server); // a challenge
                const std::string command = "DELE secret\r\n";
                talk.send(Side::client, {.flags = kFlagAck | kFlagPsh, .text = command.substr(5), .seq = due + 5});
                talk.send(Side::client, {.flags = kFlagAck | kFlagPsh, .text = command.substr(0, 5), .seq = due});
                talk.skip(Side::client, static_cast<std::uint32_t>(command.size()));
                talk.server("250 Gone.\r\n").client("NOOP\r\n").server("200 " + std::string(120, 'o') + "\r\n");
                talk.client("QUIT\r\n").server("221 Bye.\r\n").close();
                check_deleted(trace, kExtended, "mallory");
            }
        }
    }
}
