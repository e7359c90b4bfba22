#include "bench/measure.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <nlohmann/json.hpp>
#include <time.h>
#include <unistd.h>

namespace ftpsensor::bench {

namespace {

bool number(std::string_view text, std::size_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value != 0;
}

} // namespace

double cpu_nanoseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm"); // proc(5): size and resident, in pages
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Results::Results(std::string_view bench, int argc, char** argv) : bench_(bench) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--json" && i + 1 < argc)
            json_path_ = argv[++i];
        else if (argument == "--count" && i + 1 < argc && number(argv[i + 1], count_))
            ++i;
        else if (argument.starts_with("-")) {
            std::fprintf(stderr, "usage: %s_bench [--json FILE] [--count N] [CASE...]\n", bench_.c_str());
            std::exit(2);
        } else
            names_.emplace_back(argument);
    }
}

Results::~Results() {
    if (json_path_.empty()) return;
    nlohmann::json all = nlohmann::json::array();
    for (const auto& [name, figures] : rows_) {
        nlohmann::json row = {{"bench", bench_}, {"case", name}};
        for (const auto& [figure, value] : figures) row[figure] = value;
        all.push_back(std::move(row));
    }
    std::ofstream(json_path_) << all.dump(1) << '\n';
}

void Results::row(const std::string& name, const Figures& figures) {
    std::printf("%-34s", name.c_str());
    for (const auto& [figure, value] : figures)
        std::printf("  %10.*f %s", value < 10 ? 2 : value < 1000 ? 1 : 0, value, figure.c_str());
    std::printf("\n");
    std::fflush(stdout);
    rows_.emplace_back(name, figures);
}

bool Results::wants(std::string_view name) const {
    if (names_.empty()) return true;
    for (const std::string& wanted : names_)
        if (name.find(wanted) != std::string_view::npos) return true;
    return false;
}

} // namespace ftpsensor::bench
