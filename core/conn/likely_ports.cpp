#include "core/conn/likely_ports.h"

namespace ftpsensor {

namespace {

constexpr std::uint16_t kTcp[] = {
    22,                                                                   // SSH
    25,    587,                                                           // SMTP
    53,                                                                   // DNS
    79,                                                                   // finger
    80,    81,   631,  1080, 3128, 8000, 8080, 8888,                      // HTTP, SOCKS
    88,                                                                   // Kerberos
    135,                                                                  // DCE-RPC
    139,   445,                                                           // SMB
    143,                                                                  // IMAP
    389,   3268,                                                          // LDAP
    443,   465,  563,  585,  614,  636,  989,  990,  992, 993, 995, 5223, // TLS
    502,                                                                  // Modbus
    514,                                                                  // syslog
    1434,  3306,                                                          // MySQL
    1883,                                                                 // MQTT
    3389,                                                                 // RDP
    5222,  5269,                                                          // XMPP
    5432,                                                                 // PostgreSQL
    6379,                                                                 // Redis
    6666,  6667, 6668, 6669,                                              // IRC
    20000,                                                                // DNP3
};

constexpr std::uint16_t kUdp[] = {
    53,    137,  5353, 5355, // DNS and its kin
    67,    4011,             // DHCP
    88,                      // Kerberos
    123,                     // NTP
    161,   162,              // SNMP
    389,                     // LDAP
    443,                     // DTLS, QUIC
    514,                     // syslog
    1812,                    // RADIUS
    2123,  2152,             // GTP
    3389,                    // RDP
    3544,                    // Teredo
    4754,                    // GRE in UDP
    4789,                    // VXLAN
    5060,                    // SIP
    5072,                    // AYIYA
    6081,                    // Geneve
    20000,                   // DNP3
};

} // namespace

LikelyServerPorts::LikelyServerPorts(std::span<const std::uint16_t> ftp_ports) {
    for (const auto port : kTcp) tcp_.set(port);
    for (const auto port : kUdp) udp_.set(port);
    for (const auto port : ftp_ports) tcp_.set(port);
}

} // namespace ftpsensor
