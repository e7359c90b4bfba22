#include "tests/support/attacks.h"

#include "core/base/mix.h"

#include <algorithm>

namespace ftpsensor::test {

namespace {

constexpr std::size_t kIpAt = 14; // behind the Ethernet header
constexpr std::size_t kIdAt = kIpAt + 4;
constexpr std::size_t kFragmentAt = kIpAt + 6;
constexpr std::size_t kSourceAt = kIpAt + 12;
constexpr std::size_t kTcpAt = kIpAt + 20;
constexpr std::size_t kSeqAt = kTcpAt + 4;
constexpr std::size_t kAckAt = kTcpAt + 8;
constexpr std::size_t kFlagsAt = kTcpAt + 13;
constexpr std::size_t kPayloadAt = kTcpAt + 20;
constexpr std::size_t kSegment = 1400;
constexpr Duration kShort = 20 * kSecond;

void put16(Bytes& frame, std::size_t at, std::uint64_t value) {
    frame[at] = static_cast<std::uint8_t>(value >> 8);
    frame[at + 1] = static_cast<std::uint8_t>(value);
}

void put32(Bytes& frame, std::size_t at, std::uint64_t value) {
    put16(frame, at, value >> 16);
    put16(frame, at + 2, value);
}

std::uint64_t random(std::uint64_t number) { return mix(number + 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93); }

Bytes segment(std::uint16_t port, std::uint8_t flags, const std::string& text = {}) {
    return build({Ethernet{}, Ipv4{.source = ip("198.18.0.1"), .destination = ip("198.19.0.1")},
                  Tcp{.source_port = 1024, .destination_port = port, .flags = flags}, Payload{text}});
}

Bytes reply(std::uint16_t port, std::uint8_t flags, const std::string& text = {}) {
    return build({Ethernet{}, Ipv4{.source = ip("198.19.0.1"), .destination = ip("198.18.0.1")},
                  Tcp{.source_port = port, .destination_port = 1024, .flags = flags}, Payload{text}});
}

std::string repeated(const std::string& line, std::size_t bytes = kSegment) {
    std::string text;
    while (text.size() + line.size() <= bytes) text += line;
    return text;
}

// The client's end of a connection: its address and port.
void put_client(Bytes& frame, std::uint64_t client, bool to_client) {
    put32(frame, to_client ? kSourceAt + 4 : kSourceAt, 0xc6120000u | (client >> 14));
    put16(frame, to_client ? kTcpAt + 2 : kTcpAt, 1024 + (client & 0x3fff));
}

// Frames of which each is a whole connection's, or of one that goes on.
std::function<void(std::uint64_t, Bytes&)> from_anywhere(const Bytes& frame) {
    return [frame](std::uint64_t number, Bytes& out) {
        out = frame;
        const std::uint64_t from = random(number);
        put32(out, kSourceAt, from);
        put16(out, kTcpAt, from >> 32);
        put32(out, kSeqAt, from >> 24);
    };
}

// Some segments each, and nothing of an answer.
std::function<void(std::uint64_t, Bytes&)> short_ones_from_anywhere(std::uint16_t port) {
    constexpr std::uint64_t kEach = 8;
    const auto first = from_anywhere(segment(port, kFlagAck, "x"));
    return [first](std::uint64_t number, Bytes& out) {
        first(number / kEach, out);
        out[kSeqAt + 3] = static_cast<std::uint8_t>(number % kEach); // the next byte
    };
}

// One connection: SYN, SYN-ACK, ACK, then `text` again and again from one side, acknowledged or not.
std::function<void(std::uint64_t, Bytes&)> one_talks(std::uint16_t port, bool client, const std::string& text) {
    const Bytes syn = segment(port, kFlagSyn), syn_ack = reply(port, kFlagSyn | kFlagAck);
    const Bytes data = client ? segment(port, kFlagAck, text) : reply(port, kFlagAck, text);
    const Bytes ack = client ? reply(port, kFlagAck) : segment(port, kFlagAck);
    const std::uint64_t size = text.size();
    return [=](std::uint64_t number, Bytes& out) {
        if (number < 2) {
            out = number == 0 ? syn : syn_ack;
            return;
        }
        const std::uint64_t turn = number / 2 - 1;
        out = number % 2 == 0 ? data : ack;
        put32(out, kSeqAt, number % 2 == 0 ? 1 + turn * size : 1);
        put32(out, kAckAt, number % 2 == 0 ? 1 : 1 + (turn + 1) * size);
    };
}

// One session: the client sends `commands` ahead and is silent then, the server sends `first` and then `line` after
// `line`.
std::function<void(std::uint64_t, Bytes&)> answers_without_end(const std::string& commands, const std::string& first,
                                                               const std::string& line) {
    const Bytes opening[] = {segment(21, kFlagSyn), reply(21, kFlagSyn | kFlagAck), segment(21, kFlagAck, commands),
                             reply(21, kFlagAck, first)};
    const Bytes data = reply(21, kFlagAck, line), ack = segment(21, kFlagAck);
    const std::uint64_t said = 1 + commands.size(), answered = 1 + first.size(), size = line.size();
    return [=](std::uint64_t number, Bytes& out) {
        const bool server = number % 2 == 1;
        out = number < 4 ? opening[number] : server ? data : ack;
        if (number < 2) return;
        const std::uint64_t sent = answered + (number - 4) / 2 * size; // by the server, before this packet
        put32(out, kSeqAt, number < 4 ? 1 : server ? sent : said);
        put32(out, kAckAt, number == 2 ? 1 : number == 3 || server ? said : sent);
    };
}

// Whole handshakes of ever new clients.
std::function<void(std::uint64_t, Bytes&)> handshakes(std::uint16_t port) {
    const Bytes frames[3] = {segment(port, kFlagSyn), reply(port, kFlagSyn | kFlagAck), segment(port, kFlagAck, "x")};
    return [=](std::uint64_t number, Bytes& out) {
        const std::uint64_t step = number % 3;
        out = frames[step];
        put_client(out, number / 3, step == 1);
        if (step != 0) put32(out, kAckAt, 1);
        if (step == 2) put32(out, kSeqAt, 1);
    };
}

// One session in which each command is answered: the server agrees.
std::function<void(std::uint64_t, Bytes&)> answered(const std::string& command) {
    const std::string answer = "250 Yes.\r\n";
    const auto open = handshakes(21);
    const Bytes said = segment(21, kFlagAck, command), agreed = reply(21, kFlagAck, answer);
    const std::uint64_t said_size = command.size(), agreed_size = answer.size();
    return [=](std::uint64_t number, Bytes& out) {
        if (number < 2) {
            open(number, out);
            return;
        }
        const std::uint64_t turn = number / 2 - 1;
        const bool client = number % 2 == 0;
        out = client ? said : agreed;
        put32(out, kSeqAt, 1 + turn * (client ? said_size : agreed_size));
        put32(out, kAckAt, 1 + (client ? turn * agreed_size : (turn + 1) * said_size));
    };
}

// One connection whose client never sends its first byte, and what it does beyond that hole.
std::function<void(std::uint64_t, Bytes&)> beyond_hole(std::uint16_t port, const std::string& text,
                                                       const std::function<std::uint64_t(std::uint64_t)>& where) {
    const Bytes syn = segment(port, kFlagSyn), syn_ack = reply(port, kFlagSyn | kFlagAck);
    const Bytes data = segment(port, kFlagAck, text);
    return [=](std::uint64_t number, Bytes& out) {
        if (number < 2) {
            out = number == 0 ? syn : syn_ack;
            return;
        }
        out = data;
        out[kPayloadAt + number % text.size()] ^= static_cast<std::uint8_t>(number | 1);
        put32(out, kSeqAt, where(number));
        put32(out, kAckAt, 1);
    };
}

// Connections of `clients` to a web server, each with bytes that wait for others that nobody sends: in a row, or each
// beyond a hole of its own.
std::function<void(std::uint64_t, Bytes&)> beyond_holes(std::uint64_t clients, std::uint64_t stride = 1) {
    const auto open = handshakes(80);
    const Bytes data = segment(80, kFlagAck, "x"); // small ones leave no room that others could take
    return [=](std::uint64_t number, Bytes& out) {
        const std::uint64_t opening = clients * 2;
        if (number < opening) {
            open(number / 2 * 3 + number % 2, out);
            return;
        }
        out = data;
        put_client(out, (number - opening) % clients, false);
        put32(out, kSeqAt, 2 + (number - opening) / clients * stride);
        put32(out, kAckAt, 1);
    };
}

// As many sessions as `clients`, each opened and answered, that then send a byte each in turn.
std::function<void(std::uint64_t, Bytes&)> dribble(std::uint64_t clients) {
    const Bytes greeting = reply(21, kFlagAck, "220 Hi.\r\n"), byte = segment(21, kFlagAck, "U");
    const auto open = handshakes(21);
    return [=](std::uint64_t number, Bytes& out) {
        const std::uint64_t opening = clients * 4;
        if (number >= opening) {
            out = byte;
            put_client(out, (number - opening) % clients, false);
            put32(out, kSeqAt, 2 + (number - opening) / clients);
            put32(out, kAckAt, 10);
        } else if (number % 4 == 3) {
            out = greeting;
            put_client(out, number / 4, true);
            put32(out, kSeqAt, 1);
            put32(out, kAckAt, 2);
        } else {
            open(number / 4 * 3 + number % 4, out);
        }
    };
}

// A PORT command after the other, each another endpoint, in one session.
std::function<void(std::uint64_t, Bytes&)> announcements() {
    const std::string line = "PORT 198,18,000,001,200,200\r\n";
    const auto talk = one_talks(21, true, line);
    return [=](std::uint64_t number, Bytes& out) {
        talk(number, out);
        if (number < 2 || number % 2 != 0) return;
        char text[40];
        const std::uint64_t n = number / 2;
        std::snprintf(text, sizeof text, "PORT 198,18,%03u,%03u,%03u,%03u\r\n", unsigned(n >> 22 & 255),
                      unsigned(n >> 14 & 255), unsigned(4 + (n >> 8 & 63)), unsigned(n & 255));
        std::copy_n(text, line.size(), out.begin() + kPayloadAt);
    };
}

enum class Rush : std::uint8_t { syn, answered, data };

// A session announces some endpoints, to which the whole world then connects, and is answered, or sends bytes at once.
std::function<void(std::uint64_t, Bytes&)> rush(Rush how, std::uint64_t endpoints = 1, const std::string& text = "x") {
    const auto open = handshakes(21);
    const std::string line = "PORT 198,19,0,1,200,000\r\n", answer = "200 Yes.\r\n";
    const Bytes said = segment(21, kFlagAck, line), agreed = reply(21, kFlagAck, answer);
    const auto one = from_anywhere(how == Rush::data ? segment(51200, kFlagAck, text) : segment(51200, kFlagSyn));
    const Bytes syn_ack = reply(51200, kFlagSyn | kFlagAck);
    return [=](std::uint64_t number, Bytes& out) {
        const std::uint64_t turn = number / 2 - 1;
        const bool second = number % 2 == 1;
        if (number < 2) {
            open(number, out);
        } else if (turn < endpoints) {
            out = second ? agreed : said;
            put32(out, kSeqAt, 1 + turn * (second ? answer.size() : line.size()));
            put32(out, kAckAt, 1 + (second ? (turn + 1) * line.size() : turn * answer.size()));
            if (!second) out[kPayloadAt + line.size() - 3] = static_cast<std::uint8_t>('0' + turn % 10);
            if (!second) out[kPayloadAt + line.size() - 4] = static_cast<std::uint8_t>('0' + turn / 10);
        } else if (how != Rush::answered || !second) {
            one(number, out);
            put16(out, kTcpAt + 2, 51200 + number / 2 % endpoints);
        } else { // to the one before
            Bytes asked;
            one(number - 1, asked);
            out = syn_ack;
            std::copy_n(asked.begin() + kSourceAt, 4, out.begin() + kSourceAt + 4);
            std::copy_n(asked.begin() + kTcpAt, 2, out.begin() + kTcpAt + 2);
            std::copy_n(asked.begin() + kSeqAt, 4, out.begin() + kAckAt);
            put16(out, kTcpAt, 51200 + number / 2 % endpoints);
        }
    };
}

// The whole world connects to an endpoint that a session then announces, and again and again.
std::function<void(std::uint64_t, Bytes&)> rush_and_announcements() {
    constexpr std::uint64_t every = 64;
    const std::string line = "PORT 198,19,0,1,200,0\r\n", answer = "200 Yes.\r\n";
    const auto open = handshakes(21);
    const Bytes said = segment(21, kFlagAck, line), agreed = reply(21, kFlagAck, answer);
    const auto syn = from_anywhere(segment(51200, kFlagSyn));
    return [=](std::uint64_t number, Bytes& out) {
        const std::uint64_t turn = number / every, step = number % every;
        if (turn == 0 || step > 1) {
            syn(number, out);
        } else if (turn == 1) {
            open(step, out);
        } else {
            out = step == 0 ? said : agreed;
            put32(out, kSeqAt, 1 + (turn - 2) * (step == 0 ? line.size() : answer.size()));
            put32(out, kAckAt, 1 + (step == 0 ? (turn - 2) * answer.size() : (turn - 1) * line.size()));
        }
    };
}

// Fragments of datagrams that never end: `offsets` each.
std::function<void(std::uint64_t, Bytes&)> fragments(std::size_t size, std::uint64_t offsets) {
    const Bytes frame = build({Ethernet{}, Ipv4{.source = ip("198.18.0.1"), .more_fragments = true, .protocol = 17},
                               Payload{std::string(size, 'f')}});
    return [=](std::uint64_t number, Bytes& out) {
        out = frame;
        const std::uint64_t datagram = number / offsets;
        put32(out, kSourceAt, 0xc6120000u | (datagram >> 16));
        put16(out, kIdAt, datagram);
        put16(out, kFragmentAt, 0x2000u | (random(number) % offsets));
        out.back() = static_cast<std::uint8_t>(number);
    };
}

std::vector<Header> nested(const Header& header, std::size_t times, const std::vector<Header>& inside) {
    std::vector<Header> headers = {Ethernet{}};
    headers.insert(headers.end(), times, header);
    headers.insert(headers.end(), inside.begin(), inside.end());
    return headers;
}

std::function<void(std::uint64_t, Bytes&)> always(const Bytes& frame) {
    return [frame](std::uint64_t, Bytes& out) { out = frame; };
}

// One connection whose history would grow with each packet.
std::function<void(std::uint64_t, Bytes&)> flags() {
    const Bytes frame = segment(80, kFlagAck);
    return [frame](std::uint64_t number, Bytes& out) {
        out = frame;
        constexpr std::uint8_t kinds[] = {kFlagFin | kFlagAck, kFlagRst, kFlagAck, kFlagFin | kFlagRst};
        out[kFlagsAt] = kinds[number % std::size(kinds)];
        put32(out, kSeqAt, random(number));
    };
}

void add_floods(std::vector<Attack>& all, std::uint32_t connections) {
    all.push_back({"SYN flood", "connections_max; the one nearest its end makes room", Event::connection_evicted,
                   kShort, from_anywhere(segment(80, kFlagSyn))});
    all.push_back({"SYN flood to port 21", "connections_max; a SYN takes no session", Event::connection_evicted, kShort,
                   from_anywhere(segment(21, kFlagSyn))});
    all.push_back({"USER from anywhere to port 21", "ftp_sessions_max; unanswered ones make room",
                   Event::ftp_session_limit, kShort, from_anywhere(segment(21, kFlagAck, "USER x\r\n"))});
    all.push_back({"data from anywhere to any port", "ftp_sessions_max; candidates make room", Event::ftp_session_limit,
                   kShort, from_anywhere(segment(8080, kFlagAck, "USER x\r\n"))});
    all.push_back({"short connections from anywhere to any port", "65,536 watched connections; the oldest makes room",
                   Event::first_bytes_memory, kShort, short_ones_from_anywhere(9000)});
    all.push_back({"10 times the table in whole connections", "connections_max", Event::connection_evicted, kShort,
                   handshakes(80)});
    all.push_back({"SYNs to an announced endpoint", "watched connections; one that nobody answered makes room",
                   Event::first_bytes_memory, kShort, rush(Rush::syn)});
    all.push_back({"connections to an announced endpoint", "watched connections; one that moves nothing makes room",
                   Event::first_bytes_memory, kShort, rush(Rush::answered)});
    all.push_back({"connections to dozens of announced endpoints", "the same, of the endpoint that has most",
                   Event::first_bytes_memory, kShort, rush(Rush::answered, 64)});
    all.push_back({"data to an announced endpoint", "the same; then one that moves something",
                   Event::first_bytes_memory, kShort, rush(Rush::data)});
    all.push_back({"segments to an announced endpoint", "64 MiB of first bytes; the same makes room",
                   Event::first_bytes_memory, kShort, rush(Rush::data, 1, std::string(kSegment, 'x'))});
    all.push_back({"a flooded endpoint, announced again and again", "32 connections before it are looked at",
                   Event::stream_event_dropped, kShort, rush_and_announcements()});
    all.push_back({"sessions that send a byte a minute", "ftp_sessions_max; silent ones make room",
                   Event::ftp_session_limit, 2 * kHour, dribble(connections / 8)});
}

void add_control(std::vector<Attack>& all) {
    all.push_back({"commands without an end of line", "16 KiB of it are kept", Event::contentline_size_exceeded, kShort,
                   one_talks(21, true, "SITE" + std::string(kSegment, 'x'))});
    all.push_back({"replies without an end of line", "16 KiB of it are kept", Event::contentline_size_exceeded, kShort,
                   one_talks(21, false, "220-" + std::string(kSegment, 'x'))});
    all.push_back({"commands without replies", "max_pending_commands", Event::FTP_too_many_pending_commands, kShort,
                   one_talks(21, true, repeated("NOOP\r\n"))});
    all.push_back({"replies without commands", "one reply is kept", std::nullopt, kShort,
                   one_talks(21, false, "200 " + std::string(4200, 'r') + "\r\n" + repeated("200 Yes.\r\n"))});
    all.push_back({"lines that look like replies, twenty commands waiting", "64 lines of a reply are matched",
                   std::nullopt, kShort,
                   answers_without_end(repeated("NOOP x\r\n", 20 * 8), "220-Hi\r\n", repeated("226 aaaaaaaaaa\r\n"))});
    all.push_back({"paths that climb", "32 KiB of pending commands, 8 KiB of directory", Event::ftp_session_memory,
                   kShort, answered("CWD " + repeated("d/../e/", 12'000) + "\r\n")});
    all.push_back({"short steps in a long directory", "8 KiB of directory", Event::ftp_session_memory, kShort,
                   answered("CWD dddddd\r\n")});
    all.push_back(
        {"announcements", "announcements_max", Event::FTP_too_many_expected_data_channels, kShort, announcements()});
}

void add_reassembly(std::vector<Attack>& all, std::uint32_t connections) {
    const auto far = [](std::uint64_t number) { return 2 + (number % 1024) * (1u << 20); };
    const auto apart = [](std::uint64_t number) { return 2 + random(number) % 8000 * 2; };
    const auto same = [](std::uint64_t number) { return 2 + number % 64 * 100; };
    all.push_back({"a hole in a session, never filled", "256 KiB a session; what is furthest makes room",
                   Event::reassembly_memory, kShort,
                   beyond_hole(21, std::string(kSegment, 'x'), [](auto n) { return 2 + n * kSegment % 10'000'000; })});
    all.push_back({"holes in many connections, never filled",
                   "reassembly_bytes; what has waited for longest makes room", Event::reassembly_memory, kShort,
                   beyond_holes(connections / 16)});
    all.push_back({"a gigabyte ahead in a session", "tracking ends (16 KiB beyond a hole)",
                   Event::above_hole_data_without_any_acks, kShort, beyond_hole(21, "USER x\r\n", far)});
    all.push_back({"bytes beyond holes, one by one", "256 ranges a direction", Event::reassembly_memory, kShort,
                   beyond_hole(80, "x", apart)});
    all.push_back({"holes by the hundred in many connections", "the list that has been long for longest makes room",
                   Event::reassembly_memory, kShort, beyond_holes(connections / 64, 2)});
    all.push_back({"a few holes in each of very many connections", "the oldest of the short lists goes",
                   Event::reassembly_memory, kShort, beyond_holes(connections / 4, 2)});
    all.push_back({"the same numbers with other bytes", "the first bytes count", Event::rexmit_inconsistency, kShort,
                   beyond_hole(21, std::string(200, 'y'), same)});
    all.push_back({"fragments never completed", "fragment_bytes; the oldest goes", Event::fragment_evicted, kShort,
                   fragments(1400, 1)});
    all.push_back({"tiny fragments that overlap", "the same; pages by place", Event::fragment_inconsistency, kShort,
                   fragments(16, 64)});
}

void add_nesting(std::vector<Attack>& all) {
    all.push_back({"100 VLAN tags", "read to the end", std::nullopt, kShort,
                   always(build(nested(Vlan{}, 100, {Ipv4{}, Udp{}, Payload{"x"}})))});
    all.push_back({"100 IP packets in each other", "4 tunnels", Event::exceeded_tunnel_max_depth, kShort,
                   always(build(nested(Ipv4{}, 60, {Udp{}, Payload{"x"}})))});
    all.push_back({"100 IPv6 extension headers", "read to the end", std::nullopt, kShort, always(build([] {
                       std::vector<Header> headers = {Ethernet{}, Ipv6{}};
                       headers.insert(headers.end(), 100, Ipv6Extension{.kind = 60});
                       headers.push_back(Udp{});
                       return headers;
                   }()))});
    all.push_back({"flags that make a history grow", "255 letters", Event::history_too_long, kShort, flags()});
}

} // namespace

std::vector<Attack> attacks(std::uint32_t connections) {
    std::vector<Attack> all;
    add_floods(all, connections);
    add_control(all);
    add_reassembly(all, connections);
    add_nesting(all);
    return all;
}

} // namespace ftpsensor::test
