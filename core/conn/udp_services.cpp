#include "core/conn/udp_services.h"

namespace ftpsensor {
namespace {

constexpr Duration kDnsSilence = kDnsSessionTimeout - kSecond;

// As Zeek sees it: of IPv4, 224.0.0.0/8 alone.
bool is_multicast(const IpAddress& a) { return a.is_v4() ? a.bytes[12] == 224 : a.bytes[0] == 0xff; }

} // namespace

bool is_dns(const Connection& c) {
    const std::uint16_t port = c.id().resp_p;
    return port == 53 || port == 137 || port == 5353 || port == 5355;
}

bool is_answer(const Connection& c, const Layer& layer) {
    constexpr std::uint16_t ntp_port = 123, netbios_port = 137;
    constexpr std::uint32_t dns_header = 12, ntp_packet = 48;
    constexpr unsigned query = 0, notify = 4, dynamic_update = 5;
    constexpr unsigned ntp_server = 4;
    const EndpointId id = c.id();
    if (id.resp_p == ntp_port) return layer.payload_captured >= ntp_packet && (layer.payload[0] & 0x07) == ntp_server;
    if (!is_dns(c) || layer.payload_captured < dns_header || (layer.payload[2] & 0x80) == 0) return false;
    const unsigned operation = layer.payload[2] >> 3 & 0x0f;
    const bool known = operation == query || operation == notify || operation == dynamic_update ||
                       id.orig_p == netbios_port || id.resp_p == netbios_port;
    return known && !is_multicast(id.resp_h);
}

bool dns_deadline_reached(Connection& c) {
    Timestamp& deadline = c.cold().deadline;
    if (deadline - c.seen >= kDnsSilence) return true;
    deadline += kDnsSessionTimeout;
    return false;
}

} // namespace ftpsensor
