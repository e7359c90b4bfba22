// What setting up live capture found that an operator should know.
//
// The units of this folder print nothing: they hand out notes, which `run` logs and `check` prints. A note says what is
// the case and, where something can be done about it, the very command or config key that does it. Main thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
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
    std::string remedy;             // what to type or set; empty: nothing to be done
    std::vector<std::string> fix{}; // the remedy as a command that is safe to run; empty: only by a person
};

using Notes = std::vector<Note>;

inline void add_note(Notes& notes, NoteLevel level, std::string text, std::string remedy = {}) {
    notes.push_back({level, std::move(text), std::move(remedy), {}});
}

// The words of a command as a shell takes them.
inline std::string shell_words(const std::vector<std::string>& words) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
            line += word;
            continue;
        }
        line += '\'';
        for (const char c : word) line += c == '\'' ? "'\\''" : std::string(1, c);
        line += '\'';
    }
    return line;
}

// With a remedy that `check --fix` may run.
inline void add_fixable_note(Notes& notes, NoteLevel level, std::string text, std::vector<std::string> fix) {
    std::string remedy = shell_words(fix);
    notes.push_back({level, std::move(text), std::move(remedy), std::move(fix)});
}

// Throws std::runtime_error with the first problem among `notes` and what to do about it, if there is one.
inline void throw_first_problem(const Notes& notes) {
    for (const Note& note : notes)
        if (note.level == NoteLevel::problem)
            throw std::runtime_error(note.text + (note.remedy.empty() ? "" : "; try: " + note.remedy));
}

} // namespace ftpsensor
