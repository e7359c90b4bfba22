// The keyed hash of an endpoint, for tables whose keys strangers choose. Any thread.
#pragma once

#include "core/base/ip_address.h"
#include "core/base/mix.h"

#include <cstdint>
#include <cstring>

namespace ftpsensor {

inline std::uint64_t endpoint_hash(const IpAddress& address, std::uint16_t port, std::uint64_t secret) {
    std::uint64_t a, b;
    std::memcpy(&a, address.bytes.data(), 8);
    std::memcpy(&b, address.bytes.data() + 8, 8);
    return mix(mix(a ^ secret, b ^ ~secret) ^ port, secret | 1);
}

} // namespace ftpsensor
