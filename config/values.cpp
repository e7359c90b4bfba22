#include "config/values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <fstream>

namespace ftpsensor {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kAlphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
// Bytes of one path component (NAME_MAX), less what a longer weekday, month or log's name and a number may add to a
// sample.
constexpr std::size_t kFileNameMax = 255 - 32;

bool consists_of(std::string_view value, std::string_view characters) {
    return value.find_first_not_of(characters) == std::string_view::npos;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

// The first conversion that names cannot have, or empty. Of strftime(3)'s, %n and %t (a newline, a tab) have no place
// in a name, and %Z is not unique.
std::string unknown_conversion(std::string_view pattern) {
    constexpr std::string_view known = "aAbBcCdDeFgGhHIjmMpPrRsSTuUVwWxXyYz%";
    for (auto at = pattern.find('%'); at != std::string_view::npos; at = pattern.find('%', at + 2))
        if (at + 1 == pattern.size() || known.find(pattern[at + 1]) == std::string_view::npos)
            return std::string(pattern.substr(at, 2));
    return {};
}

// A name as it will look; what is wrong with names that are patterns shows in an example of them.
std::string sample_name(const std::string& pattern) {
    std::array<char, 1024> buffer{};
    std::tm time{};
    time.tm_year = 120;
    time.tm_mon = 7;
    time.tm_mday = 16;
    return std::string(buffer.data(), std::strftime(buffer.data(), buffer.size(), pattern.c_str(), &time));
}

std::string pattern_fault(const std::string& value) {
    if (const auto bad = unknown_conversion(value); !bad.empty())
        return fmt::format("'{}' is not a conversion for names", bad);
    if (value.size() > kFileNameMax || sample_name(value).size() > kFileNameMax) return "is too long for a file name";
    return {};
}

} // namespace

std::string quoted(const std::string& value) {
    const bool plain = !value.empty() && value != "null" && value != "Null" && value != "NULL" &&
                       (std::isalnum(static_cast<unsigned char>(value.front())) != 0 || value.front() == '/') &&
                       std::all_of(value.begin(), value.end(), [](char c) {
                           return kAlphanumeric.find(c) != std::string_view::npos || c == '/' || c == '.' || c == '_' ||
                                  c == '-' || c == '+';
                       });
    if (plain) return value;
    std::string result = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

Codec<bool> flag() { return choice<bool>({{"true", true}, {"false", false}}); }

Codec<Duration> duration(Duration min, Duration max, std::string_view zero) {
    return {
        .expects = fmt::format("{}a duration from {} to {}", zero.empty() ? "" : fmt::format("0 ({}) or ", zero),
                               format_duration(min), format_duration(max)),
        .units = std::string(kDurationUnits),
        .parse = [](std::string_view value) { return parse_duration(value); },
        .format = [](const Duration& value) { return format_duration(value); },
        .fault =
            [min, max, zero_allowed = !zero.empty()](const Duration& value) {
                if (value == 0 && zero_allowed) return std::string();
                return value < min || value > max ? format_duration(value) + " is out of range" : std::string();
            },
    };
}

Codec<Duration> rotation_interval(Duration max) {
    auto codec = duration(kSecond, max, "only at the end");
    codec.fault = [within = codec.fault](const Duration& value) {
        const std::string fault = within(value);
        if (!fault.empty() || value % kSecond == 0) return fault;
        return format_duration(value) + " is not a whole number of seconds";
    };
    return codec;
}

Codec<std::uint32_t> file_mode() {
    return {
        .expects = "a mode in octal that lets the owner read and write, such as 0640",
        .units = {},
        .parse =
            [](std::string_view value) {
                const bool octal = value.size() == 4 && value.front() == '0' && consists_of(value, "01234567");
                if (!octal) throw BadValue(fmt::format("'{}' is not a file mode", value));
                std::uint32_t mode = 0;
                for (const char digit : value) mode = mode * 8 + static_cast<std::uint32_t>(digit - '0');
                return mode;
            },
        .format = [](const std::uint32_t& mode) { return fmt::format("{:04o}", mode); },
        .fault =
            [](const std::uint32_t& mode) {
                if ((mode & 0002u) != 0) return fmt::format("{:04o} lets everybody write", mode);
                const bool usable = (mode & 0600u) == 0600u && (mode & ~0777u) == 0;
                return usable ? std::string() : fmt::format("{:04o} is not usable", mode);
            },
    };
}

Codec<IpNetwork> network() {
    return {
        .expects = "a network such as 10.0.0.0/8 or fd00::/8, or an address",
        .units = {},
        .parse =
            [](std::string_view value) {
                if (const auto parsed = IpNetwork::parse(value)) return *parsed;
                const auto slash = value.find('/');
                const bool stray_bits = slash != std::string_view::npos && IpAddress::parse(value.substr(0, slash)) &&
                                        slash + 1 < value.size() && slash + 4 >= value.size() &&
                                        consists_of(value.substr(slash + 1), kDigits);
                throw BadValue(stray_bits
                                   ? fmt::format("'{}' has bits set beyond its prefix, or too long a prefix", value)
                                   : fmt::format("'{}' is not a network", value));
            },
        // "::" of IPv6 begins with a character that is YAML's own.
        .format = [](const IpNetwork& value) { return quoted(value.to_string()); },
        .fault = [](const IpNetwork&) { return std::string(); },
    };
}

Codec<std::string> text(std::string_view expects, TextRule rule) {
    return {
        .expects = std::string(expects),
        .units = {},
        .parse = [](std::string_view value) { return std::string(value); },
        .format = [](const std::string& value) { return quoted(value); },
        .fault =
            [rule = std::move(rule)](const std::string& value) {
                if (std::any_of(value.begin(), value.end(), is_control)) return std::string("has a control character");
                return rule ? rule(value) : std::string();
            },
    };
}

Codec<std::string> ftp_command() {
    constexpr std::size_t longest = 100; // as long as the session keeps a command
    Codec<std::string> codec =
        text("the name of an FTP command such as RETR, or all alone", [](const std::string& name) {
            const bool usable = !name.empty() && name.size() <= longest && consists_of(name, kAlphanumeric);
            return usable ? std::string() : fmt::format("'{}' is not a command's name", name);
        });
    codec.parse = [](std::string_view value) {
        std::string name(value);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return name == "ALL" ? std::string("all") : name;
    };
    return codec;
}

std::string not_empty_fault(const std::string& value) { return value.empty() ? "is empty" : ""; }

std::string interface_fault(const std::string& value) {
    constexpr std::size_t longest = 15; // IFNAMSIZ less its NUL
    const bool usable = !value.empty() && value.size() <= longest && value != "." && value != ".." &&
                        value.find_first_of("/: \t,=") == std::string::npos;
    return usable ? "" : fmt::format("'{}' cannot be the name of an interface", value);
}

std::string pci_fault(const std::string& value) {
    constexpr std::string_view shape = "xxxx:xx:xx.x";
    bool usable = value.size() == shape.size();
    for (std::size_t i = 0; usable && i < shape.size(); ++i)
        usable = shape[i] == 'x' ? std::isxdigit(static_cast<unsigned char>(value[i])) != 0 : value[i] == shape[i];
    return usable ? "" : fmt::format("'{}' is not a PCI address", value);
}

// UTC needs no tz database; bare machines have none.
std::string ip_address_fault(const std::string& value) {
    return IpAddress::parse(value) ? std::string() : fmt::format("'{}' is no IP address", value);
}

std::string socket_path_fault(const std::string& value) {
    constexpr std::size_t kLongest = 107; // of sockaddr_un, unix(7)
    if (value.empty()) return {};
    if (value.front() != '/') return "is no absolute path";
    return value.size() > kLongest ? fmt::format("is longer than {} characters", kLongest) : std::string();
}

std::string time_zone_fault(const std::string& value) {
    if (value == "UTC") return {};
    const bool well_formed = !value.empty() && value.front() != '/' && value.find("..") == std::string::npos;
    std::array<char, 4> magic{}; // RFC 8536 section 3.1: the folder also holds tables and source, which are no zones
    if (well_formed) std::ifstream("/usr/share/zoneinfo/" + value, std::ios::binary).read(magic.data(), magic.size());
    if (std::string_view(magic.data(), magic.size()) == "TZif") return {};
    return fmt::format("'{}' is not in /usr/share/zoneinfo", value);
}

std::string folder_name_fault(const std::string& value) {
    if (value.empty()) return {};
    if (auto fault = pattern_fault(value); !fault.empty()) return fault;
    const std::string sample = sample_name(value);
    if (sample.empty() || sample.find('/') != std::string::npos || sample.front() == '.' || sample == "current")
        return fmt::format("'{}' would name a folder '{}'", value, sample);
    return {};
}

std::string file_name_fault(const std::string& value) {
    if (value.find("{log}") == std::string::npos) return fmt::format("'{}' has no {{log}}", value);
    if (!value.ends_with(".gz")) return fmt::format("'{}' does not end in .gz", value);
    std::string filled = value;
    replace_all(filled, "{log}", "_"); // of "%{log}" that makes no conversion
    if (const auto bad = unknown_conversion(filled); bad == "%_")
        return fmt::format("'{}' has a % before {{log}}", value);
    filled = value;
    replace_all(filled, "{log}", "conn");
    replace_all(filled, "{start}", "06:00:00");
    replace_all(filled, "{end}", "07:00:00");
    replace_all(filled, "{offset}", "+0000");
    if (const auto brace = filled.find_first_of("{}"); brace != std::string::npos)
        return fmt::format("'{}' has an unknown placeholder", value);
    if (auto fault = pattern_fault(filled); !fault.empty()) return fault;
    const std::string sample = sample_name(filled);
    if (sample.empty() || sample.find('/') != std::string::npos || sample.front() == '.')
        return fmt::format("'{}' would name a file '{}'", value, sample);
    return {};
}

} // namespace ftpsensor
