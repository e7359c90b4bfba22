// What a session reports does not depend on how its bytes are cut.
#include "core/ftp/ftp_session.h"
#include "tests/support/catch.h"
#include "tests/unit/ftp/session_script.h"

using namespace ftpsensor;
using namespace std::string_literals;

namespace {

struct Part { // bytes of one direction, at one time
    bool from_originator;
    std::string bytes;
};
using Transcript = std::vector<Part>;

struct Report {
    Lines events;
    std::vector<Timestamp> times;
    std::vector<std::uint64_t> counts;
    bool operator==(const Report&) const = default;
};

// `cut(part, at)`: a call ends after the first `at` bytes of that part.
template <class Cut>
Report run(const Transcript& transcript, Cut cut) {
    SessionScript s(log_everything());
    for (std::size_t part = 0; part < transcript.size(); ++part) {
        const auto& [from_originator, bytes] = transcript[part];
        const Timestamp now = static_cast<Timestamp>(part) * kSecond;
        for (std::size_t begin = 0; begin < bytes.size();) {
            std::size_t end = begin + 1;
            while (end < bytes.size() && !cut(part, end)) ++end;
            const std::string piece = bytes.substr(begin, end - begin);
            s.session.deliver(from_originator, as_bytes(piece), now, s.out);
            begin = end;
        }
    }
    const Timestamp end = static_cast<Timestamp>(transcript.size()) * kSecond;
    s.session.end_of_stream(true, end, s.out);
    s.session.end_of_stream(false, end, s.out);
    s.session.finish(true, end, s.out);
    Report report{s.reported(), {}, {}};
    for (const FtpEvent& event : s.out.events) report.times.push_back(event.ts);
    for (std::size_t i = 0; i < kEventCount; ++i) report.counts.push_back(s.counted(static_cast<Event>(i)));
    return report;
}

const std::vector<Transcript>& transcripts() {
    static const std::vector<Transcript> all = {
        {{false, "220-Hello\r\n  there\r\n220 ready\r\n"},
         {true, "USER anonymous\r\nPASS me@here\r\n"},
         {false, "331 password?\r\n230 welcome\r\n"},
         {true, "CWD /pub\r\nPASV\r\nRETR a.txt\r\n"},
         {false, "250 ok\r\n227 Entering (10,0,0,2,7,8)\r\n150 Opening (12 bytes)\r\n226 Done\r\n"},
         {true, "QUIT"}},
        {{false, "220 ready\n"},
         {true, "AUTH tls\r\n"},
         {false, "234 Proceed\r\n\x16\x03\x01 garbage\r\n"},
         {true, "\x16\x03\x01USER x\r\n"}},
        {{true, "US\xff\xfb\x01"
                "ER b\r\0ob\r\n\xff\xf4\xff\xf2"
                "ABOR\r\n"s},
         {false, "220 a\0b\rc\r\n225-x\r\n226 Transfer complete.\r\n225 y\r"s},
         {true, "LIST \xff\xfa\x18 a\xff\xff\r\n\xff\xf0 -l\r\nSTOR \xff\xff\r\n"},
         {false, "\n226 ok"}},
        {{true, "EPRT |2|2001:db8::1|2000|\nPORT 10,0,0,1,4,31\n\n\nXY\nNOOP\n"},
         {false, "200 ok\r\n200 ok\r\n\r\n200 ok\r\nSSH-2.0-x\r\n200 late\r\n"},
         {true, "USER bob\r\n"}},
        {{true, "USER " + std::string(200, 'u') + "\r\nPASS " + std::string(200, 'p') + "\r\n"},
         {false, "331 " + std::string(5000, 'r') + "\r\n"},
         {true, "RETR " + std::string(5000, 'f') + "\r\n"},
         {false, "226 x\r\n"}},
        // The violation at "x" is just within the first 10 KiB, which the same bytes behind it are not.
        {{false, "220 " + std::string(10231, 'r') + "\r\nx\r\n" + std::string(40, 'y') + "\r\n"}, {true, "NOOP\r\n"}},
    };
    return all;
}

const auto whole = [](std::size_t, std::size_t) { return false; };

} // namespace

TEST_CASE("a transcript gives the same whole and byte by byte", "[ftp_segmentation]") {
    for (const Transcript& transcript : transcripts()) {
        const Report want = run(transcript, whole);
        CHECK(!want.events.empty());
        CHECK(run(transcript, [](std::size_t, std::size_t) { return true; }) == want);
    }
}

TEST_CASE("a transcript gives the same cut at any one place", "[ftp_segmentation]") {
    for (const Transcript& transcript : transcripts()) {
        const Report want = run(transcript, whole);
        for (std::size_t part = 0; part < transcript.size(); ++part) {
            const std::size_t size = transcript[part].bytes.size();
            const std::size_t step = size > 1000 ? 97 : 1;
            for (std::size_t at = 1; at < size; at += step) {
                INFO("part " << part << " cut at " << at);
                REQUIRE(run(transcript, [&](std::size_t p, std::size_t end) { return p == part && end == at; }) ==
                        want);
            }
        }
    }
}

TEST_CASE("a transcript gives the same in pieces of any size", "[ftp_segmentation]") {
    for (const Transcript& transcript : transcripts()) {
        const Report want = run(transcript, whole);
        for (std::size_t size = 2; size < 40; ++size) {
            INFO("pieces of " << size);
            REQUIRE(run(transcript, [&](std::size_t, std::size_t end) { return end % size == 0; }) == want);
        }
    }
}

TEST_CASE("lines beyond the limit give the same however they are cut", "[ftp_segmentation]") {
    Transcript transcript = {{false, "220 ready\r\n"}, {true, ""}, {false, "230 ok\r\n"}};
    for (const std::size_t size : {16384u - 6, 16384u - 5, 16384u - 4, 16384u - 3, 40000u}) {
        transcript[1].bytes = "ACCT " + std::string(size, 'x') + "\r\nNOOP\r\n";
        const Report want = run(transcript, whole);
        for (const std::size_t piece : {1u, 1000u, 1460u, 16384u, 16385u, 16386u}) {
            INFO(size << " in pieces of " << piece);
            CHECK(run(transcript, [&](std::size_t, std::size_t end) { return end % piece == 0; }) == want);
        }
    }
}
