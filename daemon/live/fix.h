// What `check --fix` does: runs the commands of notes that are safe, and says what came of it.
//
// Safe is what loses nothing, disturbs no one else on the machine, and is undone by a restart of it: an interface up,
// offloads off, huge pages where memory is plenty. Taking a card from the kernel, capabilities and limits stay the
// administrator's. Main thread.
#pragma once

#include "daemon/live/note.h"

#include <string>
#include <vector>

namespace ftpsensor {

struct FixResult {
    std::string command; // as it would be typed
    bool done = false;
    std::string said; // where it failed: what the program said, or why it could not be run
};

// Runs each command once, in the order of the notes.
std::vector<FixResult> run_fixes(const Notes& notes);

} // namespace ftpsensor
