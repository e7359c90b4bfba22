#include "config/example.h"

#include "config/config.h"
#include "config/keys.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

constexpr std::size_t kColumns = 100;

constexpr std::string_view kIntroduction =
    R"(# ftpsensor: the configuration, with every key at its default. One thing is to be set before the first start:
# the port, in capture.ports.
#
# A key that is left out has its default. Unknown keys, wrong types and values out of range are errors:
# `ftpsensord check -c FILE` says where and what would be right. `--set KEY=VALUE` on the command line wins over
# this file (--set ftp.extended=false; keys of sections are joined by dots).
#
# A running sensor takes changes at `systemctl reload ftpsensor` (SIGHUP), but for keys that need a restart; the journal
# says of each changed key whether it was taken. A file with an error is refused as a whole.
#
# Sizes:     whole numbers with KiB, MiB, GiB, TiB (1024), KB, MB, GB, TB (1000), or of bytes without a unit.
# Durations: whole numbers with us, ms, s, min, h, d.
#
# This file is made from config/keys.cpp by `meson compile -C build example-config`.
)";

std::size_t depth(std::string_view path) { return static_cast<std::size_t>(std::count(path.begin(), path.end(), '.')); }
std::string indent(std::size_t levels) { return std::string(2 * levels, ' '); }
std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

// `text` in lines of at most kColumns, each after `prefix`, broken at spaces.
std::string wrapped(std::string_view text, const std::string& prefix) {
    std::string result;
    while (!text.empty()) {
        std::size_t end = text.size();
        if (prefix.size() + end > kColumns) end = std::min(text.rfind(' ', kColumns - prefix.size()), text.size());
        result += prefix;
        result += text.substr(0, end);
        result += '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

std::string value_lines(const Key& key, const Config& defaults) {
    const std::string margin = indent(depth(key.path));
    if (!key.sample.empty()) return fmt::format("{}{}:\n{}  {}\n", margin, last_part(key.path), margin, key.sample);
    const std::string line = fmt::format("{}{}: {}", margin, last_part(key.path), key.write(defaults));
    if (line.size() <= kColumns) return line + "\n";
    const auto bracket = line.find('[') + 1; // only lists get so long
    return line.substr(0, bracket) + "\n" + wrapped(line.substr(bracket), margin + "  ");
}

std::string key_lines(const Key& key, const Config& defaults) {
    const std::string comment = indent(depth(key.path)) + "# ";
    const std::string value = key.write(defaults);
    // A default of many items is seen where it stands.
    std::string takes = value.size() < kColumns ? fmt::format("Takes {}. Default: {}.", key.expects, value)
                                                : fmt::format("Takes {}.", key.expects);
    if (key.takes_effect == TakesEffect::at_restart) takes += " Needs a restart.";
    return "\n" + wrapped(key.help, comment) + wrapped(takes, comment) + value_lines(key, defaults);
}

} // namespace

std::string example_config() {
    const Config defaults;
    std::string text(kIntroduction);
    std::string_view current;
    for (const Key& key : all_keys()) {
        if (const auto path = section_of(key.path); path != current) {
            current = path;
            if (!path.empty())
                text += fmt::format("\n{}{}{}:\n", wrapped(find_section(path)->help, indent(depth(path)) + "# "),
                                    indent(depth(path)), last_part(path));
        }
        text += key_lines(key, defaults);
    }
    return text;
}

} // namespace ftpsensor
