// Members: valid for zlib and gzip(1), whole in a row, and with a header that tells their length and times.
#include "core/log/gzip_member.h"
#include "log_test_support.h"
#include "tests/support/catch.h"

#include <cstdlib>
#include <random>

using namespace ftpsensor;

namespace {

std::string bytes_of(std::span<const std::uint8_t> member) { return {member.begin(), member.end()}; }

std::span<const std::uint8_t> span_of(const std::string& bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

std::string log_text(std::size_t lines) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i)
        text += "{\"_path\":\"conn\",\"uid\":\"C" + std::to_string(i * 7919) + "\",\"orig_bytes\":184}\n";
    return text;
}

std::string noise(std::size_t size) {
    std::mt19937_64 random(size);
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

} // namespace

TEST_CASE("every level gives members that zlib reads, of any size, one compressor after the other") {
    for (unsigned level = 0; level <= GzipCompressor::kLevelMax; ++level) {
        GzipCompressor compressor(level);
        // large, small, empty and incompressible in turn: nothing of one shows in the next
        for (const std::string& text :
             {log_text(20'000), std::string("x\n"), std::string(), noise(300'000), log_text(3)}) {
            const std::string member = bytes_of(compressor.compress(text, {1, 2}));
            CHECK(gunzip(member) == text);
            CHECK(member_unpacks(span_of(member)));
        }
    }
    CHECK_THROWS_AS(GzipCompressor(4), std::invalid_argument);
}

TEST_CASE("logs get smaller") {
    GzipCompressor compressor(1);
    const std::string text = log_text(10'000);
    CHECK(compressor.compress(text, {}).size() < text.size() / 3);
}

TEST_CASE("the header tells length and times, and nothing else is taken for one") {
    GzipCompressor compressor(1);
    const MemberTimes times{1597559161485394123, -5};
    std::string member = bytes_of(compressor.compress(log_text(10), times));
    const auto header = parse_member_header(span_of(member));
    REQUIRE(header);
    CHECK(header->member_bytes == member.size());
    CHECK(header->times.first == times.first);
    CHECK(header->times.last == times.last);
    CHECK_FALSE(parse_member_header(span_of(member).first(kMemberHeaderBytes - 1)));
    for (std::size_t i = 0; i < 16; ++i) { // each fixed byte matters
        std::string other = member;
        other[i] = static_cast<char>(other[i] ^ 1);
        CHECK_FALSE(parse_member_header(span_of(other)));
        CHECK_FALSE(may_begin_member(span_of(other)));
    }
    member[16] = 10; // shorter than header and trailer
    member[17] = member[18] = member[19] = 0;
    CHECK_FALSE(parse_member_header(span_of(member)));
}

TEST_CASE("a member that was cut or changed does not unpack") {
    GzipCompressor compressor(2);
    const std::string member = bytes_of(compressor.compress(log_text(50), {}));
    for (std::size_t size = 0; size < member.size(); ++size)
        if (member_unpacks(span_of(member).first(size))) FAIL("cut at " << size);
    for (std::size_t i = kMemberHeaderBytes; i < member.size(); ++i) {
        std::string other = member;
        other[i] = static_cast<char>(other[i] ^ 0x10);
        bool valid = true; // a change of the padding behind the last code is none
        try {
            gunzip(other);
        } catch (const std::runtime_error&) {
            valid = false;
        }
        if (member_unpacks(span_of(other)) != valid || (valid && i + kMemberTrailerBytes + 1 != member.size()))
            FAIL("changed at " << i);
    }
    CHECK_FALSE(member_unpacks(span_of(member + "x")));
}

TEST_CASE("members in a row read as one, up to any boundary; gzip(1) agrees") {
    const TempDirectory directory;
    GzipCompressor compressor(1);
    std::string row, text;
    for (std::size_t i = 0; i < 5; ++i) {
        const std::string part = log_text(i + 1);
        row += bytes_of(compressor.compress(part, {}));
        text += part;
        CHECK(gunzip(row) == text);
    }
    write_file(directory / "x.log.gz", row);
    CHECK(std::system(("gzip -t '" + (directory / "x.log.gz") + "'").c_str()) == 0);
    CHECK(std::system(("zcat '" + (directory / "x.log.gz") + "' > '" + (directory / "x.log") + "'").c_str()) == 0);
    CHECK(read_file(directory / "x.log") == text);
    CHECK(std::system(("zgrep -q orig_bytes '" + (directory / "x.log.gz") + "'").c_str()) == 0);
}

TEST_CASE("a member that ISA-L unpacks and gunzip does not, does not") {
    std::string member = bytes_of(GzipCompressor(0).compress("", {}));
    bool differed = false;
    for (std::size_t at = kMemberHeaderBytes; at < member.size() - kMemberTrailerBytes; ++at) {
        for (const char change : {'\x65', '\x01', '\x10'}) {
            std::string changed = member;
            changed[at] = static_cast<char>(changed[at] ^ change);
            bool readable = true;
            try {
                gunzip(changed);
            } catch (const std::runtime_error&) {
                readable = false;
            }
            CAPTURE(at);
            REQUIRE(member_unpacks(span_of(changed)) == readable);
            differed = differed || !readable;
        }
    }
    CHECK(differed);
}
