// The table of `ftpsensord stats`: a snapshot, and what happened since the one before, for a person. Plain functions.
#pragma once

#include "daemon/stats/snapshot.h"

#include <string>

namespace ftpsensor {

// `change` is difference(now, before): rates are of that time. Lines of at most 100 columns.
std::string stats_table(const Snapshot& now, const Snapshot& change);

// 1234567 -> "1.23 M", for a column.
std::string short_number(double value);

} // namespace ftpsensor
