#include "daemon/live/interface_drops.h"

#include <optional>

#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

namespace ftpsensor {
namespace {

// Nothing: there is no such interface.
std::optional<InterfaceCounters> read_counters(unsigned index) {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return std::nullopt;
    std::optional<InterfaceCounters> found;
    for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_PACKET || one->ifa_data == nullptr) continue;
        if (reinterpret_cast<const sockaddr_ll*>(one->ifa_addr)->sll_ifindex != static_cast<int>(index)) continue;
        const auto& stats = *static_cast<const rtnl_link_stats*>(one->ifa_data);
        found = {stats.rx_missed_errors, stats.rx_fifo_errors, stats.rx_dropped};
    }
    freeifaddrs(all);
    return found;
}

} // namespace

std::uint64_t counter_growth(std::uint32_t before, std::uint32_t now) {
    constexpr std::uint32_t quarter = 0x40000000;
    const bool wrapped = now < quarter && before >= 3 * quarter;
    return now >= before || wrapped ? now - before : now;
}

InterfaceDrops::InterfaceDrops(unsigned interface_index)
    : index_(interface_index), last_(read_counters(interface_index).value_or(InterfaceCounters{})) {}

void InterfaceDrops::poll() {
    if (const auto now = read_counters(index_)) add(*now);
}

void InterfaceDrops::add(const InterfaceCounters& now) {
    lost_ += counter_growth(last_.missed, now.missed) + counter_growth(last_.fifo, now.fifo);
    unclaimed_ += counter_growth(last_.dropped, now.dropped);
    last_ = now;
}

} // namespace ftpsensor
