#include "daemon/live/fix.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace ftpsensor {
namespace {

constexpr std::size_t kSaidMax = 500; // characters of a program's complaint

// What it wrote to standard output and error, which are `end`; trimmed to one line.
std::string read_all(int end) {
    std::string text;
    std::array<char, 512> buffer;
    for (ssize_t n; (n = ::read(end, buffer.data(), buffer.size())) > 0;)
        if (text.size() < kSaidMax) text.append(buffer.data(), static_cast<std::size_t>(n));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

FixResult run(const std::vector<std::string>& words) {
    FixResult result;
    result.command = shell_words(words);
    std::vector<char*> argv;
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str())); // which posix_spawn leaves alone
    argv.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        result.said = std::strerror(errno);
        return result;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    result.said = error == 0 ? read_all(ends[0]) : words.front() + ": " + std::strerror(error);
    ::close(ends[0]);
    if (error != 0) return result;
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    result.done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (result.done) result.said.clear();
    return result;
}

} // namespace

std::vector<FixResult> run_fixes(const Notes& notes) {
    std::vector<FixResult> results;
    for (const Note& note : notes) {
        if (note.fix.empty()) continue;
        const std::string command = shell_words(note.fix);
        const bool again =
            std::any_of(results.begin(), results.end(), [&](const FixResult& r) { return r.command == command; });
        if (!again) results.push_back(run(note.fix));
    }
    return results;
}

} // namespace ftpsensor
