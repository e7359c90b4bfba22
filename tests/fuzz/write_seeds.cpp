// Writes the fuzzers' first inputs, DIRECTORY/FUZZER/N: packets, captures and conversations of tests/support in the
// form that each fuzzer reads (its opening comment says which), so that nothing of others has to be kept in the
// repository.
//
//     write_seeds SOURCE_ROOT DIRECTORY
#include "core/log/gzip_member.h"
#include "tests/fuzz/frames.h"
#include "tests/support/byte_writer.h"
#include "tests/support/ftp_talk.h"
#include "tests/support/mission_session.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

using Numbers = std::initializer_list<std::uint8_t>;

class Seeds {
public:
    explicit Seeds(std::filesystem::path directory) : directory_(std::move(directory)) {}

    void add(const std::string& fuzzer, const Bytes& bytes) {
        std::filesystem::create_directories(directory_ / fuzzer);
        std::ofstream out(directory_ / fuzzer / std::to_string(++count_[fuzzer]), std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!out.flush()) throw std::runtime_error("cannot write below " + directory_.string());
    }
    void add(const std::string& fuzzer, std::string_view text) { add(fuzzer, bytes(text)); }

private:
    std::filesystem::path directory_;
    std::map<std::string, unsigned> count_;
};

void add_decode(Seeds& seeds) {
    Bytes all;
    const auto append = [&all](LinkType link, const Bytes& frame) {
        ByteWriter(all).u8(static_cast<std::uint8_t>(link)).u16(static_cast<std::uint16_t>(frame.size())).append(frame);
    };
    const Trace mission = mission_session();
    for (const TimedFrame& frame : mission.frames()) {
        all.clear();
        append(LinkType::ethernet, frame.bytes);
        seeds.add("decode", all);
    }
    for (const FrameOfKind& frame : frames_of_all_kinds()) {
        all.clear();
        append(frame.link, frame.bytes);
        seeds.add("decode", all);
    }
    all.clear(); // fragments meet
    for (const Bytes& frame : ethernet_frames()) append(LinkType::ethernet, frame);
    seeds.add("decode", all);
}

void add_captures(Seeds& seeds) {
    Trace trace;
    FtpTalk(trace).login().quit();
    for (const auto format : {CaptureFormat::pcap_micro, CaptureFormat::pcap_nano, CaptureFormat::pcapng})
        for (const bool little : {true, false})
            seeds.add("capture_reader", trace.file({.format = format, .little_endian = little}));
    for (const FrameOfKind& frame : frames_of_all_kinds()) {
        Trace one;
        one.add(frame.bytes);
        if (frame.link != LinkType::unknown) seeds.add("capture_reader", one.file({.link = frame.link}));
    }
    Trace all;
    for (const Bytes& frame : ethernet_frames()) all.add(frame);
    seeds.add("capture_reader", all.file({}));
    for (const std::size_t size : {9000u, 60u, 9000u, 1514u}) all.add(Bytes(size, 0x45)); // over several pages
    seeds.add("capture_reader", all.file({}));
    seeds.add("capture_reader", all.file({.format = CaptureFormat::pcapng}));
}

// Beyond each bound of a session and of its lines: parts that come often (ftp_session_fuzz.cpp, ftp_lines_fuzz.cpp).
void add_ftp_bounds(Seeds& seeds) {
    const std::string long_word(200, 'd');
    struct Often {
        bool client;
        unsigned times;
        std::string text;
    };
    const std::vector<std::vector<Often>> bounds = {
        {{true, 1, "USER "}, {true, 90, long_word}, {true, 1, "\r\nNOOP\r\n"}},                 // a line
        {{true, 1, "NOOP \xff\xfa"}, {true, 90, long_word}, {true, 1, "\xff\xf0\r\nNOOP\r\n"}}, // a suboption
        {{true, 200, "NOOP " + long_word + "\r\n"}, {false, 20, "200 Good.\r\n"}},              // pending commands
        {{true, 1, "CWD /"},
         {true, 60, long_word},
         {true, 1, "\r\n"},
         {false, 1, "250 There.\r\n"},
         {true, 1, "RETR a\r\n"}},
        {{false, 1, "220 "}, {false, 60, long_word}, {false, 1, "\r\nno reply\r\n"}, {true, 1, "NOOP\r\n"}},
        {{false, 1, "220-x\r\n"}, {true, 2, "DELE a\r\n"}, {false, 80, "226 aaaaaaaaaa\r\n"}},
    };
    for (const std::uint8_t option : Numbers{129, 193})
        for (const auto& parts : bounds) {
            Bytes session;
            ByteWriter out(session);
            std::string lines_often = "\x80\x05";
            out.u8(option).u8(3);
            for (const Often& part : parts) {
                out.u16(static_cast<std::uint16_t>((part.client ? 0x8000 : 0) | part.text.size()));
                out.u8(static_cast<std::uint8_t>(part.times - 1)).append(part.text);
                lines_often += static_cast<char>(part.times - 1);
                lines_often += static_cast<char>(part.text.size()) + part.text;
            }
            seeds.add("ftp_session", session);
            seeds.add("ftp_lines", lines_often);
        }
}

void add_ftp(Seeds& seeds) {
    struct Line {
        bool client;
        std::string text;
    };
    const std::vector<Line> lines = {
        {false, "220 Welcome\r\n"},
        {true, "USER anonymous\r\n"},
        {false, "331 Password, please\r\n"},
        {true, "PASS me@here\r\n"},
        {false, "230-Hello\r\n 230 inner\r\n230 In.\r\n"},
        {true, "\xff\xfa\x18\x01\xff\xf0SYST\r\nCWD /pub\r\nCDUP\r\nSIZE a\r\nREST 5\r\n"},
        {false, "215 UNIX\r\n250 There.\r\n250 Up.\r\n213 74\r\n350 Go on.\r\n"},
        {true, "PASV\r\n"},
        {false, "227 Entering Passive Mode (10,0,0,2,156,64).\r\n"},
        {true, "RETR a\r\n"},
        {false, "150 Opening (74 bytes).\r\n226 Done.\r\n"},
        {true, "PORT 10,0,0,1,156,64\r\nEPRT |1|10.0.0.1|40000|\r\nSTOR b\r\nEPSV\r\n"},
        {false, "200 Good.\r\n200 Good.\r\n150 Go.\r\n226 Got it.\r\n229 Extended (|||40000|)\r\n"},
        {true, "AUTH TLS\r\n"},
        {false, "234 Proceed.\r\n"},
        {true, "QUIT\r\n"},
    };
    std::string one_way = "?\x05";
    for (const std::uint8_t option : Numbers{0, 1, 8, 16, 32, 64}) {
        Bytes session;
        ByteWriter out(session);
        out.u8(option).u8(3);
        for (const Line& line : lines) {
            out.u16(static_cast<std::uint16_t>((line.client ? 0x8000 : 0) | line.text.size())).append(line.text);
            if (option == 0) seeds.add("ftp_lines", "?\x02" + line.text);
            if (option == 0) one_way += line.text;
        }
        seeds.add("ftp_session", session);
    }
    seeds.add("ftp_lines", one_way);
    for (const char* text :
         {"10,0,0,1,156,64", "|1|10.0.0.1|40000|", "|2|2001:db8::1|40000|", "Entering Passive Mode (10,0,0,1,156,64).",
          "PORT 10,0,0,1,156,64", "Entering 10,0,0,1,156,64", "Extended (|||40000|)", "-1, +2,003,4,4294967295,6"})
        seeds.add("ftp_address", text);
}

// What one byte and two numbers make in each of the fuzzers of ranges.
void add_ranges(Seeds& seeds) {
    Bytes fragments, gaps, stream;
    ByteWriter f(fragments), g(gaps), s(stream);
    s.u32(0xfffffff0).u32(7);
    for (const std::uint16_t at : std::initializer_list<std::uint16_t>{8, 0, 24, 16, 16}) {
        f.u8(static_cast<std::uint8_t>(at == 24 ? 16 : 20)).u16(at).u16(8).u8(static_cast<std::uint8_t>(at));
        g.u8(0).u16(at).u16(8).u8(2).u16(static_cast<std::uint16_t>(at + 4));
        s.u8(static_cast<std::uint8_t>(at == 24 ? 6 : 16)).u16(at);
        if (at != 24)
            s.u16(at).u8(8).append(std::string(8, 'a'));
        else
            s.u8(0);
    }
    seeds.add("fragments", fragments);
    seeds.add("gap_tracker", gaps);
    seeds.add("control_stream", stream);
}

void add_log(Seeds& seeds) {
    for (const char* text : {"plain", "caf\xc3\xa9 \xff", "\"quotes\" \\ and\ttabs\nlines", "\x1b[2J\x07\x7f"}) {
        Bytes entry;
        ByteWriter out(entry);
        out.u8(7);
        for (unsigned i = 0; i < 6; ++i)
            out.u8(1).u8(1).u8(static_cast<std::uint8_t>(std::string_view(text).size())).append(text);
        out.zeros(60);
        seeds.add("log_entry", entry);
        entry[0] = 15;
        seeds.add("log_entry", entry);
        Bytes member;
        const auto size = static_cast<std::uint8_t>(std::string_view(text).size());
        ByteWriter(member).u8(1).zeros(16).u32(40).u8(1).u8(size).u16(1).append(text);
        seeds.add("gzip_member", member);
        ByteWriter(member).u8(192).u16(40'000).u8(static_cast<std::uint8_t>(64 + size)).u16(9000).append(text);
        seeds.add("gzip_member", member); // beyond a window and the buffers
    }
    Bytes lengthy; // strings as long as an entry can have
    ByteWriter strings(lengthy);
    strings.u8(7);
    for (unsigned i = 0; i < 6; ++i) strings.u8(1).u8(255).u8(100).append(std::string(100, '\xe9'));
    strings.zeros(60);
    seeds.add("log_entry", lengthy);
}

// Three files, each of two whole members and something else; with another option each.
void add_recovery(Seeds& seeds) {
    const auto add_member = [](ByteWriter& out, std::uint8_t kind) {
        out.u8(kind).u8(1).u32(0).u32(kind).u32(0).u32(kind).u8(5).append("text\n").u16(40);
        if (kind == 4) out.u8(1);
    };
    for (const std::uint8_t last : Numbers{0, 3, 4, 5, 6}) {
        for (const std::uint8_t option : Numbers{0, 2, 12, 16, 32, 48}) {
            Bytes file;
            ByteWriter out(file);
            out.u8(option);
            if ((option & 8) != 0) out.u8(10);
            if (option >= 16) out.u8(static_cast<std::uint8_t>(3 + last));
            for (unsigned log = 0; log < 3; ++log) {
                add_member(out, 0);
                add_member(out, 1);
                if (last < 5)
                    add_member(out, last);
                else
                    out.u8(last).u16(5000);
                out.u8(7);
            }
            seeds.add("recovery", file);
        }
    }
    Bytes many; // more members than recovery looks at, one of the first damaged
    ByteWriter out(many);
    out.u8(0);
    for (unsigned i = 0; i < 20; ++i) add_member(out, i == 2 ? 4 : 0);
    seeds.add("recovery", many);
}

// As many steps as a story has, of long lines: what libFuzzer makes of it is as long.
void add_long_story(Seeds& seeds) {
    Bytes story;
    ByteWriter out(story);
    out.u8(1).u32(1000);
    for (unsigned i = 0; i < 75; ++i)
        out.u8(20)
            .u8(50)
            .append("CWD " + std::string(44, 'd') + "\r\n")
            .u8(32 + 20)
            .u8(50)
            .append("250 " + std::string(44, 'm') + "\r\n");
    out.u8(0);
    seeds.add("pipeline", story);
}

// Passwords in pieces some of which are lost, hosts of IPv6, transfers that ports count: what the last byte chooses.
void add_chosen_stories(Seeds& seeds) {
    constexpr std::uint8_t kClientSays = 31, kSecret = 27, kLose = 4, kServerSays = 32 + 31, kData = 0x80;
    for (const std::uint8_t option : Numbers{0, 1, 8, 9, 129}) {
        for (const std::uint8_t more : Numbers{0, 1, 2, 4, 12, 20, 36}) {
            Bytes story;
            ByteWriter out(story);
            out.u8(option).u32(1000).u8(0).u8(kServerSays).u8(0).u8(kClientSays).u8(19).u8(kServerSays).u8(1);
            if (more < 3) out.u8(kLose).u8(static_cast<std::uint8_t>(more + option));
            out.u8(kSecret).u8(5).u8(8).u8(27).u8(kServerSays).u8(2).u8(kClientSays).u8(3).u8(kServerSays).u8(4);
            out.u8(kClientSays).u8(4).u8(kServerSays).u8(5).u8(kData);
            for (unsigned i = 0; i < 4; ++i) out.u8(kData + 32 + 18).u16(4999).u8(9).u16(11);
            out.u8(kData + 32 + 8).u8(kServerSays).u8(6).u8(kClientSays).u8(17).u8(8).u8(more);
            seeds.add("pipeline", story);
        }
    }
}

// Operations of pipeline_fuzz: bits 6 and 7 choose the talk, bit 5 the side, the others what happens.
void add_pipeline(Seeds& seeds) {
    constexpr std::uint8_t kServerSays = 32 + 31, kClientSays = 31, kData = 0x80;
    const std::vector<std::pair<std::uint8_t, std::uint8_t>> login = {
        {kServerSays, 0}, {kClientSays, 0}, {kServerSays, 1}, {kClientSays, 1},
        {kServerSays, 2}, {kClientSays, 2}, {kServerSays, 3}, {kClientSays, 4}};
    for (const std::uint8_t talk : Numbers{0x00, 0x40}) {
        for (const std::uint8_t disturbance : Numbers{0, 3, 10, 11, 12, 15, 16}) {
            Bytes story;
            ByteWriter out(story);
            out.u8(static_cast<std::uint8_t>(disturbance + talk / 64)).u32(1000).u8(talk);
            for (const auto& [op, line] : login) {
                out.u8(static_cast<std::uint8_t>(op | talk)).u8(line);
                if (disturbance != 0) out.u8(static_cast<std::uint8_t>(disturbance | talk)).u8(1).u8(2);
            }
            out.u8(kData).u8(kData + 32 + 18).u16(3000).u8(kData + 32 + 8);
            out.u8(static_cast<std::uint8_t>(kServerSays | talk)).u8(6).u8(static_cast<std::uint8_t>(8 | talk)).u8(0);
            seeds.add("pipeline", story);
        }
    }
    // Reloads between a session's lines, and silence behind them.
    for (const std::uint8_t what : Numbers{0, 1, 2, 4, 5, 8, 16, 32, 64}) {
        Bytes story;
        ByteWriter out(story);
        out.u8(static_cast<std::uint8_t>(what == 4 ? 65 : 1)).u32(1000).u8(0);
        for (const auto& [op, line] : login)
            out.u8(op).u8(line).u8(25).u8(what).u8(static_cast<std::uint8_t>(40 + line));
        out.u8(kData).u8(kData + 32 + 18).u16(3000).u8(9).u16(900).u8(25).u8(what).u8(9).u8(0x40).u8(9).u16(9000);
        out.u8(kServerSays).u8(6).u8(9).u16(40000).u8(7).u8(0);
        seeds.add("pipeline", story);
    }
    // A connection of each sort beside a session, with bounds so small that they are reached, and interim entries.
    for (const std::uint8_t option : Numbers{0, 1, 32, 33, 64, 65}) {
        Bytes story;
        ByteWriter out(story);
        out.u8(option).u32(1000);
        for (std::size_t i = 0; i < ethernet_frames().size(); ++i) out.u8(22).u8(static_cast<std::uint8_t>(i));
        for (std::uint8_t i = 0; i < 8; ++i) out.u8(23).u8(i).u16(9).u8(0x17).u8(i).u16(10).u8(9).u16(50);
        for (std::uint8_t kind = 0; kind < 6; ++kind) {
            out.u8(17).u32(7).u8(kind).u8(0);
            for (const auto& [op, line] : login) out.u8(op).u8(line);
        }
        out.u8(0);
        seeds.add("pipeline", story);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: write_seeds SOURCE_ROOT DIRECTORY\n");
        return 2;
    }
    Seeds seeds(argv[2]);
    add_decode(seeds);
    add_captures(seeds);
    add_ftp(seeds);
    add_ftp_bounds(seeds);
    add_ranges(seeds);
    add_log(seeds);
    add_recovery(seeds);
    add_pipeline(seeds);
    add_long_story(seeds);
    add_chosen_stories(seeds);
    std::ifstream example(std::filesystem::path(argv[1]) / "config/ftpsensor.yaml", std::ios::binary);
    seeds.add("config", std::string(std::istreambuf_iterator<char>(example), {}));
    for (const char* text :
         {"!log.rotation.interval=5min", "!capture.ports=[{interface: eth1}, {pci: \"0000:3b:00.0\"}]",
          "ftp: {commands: [all], passwords: none}\nlocal_networks: [10.0.0.0/8, \"fe80::/10\"]\n"})
        seeds.add("config", text);
}
