#include "daemon/live/interface_drops.h"

#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

namespace ftpsensor {

std::uint64_t counter_growth(std::uint32_t before, std::uint32_t now) {
    constexpr std::uint32_t quarter = 0x40000000;
    const bool wrapped = now < quarter && before >= 3 * quarter;
    return now >= before || wrapped ? now - before : now;
}

InterfaceDrops::InterfaceDrops(unsigned interface_index, bool with_dropped)
    : index_(interface_index), with_dropped_(with_dropped) {
    read(last_);
}

bool InterfaceDrops::read(Counters& counters) const {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return false;
    bool found = false;
    for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_PACKET || one->ifa_data == nullptr) continue;
        if (reinterpret_cast<const sockaddr_ll*>(one->ifa_addr)->sll_ifindex != static_cast<int>(index_)) continue;
        const auto& stats = *static_cast<const rtnl_link_stats*>(one->ifa_data);
        counters = {stats.rx_missed_errors, stats.rx_fifo_errors, stats.rx_dropped};
        found = true;
    }
    freeifaddrs(all);
    return found;
}

std::uint64_t InterfaceDrops::poll() {
    Counters now;
    if (!read(now)) return total_;
    total_ += counter_growth(last_.missed, now.missed) + counter_growth(last_.fifo, now.fifo);
    if (with_dropped_) total_ += counter_growth(last_.dropped, now.dropped);
    last_ = now;
    return total_;
}

} // namespace ftpsensor
