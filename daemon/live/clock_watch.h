// The host's clock was set back while the sensor ran: time goes on from where it was, and the journal says so.
//
// Main thread, once a second.
#pragma once

#include "core/base/time.h"
#include "daemon/live/note.h"

#include <optional>

namespace ftpsensor {

class ClockWatch {
public:
    // `ahead`: host_clock_ahead(). Notes it once, and again when it has changed by a second.
    void look(std::optional<Duration> ahead, Notes& notes);

private:
    Duration said_ = 0;
};

} // namespace ftpsensor
