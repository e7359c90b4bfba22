// What is sent to hide an FTP session and is taken by no host: numbers outside of the window, SYNs, FINs and RSTs in
// its middle, headers by the dozen. The rest is in evasion_test.cpp.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

TEST_CASE("evasion: a byte far outside of the window, and the session goes on") {
    for (const std::uint32_t ahead : {5'000'000u, 0x7fffffffu - 100, 0x7ffffffeu, 0x7fffffffu, 0x80000000u}) {
        for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
            for (const bool first : {false, true}) { // of all that the client says
                CAPTURE(ahead, port, first);
                Trace trace;
                FtpTalk ftp(trace, on_port(port));
                ftp.server("220 Hi.");
                TcpTalk& talk = ftp.control();
                const auto send_far = [&] {
                    talk.send(Side::client, {.text = "xyz", .seq = talk.next_seq(Side::client) + ahead});
                    talk.ack(Side::server); // "not this one"
                };
                if (first) send_far();
                ftp.client("USER mallory").server("331 Password?").client("PASS x").server("230 In.");
                if (!first) send_far();
                trace.wait(2 * kSecond);
                ftp.client("NOOP").server("200 Yes.");
                delete_secret(ftp);
                check_deleted(trace, kExtended, "mallory");
                // Zeek reads nothing of a direction that begins 16 KiB beyond a hole, and neither do we to the letter.
                if (!first) check_deleted(trace, kStrict, "mallory");
            }
        }
    }
}

TEST_CASE("evasion: a second SYN before the answer, which the server does not take") {
    for (const std::uint32_t off : {1u << 30, 0u - (1u << 30), 5'000'000u}) {
        CAPTURE(off);
        Trace trace;
        TcpTalk talk(trace, on_port(21));
        const std::uint32_t isn = talk.options().client_isn;
        talk.before_open()
            .send(Side::client, {.flags = kFlagSyn})
            .send(Side::client, {.flags = kFlagSyn, .seq = isn + off});
        talk.send(Side::server, {.flags = kFlagSyn | kFlagAck}).ack(Side::client);
        for (const auto& [side, line] : kSession) talk.say(side, line);
        talk.close();
        const Logs logs = read(trace, kExtended);
        CHECK(logs.show("ftp", "user command arg reply_code", {{"command", "DELE"}}) ==
              "mallory DELE ftp://10.0.0.2/./secret 250");
        CHECK(logs.show("conn", "service missed_bytes", {{"service", "ftp"}}) == "ftp 0");
    }
}

TEST_CASE("evasion: a FIN or a RST that the server does not take, and then a SYN") {
    for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
        for (const int ending : {kFlagFin | kFlagAck, +kFlagRst, 0}) {
            CAPTURE(port, ending);
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            ftp.control(); // the handshake
            TcpTalk& talk = ftp.control();
            const std::uint32_t seq = talk.next_seq(Side::client);
            if (ending != 0)
                talk.send(Side::client, {.flags = static_cast<std::uint8_t>(ending), .seq = seq + 5'000'000});
            talk.send(Side::client, {.flags = kFlagSyn, .seq = seq + (1u << 30)});
            talk.ack(Side::server);
            log_in(ftp);
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: a SYN-ACK of the client in the middle") {
    for (const std::uint32_t off : {0u, 1u << 30, 0u - (1u << 30)}) {
        CAPTURE(off);
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        talk.send(Side::client, {.flags = kFlagSyn | kFlagAck, .seq = talk.next_seq(Side::client) + off});
        talk.ack(Side::server);
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: a reset of a number that the server does not take, and a long pause") {
    for (const std::uint16_t port : {std::uint16_t{21}, std::uint16_t{8080}}) {
        for (const std::uint32_t off : {1u, 1000u, 100'000'000u, 0u - 100'000u}) {
            CAPTURE(port, off);
            Trace trace;
            FtpTalk ftp(trace, on_port(port));
            log_in(ftp);
            TcpTalk& talk = ftp.control();
            talk.send(Side::client, {.flags = kFlagRst, .seq = talk.next_seq(Side::client) + off});
            talk.ack(Side::server); // "where are you?" (RFC 5961 3)
            trace.wait(20 * kSecond);
            delete_secret(ftp);
            check_deleted(trace, kExtended, "mallory");
        }
    }
}

TEST_CASE("evasion: a byte far ahead, a RST right behind it, and then a SYN") {
    for (const std::uint32_t off : {1000u, 5'000'000u}) {
        CAPTURE(off);
        Trace trace;
        FtpTalk ftp(trace);
        log_in(ftp);
        TcpTalk& talk = ftp.control();
        const std::uint32_t seq = talk.next_seq(Side::client) + off;
        talk.send(Side::client, {.text = "x", .seq = seq - 1}); // as though that had been sent
        talk.send(Side::client, {.flags = kFlagRst, .seq = seq});
        talk.send(Side::client, {.flags = kFlagSyn, .seq = seq + (1u << 30)});
        talk.ack(Side::server);
        delete_secret(ftp);
        check_deleted(trace, kExtended, "mallory");
    }
}

TEST_CASE("evasion: many IPv6 extension headers in each packet") {
    for (const std::size_t count : {33u, 150u}) {
        Trace trace;
        std::vector<Header> below = {Ethernet{}, Ipv6{}};
        below.insert(below.end(), count, Ipv6Extension{.kind = 60});
        FtpTalk ftp(trace, {.below = below});
        log_in(ftp);
        delete_secret(ftp);
        const Logs logs = read(trace, kExtended);
        CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
    }
}
