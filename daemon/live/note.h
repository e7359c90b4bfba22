// What setting up live capture found that an operator should know.
//
// The units of this folder print nothing: they hand out notes, which `run` logs and `check` prints. A note says what is
// the case and, where something can be done about it, the very command or config key that does it. Main thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ftpsensor {

enum class NoteLevel : std::uint8_t {
    info,    // how it will be done
    warning, // it works, but costs something or may lose packets
    problem, // it cannot work
};

struct Note {
    NoteLevel level = NoteLevel::info;
    std::string text;
    std::string remedy; // what to type or set; empty: nothing to be done
};

using Notes = std::vector<Note>;

inline void add_note(Notes& notes, NoteLevel level, std::string text, std::string remedy = {}) {
    notes.push_back({level, std::move(text), std::move(remedy)});
}

// Throws std::runtime_error with the first problem among `notes` and what to do about it, if there is one.
inline void throw_first_problem(const Notes& notes) {
    for (const Note& note : notes)
        if (note.level == NoteLevel::problem)
            throw std::runtime_error(note.text + (note.remedy.empty() ? "" : "; try: " + note.remedy));
}

} // namespace ftpsensor
