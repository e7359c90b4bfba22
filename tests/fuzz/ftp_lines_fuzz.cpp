// Fuzzes the lines of a control channel (TelnetLineReader) and what is read from them: the same lines however the bytes
// are cut, none with a line feed in it or longer than its bound, and views that stay within their line.
//
// An input: a byte of options, one of cuts, and the bytes of one direction; or, by an option, parts of them, each with
// a byte of how often it comes before: so short inputs make lines beyond every bound.
#include "core/ftp/parse.h"
#include "core/ftp/telnet.h"
#include "tests/fuzz/fuzz_input.h"

#include <memory>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

bool lies_in(std::string_view part, std::string_view line) {
    return part.empty() || (part.data() >= line.data() && part.data() + part.size() <= line.data() + line.size());
}

// What was read from a line, as text.
std::string parse(std::string_view line, std::uint32_t& open_code) {
    const FtpRequest request = parse_request(line);
    require(lies_in(request.name, line) && lies_in(request.argument, line), "within the line");
    for (const char c : request.name) require(c > 32 && c < 127, "a command is printable ASCII");
    const FtpReply reply = parse_reply(line, open_code);
    require(lies_in(reply.text, line), "within the line");
    require(reply.is_violation() || reply.code == 0 || (reply.code >= 100 && reply.code <= 999),
            "a code of three digits");
    return std::string(request.name) + '|' + std::string(request.argument) + '|' +
           std::to_string(static_cast<int>(reply.kind)) + '|' + std::to_string(reply.code) + '|' +
           std::string(reply.text) + (looks_like_reply(line) ? "|!" : "|");
}

struct Lines {
    std::vector<std::string> lines;
    std::vector<std::string> meanings;
    bool partial = false, nul = false, lone_cr = false;
    std::uint32_t too_long = 0;

    friend bool operator==(const Lines&, const Lines&) = default;
};

Lines read(std::string_view text, std::size_t piece, bool partial, bool line_first) {
    Lines all;
    LineOddities oddities;
    TelnetLineReader reader(oddities);
    reader.reset(partial, line_first);
    std::uint32_t open_code = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const std::string_view part = text.substr(at, piece);
        const auto own = std::make_unique<std::uint8_t[]>(part.size()); // of its own size, and gone after its turn
        std::copy(part.begin(), part.end(), own.get());
        std::span<const std::uint8_t> data(own.get(), part.size());
        std::string_view line;
        while (reader.next(data, line)) {
            require(line.size() <= kFtpLineBytesMax && line.find('\n') == line.npos, "one line, within its bound");
            all.meanings.push_back(parse(line, open_code));
            all.lines.emplace_back(line);
        }
        require(data.empty(), "all is used up");
        require(reader.capacity() <= 4 * kFtpLineBytesMax, "memory");
    }
    all.partial = reader.has_partial_line();
    all.nul = oddities.nul;
    all.lone_cr = oddities.lone_cr;
    all.too_long = oddities.too_long;
    return all;
}

std::string repeated(FuzzInput& input) {
    constexpr std::size_t kMost = 4 * kFtpLineBytesMax;
    std::string text;
    while (!input.empty() && text.size() < kMost) {
        const std::size_t times = input.u8() + 1u;
        const std::string_view part = input.text();
        for (std::size_t i = 0; i < times && text.size() < kMost; ++i) text += part;
    }
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    const std::uint8_t options = input.u8();
    const bool partial = (options & 1) != 0, line_first = (options & 2) == 0;
    const std::size_t piece = input.u8() + 1u;
    const std::string text = (options & 128) != 0 ? repeated(input) : std::string(input.rest());
    const Lines whole = read(text, text.size() + 1, partial, line_first);
    require(read(text, 1, partial, line_first) == whole, "the same lines byte by byte");
    require(read(text, piece, partial, line_first) == whole, "the same lines in pieces");
    if (line_first)
        require(whole.lines.size() == static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
                "a line for each line feed");
    return 0;
}
