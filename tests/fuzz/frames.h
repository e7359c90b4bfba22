// Frames of every sort that the decoder knows, for the seeds of fuzzers and the stories of the pipeline's: link layers,
// extension headers, tunnels, fragments, and what runs over them.
#pragma once

#include "core/packet/packet_view.h"
#include "tests/support/packet_builder.h"

#include <initializer_list>
#include <string>
#include <vector>

namespace ftpsensor::test {

struct FrameOfKind {
    LinkType link;
    Bytes bytes;
};

inline Payload raw_payload(std::initializer_list<int> numbers, const std::string& more = {}) {
    Payload p;
    for (const int n : numbers) p.data += static_cast<char>(n);
    p.data += more;
    return p;
}

inline std::vector<Header> one_after_other(std::vector<Header> first, const std::vector<Header>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

// Behind Ethernet, so that they may be in one capture with others.
inline std::vector<Bytes> ethernet_frames() {
    const std::vector<Header> tcp4 = {Ipv4{}, Tcp{.source_port = 50000, .destination_port = 21},
                                      Payload{"USER in\r\n"}};
    const std::vector<Header> tcp6 = {Ipv6{}, Tcp{.source_port = 50000, .destination_port = 21},
                                      Payload{"USER in\r\n"}};
    const std::vector<Header> frame4 = one_after_other({Ethernet{}}, tcp4);
    const std::string signature(2 + 20, 's');
    const auto udp = [](std::uint16_t port) { return Header{Udp{.destination_port = port}}; };
    const auto gre = [](const Gre& header) { return Header{header}; };
    const std::vector<std::pair<std::vector<Header>, std::vector<Header>>> kinds = {
        {{Vlan{}, Vlan{.id = 2}, Ipv4{}, Udp{}, Payload{"tagged"}}, {}},
        {{Mpls{}, Mpls{}, Ipv6{}, Tcp{.flags = kFlagSyn, .options = {.mss = 1460, .window_scale = 7}}}, {}},
        {{Pppoe{}, Ipv4{}, Icmp{}, Payload{"ping"}}, {}},
        {{Ipv4{}, Icmp{.type = 0}, Payload{"pong"}}, {}},
        {{Ipv6{}, Icmp{.type = 128}, Payload{"ping"}}, {}},
        {{Ipv6{}, Ipv6Extension{}, Ipv6Extension{.kind = 60}, Ipv6Extension{.kind = 43}, Udp{}}, {}},
        {{Ipv4{.options = Bytes(12, 1)}, Tcp{.flags = kFlagRst}}, {}},
        {{Ipv4{}, Udp{}, raw_payload({0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, "question")}, {}}, // DNS, and its answer
        {{Ipv4{.source = ip("10.0.0.2"), .destination = ip("10.0.0.1")},
          Udp{.source_port = 53, .destination_port = 40000},
          raw_payload({0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, "answer")},
         {}},
        {{Ipv4{}, udp(137), raw_payload({0, 7, 0x85, 0, 0, 0, 0, 1, 0, 0, 0, 0})}, {}},
        {{Ipv4{}, udp(123), raw_payload({0x24}, std::string(47, 0))}, {}},
        {{Ipv4{}, gre({.with_checksum = true, .key = 5})}, tcp4},
        {{Ipv4{}, gre({.sequence = 1, .protocol = 0x88be}), raw_payload({0x10, 0, 0, 0, 0, 0, 0, 0})}, frame4},
        {{Ipv4{}, gre({.sequence = 1, .protocol = 0x22eb}), raw_payload({0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
         frame4},
        {{Ipv4{}, gre({.key = 5, .sequence = 1, .acknowledgment = 1, .version = 1, .protocol = 0x880b}),
          raw_payload({0xff, 3, 0, 0x21})},
         tcp4},
        {{Ipv4{}, gre({.protocol = 0x8200}),
          raw_payload({8, 0}, std::string(22, 'a') + "\xaa\xaa\3" + std::string(3, 0) + '\x08' + '\0')},
         tcp4},
        {{Ipv4{}, udp(4789), Vxlan{}}, frame4},
        {{Ipv4{}, udp(4789), Vxlan{.flags = 0}}, frame4},
        {{Ipv4{}, udp(6081), Geneve{.options = Bytes(8, 0)}}, frame4},
        {{Ipv4{}, udp(6081), Geneve{}}, tcp6},
        {{Ipv4{}, udp(3544), raw_payload({0, 1, 2, 3, 'i', 'd', 'k', 'e', 'y', 0, 0, 0, 0, 0, 0, 0, 0, 0})}, tcp6},
        {{Ipv4{}, Udp{}}, {Ipv6{.source = ip("2001::1")}, Tcp{.source_port = 1234}, Payload{"inside"}}},
        {{Ipv4{}, udp(5072), raw_payload({0x10, 0x52, 0x11, 41, 0, 0, 0, 0}, signature)}, tcp6},
        {{Ipv4{}, udp(5072), raw_payload({0x10, 0x52, 0x11, 4, 0, 0, 0, 0}, signature)}, tcp4},
        {{Ipv4{}, udp(2152), raw_payload({0x30, 255, 0, 0, 0, 0, 0, 1})}, tcp4},
        {{Ipv4{}, udp(2152),
          raw_payload({0x34, 255, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0x85, 1, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0})},
         tcp6},
        {{Ipv4{}, Ipv6{}, Ipv4{}, Ipv4{}, Ipv4{}}, tcp4},
        {{Ipv4{}}, tcp4},
        {{Ipv4{}}, tcp6},
    };
    std::vector<Bytes> frames;
    for (const auto& [outer, inner] : kinds)
        frames.push_back(build(one_after_other(one_after_other({Ethernet{}}, outer), inner)));
    for (const bool six : {false, true}) {
        const Header header = six ? Header{Ipv6{}} : Header{Ipv4{}};
        for (const Bytes& f : build_fragments({Ethernet{}, header, Udp{}, Payload{std::string(200, 'f')}}, 64))
            frames.push_back(f);
    }
    return frames;
}

inline std::vector<FrameOfKind> frames_of_all_kinds() {
    const std::vector<Header> inside = {Ipv4{}, Tcp{.source_port = 50000, .destination_port = 21},
                                        Payload{"USER in\r\n"}};
    const std::string addresses(22, 'a'), snap = "\xaa\xaa\3" + std::string(3, 0) + '\x08' + '\0';
    const std::vector<std::pair<LinkType, std::vector<Header>>> links = {
        {LinkType::raw_ip, {}},
        {LinkType::null_host, {Loopback{}}},
        {LinkType::loop_network, {Loopback{.network_byte_order = true}}},
        {LinkType::linux_cooked, {LinuxCooked{}, Vlan{}}},
        {LinkType::linux_cooked2, {LinuxCooked2{}}},
        {LinkType::ppp, {Ppp{.hdlc_framing = true}}},
        {LinkType::ppp_serial, {Ppp{.hdlc_framing = true}}},
        {LinkType::fddi, {Payload{std::string(13, 'f') + snap}}},
        {LinkType::ieee802_11, {raw_payload({0x08, 0}, addresses + snap)}},
        {LinkType::ieee802_11, {raw_payload({0x88, 3}, addresses + "sixth!" + std::string(2, 0) + snap)}},
        {LinkType::ieee802_11,
         {raw_payload({0x88, 1}, addresses + '\x80' + '\0' + "of both ends" + '\0' + '\x39' + snap)}},
        {LinkType::radiotap, {raw_payload({0, 0, 6, 0, 9, 9, 8, 0}, addresses + snap)}},
        {LinkType::nflog, {raw_payload({2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 4, 0, 9, 0})}},
        {LinkType::unknown, {}},
    };
    std::vector<FrameOfKind> frames;
    for (const Bytes& frame : ethernet_frames()) frames.push_back({LinkType::ethernet, frame});
    for (const auto& [link, outer] : links) frames.push_back({link, build(one_after_other(outer, inside))});
    const Bytes packet = build(inside);
    const std::string subframe =
        "of both ends" + std::string("\0\x39", 2) + snap + std::string(packet.begin(), packet.end()) + '\0';
    const Payload aggregate = raw_payload({0x88, 1}, addresses + '\x80' + '\0' + subframe + subframe + subframe);
    frames.push_back({LinkType::ieee802_11, build({aggregate})});
    frames.push_back({LinkType::raw_ip, build({Ipv4{.protocol = 47}, raw_payload({0, 0, 0x90, 0}), aggregate})});
    return frames;
}

} // namespace ftpsensor::test
