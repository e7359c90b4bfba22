#include "daemon/live/hugepages.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

namespace ftpsensor {
namespace {

std::uint64_t read_number(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    file >> value;
    return file ? value : 0;
}

// "hugepages-2048kB" -> 2 MiB
std::optional<std::uint64_t> page_bytes_of(std::string_view folder) {
    constexpr std::string_view prefix = "hugepages-";
    if (!folder.starts_with(prefix) || !folder.ends_with("kB")) return std::nullopt;
    folder.remove_prefix(prefix.size());
    std::uint64_t kib = 0;
    const auto [end, error] = std::from_chars(folder.data(), folder.data() + folder.size(), kib);
    if (error != std::errc() || std::string_view(end, 2) != "kB") return std::nullopt;
    return kib << 10;
}

std::uint64_t pages_for(std::uint64_t bytes, std::uint64_t page_bytes) { return (bytes + page_bytes - 1) / page_bytes; }

// The kernel's own size has a sysctl; the others are the administrator's, and best reserved at boot.
void add_missing_pages(Notes& notes, NoteLevel level, std::string text, const HugepagePool* pool,
                       std::uint64_t needed) {
    if (pool == nullptr) return add_note(notes, level, std::move(text), "set eal.hugepages: auto");
    const std::uint64_t in_use = pool->total - std::min(pool->free, pool->total);
    if (pool->page_bytes == (2ull << 20))
        add_fixable_note(notes, level, std::move(text),
                         {"sysctl", "-w", fmt::format("vm.nr_hugepages={}", in_use + needed)});
    else
        add_note(notes, level, std::move(text),
                 fmt::format("echo {} > /sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages", in_use + needed,
                             pool->page_bytes >> 10));
}

} // namespace

std::vector<HugepagePool> read_hugepage_pools(const std::string& sysfs) {
    std::vector<HugepagePool> pools;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(sysfs, error)) {
        const auto page_bytes = page_bytes_of(entry.path().filename().string());
        if (!page_bytes) continue;
        pools.push_back(
            {*page_bytes, read_number(entry.path() / "nr_hugepages"), read_number(entry.path() / "free_hugepages")});
    }
    std::sort(pools.begin(), pools.end(), [](const auto& a, const auto& b) { return a.page_bytes < b.page_bytes; });
    return pools;
}

std::uint64_t available_memory_bytes() {
    std::ifstream file("/proc/meminfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("MemAvailable:")) return std::strtoull(line.c_str() + 13, nullptr, 10) << 10;
    return 0;
}

MemoryPlan plan_memory(const EalConfig& config, const std::vector<HugepagePool>& pools, bool physical_ports,
                       Notes& notes) {
    MemoryPlan plan;
    plan.bytes = config.memory + kEalOverheadBytes;

    // The largest page that is there in sufficient number; else the smallest size, to say what is missing.
    const HugepagePool* chosen = nullptr;
    for (const auto& pool : pools)
        if (pool.free >= pages_for(plan.bytes, pool.page_bytes)) chosen = &pool;
    const bool enough = chosen != nullptr;
    if (!enough && !pools.empty()) chosen = &pools.front();
    if (chosen != nullptr) {
        plan.page_bytes = chosen->page_bytes;
        plan.pages_needed = pages_for(plan.bytes, chosen->page_bytes);
    }

    if (config.hugepages == ConfigHugepages::off) {
        add_note(notes, NoteLevel::info, "packet buffers in ordinary pages (eal.hugepages: off)");
        return plan;
    }
    if (enough) {
        plan.hugepages = true;
        add_note(notes, NoteLevel::info,
                 fmt::format("packet buffers in huge pages: up to {} of {} KiB, {} are free", plan.pages_needed,
                             plan.page_bytes >> 10, chosen->free));
        return plan;
    }

    const std::string have = chosen != nullptr ? fmt::format("{} huge pages of {} KiB are needed, {} are free",
                                                             plan.pages_needed, plan.page_bytes >> 10, chosen->free)
                                               : std::string("this kernel has no huge pages");
    if (config.hugepages == ConfigHugepages::on) {
        plan.possible = false;
        add_missing_pages(notes, NoteLevel::problem, "eal.hugepages is on: " + have, chosen, plan.pages_needed);
        return plan;
    }
    const NoteLevel level = physical_ports ? NoteLevel::warning : NoteLevel::info;
    const std::string cost =
        have + ": packet buffers in ordinary pages; it costs address-translation (TLB) misses on every packet" +
        (physical_ports ? ", and a port bound to a DPDK driver then works only behind an IOMMU" : "");
    if (chosen == nullptr)
        add_note(notes, level, cost);
    else
        add_missing_pages(notes, level, cost, chosen, plan.pages_needed);
    return plan;
}

} // namespace ftpsensor
