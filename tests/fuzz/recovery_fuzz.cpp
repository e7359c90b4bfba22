// Fuzzes the recovery of what an earlier run left in current/: whatever the files hold, each is rotated as valid gzip
// (by zlib, not by the library under test), or set aside untouched, or removed where nothing whole was in it; no member
// that can be read is lost, wherever lengths were damaged. So it is where an operation of the file system fails, or the
// process ends before any of them, and the next start recovers what is left.
//
// An input: options, where what fails, then pieces of up to three files, each a byte that says what it is: a whole
// member, a member with some of its bytes changed, the first part of one, zeros, the bytes of the input themselves, or
// the end of a file.
#include "core/log/gzip_member.h"
#include "core/log/recovery.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/memory_files.h"
#include "tests/unit/log/log_test_support.h"

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::size_t kPiecesMax = 40;
constexpr std::size_t kMembersKept = 16; // the last ones, whose contents recovery looks at
constexpr const char* kLogs[] = {"conn", "ftp", "stats"};

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
        if (kind == 7) break;
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
    static const std::string signature = [] {
        GzipCompressor compressor(1);
        const auto sample = compressor.compress("", {});
        return std::string(sample.begin(), sample.begin() + kMemberSignatureBytes);
    }();
    static std::string text(1u << 20, '\0'); // more than a piece of an input unpacks to
    for (std::size_t at = bytes.find(signature); at != std::string::npos; at = bytes.find(signature, at + 1)) {
        const std::size_t next = std::min(bytes.find(signature, at + 1), bytes.size());
        z_stream stream{};
        require(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib has memory");
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

bool unpacks(const std::string& bytes) {
    try {
        gunzip(bytes);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

// The members of a file by their own lengths, as far as these go.
std::vector<std::string> members_of(std::string_view file) {
    std::vector<std::string> members;
    while (const auto header = parse_member_header({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()})) {
        if (header->member_bytes > file.size()) break;
        members.emplace_back(file.substr(0, header->member_bytes));
        file.remove_prefix(header->member_bytes);
    }
    return members;
}

// What was cut off of a file that was rotated, or all of one that was removed, holds nothing that can be read.
void require_nothing_lost(const std::string& original, const std::string& kept) {
    require(original.starts_with(kept), "cut at its end alone");
    require(!holds_whole_member(original.substr(kept.size())), "no member that can be read is lost");
}

void require_readable(const std::string& original, const std::string& kept) {
    const auto members = members_of(kept);
    const std::size_t dropped = members_of(original).size() - members.size();
    std::string looked_at;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (i + kMembersKept >= members.size() + dropped) looked_at += members[i];
    require(!members.empty() && kept.ends_with(looked_at) && unpacks(looked_at), "zlib takes it");
}

class Leftovers {
public:
    explicit Leftovers(FuzzInput& input) {
        RotationOptions options;
        const std::uint8_t option = input.u8();
        if ((option & 1) != 0) options.interval = 0;
        if ((option & 2) != 0) options.file_bytes = 1;
        rotation_.emplace(options);
        files_.directories = {"/logs", "/logs/current"};
        if ((option & 4) != 0)
            files_.files["/logs/current/conn.log.gz.damaged"] = std::make_shared<std::string>("theirs");
        if ((option & 8) != 0) files_.read_max = 1 + input.u8();
        constexpr int kErrors[] = {EIO, ENOSPC, EACCES, EROFS};
        files_.fault.kind = static_cast<Fault::Kind>(option >> 4 & 3);
        files_.fault.error = kErrors[option >> 6];
        if (files_.fault.kind != Fault::Kind::none) files_.fault.at = input.u8();
        for (const char* log : kLogs) {
            if (input.empty() && log != kLogs[0]) break;
            original_[log] = read_file(input);
            files_.files[place_.current_path(log)] = std::make_shared<std::string>(original_[log]);
        }
    }

    // A start that may meet what fails, and where it did, one that does not.
    void recover() {
        try {
            const auto reports = recover_directory(files_, place_, *rotation_);
            require(files_.failed || reports.size() == original_.size(), "a report for each file");
            for (const RecoveryReport& report : reports) check(report);
        } catch (const ProcessEnded&) {
            files_.close_all();
        }
        require(files_.all_closed(), "all files are closed");
        if (files_.failed) {
            files_.fault.kind = Fault::Kind::none;
            for (const RecoveryReport& report : recover_directory(files_, place_, *rotation_))
                require(report.outcome != RecoveryOutcome::failed, "the next start mends what one could not");
        }
        for (const auto& [log, original] : original_) check(log, original);
    }

private:
    void check(const RecoveryReport& report) {
        require(!report.message().empty(), "a message");
        require(report.problem.ok() || files_.failed, "nothing fails by itself");
        const auto current = files_.files.find(report.path);
        require((current != files_.files.end()) == (report.outcome == RecoveryOutcome::failed),
                "out of the way, or said");
        if (report.outcome == RecoveryOutcome::rotated || report.outcome == RecoveryOutcome::set_aside)
            require(files_.files.contains(report.moved_to), "where the report says");
        if (report.outcome == RecoveryOutcome::removed) require(report.members == 0, "nothing whole");
    }

    // What became of one file in the end.
    void check(const std::string& log, const std::string& original) {
        const std::string in_place = place_.current_path(log);
        std::string found;
        for (const auto& [path, contents] : files_.files) {
            if (path.find('/' + log + (path.starts_with(in_place) ? "." : "_")) == path.npos) continue;
            if (*contents == "theirs" && path == "/logs/current/conn.log.gz.damaged") continue;
            require(found.empty(), "in one place");
            found = path;
        }
        if (found.empty()) {
            require_nothing_lost(original, "");
        } else if (found.starts_with(in_place + ".damaged")) {
            require(*files_.files.at(found) == original, "set aside untouched");
        } else {
            require(found != in_place, "it is out of the way");
            require_nothing_lost(original, *files_.files.at(found));
            require_readable(original, *files_.files.at(found));
        }
    }

    const LogPlace place_{"/logs", 0640, std::nullopt};
    std::optional<Rotation> rotation_;
    MemoryFiles files_;
    std::map<std::string, std::string> original_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    Leftovers(input).recover();
    return 0;
}
