// Fuzzes GzipCompressor against zlib: what it writes unpacks to what it was given, and its header tells its length and
// times. A member that was changed afterwards and is still said to unpack, unpacks.
//
// An input: level, times, where and how to change a byte, then the text.
#include "core/log/gzip_member.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/unit/log/log_test_support.h"

#include <optional>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

std::optional<std::string> unpacked(const std::string& bytes) {
    try {
        return gunzip(bytes);
    } catch (const std::runtime_error&) {
        return {};
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static GzipCompressor compressors[] = {GzipCompressor(0), GzipCompressor(1), GzipCompressor(2), GzipCompressor(3)};
    FuzzInput input(data, size);
    GzipCompressor& compressor = compressors[input.u8() & 3];
    const MemberTimes times = {static_cast<Timestamp>(input.u64()), static_cast<Timestamp>(input.u64())};
    const std::uint16_t place = input.u16();
    const std::uint8_t change = input.u8();
    std::string text;
    const unsigned repeats = input.u8();
    const std::string_view rest = input.rest();
    for (unsigned i = 0; i < repeats; ++i) text += rest.substr(0, 64);
    text += rest;

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
