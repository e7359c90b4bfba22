// Paths of the server, and the numbers in its replies, as the log shows them.
//
// The rules are those of Zeek's scripts (base/utils/paths, base/utils/numbers) and of its compress_path(). Plain
// functions without allocation; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ftpsensor {

// It starts at a root: "/", or a drive as in "c:\".
bool is_absolute_path(std::string_view path);

// Takes "//", "/./" and "x/.." out of the `size` bytes at `path`, in place, and returns how many are left. ".." at the
// beginning stays, also behind "/", and a path that does not start with "/" may become empty. `done`: so many bytes,
// which a slash follows, are so already: a step costs its own length, not that of the directory it is made in.
std::size_t compress_path(char* path, std::size_t size, std::size_t done = 0);

// The first absolute path in a text, as in `"/pub" is the current directory`; it ends before a blank (unless a
// backslash stands before that) or a double quote. Empty: there is none.
std::string_view extract_path(std::string_view text);

// The last decimal number in a text, 0 where there is none, 2^64-1 where it is larger.
std::uint64_t extract_last_count(std::string_view text);

} // namespace ftpsensor
