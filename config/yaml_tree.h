// A YAML document as a tree of our own, each node with its place in the text: the only thing in the project that knows
// yaml-cpp is yaml_tree.cpp.
//
// What the loader must see and yaml-cpp's own nodes hide is kept: duplicate keys, positions, whether a value is null or
// text. Anchors and aliases are refused: a small file could otherwise expand without bound. Main thread.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace ftpsensor {

struct YamlPosition { // from 1; 0: unknown
    std::size_t line = 0;
    std::size_t column = 0;
};

struct YamlNode {
    enum class Kind : unsigned char { null, scalar, list, map };

    Kind kind = Kind::null;
    YamlPosition at;
    std::string text; // scalar: the value, quotes and escapes resolved
    std::string key;  // where this is a value in a map
    YamlPosition key_at;
    std::vector<YamlNode> items; // list; map: the values, in the order of the text, duplicates included
};

// what(): why the text is not YAML that we take.
struct YamlError : std::runtime_error {
    YamlError(YamlPosition position, const std::string& reason) : std::runtime_error(reason), at(position) {}
    YamlPosition at;
};

// The only document in `text`; an empty text is a null node. Throws YamlError.
YamlNode parse_yaml(std::string_view text);

} // namespace ftpsensor
