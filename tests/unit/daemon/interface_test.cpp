// What is said about network interfaces, and the commands in it.
#include "daemon/live/interface.h"
#include "tests/support/catch.h"

#include <stdexcept>

using namespace ftpsensor;

namespace {

InterfaceState sound() {
    InterfaceState state;
    state.exists = state.up = state.running = state.ethernet = true;
    return state;
}

Notes notes_on(const InterfaceState& state) {
    Notes notes;
    check_interface("eth1", state, notes);
    return notes;
}

} // namespace

TEST_CASE("a sound interface needs no words") { CHECK(notes_on(sound()).empty()); }

TEST_CASE("absent, down and not Ethernet are problems with a remedy; no carrier is a warning") {
    CHECK(notes_on({}).at(0).remedy == "ip -brief link");
    auto state = sound();
    state.up = false;
    CHECK(notes_on(state).at(0).level == NoteLevel::problem);
    CHECK(notes_on(state).at(0).remedy == "ip link set eth1 up");
    state = sound();
    state.ethernet = false;
    CHECK(notes_on(state).at(0).level == NoteLevel::problem);
    state = sound();
    state.running = false;
    CHECK(notes_on(state).at(0).level == NoteLevel::warning);
}

TEST_CASE("the longest frame is the MTU's with its headers, as far as snaplen goes") {
    auto state = sound();
    state.mtu = 1500;
    CHECK(longest_frame(state, 9216) == 1522); // a header of 14 bytes, two tags of 4
    CHECK(longest_frame(state, 200) == 200);
    state.mtu = 65536; // loopback's
    CHECK(longest_frame(state, 9216) == 9216);
    state.mtu = UINT32_MAX;
    CHECK(longest_frame(state, 9216) == 9216);
    state.mtu = 0; // could not be asked
    CHECK(longest_frame(state, 9216) == 9216);
}

TEST_CASE("the command switches off what is on, by ethtool's names") {
    CHECK(shell_words(offload_command("eth1", {Offload::gro, Offload::lro})) == "ethtool -K eth1 gro off lro off");
    CHECK(shell_words(offload_command("veth0", {Offload::tso, Offload::gso})) == "ethtool -K veth0 tso off gso off");
}

TEST_CASE("the loopback interface is there, carries Ethernet headers and says what it is") {
    const auto state = inspect_interface("lo");
    REQUIRE(state.exists);
    CHECK(state.loopback);
    CHECK(state.ethernet);
    CHECK(state.mtu > 0);
    bool elsewhere = true;
    CHECK(veth_peer("lo", elsewhere).empty());
    CHECK_FALSE(elsewhere);
}

TEST_CASE("names that no interface can have are absent, not cut short to one that exists") {
    CHECK_FALSE(inspect_interface("lo-with-a-name-over-fifteen").exists);
    CHECK_FALSE(inspect_interface("").exists);
    Notes notes;
    CHECK_THROWS_AS(InterfaceGuard("no-such-if", notes), std::runtime_error);
}
