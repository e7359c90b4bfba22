#include "core/ftp/telnet.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace ftpsensor;
using namespace std::string_literals;

namespace {

struct Result {
    std::vector<std::string> lines;
    bool partial_line = false;
    LineOddities oddities;
    bool operator==(const Result& other) const {
        return lines == other.lines && partial_line == other.partial_line && oddities.nul == other.oddities.nul &&
               oddities.lone_cr == other.oddities.lone_cr && oddities.too_long == other.oddities.too_long;
    }
};

Result read(const std::string& bytes, std::size_t step, bool partial, bool line_first) {
    Result result;
    TelnetLineReader reader(result.oddities);
    reader.reset(partial, line_first);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        const std::string piece = bytes.substr(at, step); // its own memory: views into an older piece would show
        std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size());
        std::string_view line;
        while (reader.next(data, line)) result.lines.emplace_back(line);
        REQUIRE(data.empty());
    }
    result.partial_line = reader.has_partial_line();
    return result;
}

// Whole, and the same in pieces of several sizes.
Result read_all_ways(const std::string& bytes, bool partial = false, bool line_first = false) {
    const Result whole = read(bytes, bytes.size() + 1, partial, line_first);
    for (const std::size_t step : {1u, 2u, 3u, 7u, 16u, 17u}) {
        INFO("pieces of " << step);
        CHECK(read(bytes, step, partial, line_first) == whole);
    }
    return whole;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("lines end with CR LF or a bare LF", "[telnet]") {
    const Result r = read_all_ways("USER a\r\nPASS b\n\r\n\nQUIT");
    CHECK(r.lines == Lines{"USER a", "PASS b", "", ""});
    CHECK(r.partial_line);
    CHECK_FALSE(r.oddities.lone_cr);
}

TEST_CASE("a bare CR belongs to its line", "[telnet]") {
    CHECK(read_all_ways("a\rb\r\n").lines == Lines{"a\rb"});
    CHECK(read_all_ways("a\rb\r\n").oddities.lone_cr);
    CHECK(read_all_ways("a\r\r\n").lines == Lines{"a\r"});
    CHECK(read_all_ways("a\r\r\n").oddities.lone_cr);
}

TEST_CASE("a NUL behind a CR is dropped, and the CR kept", "[telnet]") {
    const Result r = read_all_ways("a\r\0b\r\n"s);
    CHECK(r.lines == Lines{"a\rb"});
    CHECK_FALSE(r.oddities.nul);
    CHECK_FALSE(r.oddities.lone_cr);
    CHECK(read_all_ways("a\r\0\n"s).lines == Lines{"a\r"});
}

TEST_CASE("the first NUL of a direction is dropped, later ones are kept", "[telnet]") {
    const Result r = read_all_ways("a\0b\r\nc\0d\r\n"s);
    CHECK(r.lines == Lines{"ab", "c\0d"s});
    CHECK(r.oddities.nul);
}

TEST_CASE("a keep-alive NUL at the start of a partial connection is nothing odd", "[telnet]") {
    const Result r = read_all_ways("\0a\r\n\0b\r\n"s, true);
    CHECK(r.lines == Lines{"a", "b"}); // the second NUL is the first that counts
    CHECK(r.oddities.nul);
    CHECK_FALSE(read_all_ways("\0a\r\n"s, true).oddities.nul);
    CHECK(read_all_ways("\0a\r\n"s, false).oddities.nul);
}

TEST_CASE("Telnet options are taken out", "[telnet]") {
    CHECK(read_all_ways("US\xff\xfb\x01"
                        "ER a\r\n")
              .lines == Lines{"USER a"}); // WILL ECHO
    CHECK(read_all_ways("\xff\xf4\xff\xf2"
                        "ABOR\r\n")
              .lines == Lines{"ABOR"}); // IP, DM before ABOR
    CHECK(read_all_ways("a\xff\xff"
                        "b\r\n")
              .lines == Lines{"a\xff"
                              "b"}); // escaped 255
    CHECK(read_all_ways("a\xff\xfd\n"
                        "b\r\n")
              .lines == Lines{"ab"});                              // DO 10 is no line end
    CHECK(read_all_ways("a\r\xff\xfb\x01\n").lines == Lines{"a"}); // between CR and LF
    CHECK(read_all_ways("a\xff\n"
                        "b\r\n")
              .lines == Lines{"ab"}); // IAC LF: an unknown command
}

TEST_CASE("Telnet suboptions are taken out up to IAC SE", "[telnet]") {
    CHECK(read_all_ways("a\xff\xfa\x18 x\r\ny\xff\xff z\xff\xf0"
                        "b\r\n")
              .lines == Lines{"ab"});
    // Ended by another command: that one is read as such.
    CHECK(read_all_ways("a\xff\xfa\x18 x\xff\xfb\x01"
                        "b\r\n")
              .lines == Lines{"ab"});
    CHECK(read_all_ways("a\xff\xfa\x18 x").partial_line);
}

TEST_CASE("where lines come first, a line feed ends one whatever Telnet command it stands in", "[telnet]") {
    const auto lines = [](const std::string& bytes) { return read_all_ways(bytes, false, true).lines; };
    CHECK(lines("a\xff\xfa\x18 x\r\nDELE y\r\n") == Lines{"a", "DELE y"});
    CHECK(lines("a\xff\xfa\x18 x\xff\nDELE y\r\n") == Lines{"a", "DELE y"});
    CHECK(lines("a\xff\xfb\nDELE y\r\n") == Lines{"a", "DELE y"});
    CHECK(lines("a\xff\nDELE y\r\n") == Lines{"a", "DELE y"});
    CHECK(lines("a\xff\xfa\n\xff\xf0"
                "b\r\n") == Lines{"a", "b"});
    CHECK(lines("a\xff\xfa\x18 x\xff\xf0"
                "b\r\n") == Lines{"ab"});
}

TEST_CASE("a suboption without end takes its line with it", "[telnet]") {
    const auto with = [](std::size_t bytes) {
        return "USER a\xff\xfa" + std::string(bytes, 'x') + "\xff\xf0" + "b\r\nQUIT\r\n";
    };
    CHECK(read_all_ways(with(kFtpLineBytesMax - 1)).lines == Lines{"USER ab", "QUIT"}); // with its IAC, at the limit
    CHECK(read_all_ways(with(kFtpLineBytesMax - 1)).oddities.too_long == 0);
    const Result r = read_all_ways(with(kFtpLineBytesMax));
    CHECK(r.oddities.too_long == 1);
    CHECK(r.lines.back() == "QUIT");
    CHECK(r.lines.front() != "USER ab");
}

TEST_CASE("of a line beyond the limit the beginning is taken and the rest dropped", "[telnet]") {
    for (const std::string end : {"\r\n", "\n"}) {
        for (const std::size_t size : {kFtpLineBytesMax - 1, kFtpLineBytesMax, kFtpLineBytesMax + 1,
                                       kFtpLineBytesMax + 2, 3 * kFtpLineBytesMax}) {
            INFO(size);
            const Result r = read_all_ways(std::string(size, 'a') + end + "QUIT\r\n");
            REQUIRE(r.lines.size() == 2);
            CHECK(r.lines[0] == std::string(std::min(size, kFtpLineBytesMax), 'a'));
            CHECK(r.lines[1] == "QUIT");
            CHECK(r.oddities.too_long == (size > kFtpLineBytesMax ? 1 : 0));
        }
    }
}

TEST_CASE("the buffer of a reader stays within its bound", "[telnet]") {
    LineOddities oddities;
    TelnetLineReader reader(oddities);
    reader.reset(false, true);
    const std::vector<std::uint8_t> endless(1 << 20, 'a');
    std::span<const std::uint8_t> data(endless);
    std::string_view line;
    CHECK_FALSE(reader.next(data, line));
    CHECK(reader.capacity() == kFtpLineBytesMax + 1);
    reader.reset(false, true);
    CHECK(reader.capacity() == 0);
    CHECK_FALSE(reader.has_partial_line());
}

TEST_CASE("a whole plain line is returned where it lies", "[telnet]") {
    LineOddities oddities;
    TelnetLineReader reader(oddities);
    reader.reset(false, true);
    const std::string bytes = "RETR a-file-with-a-name\r\nPASV\r\n";
    std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    std::string_view line;
    REQUIRE(reader.next(data, line));
    CHECK(line.data() == bytes.data());
    REQUIRE(reader.next(data, line));
    CHECK(line == "PASV");
    CHECK(reader.capacity() == 0);
}

TEST_CASE("special bytes are found wherever they stand", "[telnet]") {
    for (std::size_t size = 0; size < 70; ++size) {
        INFO(size);
        CHECK(read_all_ways(std::string(size, 'a') + "\n" + std::string(33, 'b') + "\n").lines ==
              Lines{std::string(size, 'a'), std::string(33, 'b')});
        CHECK(read_all_ways(std::string(size, 'a') + "\xff\xff" + std::string(20, 'b') + "\n").lines ==
              Lines{std::string(size, 'a') + "\xff" + std::string(20, 'b')});
    }
}
