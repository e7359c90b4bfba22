#include "daemon/live/worker_skew.h"

#include <algorithm>

namespace ftpsensor {

namespace {
constexpr std::uint64_t kPacketsMin = 10'000;
constexpr double kRatioMost = 1.5; // of the busiest worker to the mean
} // namespace

std::optional<WorkerSkew> worker_skew(const Snapshot& change) {
    if (change.workers.size() < 2) return std::nullopt;
    std::uint64_t sum = 0;
    for (const WorkerFigures& worker : change.workers) sum += worker.packets;
    const auto busiest =
        std::max_element(change.workers.begin(), change.workers.end(),
                         [](const WorkerFigures& a, const WorkerFigures& b) { return a.packets < b.packets; });
    const double share = static_cast<double>(busiest->packets) / static_cast<double>(std::max<std::uint64_t>(sum, 1));
    if (sum < kPacketsMin || share * static_cast<double>(change.workers.size()) <= kRatioMost) return std::nullopt;
    return WorkerSkew{static_cast<std::size_t>(busiest - change.workers.begin()), share};
}

} // namespace ftpsensor
