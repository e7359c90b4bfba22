// Community ids: the specification's vectors, and Zeek's where it differs or goes further.
#include "core/log/community_id.h"
#include "tests/support/catch.h"

#include <string>

using namespace ftpsensor;

namespace {

std::string community_id(const char* orig_h, std::uint16_t orig_p, const char* resp_h, std::uint16_t resp_p,
                         Transport proto, std::uint8_t ip_proto = 0) {
    char text[kCommunityIdChars];
    const EndpointId id{*IpAddress::parse(orig_h), orig_p, *IpAddress::parse(resp_h), resp_p};
    return std::string(text, put_community_id(text, id, proto, ip_proto));
}

} // namespace

TEST_CASE("TCP and UDP, either side first") {
    CHECK(community_id("1.2.3.4", 1122, "5.6.7.8", 3344, Transport::tcp) == "1:wCb3OG7yAFWelaUydu0D+125CLM=");
    CHECK(community_id("5.6.7.8", 3344, "1.2.3.4", 1122, Transport::tcp) == "1:wCb3OG7yAFWelaUydu0D+125CLM=");
    CHECK(community_id("1.2.3.4", 1122, "5.6.7.8", 3344, Transport::udp) == "1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=");
    CHECK(community_id("128.232.110.120", 34855, "66.35.250.204", 80, Transport::tcp) ==
          "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    CHECK(community_id("192.168.1.52", 54585, "8.8.8.8", 53, Transport::udp) == "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
    CHECK(community_id("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, Transport::tcp) ==
          "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
}

TEST_CASE("ICMP that is answered: type and counterpart") {
    CHECK(community_id("192.168.0.89", 8, "192.168.0.1", 0, Transport::icmp) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    CHECK(community_id("192.168.0.1", 0, "192.168.0.89", 8, Transport::icmp) == "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
    CHECK(community_id("1.2.3.4", 8, "5.6.7.8", 0, Transport::icmp) == "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=");
    CHECK(community_id("3ffe:507:0:1:200:86ff:fe05:80da", 128, "3ffe:501:0:1001::2", 129, Transport::icmp) ==
          "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=");
    CHECK(community_id("fe80::260:97ff:fe07:69ea", 134, "ff02::1", 133, Transport::icmp) ==
          "1:pkvHqCL88/tg1k4cPigmZXUtL00=");
}

TEST_CASE("ICMP over IPv6 is hashed as ICMPv6, whatever the IP header says") {
    CHECK(community_id("fe80:1:203:405:607:809:a0b:c0d", 128, "fe80:1011:1213:1415:1617:1819:1a1b:1c1d", 129,
                       Transport::icmp, 1) == "1:0bf7hyMJUwt3fMED7z8LIfRpBeo=");
}

TEST_CASE("ICMP that nothing answers keeps its direction") {
    CHECK(community_id("3ffe:507:0:1:260:97ff:fe07:69ea", 3, "3ffe:507:0:1:200:86ff:fe05:80da", 0, Transport::icmp) ==
          "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=");
    CHECK(community_id("3ffe:507:0:1:200:86ff:fe05:80da", 1, "3ffe:501:4819::42", 4, Transport::icmp) ==
          "1:jwuBy9UWZK1KUFqJV5cHdVpfrlY=");
    CHECK(community_id("10.0.0.2", 3, "10.0.0.1", 1, Transport::icmp) !=
          community_id("10.0.0.1", 3, "10.0.0.2", 1, Transport::icmp));
}

TEST_CASE("other protocols have no ports, SCTP has") {
    CHECK(community_id("192.168.170.8", 0, "192.168.170.56", 0, Transport::unknown, 132) ==
          "1:U5cVwrVgLshgANPmc8hKzEcqp1M=");
    CHECK(community_id("10.0.0.1", 1, "10.0.0.2", 2, Transport::unknown, 47) ==
          community_id("10.0.0.1", 3, "10.0.0.2", 4, Transport::unknown, 47));
    CHECK(community_id("10.0.0.1", 1, "10.0.0.2", 2, Transport::unknown, 132) !=
          community_id("10.0.0.1", 3, "10.0.0.2", 4, Transport::unknown, 132));
}

TEST_CASE("between equal addresses the ports decide, either side first") {
    CHECK(community_id("127.0.0.1", 40284, "127.0.0.1", 21, Transport::tcp) ==
          community_id("127.0.0.1", 21, "127.0.0.1", 40284, Transport::tcp));
    // by the low byte first, as Zeek has it on little-endian machines: 80 (0x0050) comes behind 30000 (0x7530)
    CHECK(community_id("127.0.0.1", 30000, "127.0.0.1", 80, Transport::tcp) == "1:NnGA430rvRo0C0nPjxhkwa+m2MU=");
    CHECK(community_id("127.0.0.1", 13000, "127.0.0.1", 30000, Transport::udp) == "1:kWHDiPCAjpI1hL60TriSrSj2Qf8=");
}
