// Fuzzes the whole pipeline with conversations that go wrong: packets that are lost, doubled, exchanged, overlap with
// other bytes, wrap, are cut short or are no packets at all; beside them other protocols, fragments and tunnels. Its
// lines are valid JSON, and the same by one worker and by three, where no bound is reached and nothing of one
// connection may take two ways. A reload that changes nothing changes no line; one that changes something leaves all
// this as it is.
//
// An input: options, then what happens, an operation a byte. Lines of FTP come from a list, or from the input.
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/memory_pipeline.h"
#include "tests/support/tcp_talk.h"

#include <array>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::size_t kStepsMax = 150, kReloadsMax = 8;
constexpr std::uint8_t kExtended = 1, kAllCommands = 8, kByPorts = 16, kTinyBounds = 32, kInterim = 64, kOddForm = 128;

constexpr std::string_view kClientLines[] = {
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
};
constexpr std::string_view kServerLines[] = {
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

// Two control connections, one of them on an odd port, and two data connections that may be what they announce.
TalkOptions talk_options(std::size_t which, std::uint32_t isn, std::uint8_t below = 0) {
    TalkOptions o;
    switch (below % 6) {
    case 1: o.below = {Ethernet{}, Vlan{}}; break;
    case 2: o.below = {Ethernet{}, Ipv4{.source = ip("10.9.0.1"), .destination = ip("10.9.0.2")}, Gre{}}; break;
    case 3: o.below = {Ethernet{}, Ipv6{}, Udp{.destination_port = 4789}, Vxlan{}, Ethernet{}}; break;
    case 4: o.below = {Ethernet{}, Ipv4{}, Ipv6{}}; break;
    case 5: o.below = {Ethernet{}, Ipv4{}, Udp{.destination_port = 2152}, raw_payload({0x30, 255, 0, 0, 0, 0, 0, 1})};
    }
    o.client_isn = isn;
    o.server_isn = ~isn;
    const IpAddress client = IpAddress::from_v4(10, 0, 0, 1), server = IpAddress::from_v4(10, 0, 0, 2);
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
    Story(FuzzInput& input, Trace& trace) : input_(input), trace_(trace) {
        const std::uint32_t isn = input.u32();
        for (std::size_t i = 0; i < talks_.size(); ++i) talks_[i].emplace(trace, talk_options(i, isn));
    }

    void step() {
        const std::uint8_t op = input_.u8();
        TcpTalk& talk = *talks_[op >> 6];
        const Side side = (op & 32) != 0 ? Side::server : Side::client;
        switch (op & 31) {
        case 0: talk.open(); break;
        case 1: talk.fin(side); break;
        case 2: talk.rst(side); break;
        case 3: retransmit(talk, side); break;
        case 4: talk.lose_next(1 + input_.u8() % 4); break;
        case 5: talk.skip(side, input_.u16()); break;
        case 6: talk.skip(side, 0xffff0000); break;
        case 7: talk.ack(side); break;
        case 8: talk.close(side); break;
        case 9: trace_.wait(static_cast<Duration>(input_.u16()) * 100 * kMillisecond); break;
        case 10:
            if (trace_.frames().size() >= 2) trace_.swap_last_two();
            break;
        case 11: repeat(input_.u8()); break;
        case 12: spoil(input_.u8(), input_.u8()); break;
        case 13: trace_.add(bytes(input_.text())); break;
        case 14: cut(input_.u8()); break;
        case 15: overlap(talk, side); break;
        case 16: odd_segment(talk, side); break;
        case 17: begin_anew(op >> 6); break;
        case 18:
        case 19: talk.say(side, std::string(input_.u16() % 5000, 'x')); break;
        case 20:
        case 21: talk.say(side, input_.text()); break;
        case 22: add_frame(input_.u8()); break;
        case 23: flood(input_.u8(), input_.u16()); break;
        case 24: talk.before_open(); break;
        case 25: reload(); break;
        case 26: far_segment(talk, side); break;
        default: say_line(talk, side); break;
        }
    }
    // Whichever worker has a packet, it has all of its connection, and no bound is nearer to one than to three.
    bool comparable() const { return comparable_; }
    const std::vector<Reload>& reloads() const { return reloads_; }

private:
    // Inside of a tunnel or not: packets are dealt by what is outermost.
    void begin_anew(std::size_t which) {
        const std::uint32_t isn = input_.u32();
        const std::uint8_t below = input_.u8();
        if (below % 6 > 1) comparable_ = false;
        talks_[which].emplace(trace_, talk_options(which, isn, below));
    }
    void add_frame(std::size_t which) {
        static const std::vector<Bytes> frames = ethernet_frames();
        comparable_ = false;
        trace_.add(frames[which % frames.size()]);
    }
    // Packets of many connections, each of one that is new.
    void flood(std::uint8_t flags, std::uint16_t port) {
        const std::uint8_t count = input_.u8();
        comparable_ = false; // a bound may be reached
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
    void say_line(TcpTalk& talk, Side side) {
        const std::uint8_t which = input_.u8();
        talk.say(side, side == Side::client ? kClientLines[which % std::size(kClientLines)]
                                            : kServerLines[which % std::size(kServerLines)]);
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
    }
    void cut(std::size_t size) { // as a snap length does
        if (!trace_.frames().empty() && size < trace_.frames().back().bytes.size())
            trace_.frames().back().bytes.resize(size);
    }
    void overlap(TcpTalk& talk, Side side) {
        TalkSegment s;
        s.seq = talk.next_seq(side) - input_.u8();
        s.text = input_.text();
        talk.send(side, s);
    }
    void odd_segment(TcpTalk& talk, Side side) {
        TalkSegment s;
        s.flags = input_.u8();
        s.seq = talk.next_seq(side) + input_.u32();
        s.ack = talk.next_seq(other(side)) + input_.u16();
        s.text = input_.text();
        talk.send(side, s);
    }

    // Where comparisons of numbers that wrap change sides, and beyond any window.
    void far_segment(TcpTalk& talk, Side side) {
        constexpr std::uint32_t kFar[] = {1u << 20, 5'000'000, 1u << 30, 0x7fffffff, 0xc0000000, 0xffff0000};
        TalkSegment s;
        s.seq = talk.next_seq(side) + kFar[input_.u8() % std::size(kFar)] - 8 + input_.u8() % 16;
        s.text = input_.text();
        talk.send(side, s);
    }

    FuzzInput& input_;
    Trace& trace_;
    std::array<std::optional<TcpTalk>, 4> talks_;
    bool comparable_ = true;
    std::vector<Reload> reloads_;
};

MemoryPipelineOptions pipeline_options(std::uint8_t option) {
    MemoryPipelineOptions o = small_pipeline((option & kExtended) != 0);
    o.pipeline.decode.fragment_bytes_max = 1u << 18;
    o.pipeline.decode.fragment_datagrams_max = 16;
    o.pipeline.conn.connections_max = 256;
    o.pipeline.hints_max = 64;
    o.pipeline.emitter.text_bytes = 1u << 18;
    o.pipeline.decode.checksums = o.pipeline.conn.checksums = static_cast<ChecksumPolicy>((option >> 1) % 3);
    o.pipeline.ftp.log_all_commands = (option & kAllCommands) != 0;
    o.pipeline.control_max = o.pipeline.watches_max = 64;
    o.pipeline.progress_max = 256;
    o.board_slots = (option & kTinyBounds) != 0 ? 2 : 64;
    if ((option & kInterim) != 0) o.pipeline.conn.interims = {.interval = kSecond, .told_max = 64};
    if ((option & kTinyBounds) == 0) return o;
    o.pipeline.decode.fragment_datagrams_max = 1;
    o.pipeline.conn.connections_max = 16;
    o.pipeline.conn.ranges_max = 8;
    o.pipeline.conn.interims.told_max = 2;
    o.pipeline.hints_max = o.pipeline.control_max = o.pipeline.watches_max = o.pipeline.progress_max = 2;
    o.pipeline.first_bytes_max = o.pipeline.held_bytes_max = 2000;
    o.entries.transfers.announcements_max = 2;
    return o;
}

// What a reload may change, from what it was at the start.
MemoryPipelineOptions changed(MemoryPipelineOptions o, const Reload& reload) {
    const Duration time = Duration{reload.value} * kSecond + kMillisecond;
    ConnOptions& conn = o.pipeline.conn;
    if ((reload.what & 1) != 0) conn.inactivity.times.fill(time);
    if ((reload.what & 2) != 0)
        conn.tcp = {.attempt_delay = time / 8, .close_delay = time / 16, .reset_delay = time / 8};
    if ((reload.what & 4) != 0) conn.interims.interval = reload.value % 4 == 0 ? 0 : time / 4;
    if ((reload.what & 8) != 0) conn.ftp_ports = {2121, 40000};
    if ((reload.what & 16) != 0) o.pipeline.ftp.log_all_commands = !o.pipeline.ftp.log_all_commands;
    if ((reload.what & 32) != 0) o.pipeline.ftp.passwords = static_cast<PasswordPolicy>(reload.value % 3);
    if ((reload.what & 64) != 0) o.pipeline.ftp_only = true;
    if ((reload.what & 128) != 0) o.pipeline.decode.fragment_timeouts = {.ipv4 = time, .ipv6 = 2 * time};
    return o;
}

enum class Reloads { none, of_nothing, of_something };

// `limited`: there was no room for all connections' interim entries. Those that are over make room when their worker
// comes to them, after a burst, and a reload cuts bursts.
std::string read(const MemoryPipelineOptions& options, const std::vector<PacketView>& packets, const Story& story,
                 Reloads reloads, bool& limited) {
    std::string text;
    MemoryPipeline pipeline(options, [&](LogKind, std::string_view line) { text += line; });
    std::size_t done = 0;
    const auto until = [&](std::size_t end) {
        pipeline.process(std::span(packets).subspan(done, end - done));
        done = end;
    };
    if (reloads != Reloads::none)
        for (const Reload& reload : story.reloads()) {
            until(reload.packet);
            const auto next = reloads == Reloads::of_something ? changed(options, reload) : options;
            pipeline.reload(next.pipeline, next.entries);
            // Connections that are over by shorter times end as their worker comes to them, after a burst: let that not
            // depend on how many packets a burst has.
            if (reloads == Reloads::of_something && done != 0) pipeline.idle(packets[done - 1].now);
        }
    until(packets.size());
    pipeline.finish(packets.empty() ? 0 : packets.back().now);
    require(pipeline.held() == 0, "no record is left");
    require(pipeline.in_order(), "entries in order of time");
    limited = limited || pipeline.count(Event::interim_limit) != 0;
    return text;
}

void require_same(const std::string& one, const std::string& other, const char* what) {
    if (other == one) return;
    std::fprintf(stderr, "one worker, without a reload or with the same:\n%sthe other:\n%s", one.c_str(),
                 other.c_str());
    require(false, what);
}

// Most lines are those of the input that this one was made of. What was parsed is known by its hash, in a table that
// does not grow: libFuzzer runs an input twice that leaves memory allocated.
void check_json(std::string_view lines) {
    static std::vector<std::size_t> parsed(1u << 16);
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        const std::size_t hash = std::hash<std::string_view>()(line);
        if (std::size_t& known = parsed[hash % parsed.size()]; known != hash) {
            require(nlohmann::json::accept(line), "each line is JSON");
            known = hash;
        }
        lines.remove_prefix(line.size() + 1);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::uint8_t option = input.u8();
    Trace trace;
    Story story(input, trace);
    for (std::size_t step = 0; step < kStepsMax && !input.empty(); ++step) story.step();

    MemoryPipelineOptions options = pipeline_options(option);
    const auto packets = trace.views();
    const bool tab_separated = (option & kOddForm) != 0 && (option & kTinyBounds) != 0;
    if (tab_separated) options.entries.format.format = LogFormat::tsv;
    const bool reloads = !story.reloads().empty();
    bool limited = false;
    const std::string one = read(options, packets, story, Reloads::none, limited);
    const std::string reloaded = reloads ? read(options, packets, story, Reloads::of_something, limited) : one;
    if (!tab_separated) {
        check_json(one);
        check_json(reloaded);
    }
    const std::string as_one = reloads ? read(options, packets, story, Reloads::of_nothing, limited) : one;
    if (limited) return 0;
    require_same(one, as_one, "a reload of nothing changes nothing");
    if (!story.comparable() || (option & kTinyBounds) != 0) return 0;
    options.workers = 3;
    options.by_ports = (option & kByPorts) != 0;
    require_same(reloaded, read(options, packets, story, Reloads::of_something, limited),
                 "the same lines by three workers");
    return 0;
}
