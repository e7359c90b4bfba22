#include "core/log/name_shape.h"

#include <algorithm>
#include <string>
#include <vector>

namespace ftpsensor {

namespace {

// A shape is a text in which these stand for what they are; everything else stands for itself. Names have no control
// characters (the configuration refuses them in patterns).
constexpr char kDigit = '\1';
constexpr char kSign = '\2';
constexpr char kLogLetter = '\3'; // one or more
constexpr char kAnything = '\4';  // one or more

std::string shape_of_conversion(char conversion) {
    const auto digits = [](std::size_t n) { return std::string(n, kDigit); };
    switch (conversion) {
    case '%': return "%";
    case 'Y':
    case 'G': return digits(4);
    case 'j': return digits(3);
    case 'u':
    case 'w': return digits(1);
    case 'F': return digits(4) + '-' + digits(2) + '-' + digits(2);
    case 'T': return digits(2) + ':' + digits(2) + ':' + digits(2);
    case 'R': return digits(2) + ':' + digits(2);
    case 'z': return kSign + digits(4);
    default: break;
    }
    constexpr std::string_view two_digits = "CdgHImMSUVWy";
    return two_digits.find(conversion) != std::string_view::npos ? digits(2) : std::string(1, kAnything);
}

std::string shape_of(std::string_view pattern) {
    std::string shape;
    while (!pattern.empty()) {
        const auto take = [&](std::string_view placeholder, std::string_view meaning) {
            if (!pattern.starts_with(placeholder)) return false;
            shape += meaning;
            pattern.remove_prefix(placeholder.size());
            return true;
        };
        const std::string clock = shape_of_conversion('T');
        if (take("{log}", std::string(1, kLogLetter)) || take("{start}", clock) || take("{end}", clock) ||
            take("{offset}", shape_of_conversion('z')))
            continue;
        if (pattern.front() == '%' && pattern.size() > 1) {
            shape += shape_of_conversion(pattern[1]);
            pattern.remove_prefix(2);
        } else {
            shape += pattern.front();
            pattern.remove_prefix(1);
        }
    }
    return shape;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_log_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_' || is_digit(c); }

bool fits(char c, char shape) {
    switch (shape) {
    case kDigit: return is_digit(c);
    case kSign: return c == '+' || c == '-';
    case kLogLetter: return is_log_letter(c);
    case kAnything: return true;
    default: return c == shape;
    }
}

// Which prefixes of the shape fit what has been read of the name, character by character: no pattern, however odd, is
// slow.
bool matches(std::string_view name, std::string_view shape) {
    std::vector<bool> ends(shape.size() + 1, false); // ends[n]: the first n elements fit
    ends[0] = true;
    for (const char c : name) {
        for (std::size_t n = shape.size(); n > 0; --n) {
            const char element = shape[n - 1];
            const bool repeats = element == kLogLetter || element == kAnything;
            ends[n] = (ends[n - 1] || (repeats && ends[n])) && fits(c, element);
        }
        ends[0] = false;
    }
    return ends.back();
}

// "x.12.log.gz" without its number; the name itself where it has none.
std::string without_number(std::string_view name) {
    for (const std::string_view ending : {".log.gz", ".gz"}) {
        if (!name.ends_with(ending)) continue;
        const std::string_view stem = name.substr(0, name.size() - ending.size());
        const auto dot = stem.rfind('.');
        const bool numbered = dot != std::string_view::npos && dot + 1 < stem.size() &&
                              std::all_of(stem.begin() + static_cast<std::ptrdiff_t>(dot) + 1, stem.end(), is_digit);
        if (numbered) return std::string(stem.substr(0, dot)) + std::string(ending);
        break;
    }
    return std::string(name);
}

} // namespace

bool has_shape(std::string_view name, std::string_view pattern) { return matches(name, shape_of(pattern)); }

bool file_has_shape(std::string_view name, std::string_view pattern) {
    return has_shape(name, pattern) || has_shape(without_number(name), pattern);
}

} // namespace ftpsensor
