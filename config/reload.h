// What a running sensor makes of a changed configuration: key by key, taken or not before a restart.
//
// Plain functions; main thread.
#pragma once

#include "config/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

struct KeyChange {
    std::string_view key;
    std::string from; // as the file would say it
    std::string to;
    bool taken = false; // else it needs a restart
};

struct ReloadPlan {
    Config config; // that is in effect from now on: `running` with the changes that are taken
    std::vector<KeyChange> changes;

    bool takes(std::string_view key_or_section) const; // one of its keys has changed and is taken
};

// `wanted` has been validated. Throws ConfigError where what can be taken does not go together with what cannot: then
// nothing is.
ReloadPlan plan_reload(const Config& running, const Config& wanted);

} // namespace ftpsensor
