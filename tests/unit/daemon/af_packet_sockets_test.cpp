// The kernel's counts of AF_PACKET sockets. Skipped without CAP_NET_RAW (af_packet_stats_test has what needs no
// socket).
#include "daemon/live/af_packet_stats.h"
#include "tests/support/catch.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

class PacketSocket { // on the loopback interface; fd -1 where it may not be opened
public:
    PacketSocket() : fd(socket(AF_PACKET, SOCK_RAW, 0)) {
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ETH_P_IP);
        address.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
        if (fd >= 0) bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
    ~PacketSocket() {
        if (fd >= 0) close(fd);
    }
    PacketSocket(const PacketSocket&) = delete;
    PacketSocket& operator=(const PacketSocket&) = delete;
    const int fd;
};

void send_datagrams(int count) {
    const int out = socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(9);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) sendto(out, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    close(out);
}

} // namespace

TEST_CASE("sockets are found by interface, in the order they were opened, and counts add up over reads that reset") {
    const PacketSocket first;
    const PacketSocket second;
    if (first.fd < 0) test::skip_program("AF_PACKET sockets need CAP_NET_RAW");
    const auto found = find_packet_sockets(if_nametoindex("lo"));
    REQUIRE(found.size() == 2);
    CHECK(found[0] == first.fd);
    CHECK(found[1] == second.fd);
    CHECK(find_packet_sockets(if_nametoindex("lo") + 4711).empty());

    PacketSocketStats stats({first.fd});
    send_datagrams(5);
    CHECK(stats.poll());
    const auto once = stats.counts().packets;
    CHECK(once >= 5); // each is seen sent and received; other programs may use the interface as well
    send_datagrams(5);
    CHECK(stats.poll());
    CHECK(stats.counts().packets >= once + 5);
    stats.forget();
    CHECK(stats.counts().packets == 0);
}

TEST_CASE("a full receive buffer is counted as drops") {
    const PacketSocket socket;
    if (socket.fd < 0) test::skip_program("AF_PACKET sockets need CAP_NET_RAW");
    const int smallest = 1;
    setsockopt(socket.fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
    send_datagrams(200);
    PacketSocketStats stats({socket.fd});
    CHECK(stats.poll());
    CHECK(stats.counts().drops > 0);
    CHECK(stats.counts().packets > stats.counts().drops);
}
