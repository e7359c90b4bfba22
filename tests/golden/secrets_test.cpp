// A password is in no output, however it is spelled: hidden by default, in both forms of both logs, with every command
// logged.
#include "tests/golden/golden.h"
#include "tests/support/memory_pipeline.h"

#include <functional>

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

// Nothing else in a session looks like it, in either case.
const std::string kSecret = "Tr0ub4dor";

std::string in_lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::string output_of(const Trace& trace, LogFormat format, bool extended, bool log_all = true) {
    MemoryPipelineOptions options = small_pipeline(extended);
    options.entries.format.format = format;
    options.pipeline.ftp.log_all_commands = log_all;
    std::string output;
    MemoryPipeline pipeline(options, [&](LogKind, std::string_view text) { output += text; });
    const auto packets = trace.views();
    pipeline.process(packets);
    pipeline.finish(packets.back().now);
    return output;
}

// A session that says its password by `say`, is let in, and goes on.
void check_hidden(const std::function<void(FtpTalk&)>& say) {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").client("USER bob").server("331 Password?");
    say(ftp);
    ftp.server("230 In.").client("DELE a").server("250 Gone.").client("NOOP").server("200 Yes.").quit();
    read(trace); // for who saves captures: see secrets_e2e_test.py
    for (const LogFormat format : {LogFormat::json, LogFormat::tsv})
        for (const bool extended : {false, true}) {
            const std::string output = output_of(trace, format, extended);
            CHECK(output.find("DELE") != std::string::npos);
            CHECK(in_lower_case(output).find(in_lower_case(kSecret)) == std::string::npos);
        }
}

void check_line_hidden(const std::string& line) {
    CAPTURE(line);
    check_hidden([&](FtpTalk& ftp) { ftp.client(line); });
}

} // namespace

TEST_CASE("secret: in any case of the command") {
    for (const char* command : {"PASS ", "pass ", "PaSs "}) check_line_hidden(command + kSecret);
}

TEST_CASE("secret: with blanks before, between and behind") {
    for (const char* command : {"  PASS ", "\tPASS ", "PASS   ", "PASS\t", "PASS\v", "PASS \t "})
        check_line_hidden(command + kSecret + "  ");
}

TEST_CASE("secret: with blanks in it") { check_line_hidden("PASS x " + kSecret + " " + kSecret); }

TEST_CASE("secret: in pieces") {
    check_hidden([](FtpTalk& ftp) {
        for (const char c : "PASS " + kSecret + "\r\n") ftp.control().client(std::string(1, c));
    });
}

TEST_CASE("secret: in one segment with what stands around it") {
    check_hidden([](FtpTalk& ftp) { ftp.control().client("NOOP\r\nPASS " + kSecret + "\r\nSYST\r\nDELE b\r\n"); });
}

TEST_CASE("secret: longer than any bound") {
    for (const std::size_t times : {20u, 600u, 12'000u}) {
        std::string line = "PASS ";
        for (std::size_t i = 0; i < times; ++i) line += kSecret;
        check_hidden([&](FtpTalk& ftp) { ftp.client(line); });
    }
}

TEST_CASE("secret: with Telnet's commands in it and before it") {
    check_line_hidden("PA\xff\xf1SS " + kSecret);
    check_line_hidden("\xff\xf4\xff\xf2PASS " + kSecret);
    check_line_hidden("PASS \xff\xfb\x01" + kSecret);
    check_line_hidden("PASS " + kSecret + "\xff\xfa\x18\x01\xff\xf0");
}

TEST_CASE("secret: said again after a refusal, and twice before an answer") {
    check_hidden([](FtpTalk& ftp) {
        ftp.client("PASS " + kSecret).server("530 No.").client("USER bob").server("331 Password?");
        ftp.client("PASS x" + kSecret);
    });
    check_hidden([](FtpTalk& ftp) { ftp.client("PASS " + kSecret).client("PASS " + kSecret); });
}

TEST_CASE("secret: before the user is named, or with a guest named behind it") {
    check_hidden([](FtpTalk& ftp) { ftp.control().client("PASS " + kSecret + "\r\nUSER anonymous\r\n"); });
    check_hidden([](FtpTalk& ftp) { ftp.client("PASS " + kSecret).client("USER anonymous"); });
    check_hidden([](FtpTalk& ftp) { ftp.client("PASS " + kSecret).server("230 In.").client("USER ftp"); });
}

TEST_CASE("secret: without an end of its line") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").client("USER bob").server("331 Password?").control().client("PASS " + kSecret).close();
    read(trace);
    for (const bool extended : {false, true})
        CHECK(output_of(trace, LogFormat::json, extended).find(kSecret) == std::string::npos);
}

TEST_CASE("secret: around bytes that were lost") {
    for (const bool extended : {false, true}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.server("220 Hi.").client("USER bob").server("331 Password?");
        ftp.control().client("PASS " + kSecret).skip(Side::client, 100).client(kSecret + "\r\n");
        ftp.server("230 In.").client("DELE a").server("250 Gone.").quit();
        CHECK(output_of(trace, LogFormat::json, extended).find(kSecret) == std::string::npos);
    }
}

namespace {

// Whatever is logged, and by either rule; and `expected` is there.
void check_hidden_in(const Trace& trace, std::string_view expected) {
    read(trace); // for who saves captures
    for (const bool extended : {false, true})
        for (const bool log_all : {false, true}) {
            const std::string output = output_of(trace, LogFormat::json, extended, log_all);
            CAPTURE(output);
            CHECK(output.find(expected) != std::string::npos);
            CHECK(in_lower_case(output).find(in_lower_case(kSecret)) == std::string::npos);
        }
}

} // namespace

TEST_CASE("secret: in a segment of its own behind one that was lost") {
    Trace trace;
    FtpTalk ftp(trace);
    ftp.server("220 Hi.").client("USER bob").server("331 Password?");
    ftp.control().lose_next().client("PASS ").client(kSecret + "\r\n");
    ftp.server("230 In.");
    check_hidden_in(trace, R"("user":"bob","command":"USER")");
    ftp.client("DELE a").server("250 Gone.").quit(); // and the session goes on
    check_hidden_in(trace, R"("command":"DELE")");
}

TEST_CASE("secret: where the capture begins with it") {
    Trace trace;
    TcpTalk control(trace, {.server = {ip("10.0.0.2"), 21}});
    control.client(kSecret + "\r\n").server("230 In.\r\n");
    check_hidden_in(trace, R"("command":"<init>")");
    control.client("DELE a\r\n").server("250 Gone.\r\n").client("QUIT\r\n");
    check_hidden_in(trace, R"("command":"DELE")");
}

TEST_CASE("secret: behind a loss that took the end of the line before") {
    // Each cut at which bytes are missing; the rest of the line may be of another one.
    const std::string before = "USER bob", lost = "\r\nPASS ";
    for (std::size_t from = 4; from <= before.size() + 1; ++from)
        for (std::size_t to = before.size() + 2; to <= before.size() + lost.size(); ++to) {
            CAPTURE(from, to);
            const std::string all = before + lost + kSecret + "\r\n";
            Trace trace;
            FtpTalk ftp(trace);
            ftp.server("220 Hi.").control().client(all.substr(0, from));
            ftp.control().lose_next().client(all.substr(from, to - from)).client(all.substr(to));
            ftp.server("331 Password?").server("230 In.").client("DELE a").server("250 Gone.").quit();
            check_hidden_in(trace, R"("command":"DELE")");
        }
}

TEST_CASE("secret: of a user whose name is a guest's where bytes of it are missing") {
    // The guest's name is left before the hole, behind it, or on both sides of it.
    for (const std::string name : {"ftpadmin", "7guest", "anonybobmous"}) {
        const std::string line = "USER " + name + "\r\n";
        for (std::size_t from = 5; from < line.size(); ++from)
            for (std::size_t to = from + 1; to <= line.size(); to += 4) {
                CAPTURE(line, from, to);
                Trace trace;
                FtpTalk ftp(trace);
                ftp.server("220 Hi.").control().client(line.substr(0, from));
                ftp.control().lose_next().client(line.substr(from, to - from));
                if (to < line.size()) ftp.control().client(line.substr(to));
                ftp.server("331 Password?").client("PASS " + kSecret).server("230 In.");
                ftp.client("DELE a").server("250 Gone.").quit();
                check_hidden_in(trace, R"("command":"DELE")");
            }
    }
}

TEST_CASE("secret: of a user who was named where bytes are missing, after a guest") {
    for (const bool cut : {false, true}) { // the last of what the guest said goes on behind the hole
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login("anonymous", "me@here");
        if (cut) ftp.control().client("PASS me@he");
        ftp.control().lose_next().client("re\r\nUSER bob\r\n");
        ftp.server("331 Password?").client("PASS " + kSecret).server("230 In.").client("DELE a").server("250 Gone.");
        ftp.quit();
        check_hidden_in(trace, R"("command":"DELE")");
    }
}

TEST_CASE("a guest's password is shown where bytes are missing before the name, or behind the password") {
    for (const bool extended : {false, true})
        for (const bool before : {true, false}) {
            Trace trace;
            FtpTalk ftp(trace);
            ftp.server("220 Hi.");
            if (before) ftp.control().lose_next().client("SYST\r\n").server("215 UNIX\r\n");
            ftp.client("USER anonymous").server("331 Password?").client("PASS me@here").server("230 In.");
            if (!before) ftp.control().lose_next().client("SYST\r\n").server("215 UNIX\r\n");
            ftp.client("DELE a").server("250 Gone.").quit();
            CHECK(read(trace, {.extended = extended}).show("ftp", "password", {{"command", "DELE"}}) == "me@here");
        }
}

TEST_CASE("what is no password to the reference is none here: a guest's, an account, a command that is not PASS") {
    // docs/hostile-input.md tells why.
    for (const char* line : {"ACCT Tr0ub4dor", "PAS Tr0ub4dor", "SITE PSWD Tr0ub4dor"}) {
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login("bob", "x").client(line).server("200 Yes.").quit();
        CHECK(output_of(trace, LogFormat::json, true).find(kSecret) != std::string::npos);
    }
    Trace trace;
    FtpTalk(trace).login("ftp", kSecret).client("DELE a").server("250 Gone.").quit();
    CHECK(read(trace).show("ftp", "password", {{"command", "DELE"}}) == kSecret);
}
