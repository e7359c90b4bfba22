// Whether an address is in one of several networks, asked twice for each connection.
//
// Networks lie in lists by the first byte of the addresses that they may hold (IPv4: of the four), so that an address
// is held against one or two of them, not against all. Immutable: any thread.
#pragma once

#include "core/base/ip_address.h"

#include <array>
#include <cstdint>
#include <vector>

namespace ftpsensor {

class NetworkSet {
public:
    explicit NetworkSet(const std::vector<IpNetwork>& networks);

    bool empty() const { return empty_; }
    bool contains(const IpAddress& address) const;

private:
    struct Network { // bytes as they lie in memory: masks need no order
        std::array<std::uint64_t, 2> mask;
        std::array<std::uint64_t, 2> base;
    };
    using Lists = std::array<std::vector<Network>, 256>;

    bool empty_;
    Lists v4_;
    Lists v6_;
};

} // namespace ftpsensor
