// Fuzzes Decoder::decode() and Distribution with libFuzzer (clang, -fsanitize=fuzzer,address,undefined).
//
// An input is a sequence of packets for one decoder, so that fragments meet: each is an option byte, with kMore three
// more, a big-endian length of two bytes, and the bytes. Decoders are kept small, so that their bounds are reached.
// Each packet lies in a heap block of its own size; what comes out must lie in the packet or the decoder, which reading
// it shows. Four decoders read the same packets:
//
//   ignore  by the fast path where it can
//   mark    by the general path; says the same but for checksums
//   verify  says the same until a checksum is wrong
//   dressed the same packets with a VLAN tag, and those of IPv6 as one fragment each (RFC 6946); says the same
//
// And two Distributions: the second one's packets have their addresses exchanged, and are dressed. Both say the same,
// and they say the same for all packets of a connection, of what comes in no fragment and through no tunnel over UDP.
#include "core/packet/decode.h"
#include "core/packet/distribution.h"
#include "core/packet/ipv6_extensions.h"
#include "core/packet/link.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace {

using namespace ftpsensor;
using namespace ftpsensor::test;

constexpr std::uint8_t kLinkBits = 0x0f; // of the option byte
constexpr std::uint8_t kCutShort = 0x10; // the frame was longer on the wire
constexpr std::uint8_t kLater = 0x20;    // a minute passes before it
constexpr std::uint8_t kTrusted = 0x40;
constexpr std::uint8_t kMore = 0x80;

constexpr std::uint32_t kIpv4HeaderLength = 20;
constexpr std::uint32_t kIpv6HeaderLength = 40;
constexpr std::uint32_t kFragmentHeaderLength = 8;

// What only a look at checksums counts, or leaves out.
constexpr Event kOfSums[] = {Event::bad_IP_checksum,   Event::bad_TCP_checksum, Event::bad_UDP_checksum,
                             Event::bad_ICMP_checksum, Event::bad_MH_checksum,  Event::UDP_datagram_length_mismatch};

void read_all(const std::uint8_t* bytes, std::uint32_t size) {
    volatile std::uint8_t sink = 0;
    for (std::uint32_t i = 0; i < size; ++i) sink = static_cast<std::uint8_t>(sink + bytes[i]);
}

void check(const DecodedPacket& out) {
    require(out.layer_count <= out.layers.size(), "no more layers than there is room for");
    for (std::size_t i = 0; i < out.layer_count; ++i) {
        const Layer& layer = out.layers[i];
        require((layer.carried_by == TunnelKind::none) == (i == 0), "layers beyond the first come through tunnels");
        require(layer.payload_captured <= layer.payload_length, "no more captured than there was");
        require(layer.payload >= layer.l4, "the payload lies behind its header");
        require(layer.payload + layer.payload_captured <= layer.l4 + layer.l4_captured, "and within the layer");
        read_all(layer.l4, layer.l4_captured);
    }
}

class Run {
public:
    Run(ChecksumPolicy policy, bool wary)
        : decoder_({.checksums = policy,
                    .fragment_bytes_max = 16 * 1024,
                    .fragment_datagrams_max = 4,
                    .doubt_fragments = wary},
                   events_) {}

    void set_timeouts(const FragmentTimeouts& timeouts) { decoder_.set_fragment_timeouts(timeouts); }
    void decode(const PacketView& view) {
        decoder_.decode(view, out_);
        check(out_);
    }
    bool decode_more(const PacketView& view) {
        const bool more = decoder_.decode_more(view, out_);
        check(out_);
        require(out_.told < std::max<std::size_t>(out_.layer_count, 1), "a frame has a layer of its own");
        return more;
    }
    const DecodedPacket& out() const { return out_; }
    std::uint64_t count(Event event) const { return events_.value(event); }
    std::uint64_t count_of_sums() const {
        std::uint64_t count = 0;
        for (const Event event : kOfSums)
            if (event != Event::UDP_datagram_length_mismatch) count += events_.value(event);
        return count;
    }

private:
    EventCounters events_;
    Decoder decoder_;
    DecodedPacket out_;
};

bool same_header(const Layer& a, const Layer& b) {
    return a.source == b.source && a.destination == b.destination && a.source_port == b.source_port &&
           a.destination_port == b.destination_port && a.ip_proto == b.ip_proto && a.transport == b.transport &&
           a.carried_by == b.carried_by && a.makes_connection == b.makes_connection && a.one_way == b.one_way &&
           a.doubtful == b.doubtful && a.bad_header == b.bad_header && a.ip_length == b.ip_length &&
           a.tcp_seq == b.tcp_seq && a.tcp_ack == b.tcp_ack && a.tcp_window == b.tcp_window &&
           a.tcp_flags == b.tcp_flags && a.tcp_window_scale == b.tcp_window_scale && a.udp_length == b.udp_length;
}

bool same_bytes(const Layer& a, const Layer& b) {
    return a.l4_captured == b.l4_captured && a.payload - a.l4 == b.payload - b.l4 &&
           a.payload_length == b.payload_length && a.payload_captured == b.payload_captured &&
           std::equal(a.l4, a.l4 + a.l4_captured, b.l4);
}

void require_same(const Run& a, const Run& b) {
    require(a.out().layer_count == b.out().layer_count, "as many layers");
    require(a.out().tunnel_end == b.out().tunnel_end, "the same end of tunnels");
    if (a.out().tunnel_end == TunnelEnd::refused) require(a.out().refused == b.out().refused, "the same refused");
    for (std::size_t i = 0; i < a.out().layer_count; ++i) {
        require(same_header(a.out().layers[i], b.out().layers[i]), "the same headers");
        require(same_bytes(a.out().layers[i], b.out().layers[i]), "the same bytes behind them");
    }
    for (std::size_t i = 0; i < kEventCount; ++i) {
        const auto event = static_cast<Event>(i);
        if (std::find(std::begin(kOfSums), std::end(kOfSums), event) == std::end(kOfSums))
            require(a.count(event) == b.count(event), "the same events");
    }
}

// A packet in a block of its own size.
struct Packet {
    std::unique_ptr<std::uint8_t[]> bytes;
    PacketView view;

    Packet(const PacketView& like, const std::uint8_t* data, std::uint32_t size)
        : bytes(std::make_unique<std::uint8_t[]>(size)), view(like) {
        if (size != 0) std::memcpy(bytes.get(), data, size);
        view.data = bytes.get();
        view.captured = size;
    }
};

// Where the IP header begins, in a packet whose link headers have no say in where it ends.
std::optional<std::uint32_t> ip_offset(const PacketView& view) {
    Cursor at = {view.data, view.captured, view.length - view.captured};
    if (skip_link_headers(view.link, at, nullptr)) return {};
    const auto offset = static_cast<std::uint32_t>(at.data - view.data);
    if (offset + at.captured != view.captured || at.missing != view.length - view.captured) return {};
    return offset;
}

bool is_v6(const PacketView& view, std::uint32_t ip) {
    return view.captured >= ip + kIpv6HeaderLength && view.data[ip] >> 4 == 6;
}

Ipv6Chain walked(const PacketView& view, std::uint32_t ip) {
    Ipv6Chain chain;
    chain.source = IpAddress::from_v6(view.data + ip + 8);
    chain.destination = IpAddress::from_v6(view.data + ip + 24);
    chain.next_header = view.data[ip + 6];
    Cursor at = {view.data + ip, view.captured - ip, view.length - view.captured};
    at.skip(kIpv6HeaderLength);
    walk_ipv6_extensions(at, chain, nullptr);
    return chain;
}

// With what says nothing put in: a VLAN tag into a frame that has none, and, into an IPv6 packet without fragments, the
// header of a fragment that is all of it. Anything else as it is.
Packet dressed(const PacketView& view) {
    Packet plain(view, view.data, view.captured);
    const auto ip = ip_offset(view);
    if (!ip) return plain;
    std::vector<std::uint8_t> bytes(view.data, view.data + view.captured);
    const auto put = [&bytes](std::uint32_t at, std::initializer_list<std::uint8_t> header) {
        bytes.insert(bytes.begin() + at, header);
    };
    const std::uint32_t length = is_v6(view, *ip) ? load_be16(view.data + *ip + 4) : 0u;
    if (length != 0 && length + kFragmentHeaderLength <= 65535 && walked(view, *ip).fragment == nullptr) {
        put(*ip + kIpv6HeaderLength, {bytes[*ip + 6], 0, 0, 0, 0, 0, 0, 7});
        bytes[*ip + 4] = static_cast<std::uint8_t>((length + kFragmentHeaderLength) >> 8);
        bytes[*ip + 5] = static_cast<std::uint8_t>(length + kFragmentHeaderLength);
        bytes[*ip + 6] = kProtoFragment;
    }
    const bool tag = view.link == LinkType::ethernet && *ip == kEthernetHeaderLength;
    if (tag) put(12, {0x81, 0, 0, 1});
    Packet packet(view, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    packet.view.length += packet.view.captured - view.captured;
    return ip_offset(packet.view) == *ip + (tag ? 4 : 0) ? std::move(packet) : std::move(plain);
}

// On its way back; one whose extension headers have other addresses as it is.
void exchange_addresses(Packet& packet) {
    const auto ip = ip_offset(packet.view);
    if (!ip || packet.view.captured < *ip + kIpv4HeaderLength) return;
    std::uint8_t* const header = packet.bytes.get() + *ip;
    if (header[0] >> 4 == 4) std::swap_ranges(header + 12, header + 16, header + 16);
    if (!is_v6(packet.view, *ip)) return;
    const Ipv6Chain chain = walked(packet.view, *ip);
    if (chain.home_address_seen || chain.final_destination_seen) return;
    std::swap_ranges(header + 8, header + 24, header + 24);
}

class Sequence {
public:
    explicit Sequence(bool wary)
        : ignore_(ChecksumPolicy::ignore, wary), mark_(ChecksumPolicy::mark, wary),
          verify_(ChecksumPolicy::verify, wary), dressed_(ChecksumPolicy::ignore, wary) {}

    void take(const PacketView& view) {
        Packet packet(view, view.data, view.captured);
        Packet other = dressed(packet.view);
        const std::uint64_t cut_fragments = ignore_.count(Event::incompletely_captured_fragment);
        ignore_.decode(packet.view);
        mark_.decode(packet.view);
        verify_.decode(packet.view);
        dressed_.decode(other.view);
        require_same(ignore_, mark_);
        require(mark_.count(Event::UDP_datagram_length_mismatch) <= ignore_.count(Event::UDP_datagram_length_mismatch),
                "a wrong sum explains a wrong length");
        require_same(ignore_, dressed_);
        if (mark_.count_of_sums() == 0 && mark_.count(Event::ip_hdr_len_zero) == 0) require_same(mark_, verify_);
        const bool together =
            !ignore_.out().borrowed && cut_fragments == ignore_.count(Event::incompletely_captured_fragment);
        const DecodedPacket first = ignore_.out();
        take_more(packet.view, other.view);

        const std::uint32_t hash = forth_.hash(packet.view);
        exchange_addresses(other);
        require(back_.hash(other.view) == hash, "both directions go to the same worker");
        if (together) check_together(first, hash);
    }
    void set_timeouts(const FragmentTimeouts& timeouts) {
        for (Run* run : {&ignore_, &mark_, &verify_, &dressed_}) run->set_timeouts(timeouts);
    }

private:
    // The other frames of an aggregate.
    void take_more(const PacketView& view, const PacketView& other) {
        for (bool more = ignore_.out().borrowed; more;) {
            more = ignore_.decode_more(view);
            require(mark_.decode_more(view) == more && dressed_.decode_more(other) == more, "as many frames");
            const bool verified = verify_.decode_more(view); // fewer, where a wrong sum hides them
            require_same(ignore_, mark_);
            require_same(ignore_, dressed_);
            if (mark_.count_of_sums() != 0 || mark_.count(Event::ip_hdr_len_zero) != 0) continue;
            require(verified == more, "as many frames");
            require_same(mark_, verify_);
        }
    }
    void check_together(const DecodedPacket& out, std::uint32_t hash) {
        for (std::size_t i = 0; i < out.layer_count; ++i) {
            const Layer& layer = out.layers[i];
            if (!layer.makes_connection) continue;
            const auto pair = std::minmax(layer.source.bytes, layer.destination.bytes);
            require(hashes_.try_emplace({pair.first, pair.second}, hash).first->second == hash,
                    "a connection has one worker");
            return;
        }
    }

    Run ignore_;
    Run mark_;
    Run verify_;
    Run dressed_;
    Distribution forth_{1};
    Distribution back_{1};
    using Address = decltype(IpAddress::bytes);
    std::map<std::pair<Address, Address>, std::uint32_t> hashes_; // of the pairs of hosts seen
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzInput input(data, size);
    Sequence sequence((size & 1) != 0);
    Timestamp now = kSecond;
    while (input.size() >= 3) {
        const std::uint8_t option = input.u8();
        const bool more = (option & kMore) != 0;
        const std::uint8_t longer = more ? input.u8() : 0;
        const std::uint8_t time = more ? input.u8() : 0;
        const std::uint8_t timeout = more ? input.u8() : 0;
        const std::string_view bytes = input.long_text();
        PacketView view;
        view.data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        view.captured = static_cast<std::uint32_t>(bytes.size());
        view.length = view.captured + ((option & kCutShort) != 0 ? 1000 + longer * 256u : 0);
        // Seconds forth, or a stamp of the past.
        now += (option & kLater) != 0 ? kMinute : (time & 0x80) == 0 && time != 0 ? time * kSecond / 2 : kMillisecond;
        view.now = now;
        view.time = (time & 0x80) != 0 ? now - std::min<Timestamp>(now, (time & 0x7f) * (kSecond / 8)) : now;
        view.link = static_cast<LinkType>((option & kLinkBits) % (static_cast<unsigned>(LinkType::unknown) + 1));
        view.checksum_known_good = (option & kTrusted) != 0;
        if (timeout != 0) sequence.set_timeouts({.ipv4 = timeout * kSecond, .ipv6 = timeout * kSecond * 2});
        sequence.take(view);
    }
    return 0;
}
