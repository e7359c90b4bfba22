#include "config/nearest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ftpsensor {
namespace {

char folded(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

// One edit, and another for each three letters beyond four, may be a slip; more is another word.
std::size_t slips_max(std::string_view typed) { return typed.size() <= 4 ? 1 : 1 + (typed.size() - 4) / 3; }

// What no distance of the two is below.
std::size_t distance_min(std::string_view a, std::string_view b) {
    return a.size() < b.size() ? b.size() - a.size() : a.size() - b.size();
}

} // namespace

// Damerau-Levenshtein, the restricted form: three rows of the table are enough.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0u : 1u)});
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]))
                current[j] = std::min(current[j], before[j - 2] + 1);
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> names) {
    if (typed.size() > 64) return {}; // longer than any name of ours: not a slip, and quadratic to look at
    std::string_view best;
    std::size_t best_distance = slips_max(typed) + 1;
    for (const auto name : names) {
        if (distance_min(typed, name) >= best_distance) continue;
        const auto distance = edit_distance(typed, name);
        if (distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string_view nearest_path(std::string_view typed, std::span<const std::string_view> paths) {
    const auto section_end = typed.size() - last_part(typed).size();
    // Within the section that was named first, on the name alone: "ftp.prots" is about ftp.ports, not log.format.
    for (const bool same_section : {true, false}) {
        std::vector<std::string_view> parts;
        std::vector<std::string_view> whole;
        for (const auto path : paths) {
            const bool is_same = path.substr(0, path.size() - last_part(path).size()) == typed.substr(0, section_end);
            if (is_same != same_section) continue;
            parts.push_back(last_part(path));
            whole.push_back(path);
        }
        const auto part = nearest_name(last_part(typed), parts);
        if (part.empty()) continue;
        return whole[static_cast<std::size_t>(std::find(parts.begin(), parts.end(), part) - parts.begin())];
    }
    return nearest_name(typed, paths);
}

} // namespace ftpsensor
