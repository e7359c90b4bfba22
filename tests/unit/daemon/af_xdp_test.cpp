// What stands in the way of AF_XDP is said, with what to do about it.
#include "daemon/live/af_xdp.h"
#include "tests/support/catch.h"

#include <cerrno>

using namespace ftpsensor;

namespace {

InterfaceState interface_with_mtu(std::uint32_t mtu) {
    InterfaceState state;
    state.exists = state.up = state.running = state.ethernet = true;
    state.mtu = mtu;
    return state;
}

Notes found(const AfXdpState& state, std::uint32_t workers, std::uint32_t mtu = 1500) {
    Notes notes;
    check_af_xdp("eth1", interface_with_mtu(mtu), state, workers, notes);
    return notes;
}

} // namespace

TEST_CASE("as many sockets as the interface has queues: nothing to say") {
    CHECK(found({.error = 0, .queues = 1, .served = 1, .rss_key = {}}, 1).empty());
    CHECK(found({.error = 0, .queues = 4, .served = 4, .rss_key = {}}, 4).empty());
    CHECK(found({.error = 0, .queues = 1, .served = 1, .rss_key = {}}, 4)
              .empty()); // the other workers are handed packets
}

TEST_CASE("queues that nobody would read are a problem, since their packets would not be seen") {
    const Notes few_workers = found({.error = 0, .queues = 8, .served = 8, .rss_key = {}}, 2);
    REQUIRE(few_workers.size() == 1);
    CHECK(few_workers[0].level == NoteLevel::problem);
    CHECK(few_workers[0].remedy == "ethtool -L eth1 combined 2, or workers.count: 8");
    const Notes not_combined = found({.error = 0, .queues = 2, .served = 1, .rss_key = {}}, 2); // as veth counts them
    REQUIRE(not_combined.size() == 1);
    CHECK(not_combined[0].remedy == "ethtool -L eth1 rx 1");
}

TEST_CASE("a kernel without AF_XDP, and one that refuses it") {
    const Notes none = found({.error = EAFNOSUPPORT, .queues = 1, .served = 1, .rss_key = {}}, 1);
    REQUIRE(none.size() == 1);
    CHECK(none[0].text == "eth1: this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)");
    CHECK(none[0].remedy.find("interface: eth1") != std::string::npos);
    CHECK_THROWS_WITH(throw_first_problem(none), none[0].text + "; try: " + none[0].remedy);
    CHECK(found({.error = EPERM, .queues = 1, .served = 1, .rss_key = {}}, 1).at(0).level == NoteLevel::problem);
}

TEST_CASE("an MTU that does not fit a chunk loses frames") {
    CHECK(found({}, 1, 3434).empty());
    const Notes jumbo = found({}, 1, 3435);
    REQUIRE(jumbo.size() == 1);
    CHECK(jumbo[0].level == NoteLevel::warning);
    CHECK(found({}, 1, 9000).at(0).remedy.starts_with("ip link set eth1 mtu 3434"));
}

TEST_CASE("a key by which the two directions part is a warning, with the command for one by which they do not") {
    AfXdpState state{.error = 0, .queues = 2, .served = 2, .rss_key = {}};
    CHECK(found(state, 2).empty()); // the card tells no key
    state.rss_key = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b};
    const Notes parted = found(state, 2);
    REQUIRE(parted.size() == 1);
    CHECK(parted[0].level == NoteLevel::warning);
    CHECK(parted[0].remedy == "ethtool -X eth1 hkey 6d:5a:6d:5a:6d:5a");
    state.rss_key = {0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a};
    CHECK(found(state, 2).empty());
}

TEST_CASE("any interface can be asked") {
    const AfXdpState state = inspect_af_xdp("lo");
    CHECK(state.queues >= 1);
    CHECK(state.served >= 1);
}
