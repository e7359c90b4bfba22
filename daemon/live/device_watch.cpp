#define ALLOW_EXPERIMENTAL_API // rte_dev_event_callback_register()
#include "daemon/live/device_watch.h"

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <rte_dev.h>
#include <rte_ethdev.h>

namespace ftpsensor {
namespace {

constexpr auto kRetry = std::chrono::milliseconds(1);
constexpr rte_eth_event_type kEndings[] = {RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_RESET};

// EAL: the kernel wants the device back, or it is gone.
void on_device_event(const char*, rte_dev_event_type event, void* watch) {
    if (event == RTE_DEV_EVENT_REMOVE) static_cast<DeviceWatch*>(watch)->tell_removed();
}

// Its driver: it is gone, or has to be set up anew (a VF whose PF was reset), which a new start does.
int on_port_event(std::uint16_t, rte_eth_event_type, void* watch, void*) {
    static_cast<DeviceWatch*>(watch)->tell_removed();
    return 0;
}

} // namespace

DeviceWatch::DeviceWatch(std::uint16_t port_id, std::string device) : port_id_(port_id), device_(std::move(device)) {
    rte_dev_event_callback_register(device_.c_str(), on_device_event, this);
    for (const rte_eth_event_type event : kEndings) rte_eth_dev_callback_register(port_id_, event, on_port_event, this);
}

DeviceWatch::~DeviceWatch() {
    // -EAGAIN: it is being called at this moment.
    while (rte_dev_event_callback_unregister(device_.c_str(), on_device_event, this) == -EAGAIN)
        std::this_thread::sleep_for(kRetry);
    for (const rte_eth_event_type event : kEndings)
        while (rte_eth_dev_callback_unregister(port_id_, event, on_port_event, this) == -EAGAIN)
            std::this_thread::sleep_for(kRetry);
}

bool DeviceWatch::removed() const {
    return removed_.load(std::memory_order_relaxed) || rte_eth_dev_is_removed(port_id_) == 1;
}

} // namespace ftpsensor
