// "Did you mean …?": the name that a mistyped one was likely meant to be.
#pragma once

#include <span>
#include <string_view>

namespace ftpsensor {

// Edits (insert, delete, replace, swap two neighbours) that turn one name into the other; case does not count, nor
// does '-' against '_'.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `names` to `typed`, the first of equals; empty where none is near enough to be meant.
std::string_view nearest_name(std::string_view typed, std::span<const std::string_view> names);

// The same for dotted paths: a right last part in the wrong section is near, too ("snaplen": "capture.snaplen").
std::string_view nearest_path(std::string_view typed, std::span<const std::string_view> paths);

} // namespace ftpsensor
