// Fuzzes the recovery of what an earlier run left in current/: whatever the file holds, it is rotated as valid gzip (by
// zlib, not by the library under test), or set aside untouched, or removed where nothing whole was in it. What is cut
// off holds no whole member, wherever lengths were damaged.
//
// An input: pieces of the file, each a byte that says what it is: a whole member, a member with some of its bytes
// changed, the first part of one, zeros, or the bytes of the input themselves.
#include "core/log/gzip_member.h"
#include "core/log/recovery.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/memory_files.h"
#include "tests/unit/log/log_test_support.h"

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::size_t kPiecesMax = 12; // fewer than the members whose contents recovery looks at

std::string member(FuzzInput& input) {
    static GzipCompressor compressors[] = {GzipCompressor(0), GzipCompressor(1), GzipCompressor(2), GzipCompressor(3)};
    const std::uint8_t level = input.u8() & 3;
    MemberTimes times;
    times.first = static_cast<Timestamp>(input.u64());
    times.last = static_cast<Timestamp>(input.u64());
    const auto bytes = compressors[level].compress(input.text(), times);
    return {bytes.begin(), bytes.end()};
}

std::string read_file(FuzzInput& input) {
    std::string file;
    for (std::size_t piece = 0; piece < kPiecesMax && !input.empty(); ++piece) {
        const std::uint8_t kind = input.u8() % 8;
        if (kind < 5) {
            std::string whole = member(input);
            const std::size_t at = input.u16() % whole.size();
            if (kind == 3) whole.resize(at);
            if (kind == 4) whole[at] = static_cast<char>(whole[at] ^ input.u8());
            file += whole;
        } else if (kind == 5) {
            file += std::string(input.u16() % 9000, '\0');
        } else {
            file += input.long_text();
        }
    }
    return file;
}

// A member of ours that zlib takes to its end, whatever stands around it.
bool holds_whole_member(const std::string& bytes) {
    GzipCompressor compressor(1);
    const auto sample = compressor.compress("", {});
    const std::string signature(sample.begin(), sample.begin() + kMemberSignatureBytes);
    for (std::size_t at = bytes.find(signature); at != std::string::npos; at = bytes.find(signature, at + 1)) {
        const std::size_t next = std::min(bytes.find(signature, at + 1), bytes.size());
        z_stream stream{};
        require(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib has memory");
        std::string text(1u << 20, '\0'); // more than a piece of an input unpacks to
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
        stream.avail_in = static_cast<uInt>(next - at);
        stream.next_out = reinterpret_cast<Bytef*>(text.data());
        stream.avail_out = static_cast<uInt>(text.size());
        const int result = inflate(&stream, Z_FINISH);
        inflateEnd(&stream);
        if (result == Z_STREAM_END) return true;
    }
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    RotationOptions options;
    if (input.flag()) options.interval = 0;
    const Rotation rotation(options);
    const std::string original = read_file(input);
    MemoryFiles files;
    files.files["/logs/current/conn.log.gz"] = std::make_shared<std::string>(original);
    const LogPlace place{"/logs", 0640, std::nullopt};
    const auto reports = recover_directory(files, place, rotation);
    require(reports.size() == 1 && files.all_closed() && !reports[0].message().empty(), "one report");
    const RecoveryReport& report = reports[0];
    require(!files.files.contains("/logs/current/conn.log.gz"), "it is out of the way");
    switch (report.outcome) {
    case RecoveryOutcome::rotated: {
        require(files.files.size() == 1 && files.files.contains(report.moved_to), "where the report says");
        const std::string& kept = *files.files[report.moved_to];
        require(kept.size() + report.bytes_cut == original.size() && original.starts_with(kept),
                "cut at its end alone");
        require(!holds_whole_member(original.substr(kept.size())), "nothing whole is cut off");
        gunzip(kept); // throws where zlib does not take it
        break;
    }
    case RecoveryOutcome::set_aside:
        require(*files.files.at(report.moved_to) == original, "set aside untouched");
        break;
    case RecoveryOutcome::removed:
        require(files.files.empty() && report.members == 0 && !holds_whole_member(original), "nothing whole");
        break;
    case RecoveryOutcome::failed: require(false, "nothing fails in this file system");
    }
    return 0;
}
