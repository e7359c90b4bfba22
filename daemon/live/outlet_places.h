// Whether the places where a sensor shows its figures, metrics.socket and metrics.port, are another one's.
//
// `run` only warns of such a place and goes on without it, so that nobody may notice for weeks. While a sensor writes
// to the folder of these logs nothing is said: its places are its own. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/note.h"

namespace ftpsensor {

void check_outlet_places(const Config& config, Notes& notes);

} // namespace ftpsensor
