#include "core/log/network_set.h"

#include <bit>

namespace ftpsensor {

namespace {

using Bytes = std::array<std::uint8_t, 16>;
using Words = std::array<std::uint64_t, 2>;

constexpr std::size_t kV4At = 12; // within the sixteen bytes

Bytes mask_of(unsigned prefix_bits) {
    Bytes mask{};
    for (unsigned bit = 0; bit < prefix_bits; ++bit) mask[bit / 8] |= static_cast<std::uint8_t>(0x80u >> bit % 8);
    return mask;
}

} // namespace

NetworkSet::NetworkSet(const std::vector<IpNetwork>& networks) : empty_(networks.empty()) {
    const IpAddress any_v4 = IpAddress::from_v4(0, 0, 0, 0);
    for (const IpNetwork& network : networks) {
        const Bytes mask = mask_of(network.prefix_bits);
        const Bytes& base = network.base.bytes;
        const Network kept{std::bit_cast<Words>(mask), std::bit_cast<Words>(base)};
        bool holds_v4 = true;
        for (std::size_t i = 0; i < kV4At; ++i) holds_v4 = holds_v4 && ((any_v4.bytes[i] ^ base[i]) & mask[i]) == 0;
        for (unsigned first = 0; first < 256; ++first) {
            if (holds_v4 && ((first ^ base[kV4At]) & mask[kV4At]) == 0) v4_[first].push_back(kept);
            if (((first ^ base[0]) & mask[0]) == 0) v6_[first].push_back(kept);
        }
    }
}

bool NetworkSet::contains(const IpAddress& address) const {
    const auto words = std::bit_cast<Words>(address.bytes);
    for (const Network& n : address.is_v4() ? v4_[address.bytes[kV4At]] : v6_[address.bytes[0]])
        if ((((words[0] & n.mask[0]) ^ n.base[0]) | ((words[1] & n.mask[1]) ^ n.base[1])) == 0) return true;
    return false;
}

} // namespace ftpsensor
