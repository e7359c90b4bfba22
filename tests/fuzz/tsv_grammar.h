// What a line of the tab-separated form is, by the types that stand in the header: written from Zeek's documentation of
// them, and without the writer's code. One thread.
#pragma once

#include "core/log/format.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

namespace ftpsensor::test {

inline std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t end; (end = text.find(separator)) != text.npos; text.remove_prefix(end + 1))
        parts.push_back(text.substr(0, end));
    parts.push_back(text);
    return parts;
}

class TsvGrammar {
public:
    TsvGrammar(FormatOptions options, LogKind log) {
        options.format = LogFormat::tsv;
        TextBuffer header;
        Formatter(options).append_header(log, 0, header);
        iso_ = options.timestamps == TimestampFormat::iso8601;
        for (const std::string_view line : split(header.text(), '\n')) {
            if (line.starts_with("#fields\t")) names_ = own(split(line.substr(8), '\t'));
            if (line.starts_with("#types\t")) types_ = own(split(line.substr(7), '\t'));
        }
        require(!names_.empty() && names_.size() == types_.size(), "a header has a type for each name");
    }

    // The values of a line, with its line feed, in the order of the names.
    std::vector<std::string_view> check(std::string_view line) const {
        require(line.ends_with('\n') && !line.starts_with('#'), "a line ends, and is no comment");
        const auto values = split(line.substr(0, line.size() - 1), '\t');
        require(values.size() == types_.size(), "as many columns as the header says");
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!is_of(types_[i], values[i])) {
                std::fprintf(stderr, "%s, a %s: %.*s\n", names_[i].c_str(), types_[i].c_str(),
                             static_cast<int>(values[i].size()), values[i].data());
                require(false, "a value of its column's type");
            }
        return values;
    }
    const std::vector<std::string>& names() const { return names_; }

private:
    static std::vector<std::string> own(const std::vector<std::string_view>& parts) {
        return {parts.begin(), parts.end()};
    }
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }
    static bool is_number(std::string_view text) { // as it is written once: no zero before it
        return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
    }
    static bool is_decimal(std::string_view text) {
        if (text.starts_with('-')) text.remove_prefix(1);
        const std::size_t point = text.find('.');
        return point != text.npos && is_number(text.substr(0, point)) && text.size() == point + 7 &&
               std::all_of(text.begin() + static_cast<std::ptrdiff_t>(point) + 1, text.end(), is_digit);
    }
    static bool is_iso_time(std::string_view text) {
        constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.ddddddZ";
        return text.size() == kForm.size() &&
               std::equal(text.begin(), text.end(), kForm.begin(),
                          [](char c, char form) { return form == 'd' ? is_digit(c) : c == form; });
    }
    static bool is_address(std::string_view text) {
        std::array<std::uint8_t, 16> bytes;
        const std::string terminated(text);
        return ::inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1 ||
               ::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1;
    }
    // Of printable characters, ASCII's or UTF-8's beyond the controls; a backslash stands before itself or xNN.
    static bool is_string(std::string_view text) {
        const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
        for (std::size_t i = 0; i < text.size();) {
            const auto byte = static_cast<std::uint8_t>(text[i]);
            if (text.substr(i).starts_with("\\\\")) {
                i += 2;
            } else if (byte == '\\') {
                if (text.size() < i + 4 || text[i + 1] != 'x' || !is_hex(text[i + 2]) || !is_hex(text[i + 3]))
                    return false;
                i += 4;
            } else if (byte >= 32 && byte < 127) {
                ++i;
            } else {
                const std::size_t size = sequence(text.substr(i));
                if (size == 0) return false;
                i += size;
            }
        }
        return !text.empty();
    }
    static std::size_t sequence(std::string_view text) {
        const auto lead = static_cast<std::uint8_t>(text[0]);
        const std::size_t size = lead >= 0xc2 && lead < 0xe0   ? 2
                                 : lead >= 0xe0 && lead < 0xf0 ? 3
                                 : lead >= 0xf0                ? 4
                                                               : 0;
        if (size == 0 || text.size() < size) return 0;
        char32_t code = lead & (0x7fu >> size);
        for (const char c : text.substr(1, size - 1)) {
            if ((static_cast<std::uint8_t>(c) & 0xc0) != 0x80) return 0;
            code = code << 6 | (static_cast<std::uint8_t>(c) & 0x3fu);
        }
        const char32_t least = size == 2 ? 0xa0 : size == 3 ? 0x800 : 0x10000;
        return code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? size : 0;
    }

    bool is_of(std::string_view type, std::string_view value) const {
        if (type == "time") return iso_ ? is_iso_time(value) : is_decimal(value);
        if (value == "-") return true;
        if (type == "interval") return is_decimal(value);
        if (type == "count") return is_number(value) && value.size() <= 20;
        if (type == "port") return is_number(value) && value.size() <= 5 && std::stoul(std::string(value)) <= 65535;
        if (type == "addr") return is_address(value);
        if (type == "bool") return value == "T" || value == "F";
        if (type == "enum") return value.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == value.npos;
        if (type == "set[string]") {
            const auto items = split(value, ',');
            return std::all_of(items.begin(), items.end(), is_string);
        }
        return type == "string" && is_string(value);
    }

    std::vector<std::string> names_, types_;
    bool iso_ = false;
};

} // namespace ftpsensor::test
