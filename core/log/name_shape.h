// Whether a name looks as a pattern of log.folder_name or log.file_name would make it, at whatever time.
//
// Conversions of strftime(3) of fixed width stand for so many digits, all others for at least one character; {start},
// {end}, {offset} for what they look like, {log} for a log's name. Plain functions; any thread.
#pragma once

#include <string_view>

namespace ftpsensor {

bool has_shape(std::string_view name, std::string_view pattern);

// The same for a file, whose name may also be a numbered_path() of the pattern's.
bool file_has_shape(std::string_view name, std::string_view pattern);

} // namespace ftpsensor
