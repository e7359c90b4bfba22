// A snapshot as one line of JSON: what `ftpsensord stats --json` prints and what its table is made of. Any thread.
#pragma once

#include "daemon/stats/snapshot.h"

#include <optional>
#include <string>
#include <string_view>

namespace ftpsensor {

std::string to_json(const Snapshot& snapshot); // without a line feed

// The same back. Empty where it is none of ours.
std::optional<Snapshot> from_json(std::string_view text);

} // namespace ftpsensor
