// capture.ports: the one key whose items are maps.
#pragma once

#include "config/keys.h"

#include <string>
#include <string_view>

namespace ftpsensor {

Key ports_key(std::string_view path, std::string_view help, std::string_view sample);

} // namespace ftpsensor
