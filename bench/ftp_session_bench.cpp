// What a command and its reply cost in an FTP session: ns a pair, and allocations.
//
// Sessions of a mirroring client (login, directories, a transfer a file), one packet a line, over a pool of one session
// and one output, as a worker runs them: with the reference's logged commands, and with all of them.
//
//     ftp_session_bench [--json FILE] [--count SESSIONS] [CASE...]
#include "bench/measure.h"
#include "core/ftp/ftp_session.h"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

std::uint64_t allocations = 0;

} // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace ftpsensor;
using namespace ftpsensor::bench;

struct Line {
    bool from_originator;
    std::string text;
};

constexpr int kFiles = 20;

std::vector<Line> mirror_session() {
    std::vector<Line> lines;
    const auto server = [&](const std::string& text) { lines.push_back({false, text + "\r\n"}); };
    const auto client = [&](const std::string& text) { lines.push_back({true, text + "\r\n"}); };
    server("220 ::::: Welcome to the FTP service ::::::");
    client("USER anonymous");
    server("331 Please specify the password.");
    client("PASS ftp@example.com");
    server("230 Login successful.");
    client("PWD");
    server("257 \"/\"");
    client("CWD pub/stats/2020");
    server("250 Directory successfully changed.");
    client("TYPE I");
    server("200 Switching to Binary mode.");
    for (int i = 0; i < kFiles; ++i) {
        const std::string name = "delegated-extended-" + std::to_string(i) + ".md5";
        client("SIZE " + name);
        server("213 74");
        client("EPSV");
        server("229 Entering Extended Passive Mode (|||" + std::to_string(30000 + i) + "|).");
        client("RETR " + name);
        server("150 Opening BINARY mode data connection for " + name + " (74 bytes).");
        server("226 Transfer complete.");
    }
    client("QUIT");
    server("221 Goodbye.");
    return lines;
}

void run(Results& results, const char* name, const FtpOptions& options) {
    if (!results.wants(name)) return;
    const std::size_t sessions = results.count(20'000);
    EventCounters events;
    FtpSession session(options, events);
    FtpOutput out;
    const std::vector<Line> lines = mirror_session();
    const EndpointId id{IpAddress::from_v4(192, 168, 4, 76), 53380, IpAddress::from_v4(196, 216, 2, 24), 21};
    std::uint64_t pairs = 0;
    std::uint64_t entries = 0;
    std::uint64_t text_bytes = 0;
    const auto drain = [&] {
        for (const FtpEvent& event : out.events) entries += event.logged;
        text_bytes += out.text.size();
        out.clear();
    };
    const auto one_session = [&](std::uint64_t number) {
        session.reset(id, {1, number + 1}, false);
        Timestamp now = 1'600'000'000'000'000'000;
        for (const Line& line : lines) {
            now += kMillisecond;
            session.deliver(line.from_originator,
                            {reinterpret_cast<const std::uint8_t*>(line.text.data()), line.text.size()}, now, out);
            pairs += line.from_originator;
            drain();
        }
        session.end_of_stream(true, now, out);
        session.end_of_stream(false, now, out);
        session.finish(true, now, out);
        drain();
    };
    one_session(0);
    pairs = entries = text_bytes = 0;
    const std::uint64_t allocations_before = allocations;
    const double before = cpu_nanoseconds();
    for (std::size_t i = 0; i < sessions; ++i) one_session(i);
    const double ns = cpu_nanoseconds() - before;
    const auto count = static_cast<double>(pairs);
    results.row(name, {{"ns_pair", ns / count},
                       {"pairs_s", count / ns * 1e9},
                       {"entries_pair", static_cast<double>(entries) / count},
                       {"text_bytes_pair", static_cast<double>(text_bytes) / count},
                       {"allocations", static_cast<double>(allocations - allocations_before)}});
}

} // namespace

int main(int argc, char** argv) {
    Results results("ftp_session", argc, argv);
    run(results, "logged commands", FtpOptions{});
    FtpOptions all;
    all.log_all_commands = true;
    run(results, "all commands", all);
}
