// Fragments that the server keeps apart from the client's commands, or holds no longer, sent so that a sensor puts both
// together: then what comes out is no segment of the session, and the command that the server obeys is in no log.
#include "tests/golden/evasion.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

const Reading kOneWorker[] = {{.workers = 1}, {.extended = true, .workers = 1}}; // fragments: see golden.h

constexpr std::string_view kCommand = "DELE secret\r\n";

// A session with commands in packets of the test's own making, from the client whose IP header `ip` is.
class Session {
public:
    Session(Trace& trace, const Header& ip, const TalkOptions& options)
        : trace_(trace), ip_(ip), talk_(trace, options) {
        log_in(talk_);
    }

    // The next command, whole, as headers; `between` stand before TCP.
    std::vector<Header> command(const std::vector<Header>& between = {}) {
        TcpTalk& tcp = talk_.control();
        std::vector<Header> headers = {Ethernet{}, ip_};
        headers.insert(headers.end(), between.begin(), between.end());
        headers.emplace_back(Tcp{.destination_port = 21,
                                 .seq = tcp.next_seq(Side::client),
                                 .ack = tcp.next_seq(Side::server),
                                 .flags = kFlagAck | kFlagPsh});
        headers.emplace_back(Payload{std::string(kCommand)});
        return headers;
    }
    void send(const std::vector<Bytes>& packets) {
        for (const Bytes& packet : packets) trace_.add(packet);
    }
    // The server has taken the command.
    void obey() {
        talk_.control().skip(Side::client, static_cast<std::uint32_t>(kCommand.size()));
        talk_.server("250 Gone.").quit();
    }

private:
    Trace& trace_;
    Header ip_;
    FtpTalk talk_;
};

const TalkOptions kOverIpv6 = {.client = {ip("2001:db8::1"), 40000}, .server = {ip("2001:db8::2"), 21}};

// The first 24 bytes of a segment of nobody's.
const Payload kDecoy = {std::string(24, 'd')};

void check_found(const Trace& trace) {
    for (const Reading& how : kOneWorker) {
        const Logs logs = read(trace, how);
        CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
        CHECK(logs.show("conn", "service missed_bytes", {{"service", "ftp"}}) == "ftp 0");
    }
}

} // namespace

TEST_CASE("evasion: an atomic fragment with the id of a decoy") {
    // RFC 6946: a fragment that is the whole datagram is held against no other one.
    const std::vector<std::vector<Header>> ways = {
        {Ipv6Fragment{.id = 7}},
        {Ipv6Extension{.kind = 60}, Ipv6Fragment{.id = 7}},
        {Ipv6Fragment{.id = 7}, Ipv6Extension{.kind = 60}},
    };
    for (const auto& way : ways) {
        Trace trace;
        Session session(trace, Ipv6{}, kOverIpv6);
        trace.add({Ethernet{}, Ipv6{}, Ipv6Fragment{.id = 7, .more = true, .next_header = 6}, kDecoy});
        session.send({build(session.command(way))});
        session.obey();
        check_found(trace);
    }
}

TEST_CASE("evasion: a decoy that the server has forgotten") {
    for (const bool v6 : {false, true}) {
        Trace trace;
        const Header header = v6 ? Header{Ipv6{}} : Header{Ipv4{.id = 7}};
        Session session(trace, header, v6 ? kOverIpv6 : on_port(21));
        std::vector<Header> decoy = session.command();
        decoy.back() = Payload{"NOOP.secret\r\n"};
        trace.add(build_fragments(decoy, 24, 7).front());
        trace.wait((v6 ? 61 : 31) * kSecond); // as Linux by default
        session.send(build_fragments(session.command(), 24, 7));
        session.obey();
        check_found(trace);
    }
}

TEST_CASE("evasion: a fragment of a size that fragments in the middle cannot have") {
    // The places of fragments are multiples of 8. Hosts leave out one of IPv6 that is not (RFC 8200 4.5)...
    Trace six;
    Session over_ipv6(six, Ipv6{}, kOverIpv6);
    six.add({Ethernet{}, Ipv6{}, Ipv6Fragment{.id = 7, .more = true, .next_header = 6}, Payload{std::string(21, 'd')}});
    over_ipv6.send(build_fragments(over_ipv6.command(), 24, 7));
    over_ipv6.obey();
    check_found(six);

    // ...and Linux, the end of one of IPv4.
    Trace four;
    Session over_ipv4(four, Ipv4{}, on_port(21));
    const Bytes whole = build(over_ipv4.command());
    const std::string transport(whole.begin() + 14 + 20, whole.end());
    four.add({Ethernet{}, Ipv4{.more_fragments = true, .protocol = 6}, Payload{transport.substr(0, 24) + "decoy"}});
    four.add({Ethernet{}, Ipv4{.fragment_offset = 24, .protocol = 6}, Payload{transport.substr(24)}});
    over_ipv4.obey();
    check_found(four);
    CHECK(read(four, kOneWorker[0]).show("ftp", "arg", {{"command", "DELE"}}) == "ftp://10.0.0.2/./secret");
}

TEST_CASE("evasion: a fragment of another protocol with the id of a command's fragments") {
    // RFC 791: a datagram is told by its addresses, its id and its protocol.
    for (const bool last : {false, true}) {
        Trace trace;
        Session session(trace, Ipv4{.id = 7}, on_port(21));
        trace.add({Ethernet{},
                   Ipv4{.id = 7,
                        .more_fragments = !last,
                        .fragment_offset = static_cast<std::uint16_t>(last ? 24 : 0),
                        .protocol = 17},
                   kDecoy});
        session.send(build_fragments(session.command(), 24));
        session.obey();
        check_found(trace);
    }
}

namespace {

struct Piece {
    std::uint16_t offset;
    std::uint16_t end;
    bool more;
    bool other; // with other bytes than the segment's
};

// Pieces of the segment that `headers` (Ethernet, IP, TCP, payload) make, as fragments; it may end before they do.
void add_pieces(Trace& trace, const std::vector<Header>& headers, const std::vector<Piece>& pieces) {
    const bool v6 = std::holds_alternative<Ipv6>(headers[1]);
    const Bytes whole = build(headers);
    std::string transport(whole.begin() + 14 + (v6 ? 40 : 20), whole.end());
    transport.resize(256, '.');
    for (const Piece& p : pieces) {
        const Payload bytes = {p.other ? std::string(p.end - p.offset, 'k')
                                       : transport.substr(p.offset, p.end - p.offset)};
        if (v6)
            trace.add({headers[0], headers[1],
                       Ipv6Fragment{.id = 7, .offset = p.offset, .more = p.more, .next_header = 6}, bytes});
        else
            trace.add({headers[0], Ipv4{.id = 7, .more_fragments = p.more, .fragment_offset = p.offset, .protocol = 6},
                       bytes});
    }
}

// A segment in the place of the command's, with bytes or flags of its own.
std::vector<Header> in_its_place(std::vector<Header> command, const std::string& bytes, std::uint8_t flags) {
    std::get<Tcp>(command[2]).flags = flags;
    command.back() = Payload{bytes};
    return command;
}

void check_found_extended(const Trace& trace) {
    const Logs logs = read(trace, kOneWorker[1]);
    CHECK(logs.show("ftp", "user command reply_code", {{"command", "DELE"}}) == "mallory DELE 250");
    CHECK(logs.show("conn", "service missed_bytes", {{"service", "ftp"}}) == "ftp 0");
}

constexpr std::uint8_t kPush = kFlagAck | kFlagPsh;

} // namespace

TEST_CASE("evasion: fragments that Linux throws away before those of the command") {
    // RFC 5722 4, RFC 8200 4.5, and ip_frag_queue(): as probed on Linux 6.18.
    const std::vector<std::vector<Piece>> ways = {
        {{0, 24, true, false}, {8, 40, true, true}},
        {{8, 16, true, false}, {0, 8, true, false}, {0, 16, true, false}}, // the same bytes, but of two rows
        {{0, 24, true, false}, {40, 48, false, true}, {24, 32, false, false}},
        {{0, 16, true, false}, {24, 32, false, true}, {40, 48, true, true}},
        {{0, 24, true, false}, {8, 16, false, true}},
        {{0, 24, true, false}, {8, 8, true, true}},
        {{0, 24, true, false}, {8, 40, true, true}, {0, 24, true, false}, {16, 40, true, true}}, // and once more
    };
    for (const bool v6 : {false, true}) {
        for (const auto& way : ways) {
            Trace trace;
            const Header header = v6 ? Header{Ipv6{}} : Header{Ipv4{.id = 7}};
            Session session(trace, header, v6 ? kOverIpv6 : on_port(21));
            add_pieces(trace, in_its_place(session.command(), "NOOP.secret\r\n", kPush), way);
            session.send(build_fragments(session.command(), 24, 7));
            session.obey();
            check_found_extended(trace);
        }
    }
}

TEST_CASE("evasion: a segment out of fragments that Linux throws away in the place of the command") {
    const std::vector<Piece> whole = {{0, 24, true, false}, {16, 32, true, false}, {32, 33, false, false}};
    const std::vector<Piece> empty = {{0, 16, true, false}, {8, 16, true, false}, {8, 20, false, false}};
    for (const std::uint8_t flags : {kPush, std::uint8_t{kPush | kFlagFin}, std::uint8_t{kFlagSyn},
                                     std::uint8_t{kFlagRst}, std::uint8_t{kFlagFin | kFlagAck}}) {
        Trace trace;
        Session session(trace, Ipv4{}, on_port(21));
        const bool has_bytes = (flags & kFlagPsh) != 0;
        add_pieces(trace, in_its_place(session.command(), has_bytes ? "NOOP.secret\r\n" : "", flags),
                   has_bytes ? whole : empty);
        session.send({build(session.command())});
        session.obey();
        check_found_extended(trace);
    }
}

TEST_CASE("evasion: overlapping fragments to a server that takes the bytes that came first") {
    // Which they were, its acknowledgement tells.
    Trace trace;
    Session session(trace, Ipv4{}, on_port(21));
    add_pieces(trace, session.command(),
               {{0, 24, true, false}, {8, 24, true, true}, {16, 32, true, false}, {32, 33, false, false}});
    session.obey();
    check_found(trace);
    const Logs logs = read(trace, kOneWorker[1]);
    CHECK(logs.show("ftp", "arg", {{"command", "DELE"}}) == "ftp://10.0.0.2/./secret");
}
