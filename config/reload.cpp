#include "config/reload.h"

#include "config/keys.h"
#include "config/yaml_tree.h"

#include <algorithm>

#include <fmt/format.h>

namespace ftpsensor {

namespace {

// A column of the tab-separated form comes or goes, and the header of the file that is being written names them.
bool changes_columns(std::string_view path, const Config& running, const Config& wanted) {
    if (running.log.format != ConfigFormat::tsv) return false;
    if (path == "log.node") return running.log.node.empty() != wanted.log.node.empty();
    return path == "log.conn.interim" && (running.log.conn.interim == 0) != (wanted.log.conn.interim == 0);
}

} // namespace

bool ReloadPlan::takes(std::string_view key_or_section) const {
    return std::any_of(changes.begin(), changes.end(), [&](const KeyChange& change) {
        const bool below = change.key.starts_with(key_or_section) &&
                           (change.key.size() == key_or_section.size() || change.key[key_or_section.size()] == '.');
        return change.taken && below;
    });
}

ReloadPlan plan_reload(const Config& running, const Config& wanted) {
    ReloadPlan plan{running, {}};
    std::string waiting;
    for (const Key& key : all_keys()) {
        KeyChange change{key.path, key.write(running), key.write(wanted), false};
        if (change.from == change.to) continue;
        change.taken = key.takes_effect == TakesEffect::at_reload && !changes_columns(key.path, running, wanted);
        if (change.taken)
            key.read(parse_yaml(change.to), plan.config); // what write() gives is what read() takes
        else
            waiting += fmt::format("{}{}", waiting.empty() ? "" : ", ", key.path);
        plan.changes.push_back(std::move(change));
    }
    try {
        validate(plan.config);
    } catch (const ConfigError& error) {
        throw ConfigError(fmt::format("{}; {} can change only at a restart, and the rest does not go together with the "
                                      "old value: restart, or change it back",
                                      error.what(), waiting));
    }
    return plan;
}

} // namespace ftpsensor
