// Port: its figures when the port does not tell them any more, and a device that is taken away.
#define ALLOW_EXPERIMENTAL_API // rte_dev_event_callback_process()
#include "daemon/live/port.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/rx_loop_support.h"

#include <array>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

using namespace ftpsensor;

namespace {

std::uint16_t fetch(const Port& port) {
    std::array<rte_mbuf*, 32> mbufs{};
    const std::uint16_t n = rte_eth_rx_burst(port.port_id(), 0, mbufs.data(), mbufs.size());
    rte_pktmbuf_free_bulk(mbufs.data(), n);
    return n;
}

} // namespace

TEST_CASE("what a port counted is told after it was stopped, and as well when its driver does not answer") {
    const auto port = make_port({packet(60, 1), packet(70, 2)}, small_config());
    while (port->counts().received < 2) fetch(*port);
    CHECK(port->counts().bytes == 130);
    port->stop();
    CHECK(port->counts().received == 2);
    rte_eth_stats_reset(port->port_id()); // what a driver does that knows nothing once it is stopped
    CHECK(port->counts().received == 2);
    CHECK(port->counts().bytes == 130);
}

TEST_CASE("once losses are frozen packets are still counted, and no loss") {
    const auto port = make_port({packet(60, 1)}, small_config());
    port->freeze_losses();
    while (fetch(*port) != 0) {
    }
    const PortCounts counts = port->counts();
    CHECK(counts.received == 1);
    CHECK(counts.missed == 0);
    CHECK(counts.kernel_drops == 0);
}

TEST_CASE("a device that is being taken away ends the sensor, and it is said once") {
    const auto port = start_port("net_null7", small_config());
    Notes notes;
    port->check_link(notes);
    CHECK(notes.empty());
    CHECK(port->link_up());
    CHECK_FALSE(port->replaced());
    rte_dev_event_callback_process("net_null7", RTE_DEV_EVENT_ADD); // of no interest
    port->check_link(notes);
    CHECK_FALSE(port->replaced());
    rte_dev_event_callback_process("net_null7", RTE_DEV_EVENT_REMOVE);
    port->check_link(notes);
    port->check_link(notes);
    CHECK(port->replaced());
    CHECK_FALSE(port->link_up());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].level == NoteLevel::problem);
    CHECK(notes[0].text.find("net_null7: the device is being taken away") == 0);
    port->stop();
    rte_dev_event_callback_process("net_null7", RTE_DEV_EVENT_REMOVE); // nobody listens any more
}
