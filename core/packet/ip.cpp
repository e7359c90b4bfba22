#include "core/packet/ip.h"

#include "core/packet/checksum.h"
#include "core/packet/ipv6_extensions.h"

#include <algorithm>

namespace ftpsensor {
namespace {

constexpr std::uint32_t kIpv4HeaderLength = 20;
constexpr std::uint32_t kIpv6HeaderLength = 40;
constexpr std::uint16_t kMoreFragments = 0x2000; // of IPv4's flags and offset
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kOffsetMask = 0x1fff; // in units of 8 bytes
constexpr std::uint32_t kFragmentUnit = 8;

[[gnu::cold]] bool refuse(const IpContext& context, Event event) {
    context.events.count(event);
    return false;
}

// What a header of `header` bytes in a packet of `total` leaves for the transport.
void set_segment(const Cursor& at, std::uint32_t header, std::uint32_t total, Segment& segment) {
    const std::uint32_t available = at.captured - header;
    segment.data = at.data + header;
    segment.length = total - header;
    // Zeek: a length of 0 is taken for offloading, and what is there (padding, too) for the payload.
    segment.captured = segment.length != 0 ? std::min(available, segment.length) : available;
    segment.missing = at.missing;
    segment.reassembled = segment.doubtful = false;
}

// False: nothing to go on with. The lengths are the headers' own; `at` may hold less.
bool check_lengths(const Cursor& at, std::uint32_t header, std::uint32_t total, const IpContext& context) {
    if (at.on_wire() < total) [[unlikely]]
        return refuse(context, Event::truncated_IP_len);
    if (header > total) [[unlikely]]
        return refuse(context, Event::invalid_IP_header_size);
    if (header > at.captured) [[unlikely]]
        return refuse(context, Event::internally_truncated_header);
    return true;
}

struct FragmentField {
    std::uint32_t id;
    std::uint32_t offset;
    bool more;
    bool dont_fragment;
};

enum class FragmentOutcome : std::uint8_t { waiting, whole, not_reassembled };

// `header` includes the fragment header of IPv6, `unfragmented` does not.
FragmentOutcome reassemble(const Cursor& at, const FragmentField& field, std::uint32_t header,
                           std::uint32_t unfragmented, std::uint32_t total, bool is_v6, const IpContext& context,
                           const Layer& layer, const Segment& segment, Datagram& whole) {
    if (at.captured < total) {
        // Nothing can come of it; but a first fragment has its transport header, which is worth having.
        context.events.count(Event::incompletely_captured_fragment);
        return field.offset != 0 ? FragmentOutcome::waiting : FragmentOutcome::not_reassembled;
    }
    Fragment fragment;
    fragment.key = {layer.source, layer.destination, field.id, is_v6 ? std::uint8_t{0} : segment.proto};
    fragment.offset = field.offset;
    fragment.more = field.more;
    fragment.dont_fragment = field.dont_fragment;
    fragment.is_v6 = is_v6;
    fragment.proto = segment.proto;
    fragment.header_length = unfragmented;
    fragment.total_length = total;
    fragment.data = at.data + header;
    fragment.size = total - header;
    if (field.more && fragment.size % kFragmentUnit != 0) {
        // No such one can be in the middle. Hosts leave it out (RFC 8200 4.5), but Linux takes what it can of IPv4's.
        context.events.count(Event::fragment_size_inconsistency);
        if (is_v6) return FragmentOutcome::waiting;
        fragment.size -= fragment.size % kFragmentUnit;
    }
    return context.fragments.add(fragment, context.now, context.reassembly_buffer, whole) ? FragmentOutcome::whole
                                                                                          : FragmentOutcome::waiting;
}

// The payload of a reassembled datagram, from `skipped` bytes of further extension headers on.
void set_reassembled(const Datagram& whole, std::uint32_t skipped, const IpContext& context, Layer& layer,
                     Segment& segment) {
    layer.ip_length = whole.header_length + whole.size;
    segment.data = context.reassembly_buffer + skipped;
    segment.captured = segment.length = whole.size - skipped;
    segment.missing = 0;
    segment.reassembled = true;
    segment.doubtful = whole.doubtful;
}

[[gnu::cold]] bool read_ipv4_fragment(const Cursor& at, std::uint32_t header, std::uint32_t total,
                                      const IpContext& context, Layer& layer, Segment& segment) {
    const std::uint16_t bits = load_be16(at.data + 6);
    const FragmentField field = {.id = load_be16(at.data + 4),
                                 .offset = (bits & kOffsetMask) * kFragmentUnit,
                                 .more = (bits & kMoreFragments) != 0,
                                 .dont_fragment = (bits & kDontFragment) != 0};
    Datagram whole;
    switch (reassemble(at, field, header, header, total, false, context, layer, segment, whole)) {
    case FragmentOutcome::waiting: return false;
    case FragmentOutcome::not_reassembled: return true;
    case FragmentOutcome::whole: break;
    }
    segment.proto = whole.proto;
    set_reassembled(whole, 0, context, layer, segment);
    return true;
}

// IPv4 whose total length is 0: segmentation offloading. What is there is the packet.
[[gnu::cold]] std::uint32_t offloaded_length(const Cursor& at, const IpContext& context) {
    context.events.count(Event::ip_hdr_len_zero);
    return context.drop_zero_length ? 0 : at.captured;
}

bool read_ipv4(const Cursor& at, const IpContext& context, Layer& layer, Segment& segment) {
    const std::uint8_t* const header = at.data;
    const std::uint32_t header_length = (header[0] & 0x0fu) * 4u;
    std::uint32_t total = load_be16(header + 2);
    if (total == 0) [[unlikely]] {
        total = offloaded_length(at, context);
        if (total == 0) return false;
    }
    if (!check_lengths(at, header_length, total, context)) [[unlikely]]
        return false;
    if (header_length < kIpv4HeaderLength) [[unlikely]]
        return refuse(context, Event::IPv4_min_header_size);
    if (context.checksums != ChecksumPolicy::ignore && !ipv4_header_checksum_is_valid(header, header_length))
        [[unlikely]] {
        context.events.count(Event::bad_IP_checksum);
        if (context.checksums == ChecksumPolicy::verify) return false;
    }

    set_ipv4(layer.source, header + 12);
    set_ipv4(layer.destination, header + 16);
    layer.ip_length = load_be16(header + 2);
    segment.proto = header[9];
    set_segment(at, header_length, total, segment);
    if ((load_be16(header + 6) & (kMoreFragments | kOffsetMask)) != 0) [[unlikely]] {
        if (!read_ipv4_fragment(at, header_length, total, context, layer, segment)) return false;
    }
    return segment.proto != kProtoNone || refuse(context, Event::ipv6_no_next);
}

bool mobility_checksum_is_valid(const Ipv6Chain& chain) {
    const std::uint32_t length = 8u + 8u * chain.last_data[1];
    return transport_checksum_is_valid(chain.source, chain.destination, kProtoMobility, chain.last_data, length);
}

// What ends a chain of extension headers without a transport behind it.
bool ends_in_nothing(const Ipv6Chain& chain, const IpContext& context) {
    if (chain.last_header == kProtoEsp) {
        context.events.count(Event::esp_packet);
        return true;
    }
    if (chain.last_header == kProtoMobility) {
        if (context.checksums != ChecksumPolicy::ignore && !mobility_checksum_is_valid(chain)) {
            context.events.count(Event::bad_MH_checksum);
        }
        return true;
    }
    if (chain.next_header == kProtoNone) {
        context.events.count(Event::ipv6_no_next);
        return true;
    }
    return false;
}

// The headers behind the fragment header were in the fragments: they are read now. A fragment header that ends them is
// taken as it stands: Zeek puts a datagram together once.
bool read_ipv6_reassembled(const Datagram& whole, Ipv6Chain& chain, const IpContext& context, Layer& layer,
                           Segment& segment) {
    chain.next_header = whole.proto;
    walk_ipv6_extensions({context.reassembly_buffer, whole.size, 0}, chain, &context.events);
    set_reassembled(whole, chain.length, context, layer, segment);
    return true;
}

bool read_ipv6_fragment(const Cursor& at, std::uint32_t total, Ipv6Chain& chain, const IpContext& context, Layer& layer,
                        Segment& segment) {
    const std::uint16_t bits = load_be16(chain.fragment + 2);
    const FragmentField field = {
        .id = load_be32(chain.fragment + 4), .offset = bits & 0xfff8u, .more = (bits & 1) != 0, .dont_fragment = false};
    const std::uint32_t header = kIpv6HeaderLength + chain.length;
    constexpr std::uint32_t fragment_header = 8;
    Datagram whole;
    switch (reassemble(at, field, header, header - fragment_header, total, true, context, layer, segment, whole)) {
    case FragmentOutcome::waiting: return false;
    case FragmentOutcome::not_reassembled: return true;
    case FragmentOutcome::whole: break;
    }
    return read_ipv6_reassembled(whole, chain, context, layer, segment);
}

[[gnu::cold]] bool read_ipv6_extended(const Cursor& at, std::uint32_t total, const IpContext& context, Layer& layer,
                                      Segment& segment) {
    Ipv6Chain chain;
    chain.source = layer.source;
    chain.destination = layer.destination;
    chain.next_header = segment.proto;
    Cursor behind = at;
    behind.skip(kIpv6HeaderLength);
    walk_ipv6_extensions(behind, chain, &context.events);
    const std::uint32_t header = kIpv6HeaderLength + chain.length;
    if (!check_lengths(at, header, total, context)) return false;

    layer.source = chain.source;
    layer.destination = chain.destination;
    segment.proto = chain.next_header;
    set_segment(at, header, total, segment);
    layer.ip_length = total - chain.atomic_length;
    if (chain.fragment != nullptr && !read_ipv6_fragment(at, total, chain, context, layer, segment)) return false;
    layer.source = chain.source; // a home address may also come in the fragmented part
    layer.destination = chain.destination;
    segment.proto = chain.next_header;
    return !ends_in_nothing(chain, context);
}

bool read_ipv6(const Cursor& at, const IpContext& context, Layer& layer, Segment& segment) {
    if (at.captured < kIpv6HeaderLength) [[unlikely]]
        return refuse(context, Event::truncated_IP);
    const std::uint8_t* const header = at.data;
    const std::uint32_t total = kIpv6HeaderLength + load_be16(header + 4);
    layer.source = IpAddress::from_v6(header + 8);
    layer.destination = IpAddress::from_v6(header + 24);
    layer.ip_length = total;
    segment.proto = header[6];
    if (is_ipv6_extension(segment.proto)) [[unlikely]]
        return read_ipv6_extended(at, total, context, layer, segment);
    if (!check_lengths(at, kIpv6HeaderLength, total, context)) [[unlikely]]
        return false;
    set_segment(at, kIpv6HeaderLength, total, segment);
    return segment.proto != kProtoNone || refuse(context, Event::ipv6_no_next);
}

} // namespace

bool read_ip(const Cursor& at, const IpContext& context, Layer& layer, Segment& segment) {
    if (at.captured < kIpv4HeaderLength) [[unlikely]]
        return refuse(context, Event::truncated_IP);
    switch (at.data[0] >> 4) {
    case 4: return read_ipv4(at, context, layer, segment);
    case 6: return read_ipv6(at, context, layer, segment);
    default: return refuse(context, Event::unknown_ip_version);
    }
}

} // namespace ftpsensor
