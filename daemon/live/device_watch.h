// Whether a port's device is being taken away: unplugged, unbound from its driver (vfio-pci waits for us then), or
// given up by its driver, also for a reset after which it would be deaf.
//
// Main thread; EAL's interrupt thread and drivers tell it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace ftpsensor {

class DeviceWatch {
public:
    DeviceWatch(std::uint16_t port_id, std::string device); // by DPDK's name of it: "0000:3b:00.0"
    ~DeviceWatch();
    DeviceWatch(const DeviceWatch&) = delete;
    DeviceWatch& operator=(const DeviceWatch&) = delete;

    bool removed() const; // asks the driver, too, which may read a register: once a second is enough

    void tell_removed() { removed_.store(true, std::memory_order_relaxed); } // any thread

private:
    const std::uint16_t port_id_;
    const std::string device_;
    std::atomic<bool> removed_{false};
};

} // namespace ftpsensor
