// What each attack of docs/hostile-input.md costs: packets a second of one worker during it, the logger's time a
// packet, how much memory the process had at its end, and whose entries it harmed.
//
//     exhaustion_bench [connections in the table, default 262144] [millions of packets an attack, default 4]
//                      [part of an attack's name, default all]
#include "tests/support/attack_run.h"

#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

void measure(const Attack& attack, std::uint32_t connections, std::uint64_t packets) {
    const MemoryPipelineOptions options = exposed_pipeline(connections);
    const double nanoseconds = worker_nanoseconds(attack, options, packets);
    const double logger = logger_nanoseconds(attack, options, packets);
    const AttackResult result = run_attack(attack, options, packets);
    std::printf("%-46s %6.0f %8.2f %6.0f %10llu %8.0f %8.0f %8.0f %7zu of %zu\n", attack.name.c_str(), nanoseconds,
                1000 / nanoseconds, logger, static_cast<unsigned long long>(result.counted),
                static_cast<double>(result.rss_half) / 1e6, static_cast<double>(result.rss_end) / 1e6,
                static_cast<double>(result.rss_peak) / 1e6, result.harmed, result.innocent_sessions);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
    const auto connections = static_cast<std::uint32_t>(argc > 1 ? std::atol(argv[1]) : 262'144);
    const auto packets = static_cast<std::uint64_t>((argc > 2 ? std::atof(argv[2]) : 4) * 1e6);
    std::printf("a table of %u connections, %.1f million packets an attack\n\n", connections,
                static_cast<double>(packets) / 1e6);
    std::printf("%-46s %6s %8s %6s %10s %8s %8s %8s   %s\n", "attack", "ns", "Mpps", "log ns", "counted", "RSS/2 MB",
                "RSS MB", "peak MB", "entries harmed, of how many sessions");
    for (const Attack& attack : attacks(connections)) {
        if (argc > 3 && attack.name.find(argv[3]) == std::string::npos) continue;
        std::fflush(stdout);
        const pid_t child = ::fork(); // memory of its own
        if (child == 0) {
            measure(attack, connections, packets);
            return 0;
        }
        int status = 0;
        if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) return 1;
    }
}
