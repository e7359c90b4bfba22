// What the unit that the package installs lets its process do, as far as a configuration may ask for more.
//
// `check` is run as root, outside of the unit's sandbox: what would fail only there is told by these. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/note.h"

#include <string>

namespace ftpsensor {

inline constexpr const char* kService = "ftpsensor"; // the unit, its folder and the stem of its configuration

// Adds a warning for logs that go elsewhere than below /var/log/ftpsensor, for metrics that only the host itself would
// get (the unit's IPAddressDeny=any), and for ports through AF_XDP (CAP_BPF, bpf(2)). Each tells what to add to the
// unit; what a site has added already is not looked for. `config_path`: .../ftpsensor/NAME.yaml is that of
// ftpsensor@NAME, which says itself where the logs go; any other is taken for that of ftpsensor.
void check_service_unit(const Config& config, const std::string& config_path, Notes& notes);

// The configuration as the unit runs it: that of ftpsensor@NAME sets log.directory and metrics.socket by itself.
Config as_service(Config config, const std::string& config_path);

} // namespace ftpsensor
