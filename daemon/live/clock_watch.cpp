#include "daemon/live/clock_watch.h"

#include <cstdlib>

#include <fmt/format.h>

namespace ftpsensor {

void ClockWatch::look(std::optional<Duration> ahead, Notes& notes) {
    if (!ahead || std::abs(*ahead - said_) < kSecond) return;
    said_ = *ahead;
    if (*ahead < kSecond) {
        said_ = 0;
        add_note(notes, NoteLevel::info, "the host's clock is where the sensor's time is, or nearly");
        return;
    }
    add_note(
        notes, NoteLevel::warning,
        fmt::format("the host's clock was set back and is {:.1f} s behind the sensor's time, which never goes back: "
                    "_write_ts, rotation and the ts of ftp entries follow that, and every ts where the kernel does "
                    "not stamp the packets",
                    static_cast<double>(*ahead) / 1e9),
        "a restart, once the clock is right");
}

} // namespace ftpsensor
