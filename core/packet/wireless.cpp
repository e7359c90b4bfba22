#include "core/packet/wireless.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kHeaderLength = 24; // of a data frame with three addresses
constexpr std::uint32_t kAddressLength = 6;
constexpr std::uint32_t kQosLength = 2;
constexpr std::uint32_t kSubframeHeaderLength = 14; // two addresses and a length
constexpr std::uint32_t kSnapLength = 8;

// Frame control, first byte: type and subtype. Second byte: flags.
constexpr std::uint8_t kTypeData = 0x08;
constexpr std::uint8_t kSubtypeWithoutData = 0x40;
constexpr std::uint8_t kSubtypeQos = 0x80;
constexpr std::uint8_t kBothDistributionSystems = 0x03;
constexpr std::uint8_t kProtected = 0x40;
constexpr std::uint8_t kAggregate = 0x80; // of the QoS field

WirelessPayload stop(Event event) { return {.stopped = event}; }

WirelessPayload read_snap(Cursor& at, const Cursor& rest) {
    if (at.captured < kSnapLength) return stop(Event::truncated_802_11_llc_header);
    const bool snap = load_be32(at.data) == 0xaaaa0300 && load_be16(at.data + 4) == 0;
    if (!snap) return {.stopped = Event::unknown_ethertype, .rest = rest};
    at.skip(kSnapLength);
    return {.ether_type = load_be16(at.data - 2), .rest = rest};
}

} // namespace

WirelessPayload skip_wireless_header(Cursor& at) {
    std::uint32_t length = kHeaderLength;
    if (at.captured <= length) return stop(Event::truncated_802_11_header);
    const std::uint8_t control = at.data[0];
    const std::uint8_t flags = at.data[1];
    if ((control & kTypeData) == 0 || (control & kSubtypeWithoutData) != 0) return stop(Event::unknown_ethertype);
    if ((flags & kBothDistributionSystems) == kBothDistributionSystems) length += kAddressLength;
    if (at.captured <= length) return stop(Event::truncated_802_11_header);
    bool aggregate = false;
    if ((control & kSubtypeQos) != 0) {
        if ((flags & kProtected) != 0) return stop(Event::unknown_ethertype); // encrypted
        aggregate = (at.data[length] & kAggregate) != 0;
        length += kQosLength;
    }
    if (at.captured <= length) return stop(Event::truncated_802_11_header);
    at.skip(length);
    return aggregate ? skip_subframe_header(at) : read_snap(at, {});
}

WirelessPayload skip_subframe_header(Cursor& at) {
    if (at.captured < kSubframeHeaderLength) return stop(Event::truncated_802_11_amsdu_header);
    const std::uint32_t frame = load_be16(at.data + kSubframeHeaderLength - 2);
    if (at.captured < kSubframeHeaderLength + frame) return stop(Event::truncated_802_11_amsdu_packet);
    at.skip(kSubframeHeaderLength);
    Cursor rest = at;
    rest.skip(frame);
    rest.skip(std::min((0u - kSubframeHeaderLength - frame) % 4, rest.captured)); // the last one has no padding
    at.keep(frame);
    return read_snap(at, rest);
}

} // namespace ftpsensor
