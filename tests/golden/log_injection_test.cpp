// Strings from the wire that try to be more than a value: each entry stays one line of its form, and says what was
// sent.
#include "tests/golden/golden.h"
#include "tests/support/memory_pipeline.h"

#include <set>

#include <nlohmann/json.hpp>

using namespace ftpsensor;
using namespace ftpsensor::test;
using namespace std::string_view_literals;

namespace {

struct Line {
    LogKind log;
    std::string text;
};

std::vector<Line> lines_of(const Trace& trace, LogFormat format) {
    MemoryPipelineOptions options = small_pipeline(true);
    options.entries.format.format = format;
    options.pipeline.ftp.log_all_commands = true;
    std::vector<Line> lines;
    MemoryPipeline pipeline(options, [&](LogKind log, std::string_view text) {
        lines.push_back({log, std::string(text)});
    });
    const auto packets = trace.views();
    pipeline.process(packets);
    pipeline.finish(packets.back().now);
    return lines;
}

// What a line must never hold, whatever was sent.
void check_line(std::string_view line) {
    REQUIRE(line.ends_with('\n'));
    line.remove_suffix(1);
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        REQUIRE((byte >= 32 || byte == '\t'));
        REQUIRE(byte != 127);
        // U+0080 to U+009F: controls of terminals as well
        if (byte == 0xc2 && i + 1 < line.size()) REQUIRE(static_cast<unsigned char>(line[i + 1]) >= 0xa0);
    }
    REQUIRE(nlohmann::json::accept([&] { // valid UTF-8
        std::string quoted = "\"";
        for (const char c : line)
            if (c != '"' && c != '\\' && c != '\t') quoted += c;
        return quoted + '"';
    }()));
}

// A session whose user, password, path and reply are all `text`.
Trace session_of(std::string_view text) {
    const std::string s(text);
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 " + s).client("USER " + s).server("331 " + s).client("PASS " + s).server("230 " + s);
    ftp.client("CWD " + s)
        .server("250 " + s)
        .client("DELE " + s)
        .server("550 " + s)
        .client("SITE " + s)
        .server("200 " + s);
    ftp.client("ZZZ" + s).server("500 " + s).quit();
    return trace;
}

const std::string_view kHostile[] = {
    "a\"b\\c"sv,
    "\",\"uid\":\"Cforged\",\"x\":\""sv,
    "a\\\",\"uid\":\"Cforged"sv,
    "a\rb\vc\fd\be"sv,
    "one\ttwo\tthree"sv,
    "\\x0a\\n\\u000a"sv,
    "\x1b[2J\x1b]0;title\x07\x1b[31mred"sv,
    "\x9b\x32\x4a and \xc2\x9b\x32\x4a"sv,
    "\x7f\x01\x02\x1f"sv,
    "nul\0in\0side"sv,
    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"sv,
    "\xc0\xaf\xe0\x80\x8a overlong line feed"sv,
    "\xff\xff\xfe\xff\xff broken"sv,
    "\xed\xa0\x80 surrogate, \xef\xbf\xbf none, \xe2\x80\xa8 line separator"sv,
    "-"sv,
    "(empty)"sv,
    "#close\t2026-01-01"sv,
    "{\"_path\":\"conn\"}"sv,
    "%s%n%x${jndi:ldap://x}$(reboot)`id`"sv,
    "=cmd|' /C calc'!A0"sv,
};

} // namespace

TEST_CASE("injection: whatever a session says, one line an entry, JSON with the fields of an entry") {
    std::set<std::string> known;
    for (const Line& line : lines_of(session_of("plain"), LogFormat::json))
        for (const auto entry = nlohmann::json::parse(line.text); const auto& [name, value] : entry.items())
            known.insert(name);
    for (const std::string_view text : kHostile) {
        CAPTURE(std::string(text));
        const auto lines = lines_of(session_of(text), LogFormat::json);
        std::size_t ftp = 0;
        for (const Line& line : lines) {
            check_line(line.text);
            const auto entry = nlohmann::json::parse(line.text);
            for (const auto& [name, value] : entry.items()) REQUIRE(known.contains(name));
            REQUIRE(entry["_path"] == log_path(line.log));
            REQUIRE(entry["uid"] != "Cforged");
            ftp += line.log == LogKind::ftp;
        }
        CHECK(lines.size() - ftp == 1);
        CHECK(ftp >= 6);
    }
}

TEST_CASE("injection: whatever a session says, one line an entry, with the columns of the tab-separated form") {
    for (const std::string_view text : kHostile) {
        CAPTURE(std::string(text));
        for (const Line& line : lines_of(session_of(text), LogFormat::tsv)) {
            check_line(line.text);
            // path, time, and 24 or 22 fields: see tsv.cpp
            CHECK(std::count(line.text.begin(), line.text.end(), '\t') == (line.log == LogKind::conn ? 25 : 23));
            CHECK(line.text.starts_with(std::string(log_path(line.log)) + '\t'));
        }
    }
}

TEST_CASE("injection: a line feed ends a command, and what follows is the next one, not part of a value") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("bob\nDELE forged").server("550 No.").client("DELE real").server("250 Gone.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "user arg") == "bob ftp://10.0.0.2/./forged | bob ftp://10.0.0.2/./real");
}

TEST_CASE("injection: what was sent can be read, in escapes where it is not text") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login("b\x1b[2Jb").client("DELE caf\xc3\xa9").server("250 \xff\xff\xfe\xff\xff.").quit();
    const Logs logs = read(trace);
    CHECK(logs.show("ftp", "user arg reply_msg") == "b\\x1b[2Jb ftp://10.0.0.2/./caf\xc3\xa9 \\xff\\xfe\\xff.");
}

TEST_CASE("injection: sizes and ports beyond their type") {
    const auto size = [](const std::string& number) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("RETR a").server("150 Opening (" + number + " bytes).").server("226 Done.").quit();
        return read(trace).show("ftp", "file_size", {{"command", "RETR"}});
    };
    CHECK(size("4294967296") == "4294967296");
    CHECK(size("18446744073709551615") == "18446744073709551615");
    for (const char* odd :
         {"18446744073709551616", "99999999999999999999999999", "-1", "-9223372036854775809", "4e9", "0x10"}) {
        CAPTURE(odd);
        const std::string shown = size(odd);
        CHECK((shown == "-" || shown.find_first_not_of("0123456789") == std::string::npos));
    }

    const auto channel = [](std::string_view reply) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PASV").server(reply).quit();
        return read(trace).show("ftp", "data_channel.resp_p", {{"command", "PASV"}});
    };
    CHECK(channel("227 (10,0,0,2,255,255)") == "65535");
    CHECK(channel("227 (10,0,0,2,256,0)") == "-");
    CHECK(channel("227 (10,0,0,2,-1,5)") == "-");
    CHECK(channel("227 (10,0,0,2,99999999999999999999,5)") == "-");
}

TEST_CASE("injection: reply codes of more digits, and of none") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.login().client("DELE a").server("2500 Gone.").quit();
    CHECK(read(trace).count(Event::ftp_violation) == 1);
}
