// Port: its figures when the port does not tell them any more, and a device that is taken away.
#define ALLOW_EXPERIMENTAL_API // rte_dev_event_callback_process()
#include "daemon/live/port.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/rx_loop_support.h"

#include <array>
#include <string>
#include <vector>

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

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

// net_pcap counts a packet for which its pool has no buffer.
TEST_CASE("once losses are frozen packets are still counted, and no loss") {
    const auto port = make_port({packet(60, 1), packet(60, 2)}, small_config());
    rte_eth_dev_info info{};
    REQUIRE(rte_eth_dev_info_get(port->port_id(), &info) == 0);
    rte_mempool* const pool = rte_mempool_lookup((std::string(rte_dev_name(info.device)) + "_pool").c_str());
    REQUIRE(pool != nullptr);
    std::vector<rte_mbuf*> held;
    while (rte_mbuf* mbuf = rte_pktmbuf_alloc(pool)) held.push_back(mbuf);
    CHECK(fetch(*port) == 0);
    const std::uint64_t before = port->counts().no_mbuf;
    CHECK(before > 0);
    port->freeze_losses();
    CHECK(fetch(*port) == 0);
    CHECK(port->counts().no_mbuf == before);
    rte_eth_stats stats{};
    REQUIRE(rte_eth_stats_get(port->port_id(), &stats) == 0);
    CHECK(stats.rx_nombuf > before); // as the driver goes on to say
    rte_pktmbuf_free_bulk(held.data(), static_cast<unsigned>(held.size()));
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
