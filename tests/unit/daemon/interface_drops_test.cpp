// What an interface lost before any socket saw it. The kernel's part is skipped without CAP_NET_ADMIN and /dev/net/tun.
#include "daemon/live/interface_drops.h"
#include "tests/support/catch.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace ftpsensor;

namespace {

class TapInterface { // of no name of ours, and down: what is sent to it is dropped
public:
    TapInterface() : fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
        ifreq request{};
        request.ifr_flags = IFF_TAP | IFF_NO_PI;
        made = fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0;
        if (made) index = if_nametoindex(request.ifr_name);
    }
    ~TapInterface() {
        if (fd >= 0) close(fd);
    }
    TapInterface(const TapInterface&) = delete;
    TapInterface& operator=(const TapInterface&) = delete;

    void drop(int count) const {
        const std::array<std::uint8_t, 60> frame{};
        for (int i = 0; i < count; ++i) CHECK(write(fd, frame.data(), frame.size()) < 0);
    }

    const int fd;
    bool made = false;
    unsigned index = 0;
};

} // namespace

TEST_CASE("a counter of 32 bits goes on, wraps, or begins anew") {
    CHECK(counter_growth(5, 5) == 0);
    CHECK(counter_growth(5, 12) == 7);
    CHECK(counter_growth(0xfffffff0u, 0x10) == 0x20);
    CHECK(counter_growth(1000, 3) == 3); // a driver that was reset
    CHECK(counter_growth(0xbfffffffu, 3) == 3);
}

TEST_CASE("what the card missed is lost, what was dropped behind it is unclaimed") {
    InterfaceDrops drops(0); // of no interface
    drops.add({.missed = 5, .fifo = 2, .dropped = 100});
    CHECK(drops.lost() == 7);
    CHECK(drops.unclaimed() == 100);
    drops.add({.missed = 6, .fifo = 2, .dropped = 101});
    CHECK(drops.lost() == 8);
    CHECK(drops.unclaimed() == 101);
    drops.poll();
    CHECK(drops.lost() == 8);
}

TEST_CASE("an interface's counters are read by its index, and count from the beginning on") {
    const TapInterface tap;
    if (!tap.made) test::skip_program("a tap interface needs CAP_NET_ADMIN and /dev/net/tun");
    tap.drop(2);
    InterfaceDrops drops(tap.index);
    drops.poll();
    CHECK(drops.unclaimed() == 0);
    tap.drop(3);
    drops.poll();
    drops.poll();
    CHECK(drops.unclaimed() == 3);
    CHECK(drops.lost() == 0);
    InterfaceDrops of_none(tap.index + 4711);
    of_none.poll();
    CHECK(of_none.unclaimed() == 0);
}
