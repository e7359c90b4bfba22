// DPDK's Environment Abstraction Layer: its arguments from the config, its start, its end.
//
// Nobody writes EAL arguments by hand: plan_eal() computes them from capture.ports, workers, and eal.*; what stands in
// eal.eal_args goes behind them and, where it is an option that is computed too, in its place. Virtual devices are not
// among the arguments: Port probes them one by one, so that a failure names the port. Main thread.
#pragma once

#include "config/config.h"
#include "daemon/live/hugepages.h"
#include "daemon/live/note.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ftpsensor {

struct EalPlan {
    std::vector<std::string> arguments; // without the program's name
    std::size_t given = 0;              // the last of them: eal.eal_args
    MemoryPlan memory;
    Notes notes;
};

// `allowed_cpus`: the logical CPUs the process may run on; the main thread floats over them. Workers are threads of our
// own that register with EAL, so that EAL gets one lcore, the main one. `pid` makes --file-prefix unique.
EalPlan plan_eal(const Config& config, const std::vector<HugepagePool>& pools,
                 const std::vector<std::uint32_t>& allowed_cpus, int pid);

std::vector<std::uint32_t> allowed_cpus(); // of the calling thread

// "0-3,8": as EAL's and the kernel's CPU lists are written.
std::string cpu_list(const std::vector<std::uint32_t>& cpus);

// EAL for as long as it lives; one a process. Messages of DPDK go to the operational messages.
class Eal {
public:
    // Throws std::runtime_error with what EAL itself called an error; ConfigError where eal.eal_args are not its.
    explicit Eal(const EalPlan& plan);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

private:
    std::vector<std::string> arguments_; // EAL keeps pointers into them
};

} // namespace ftpsensor
