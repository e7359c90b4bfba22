#include "core/log/file_type.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <re2/re2.h>

namespace ftpsensor {

namespace {

// RE2 follows all ways to match at once: what strangers send costs at most its length times that of the pattern. What
// it remembers of that is bounded, too; beyond it goes on without.
constexpr std::int64_t kBytesPerPattern = 128 << 10;

struct Rule {
    FileType type;
    std::unique_ptr<const re2::RE2> pattern;
};

std::unique_ptr<const re2::RE2> make_pattern(std::string_view text) {
    re2::RE2::Options options(re2::RE2::Latin1); // bytes, not characters
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(kBytesPerPattern);
    auto pattern = std::make_unique<const re2::RE2>(std::string(text), options);
    if (!pattern->ok()) throw std::logic_error(pattern->error() + ": " + pattern->pattern());
    return pattern;
}

// The strongest first.
std::vector<Rule> make_rules() {
    std::vector<Rule> rules;
    for (const FileType& type : file_types()) rules.push_back({type, make_pattern(type.pattern)});
    std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
        return a.type.strength != b.type.strength ? a.type.strength > b.type.strength : a.type.name < b.type.name;
    });
    return rules;
}

} // namespace

std::string_view file_type(std::string_view first_bytes) {
    static const std::vector<Rule> rules = make_rules();
    const re2::StringPiece bytes(first_bytes.data(), first_bytes.size());
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.pattern->Match(bytes, 0, bytes.size(), re2::RE2::ANCHOR_START, nullptr, 0);
    });
    return found == rules.end() ? std::string_view{} : found->type.name;
}

} // namespace ftpsensor
