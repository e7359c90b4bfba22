// Fuzzes an FTP session, and holds it against itself: byte by byte and cut at places of the input's choosing it reports
// what it reports of whole parts, within its bounds.
//
// Not built by default:
//   clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -march=x86-64-v2 -I. tests/fuzz/ftp_session_fuzz.cpp
//     core/ftp/*.cpp core/base/ip_address.cpp -o ftp_session_fuzz
//   ./ftp_session_fuzz -max_len=50000 -dict=tests/fuzz/ftp_session.dict CORPUS
// An input: one byte of options, one of cuts, then parts of two bytes of header and the bytes delivered at one time.
// The header's highest bit is the direction, the next one makes it a gap instead, the rest is the length.
#include "core/ftp/ftp_session.h"
#include "tests/unit/ftp/session_script.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace ftpsensor;

struct Part {
    bool from_originator;
    bool gap;
    std::string_view bytes;
};

struct Input {
    FtpOptions options;
    bool partial = false;
    std::size_t piece = 1;
    std::vector<Part> parts;
};

Input read_input(std::string_view bytes) {
    Input input;
    const auto next = [&bytes] {
        const auto byte = bytes.empty() ? 0u : static_cast<unsigned char>(bytes.front());
        if (!bytes.empty()) bytes.remove_prefix(1);
        return byte;
    };
    const unsigned flags = next();
    input.options.log_all_commands = (flags & 1) != 0;
    input.options.passwords = static_cast<PasswordPolicy>((flags >> 1) % 3);
    input.partial = (flags & 8) != 0;
    if ((flags & 16) != 0) input.options.max_pending_commands = 3;
    if ((flags & 32) != 0) input.options.max_arg_length = input.options.max_reply_msg_length = 40;
    input.piece = next() + 1;
    while (!bytes.empty()) {
        const unsigned header = next() << 8;
        const unsigned low = next();
        const std::string_view part = bytes.substr(0, (header | low) & 0x3fff);
        input.parts.push_back({(header & 0x8000) != 0, (header & 0x4000) != 0, part});
        bytes.remove_prefix(part.size());
    }
    return input;
}

void require(bool condition) {
    if (!condition) std::abort();
}

// All that is reported, as text.
std::string run(const Input& input, std::size_t piece) {
    SessionScript s(input.options, input.partial);
    Timestamp now = 0;
    std::vector<std::uint8_t> own; // of one piece: a view kept beyond its call would see other bytes
    for (const Part& part : input.parts) {
        now += kSecond;
        if (part.gap) s.session.gap(part.from_originator, part.bytes.size(), now, s.out);
        for (std::size_t at = 0; at < part.bytes.size() && !part.gap; at += piece) {
            const std::string_view bytes = part.bytes.substr(at, piece);
            own.assign(bytes.begin(), bytes.end());
            s.session.deliver(part.from_originator, own, now, s.out);
        }
        require(s.session.memory_bytes() <= kFtpSessionBytesMax);
    }
    s.session.end_of_stream(true, now, s.out);
    s.session.end_of_stream(false, now, s.out);
    s.session.finish(true, now, s.out);

    std::string text;
    for (const FtpEvent& event : s.out.events) {
        text += show(event, s.out) + " at " + std::to_string(event.ts) + "\n";
        if (event.kind != FtpOutcome::message || !event.logged) continue;
        require(event.arg.size <= s.options.max_arg_length || s.out.view(event.arg) == "<hidden>");
        require(event.reply_msg.size <= s.options.max_reply_msg_length);
        require(s.options.passwords != PasswordPolicy::none || !event.password.present ||
                s.out.view(event.password) == "<hidden>");
    }
    for (std::size_t i = 0; i < kEventCount; ++i) text += std::to_string(s.counted(static_cast<Event>(i))) + " ";
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Input input = read_input({reinterpret_cast<const char*>(data), size});
    const std::string whole = run(input, SIZE_MAX / 2);
    require(run(input, 1) == whole);
    require(run(input, input.piece) == whole);
    return 0;
}
