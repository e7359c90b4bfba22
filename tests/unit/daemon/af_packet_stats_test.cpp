// The kernel's counts of AF_PACKET sockets where there is none (af_packet_sockets_test: where there is).
#include "daemon/live/af_packet_stats.h"
#include "tests/support/catch.h"

#include <net/if.h>

using namespace ftpsensor;

TEST_CASE("no socket on the interface: nothing is found and nothing counted") {
    CHECK(find_packet_sockets(if_nametoindex("lo")).empty());
    PacketSocketStats stats({});
    CHECK(stats.poll());
    CHECK(stats.counts().packets == 0);
}

TEST_CASE("a socket that is closed is said, not counted") {
    PacketSocketStats stats({-1});
    CHECK_FALSE(stats.poll());
    CHECK(stats.counts().drops == 0);
}
