// What an attack does to the sensor: its memory, its counters, and the entries of sessions that have nothing to do with
// it. For the test and the benchmark of exhaustion. One thread.
#pragma once

#include "tests/support/attacks.h"
#include "tests/support/memory_pipeline.h"

#include <cstdint>
#include <string>

namespace ftpsensor::test {

struct AttackResult {
    std::uint64_t counted = 0;         // of the attack's counter
    std::uint64_t evicted = 0;         // connections that made room
    std::size_t innocent_sessions = 0; // that ran meanwhile, each with a transfer
    std::size_t expected = 0;          // entries of theirs in both logs, without the attack
    std::size_t harmed = 0;            // of their entries in both logs, not as they are without the attack
    std::string first_harmed;          // one of them
    std::size_t rss_half = 0;          // bytes, after half of the attack and at its end
    std::size_t rss_end = 0;
    std::size_t rss_peak = 0; // of 64 looks meanwhile
};

// A pipeline whose bounds are a 250th of the defaults, with a table of `connections`.
MemoryPipelineOptions exposed_pipeline(std::uint32_t connections, std::uint64_t hash_secret = 0x6a09e667f3bcc908);

AttackResult run_attack(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets);

// What a worker takes for one packet of the attack: nanoseconds of processor time, without what the logger does with
// its records.
double worker_nanoseconds(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets);

// And what the logger takes for its records: merge, join and lines, without compressing and writing them.
double logger_nanoseconds(const Attack& attack, const MemoryPipelineOptions& options, std::uint64_t packets);

} // namespace ftpsensor::test
