// What happens in the pipeline's fuzzer: conversations that go wrong and what is beside them, an operation a byte; and
// what of it may be held against what.
#pragma once

#include "core/packet/decode.h"
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/tcp_talk.h"

#include <array>
#include <optional>
#include <vector>

namespace ftpsensor::test {

inline constexpr std::string_view kClientLines[] = {
    "USER anonymous\r\n",
    "PASS me@here\r\n",
    "PASV\r\n",
    "EPSV\r\n",
    "RETR a.txt\r\n",
    "STOR b\r\n",
    "LIST\r\n",
    "PORT 10,0,0,1,156,64\r\n",
    "EPRT |1|10.0.0.1|40000|\r\n",
    "QUIT\r\n",
    "AUTH TLS\r\n",
    "SIZE a.txt\r\n",
    "REST 10\r\n",
    "CWD /x\r\n",
    "USER bob",
    "\r\n",
    "\xff\xf4\xff\xf2"
    "ABOR\r\n",
    "DELE a\nDELE b\r\n",
    "EPRT |2|2001:db8::1|40000|\r\n",
    "USER bob\r\n",
};
inline constexpr std::size_t kGuestLine = 0;
// Said as a password, in pieces or whole; each of the marks tells it, and is in nothing else.
inline constexpr std::string_view kSecretLine = "PASS Correct-Horse-Staple\r\n";
inline constexpr std::string_view kSecretMarks[] = {"correct-", "-horse-", "-staple"};
inline constexpr std::string_view kServerLines[] = {
    "220 Welcome.\r\n",
    "331 Password?\r\n",
    "230 In.\r\n",
    "227 Entering Passive Mode (10,0,0,2,156,64).\r\n",
    "229 Extended (|||40000|)\r\n",
    "150 Here it comes (5 bytes).\r\n",
    "226 Done.\r\n",
    "213 5\r\n",
    "221 Bye.\r\n",
    "234 Go.\r\n",
    "530 No.\r\n",
    "220-first\r\n",
    "220 last\r\n",
    "425 No connection.\r\n",
    "350 Go on.\r\n",
    "22",
};

// How a talk's packets come: in which tunnel, and between which hosts.
struct Way {
    std::uint8_t below = 0; // 0..5
    bool six = false;       // hosts of IPv6

    friend bool operator==(const Way&, const Way&) = default;
};

// Two control connections, one of them on an odd port, and two data connections that may be what they announce.
inline TalkOptions talk_options(std::size_t which, std::uint32_t isn, const Way& way) {
    TalkOptions o;
    switch (way.below) {
    case 1: o.below = {Ethernet{}, Vlan{}}; break;
    case 2: o.below = {Ethernet{}, Ipv4{.source = ip("10.9.0.1"), .destination = ip("10.9.0.2")}, Gre{}}; break;
    case 3: o.below = {Ethernet{}, Ipv6{}, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}}; break;
    case 4: o.below = {Ethernet{}, Ipv4{}, Ipv6{}}; break;
    case 5: o.below = {Ethernet{}, Ipv4{}, Udp{.destination_port = 2152}, raw_payload({0x30, 255, 0, 0, 0, 0, 0, 1})};
    }
    o.client_isn = isn;
    o.server_isn = ~isn;
    const IpAddress client = ip(way.six ? "2001:db8::1" : "10.0.0.1"),
                    server = ip(way.six ? "2001:db8::2" : "10.0.0.2");
    o.client = {client, static_cast<std::uint16_t>(50000 + which)};
    o.server = {server, 21};
    if (which == 1) o.server.port = 2121;
    if (which == 2) o.server.port = 40000;
    if (which == 3) {
        o.client = {server, 20};
        o.server = {client, 40000};
    }
    return o;
}

// Between two packets of the story.
struct Reload {
    std::size_t packet; // it comes before this one
    std::uint8_t what;  // changes
    std::uint8_t value;
};

class Story {
public:
    static constexpr std::size_t kStepsMax = 150, kReloadsMax = 8;

    // `by_ports`: workers are chosen by a packet's outermost ports, too.
    Story(FuzzInput& input, Trace& trace, bool six, bool by_ports) : input_(input), trace_(trace), by_ports_(by_ports) {
        const std::uint32_t isn = input.u32();
        for (std::size_t i = 0; i < talks_.size(); ++i) begin(i, isn, {0, six});
        for (std::size_t step = 0; step < kStepsMax && !input.empty(); ++step) this->step();
    }

    // Whichever worker has a packet, it has all of its connection, and no bound is nearer to one than to three.
    bool comparable() const { return comparable_; }
    // The secret was said as a password and nothing else; the text has no business with it, where passwords are hidden.
    bool secret_is_password() const { return secret_is_password_; }
    bool guest_was_said() const { return guest_was_said_; }
    const std::vector<Reload>& reloads() const { return reloads_; }

private:
    struct Talk {
        std::optional<TcpTalk> talk;
        Way way;
        bool line_is_open = false; // what the client said last is no whole line
        bool said = false;         // the client has said something
    };

    void step() {
        const std::uint8_t op = input_.u8();
        Talk& of = talks_[op >> 6];
        TcpTalk& talk = *of.talk;
        const Side side = (op & 32) != 0 ? Side::server : Side::client;
        if (goes_out(op & 31)) note_way(op >> 6);
        if (begins(op & 31) && of.said) secret_is_password_ = false; // other bytes may get the same numbers
        switch (op & 31) {
        case 0: talk.open(); break;
        case 1: talk.fin(side); break;
        case 2: talk.rst(side); break;
        case 3: retransmit(talk, side); break;
        case 4: talk.lose_next(1 + input_.u8() % 4); break;
        case 5: talk.skip(side, input_.u16()); break;
        case 6: skip_back(talk, side); break;
        case 7: talk.ack(side); break;
        case 8: talk.close(side); break;
        case 9: trace_.wait(static_cast<Duration>(input_.u16()) * 100 * kMillisecond); break;
        case 10:
            if (trace_.frames().size() >= 2) trace_.swap_last_two();
            break;
        case 11: repeat(input_.u8()); break;
        case 12: spoil(input_.u8(), input_.u8()); break;
        case 13: add_bytes(); break;
        case 14: cut(input_.u8()); break;
        case 15: overlap(talk, side); break;
        case 16: odd_segment(talk, side); break;
        case 17: begin_anew(op >> 6); break;
        case 18:
        case 19: say(of, side, std::string(input_.u16() % 5000, 'x')); break;
        case 20:
        case 21: say_anything(of, side); break;
        case 22: add_frame(input_.u8()); break;
        case 23: flood(input_.u8(), input_.u16()); break;
        case 24: talk.before_open(); break;
        case 25: reload(); break;
        case 26: far_segment(talk, side); break;
        case 27: say_secret(of); break;
        default: say_line(of, side); break;
        }
    }
    static bool begins(unsigned op) { return op == 0 || op == 17 || op == 24; }
    static bool goes_out(unsigned op) {
        return op <= 8 || op == 15 || op == 16 || (op >= 18 && op != 22 && op != 23 && op != 25);
    }

    // Packets are dealt by what is outermost, but for GRE and IP in IP: there by the addresses inside. What a
    // connection has on another way than before may be another worker's.
    void note_way(std::size_t which) {
        Way way = talks_[which].way;
        if (!by_ports_ && way.below != 3 && way.below != 5) way.below = 0;
        std::optional<std::uint8_t>& before = ways_[which][way.six ? 1 : 0];
        if (before && *before != way.below) comparable_ = false;
        before = way.below;
    }
    void begin(std::size_t which, std::uint32_t isn, const Way& way) {
        talks_[which] = {.talk = TcpTalk(trace_, talk_options(which, isn, way)), .way = way};
    }
    void begin_anew(std::size_t which) {
        const std::uint32_t isn = input_.u32();
        const std::uint8_t way = input_.u8();
        begin(which, isn, {static_cast<std::uint8_t>(way % 6), way / 6 % 2 == 1});
    }
    void say(Talk& of, Side side, std::string_view text) {
        of.talk->say(side, text);
        if (side != Side::client || text.empty()) return;
        of.line_is_open = text.back() != '\n';
        of.said = true;
    }
    void say_anything(Talk& of, Side side) {
        say(of, side, input_.text());
        if (side == Side::client) secret_is_password_ = false;
    }
    // Only where a line begins: what follows half a command is that one's argument.
    void say_secret(Talk& of) {
        std::string_view line = kSecretLine;
        if (of.line_is_open) return;
        while (!line.empty()) {
            const std::size_t size = std::clamp<std::size_t>(input_.u8() % 32, 1, line.size());
            say(of, Side::client, line.substr(0, size));
            line.remove_prefix(size);
            if (input_.empty()) say(of, Side::client, line), line = {};
        }
    }
    void skip_back(TcpTalk& talk, Side side) {
        talk.skip(side, 0xffff0000);
        if (side == Side::client) secret_is_password_ = false;
    }
    void add_bytes() {
        trace_.add(bytes(input_.text()));
        secret_is_password_ = false;
    }
    // Of these, tunnels and fragments may take two ways.
    static const std::vector<bool>& take_one_way() {
        static const std::vector<bool> known = [] {
            std::vector<bool> one_way;
            for (const Bytes& frame : ethernet_frames()) {
                EventCounters events;
                Decoder decoder({.fragment_bytes_max = 1u << 16, .fragment_datagrams_max = 1}, events);
                DecodedPacket decoded;
                PacketView view;
                view.data = frame.data();
                view.captured = view.length = static_cast<std::uint32_t>(frame.size());
                decoder.decode(view, decoded);
                one_way.push_back(decoded.layer_count == 1);
            }
            return one_way;
        }();
        return known;
    }
    void add_frame(std::size_t which) {
        static const std::vector<Bytes> frames = ethernet_frames();
        which %= frames.size();
        if (!take_one_way()[which]) {
            comparable_ = false;
            secret_is_password_ = false; // some have a connection that is a talk's
        }
        trace_.add(frames[which]);
    }
    // Packets of many connections, each of one that is new.
    void flood(std::uint8_t flags, std::uint16_t port) {
        const std::uint8_t count = input_.u8();
        flooded_ += count;
        if (flooded_ > kFloodMax) comparable_ = false; // a bound may be reached
        for (std::uint16_t i = 0; i < count; ++i)
            trace_.add({Ethernet{}, Ipv4{.source = IpAddress::from_v4(10, 1, static_cast<std::uint8_t>(port), 1)},
                        Tcp{.source_port = static_cast<std::uint16_t>(1000 + i),
                            .destination_port = static_cast<std::uint16_t>((flags & 64) != 0 ? port : 21),
                            .flags = static_cast<std::uint8_t>(flags & 0x3f)},
                        Payload{(flags & 128) != 0 ? "USER x\r\n" : ""}});
    }
    void reload() {
        const std::uint8_t what = input_.u8(), value = input_.u8();
        if (reloads_.size() < kReloadsMax) reloads_.push_back({trace_.frames().size(), what, value});
    }
    void say_line(Talk& of, Side side) {
        const std::uint8_t which = input_.u8();
        if (side == Side::server) {
            say(of, side, kServerLines[which % std::size(kServerLines)]);
            return;
        }
        say(of, side, kClientLines[which % std::size(kClientLines)]);
        if (which % std::size(kClientLines) == kGuestLine) guest_was_said_ = true;
    }
    void retransmit(TcpTalk& talk, Side side) {
        try {
            talk.retransmit(side);
        } catch (const std::logic_error&) { // it has sent nothing
        }
    }
    void repeat(std::size_t back) {
        auto& frames = trace_.frames();
        if (frames.empty()) return;
        const Bytes again = frames[frames.size() - 1 - back % frames.size()].bytes;
        trace_.add(again);
    }
    void spoil(std::size_t at, std::uint8_t value) {
        if (!trace_.frames().empty() && !trace_.frames().back().bytes.empty()) {
            Bytes& last = trace_.frames().back().bytes;
            last[at % last.size()] = value;
        }
        secret_is_password_ = false;
    }
    void cut(std::size_t size) { // as a snap length does
        if (!trace_.frames().empty() && size < trace_.frames().back().bytes.size())
            trace_.frames().back().bytes.resize(size);
    }
    void overlap(TcpTalk& talk, Side side) {
        TalkSegment s;
        s.seq = talk.next_seq(side) - input_.u8();
        s.text = input_.text();
        if (side == Side::client) secret_is_password_ = false; // other bytes in its place
        talk.send(side, s);
    }
    void odd_segment(TcpTalk& talk, Side side) {
        TalkSegment s;
        s.flags = input_.u8();
        s.seq = talk.next_seq(side) + input_.u32();
        s.ack = talk.next_seq(other(side)) + input_.u16();
        s.text = input_.text();
        if (side == Side::client) secret_is_password_ = false; // other bytes in its place
        talk.send(side, s);
    }

    // Where comparisons of numbers that wrap change sides, and beyond any window.
    void far_segment(TcpTalk& talk, Side side) {
        constexpr std::uint32_t kFar[] = {1u << 20, 5'000'000, 1u << 30, 0x7fffffff, 0xc0000000, 0xffff0000};
        TalkSegment s;
        s.seq = talk.next_seq(side) + kFar[input_.u8() % std::size(kFar)] - 8 + input_.u8() % 16;
        s.text = input_.text();
        if (side == Side::client) secret_is_password_ = false; // other bytes in its place
        talk.send(side, s);
    }

    static constexpr std::size_t kFloodMax = 30; // connections: fewer than a worker's candidates

    FuzzInput& input_;
    Trace& trace_;
    std::array<Talk, 4> talks_;
    std::array<std::array<std::optional<std::uint8_t>, 2>, 4> ways_; // on which each went, by the version of IP
    bool by_ports_;
    bool comparable_ = true;
    bool secret_is_password_ = true;
    bool guest_was_said_ = false;
    std::size_t flooded_ = 0;
    std::vector<Reload> reloads_;
};

} // namespace ftpsensor::test
