#include "core/log/file_type.h"

#include "core/log/byte_pattern.h"

#include <algorithm>
#include <vector>

namespace ftpsensor {

namespace {

struct Rule {
    FileType type;
    BytePattern pattern;
};

// The strongest first.
std::vector<Rule> make_rules() {
    std::vector<Rule> rules;
    for (const FileType& type : file_types()) rules.push_back({type, BytePattern(type.pattern)});
    std::stable_sort(rules.begin(), rules.end(), [](const Rule& a, const Rule& b) {
        return a.type.strength != b.type.strength ? a.type.strength > b.type.strength : a.type.name < b.type.name;
    });
    return rules;
}

} // namespace

std::string_view file_type(std::string_view first_bytes) {
    static const std::vector<Rule> rules = make_rules();
    const auto found =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.pattern.begins(first_bytes); });
    return found == rules.end() ? std::string_view{} : found->type.name;
}

} // namespace ftpsensor
