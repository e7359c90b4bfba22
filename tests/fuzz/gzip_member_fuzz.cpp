// Fuzzes GzipCompressor against zlib: what it writes unpacks to what it was given, and its header tells its length and
// times. A member that was changed afterwards and is still said to unpack, unpacks.
//
// An input: level, times, where and how to change a byte, then the text in pieces: bytes that are repeated, or such as
// nothing compresses. So a short input makes a text beyond the window of deflate, its blocks and our buffers (64 KiB).
#include "core/log/gzip_member.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/unit/log/log_test_support.h"

#include <optional>
#include <random>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::size_t kTextMax = 140'000; // and one piece more

std::optional<std::string> unpacked(const std::string& bytes) {
    try {
        return gunzip(bytes);
    } catch (const std::runtime_error&) {
        return {};
    }
}

std::string read_text(FuzzInput& input) {
    std::string text;
    while (!input.empty() && text.size() < kTextMax) {
        const std::uint8_t kind = input.u8();
        const std::size_t count = input.u16();
        if (kind < 192) { // a few bytes, up to 64 KiB of them
            const std::string_view piece = input.bytes(kind % 64);
            for (std::size_t i = 0; i < (kind < 64 ? 1 : count) && text.size() < kTextMax; ++i) text += piece;
        } else {
            std::minstd_rand noise(kind);
            for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(noise() >> 8);
        }
    }
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static GzipCompressor compressors[] = {GzipCompressor(0), GzipCompressor(1), GzipCompressor(2), GzipCompressor(3)};
    FuzzInput input(data, size);
    GzipCompressor& compressor = compressors[input.u8() & 3];
    const MemberTimes times = {static_cast<Timestamp>(input.u64()), static_cast<Timestamp>(input.u64())};
    const std::uint32_t place = input.u32();
    const std::uint8_t change = input.u8();
    const std::string text = read_text(input);

    const auto bytes = compressor.compress(text, times);
    std::string member(bytes.begin(), bytes.end());
    require(unpacked(member) == text, "zlib gives the text back");
    const auto header = parse_member_header(bytes);
    require(header && header->member_bytes == member.size(), "its length");
    require(header->times.first == times.first && header->times.last == times.last, "its times");
    require(member_unpacks(bytes) && may_begin_member(bytes), "it knows itself");

    member[place % member.size()] = static_cast<char>(member[place % member.size()] ^ change);
    const std::span<const std::uint8_t> changed(reinterpret_cast<const std::uint8_t*>(member.data()), member.size());
    if (parse_member_header(changed) && member_unpacks(changed))
        require(unpacked(member).has_value(), "said to unpack, and does");
    return 0;
}
