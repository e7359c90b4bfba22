// Fuzzes an FTP session, and holds it against itself: byte by byte, cut at places of the input's choosing, and in a
// session that was used before, it reports what it reports of whole parts, within its bounds; and no password that its
// policy hides, nor one behind missing bytes that may have named another user.
//
// An input: one byte of options, one of cuts, then parts of two bytes of header and the bytes delivered at one time.
// The header's highest bit is the direction, the next one makes it a gap instead, the rest is the length. By an option
// a third byte tells how often the part comes, so that short inputs reach every bound (lines of 16 KiB, 32 KiB of
// pending commands, directories and replies of 8 KiB, the first 10 KiB); and a gap has no bytes, its length is what is
// missing.
#include "core/ftp/ftp_session.h"
#include "tests/unit/ftp/session_script.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace ftpsensor;

constexpr std::size_t kBytesMax = 96u << 10; // of all parts

struct Part {
    bool from_originator;
    std::uint64_t gap; // bytes that are missing, instead
    std::string bytes;
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
    input.options.extended = (flags & 64) == 0;
    const bool repeats = (flags & 128) != 0;
    input.options.passwords = static_cast<PasswordPolicy>((flags >> 1) % 3);
    input.partial = (flags & 8) != 0;
    if ((flags & 16) != 0) input.options.max_pending_commands = 3;
    if ((flags & 32) != 0) input.options.max_arg_length = input.options.max_reply_msg_length = 40;
    input.piece = next() + 1;
    std::size_t room = kBytesMax;
    while (!bytes.empty()) {
        const unsigned header = next() << 8;
        const unsigned low = next();
        const std::size_t times = repeats ? next() + 1 : 1;
        const bool from_originator = (header & 0x8000) != 0, gap = (header & 0x4000) != 0;
        const std::size_t size = (header | low) & 0x3fff;
        if (gap && repeats) {
            input.parts.push_back({from_originator, size * times, {}});
            continue;
        }
        const std::string_view part = bytes.substr(0, size);
        bytes.remove_prefix(part.size());
        Part& added = input.parts.emplace_back(Part{from_originator, gap ? part.size() : 0, {}});
        for (std::size_t i = 0; i < times && part.size() <= room && !gap; ++i) {
            added.bytes += part;
            room -= part.size();
        }
    }
    return input;
}

void require(bool condition) {
    if (!condition) std::abort();
}

bool is_guest(std::string_view user, const FtpOptions& options) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::any_of(options.guest_ids.begin(), options.guest_ids.end(), [&](const std::string& id) {
        return std::equal(id.begin(), id.end(), user.begin(), user.end(),
                          [&](char a, char b) { return lower(a) == lower(b); });
    });
}

// Of an entry: its lengths, and that it shows no password but a guest's, or by policy.
void check_entry(const FtpEvent& event, const FtpOutput& out, const FtpOptions& options) {
    const auto hidden = [&out](const FtpText& text) { return !text.present || out.view(text) == "<hidden>"; };
    require(event.arg.size <= options.max_arg_length || hidden(event.arg));
    require(event.reply_msg.size <= options.max_reply_msg_length);
    if (options.passwords == PasswordPolicy::all) return;
    if (options.passwords == PasswordPolicy::guests && is_guest(out.view(event.user), options)) return;
    require(hidden(event.password));
    if (out.view(event.command) == "PASS") require(hidden(event.arg));
}

// When bytes of the client went missing behind which nobody was named; the last part's time, where there are none.
Timestamp last_doubt(const Input& input) {
    std::string letters; // behind it, last first
    for (std::size_t i = input.parts.size(); i > 0; --i) {
        const Part& part = input.parts[i - 1];
        if (!part.from_originator) continue;
        if (part.gap > 0) return static_cast<Timestamp>(i) * kSecond;
        for (auto c = part.bytes.rbegin(); c != part.bytes.rend(); ++c)
            if ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') letters.push_back(static_cast<char>(*c | 0x20));
        if (letters.find("resu") != std::string::npos) break;
    }
    return static_cast<Timestamp>(input.parts.size()) * kSecond;
}

void deliver(SessionScript& s, const Part& part, std::size_t piece, Timestamp now) {
    std::vector<std::uint8_t> own; // of one piece: a view kept beyond its call would see other bytes
    if (part.gap > 0) s.session.gap(part.from_originator, part.gap, now, s.out);
    for (std::size_t at = 0; at < part.bytes.size(); at += piece) {
        const std::string_view bytes = std::string_view(part.bytes).substr(at, piece);
        own.assign(bytes.begin(), bytes.end());
        s.session.deliver(part.from_originator, own, now, s.out);
    }
    require(s.session.memory_bytes() <= kFtpSessionBytesMax);
}

// All that is reported, as text. `used`: by a session that has just read all parts in reverse.
std::string run(const Input& input, std::size_t piece, bool used = false) {
    SessionScript s(input.options, input.partial);
    if (used) {
        for (auto part = input.parts.rbegin(); part != input.parts.rend(); ++part) deliver(s, *part, piece, kMinute);
        s.session.reset(s.id, s.uid, input.partial);
        s.out.clear();
    }
    std::array<std::uint64_t, kEventCount> before{};
    for (std::size_t i = 0; i < kEventCount; ++i) before[i] = s.counted(static_cast<Event>(i));
    Timestamp now = 0;
    for (const Part& part : input.parts) deliver(s, part, piece, now += kSecond);
    s.session.end_of_stream(true, now, s.out);
    s.session.end_of_stream(false, now, s.out);
    s.session.finish(true, now, s.out);

    const Timestamp doubt = last_doubt(input);
    std::string text;
    for (const FtpEvent& event : s.out.events) {
        text += show(event, s.out) + " at " + std::to_string(event.ts) + (event.transfers ? " transfers " : " ") +
                std::to_string(event.channel) + ' ' + std::to_string(event.least_bytes) + '\n';
        if (event.kind == FtpOutcome::message && event.logged) {
            check_entry(event, s.out, s.options);
            if (s.options.passwords == PasswordPolicy::guests && event.ts > doubt &&
                s.out.view(event.command) == "PASS")
                require(!event.arg.present || s.out.view(event.arg) == "<hidden>");
        }
        // To the letter it matters how the bytes behind a violation are cut (ftp_session.h).
        if (event.kind == FtpOutcome::violated && !s.options.extended) return text;
    }
    for (std::size_t i = 0; i < kEventCount; ++i)
        text += std::to_string(s.counted(static_cast<Event>(i)) - before[i]) + " ";
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Input input = read_input({reinterpret_cast<const char*>(data), size});
    const std::string whole = run(input, SIZE_MAX / 2);
    require(run(input, 1) == whole);
    require(run(input, input.piece) == whole);
    require(run(input, input.piece, true) == whole);
    return 0;
}
