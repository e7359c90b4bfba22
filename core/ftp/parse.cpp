#include "core/ftp/parse.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::size_t kCodeBytes = 3;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }
constexpr bool is_graphic(char c) { return c > ' ' && c <= '~'; }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); } // isspace(3) in the C locale

std::string_view skip_blanks(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
    return text.substr(i);
}

std::uint32_t reply_code(std::string_view line) {
    if (line.size() < kCodeBytes || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) return 0;
    return static_cast<std::uint32_t>((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

} // namespace

FtpRequest parse_request(std::string_view line) {
    constexpr std::size_t kShortestName = 3;
    line = skip_blanks(line);
    std::size_t end = 0;
    while (end < line.size() && is_graphic(line[end])) ++end;
    // The word ends at white space or a NUL; any other byte that is not printable makes it no command.
    if (end < kShortestName || (end < line.size() && !is_space(line[end]) && line[end] != '\0')) return {};
    return {line.substr(0, end), skip_blanks(line.substr(end))};
}

FtpReply parse_reply(std::string_view line, std::uint32_t& open_code) {
    using enum FtpReply::Kind;
    const std::uint32_t code = reply_code(line);
    const char after_code = line.size() > kCodeBytes ? line[kCodeBytes] : '\0';
    const bool code_alone = line.size() == kCodeBytes;
    if (open_code != 0) {
        if (code != open_code || after_code != ' ') return {inner, 0, line};
        open_code = 0;
        return {whole, code, skip_blanks(line.substr(kCodeBytes))};
    }
    if (code == 0) return {no_code, 0, line};
    if (code < 100) return {code_too_low, 0, line};
    if (after_code == '-') {
        open_code = code;
        return {first, code, skip_blanks(line.substr(kCodeBytes + 1))};
    }
    if (!code_alone && after_code != ' ') return {no_space, 0, line};
    return {whole, code, skip_blanks(line.substr(kCodeBytes))};
}

bool looks_like_reply(std::string_view line) {
    constexpr std::size_t kTextBytes = 10;
    constexpr std::size_t kTextAt = kCodeBytes + 1;
    if (line.size() < kTextAt + kTextBytes || reply_code(line) < 100 || line[kCodeBytes] != ' ') return false;
    const std::string_view text = line.substr(kTextAt, kTextBytes);
    return std::all_of(text.begin(), text.end(), is_printable);
}

} // namespace ftpsensor
