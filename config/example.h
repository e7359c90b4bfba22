// The commented example, which is also the installed default: config/ftpsensor.yaml, made from the table of keys.
#pragma once

#include <string>

namespace ftpsensor {

// Every key with its default, kind, range, unit and help; only capture.ports differs from Config{}, which names none.
std::string example_config();

} // namespace ftpsensor
