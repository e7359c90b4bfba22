// What the benchmarks share: CPU time of this thread, and results as a table for people and as JSON for programs.
//
// CPU time, not wall time: what others do on the machine is not ours (that they share caches and memory with us still
// shows; compare only figures of one run). One Results a program, made from its command line; main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ftpsensor::bench {

// CPU time of the calling thread so far, in nanoseconds.
double cpu_nanoseconds();
// Resident memory of this process in bytes, as the kernel tells it.
std::uint64_t resident_bytes();

// Rows of one benchmark: printed as they come, and written to --json FILE at the end, an object a row.
class Results {
public:
    // Takes --json FILE and --count N out of the arguments; the others name cases.
    Results(std::string_view bench, int argc, char** argv);
    ~Results();
    Results(const Results&) = delete;
    Results& operator=(const Results&) = delete;

    using Figures = std::vector<std::pair<std::string, double>>; // name with its unit ("ns_packet"), value
    void row(const std::string& name, const Figures& figures);
    // How many of what the benchmark counts its work in; --count N says otherwise.
    std::size_t count(std::size_t otherwise) const { return count_ != 0 ? count_ : otherwise; }
    // Where cases are named (by a part of their names), only those are wanted.
    bool wants(std::string_view name) const;

private:
    std::string bench_;
    std::string json_path_;
    std::size_t count_ = 0;
    std::vector<std::string> names_;
    std::vector<std::pair<std::string, Figures>> rows_;
};

} // namespace ftpsensor::bench
