// The manual page ftpsensor.yaml(5), made from the table of keys like the commented example.
#pragma once

#include <string>
#include <string_view>

namespace ftpsensor {

// In man(7) macros: every key with its help, kind, range, unit and default, after what they have in common.
std::string config_manual(std::string_view version);

} // namespace ftpsensor
