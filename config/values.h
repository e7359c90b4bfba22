// Kinds of values: how one scalar of the configuration is read, judged and written.
//
// A Codec knows no key and no file: its faults are the middle of a sentence, and the loader adds place and key. Text
// rules (names, time zones, file name patterns) are each a function from a value to what is wrong with it.
#pragma once

#include "config/config.h"
#include "config/units.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ftpsensor {

template <typename T>
struct Codec {
    std::string expects;                         // completes "give …"
    std::string units;                           // of numbers that take some: for errors; the example says it once
    std::function<T(std::string_view)> parse;    // throws BadValue
    std::function<std::string(const T&)> format; // YAML that parse() takes back, also as an item of a flow list
    std::function<std::string(const T&)> fault;  // what is wrong with a value: empty where nothing is
};

// "70000 is out of range", or empty. `shown` is the value as written.
inline std::string range_fault(std::uint64_t value, std::uint64_t min, std::uint64_t max, const std::string& shown) {
    return value < min || value > max ? shown + " is out of range" : std::string();
}

template <typename Integer>
Integer narrowed(std::uint64_t value, std::string_view text) {
    if (value > std::numeric_limits<Integer>::max()) throw BadValue(fmt::format("{} is out of range", text));
    return static_cast<Integer>(value);
}

template <typename Integer>
Codec<Integer> number(std::string_view noun, std::uint64_t min, std::uint64_t max) {
    return {
        .expects = fmt::format("{} from {} to {}", noun, min, max),
        .units = {},
        .parse = [](std::string_view text) { return narrowed<Integer>(parse_uint(text), text); },
        .format = [](const Integer& value) { return fmt::format("{}", value); },
        .fault = [=](const Integer& value) { return range_fault(value, min, max, fmt::format("{}", value)); },
    };
}

// `zero`: what 0 means, where it is allowed although below `min`.
template <typename Integer>
Codec<Integer> size(std::uint64_t min, std::uint64_t max, std::string_view zero = {}) {
    return {
        .expects = fmt::format("{}a size from {} to {}", zero.empty() ? "" : fmt::format("0 ({}) or ", zero),
                               format_size(min), format_size(max)),
        .units = std::string(kSizeUnits),
        .parse = [](std::string_view text) { return narrowed<Integer>(parse_size(text), text); },
        .format = [](const Integer& value) { return format_size(value); },
        .fault =
            [min, max, zero_allowed = !zero.empty()](const Integer& value) {
                if (value == 0 && zero_allowed) return std::string();
                return range_fault(value, min, max, format_size(value));
            },
    };
}

// One of a closed set of words.
template <typename Enum>
Codec<Enum> choice(std::vector<std::pair<std::string_view, Enum>> words) {
    std::string expects;
    for (std::size_t i = 0; i < words.size(); ++i)
        expects += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i].first);
    return {
        .expects = expects,
        .units = {},
        .parse =
            [words](std::string_view text) {
                for (const auto& [word, value] : words)
                    if (word == text) return value;
                throw BadValue(fmt::format("'{}' is not one of the choices", text));
            },
        .format =
            [words](const Enum& wanted) {
                for (const auto& [word, value] : words)
                    if (value == wanted) return std::string(word);
                return std::string();
            },
        .fault = [](const Enum&) { return std::string(); },
    };
}

Codec<bool> flag();
// `zero`: as in size().
Codec<Duration> duration(Duration min, Duration max, std::string_view zero = {});
Codec<Duration> rotation_interval(Duration max); // whole seconds, or 0: only at the end
Codec<std::uint32_t> file_mode();
Codec<IpNetwork> network();

using TextRule = std::function<std::string(const std::string&)>;
Codec<std::string> text(std::string_view expects, TextRule rule = {});
// FTP command names in upper case, and "all".
Codec<std::string> ftp_command();

// Text rules. Control characters are refused in every text.
std::string not_empty_fault(const std::string& value);
std::string interface_fault(const std::string& value);
std::string pci_fault(const std::string& value);
std::string ip_address_fault(const std::string& value);
std::string socket_path_fault(const std::string& value); // or empty
std::string time_zone_fault(const std::string& value);
std::string folder_name_fault(const std::string& value);
std::string file_name_fault(const std::string& value);

// A text as a YAML scalar: plain where that is safe in every context, else in double quotes.
std::string quoted(const std::string& value);

} // namespace ftpsensor
