// The MIME type of a file by its first bytes, as the reference names it.
//
// A table says what files begin with (file_type_table.cpp). Of the types that fit, the strongest counts, of equals the
// first by the alphabet; text is what begins with ten characters of it and is nothing else. The rules are those of
// Zeek's file magic signatures. Plain functions; any thread.
#pragma once

#include <span>
#include <string_view>

namespace ftpsensor {

// Empty: none that is known.
std::string_view file_type(std::string_view first_bytes);

struct FileType {
    int strength;
    std::string_view name;
    std::string_view pattern; // RE2's, of bytes; from the beginning
};

std::span<const FileType> file_types();

} // namespace ftpsensor
