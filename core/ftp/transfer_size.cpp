#include "core/ftp/transfer_size.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

namespace ftpsensor {

namespace {

// Between SIZE or REST and the transfer that they are about; any other command may change what a name means.
constexpr std::uint64_t kKeepsSize = bit(FtpCommand::size) | bit(FtpCommand::mdtm) | bit(FtpCommand::rest) |
                                     bit(FtpCommand::pasv) | bit(FtpCommand::epsv) | bit(FtpCommand::port) |
                                     bit(FtpCommand::eprt) | bit(FtpCommand::noop) | bit(FtpCommand::allo);

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim_right(std::string_view text, std::string_view what) {
    const auto last = text.find_last_not_of(what);
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool remove_suffix(std::string_view& text, std::string_view lower_case) {
    if (text.size() < lower_case.size()) return false;
    const auto tail = text.substr(text.size() - lower_case.size());
    if (!std::equal(tail.begin(), tail.end(), lower_case.begin(), [](char a, char b) { return to_lower(a) == b; }))
        return false;
    text.remove_suffix(lower_case.size());
    return true;
}

// All of the text, blanks aside.
std::optional<std::uint64_t> parse_count(std::string_view text) {
    text = trim_right(text, " ");
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::uint64_t hash_of(std::string_view file) { return std::hash<std::string_view>{}(file); }

} // namespace

std::optional<std::uint64_t> extract_named_size(std::string_view text) {
    text = trim_right(text, " .");
    if (!remove_suffix(text, ")")) return std::nullopt;
    if (!remove_suffix(text, "bytes") && !remove_suffix(text, "octets")) return std::nullopt;
    const auto open = text.find_last_of('(');
    if (open == std::string_view::npos) return std::nullopt;
    return parse_count(text.substr(open + 1));
}

void TransferSize::reply(FtpCommand command, std::string_view argument, std::uint32_t code, std::string_view text) {
    const bool begins_transfer = code == 150 || code == 125;
    if (begins_transfer && command == FtpCommand::retr) {
        auto size = extract_named_size(text);
        if (!size && asked_bytes_ && asked_file_ == hash_of(argument)) size = asked_bytes_;
        least_bytes_ = size && *size > restart_at_ ? *size - restart_at_ : 0;
    } else if (command == FtpCommand::size && code == 213) {
        asked_file_ = hash_of(argument);
        asked_bytes_ = parse_count(text);
    } else if (command == FtpCommand::rest && code == 350) {
        // A marker that is no number says where, but not how far.
        restart_at_ = parse_count(argument).value_or(std::numeric_limits<std::uint64_t>::max());
    }
    if (!begins_transfer && (bit(command) & kKeepsSize) == 0) {
        asked_bytes_.reset();
        restart_at_ = 0;
    }
}

std::uint64_t TransferSize::take_least_bytes() {
    const std::uint64_t bytes = least_bytes_;
    least_bytes_ = 0;
    return bytes;
}

} // namespace ftpsensor
