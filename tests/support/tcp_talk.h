// Scripted TCP conversations for tests.
//
//     Trace trace;
//     TcpTalk talk(trace);
//     talk.open().client("hello").server("hi").lose_next().client("never seen").close();
//     trace.save("hello.pcap");
//
// A talk keeps both sides' sequence and acknowledgment numbers as two hosts would; each call adds its packets to the
// Trace, at the Trace's clock (trace.at(...), trace.wait(...) between calls set other times). The Trace is what a
// sensor captures: a packet lost to it still reaches the other host. Talks may share a Trace; it outlives them. One
// thread.
#pragma once

#include "tests/support/capture_writer.h"
#include "tests/support/packet_builder.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor::test {

struct TalkEnd {
    IpAddress address;
    std::uint16_t port = 0;
};

enum class Side : std::uint8_t { client, server };
constexpr Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

struct TalkOptions {
    TalkEnd client = {IpAddress::from_v4(10, 0, 0, 1), 40000};
    TalkEnd server = {IpAddress::from_v4(10, 0, 0, 2), 80};
    std::uint32_t client_isn = 1000; // sequence number of the SYN; the first byte has the next one
    std::uint32_t server_isn = 5000;
    std::vector<Header> below = {Ethernet{}}; // what stands before the IP header: tags, tunnels, nothing
    TcpOptions syn_options = {.mss = 1460};   // of both SYNs
    bool timestamps = false;                  // RFC 7323 on every segment: the Trace's clock in milliseconds
    bool acks = true;                         // text and FIN are answered by a pure ACK at once
    std::size_t segment_size = 1460;          // longer text is cut into segments of it
};

// One segment, where the script below is not enough. What is empty is as the conversation stands.
struct TalkSegment {
    std::uint8_t flags = kFlagAck;
    std::string text = {};
    std::optional<std::uint32_t> seq = {};
    std::optional<std::uint32_t> ack = {};
    std::optional<std::uint16_t> checksum = {};
    std::uint16_t window = 65535;
};

class TcpTalk {
public:
    explicit TcpTalk(Trace& trace, const TalkOptions& options = {});

    // The script. A talk that is not opened starts midstream: its first packets are what comes after the handshake.
    TcpTalk& open();        // SYN, SYN-ACK, ACK
    TcpTalk& before_open(); // nothing sent yet: for a handshake told segment by segment
    TcpTalk& client(std::string_view text) { return say(Side::client, text); }
    TcpTalk& server(std::string_view text) { return say(Side::server, text); }
    TcpTalk& say(Side side, std::string_view text); // with PSH on the last segment
    TcpTalk& ack(Side side);                        // a pure ACK
    TcpTalk& fin(Side side);                        // FIN-ACK
    TcpTalk& rst(Side side);                        // RST-ACK
    TcpTalk& close(Side first = Side::client);      // FIN from `first`, then from the other, each acknowledged
    TcpTalk& send(Side side, const TalkSegment& segment);

    // What goes wrong on the way.
    TcpTalk& retransmit(Side side);                // the side's last segment that took sequence space, again
    TcpTalk& lose_next(std::size_t packets = 1);   // the next packets are sent, but not captured
    TcpTalk& skip(Side side, std::uint32_t count); // the side's sequence goes on as if `count` bytes had been sent

    Trace& trace() { return *trace_; }
    const TalkOptions& options() const { return options_; }
    std::uint32_t next_seq(Side side) const { return host(side).next_seq; }

private:
    struct Host {
        std::uint32_t next_seq = 0;
        std::uint32_t received = 0; // the acknowledgment number it sends
        TalkSegment last;           // that took sequence space
    };

    Host& host(Side side) { return hosts_[static_cast<std::size_t>(side)]; }
    const Host& host(Side side) const { return hosts_[static_cast<std::size_t>(side)]; }
    std::vector<Header> headers(Side side, const TalkSegment& segment) const;

    Trace* trace_;
    TalkOptions options_;
    std::array<Host, 2> hosts_;
    std::size_t to_lose_ = 0;
};

} // namespace ftpsensor::test
