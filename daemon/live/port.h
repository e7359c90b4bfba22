// One capture port: a DPDK device from its name in the config to queues that workers poll.
//
// A port is named by network interface (net_af_packet or net_af_xdp is made on it), PCI address, or vdev string as EAL
// takes it (net_null0, net_pcap0,rx_pcap=x.pcap, net_ring0). It gets one rx queue a worker, or as many as it has. Needs
// a live Eal. Main thread; between start() and stop() the queues belong to the workers, one each.
#pragma once

#include "config/config.h"
#include "daemon/live/af_packet_stats.h"
#include "daemon/live/device_watch.h"
#include "daemon/live/interface.h"
#include "daemon/live/interface_drops.h"
#include "daemon/live/note.h"
#include "daemon/live/packet_ring.h"
#include "daemon/live/ring_geometry.h"
#include "daemon/live/rx_clock.h"
#include "daemon/live/spread.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct rte_mempool;
struct rte_eth_dev_info;
struct rte_eth_conf;

namespace ftpsensor {

// What a worker needs to poll its queue of a port.
struct RxSource {
    std::uint16_t port_id = 0;
    std::uint16_t queue_id = 0;
    StampSource stamps;
    PacketRing* ring = nullptr; // AF_PACKET: the kernel's own record of each packet; the port's
    int wait_fd = -1;           // readable when packets are there; -1: the port has no such thing
};

struct PortCounts { // since start()
    std::uint64_t received = 0;
    std::uint64_t bytes = 0;
    std::uint64_t missed = 0;          // the port's own drops: no descriptor was free (imissed; with AF_XDP, no frame)
    std::uint64_t errors = 0;          // damaged frames (ierrors)
    std::uint64_t no_mbuf = 0;         // looks that found the pool of packet buffers empty: no packets
    std::uint64_t kernel_drops = 0;    // AF_PACKET: found the ring full
    std::uint64_t interface_drops = 0; // AF_PACKET, AF_XDP: lost before the ring
    std::uint64_t unclaimed = 0;       // the same: InterfaceDrops
    struct Queue {                     // as far as the driver, or the kernel, tells them apart
        std::uint64_t errors = 0;
        std::uint64_t kernel_drops = 0;
    };
    std::vector<Queue> queues;
};

class Port {
public:
    // Probes and configures the port. Throws std::runtime_error that names the port and what to do about it.
    Port(const PortConfig& config, const Config& all, std::size_t index, Notes& notes);
    ~Port(); // stopped and closed; the interface gets its offloads back
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    const std::string& name() const { return name_; } // as in the config: "eth1", "0000:3b:00.0", "net_null0"
    PortKind kind() const { return kind_; }
    std::uint16_t queues() const { return queues_; }
    std::uint16_t port_id() const { return port_id_; }

    // Starts it to see what it takes of RSS, and no more: the network interface behind it stays as it is.
    void ask(Notes& notes);
    // Packets arrive. Notes, too, what the port took of RSS, as far as several queues are about that.
    void start(Notes& notes);
    // After start(), of all ports: capture begins with the packets that arrive from now on, and workers can poll at
    // once. Waits, where the port stamps by a clock of its own, until 50 ms have passed since start().
    void begin();
    // Workers are about to read no more than what their queues hold now: what comes after that is no loss. Loss figures
    // stay as they are.
    void freeze_losses();
    void stop(); // only once no worker polls

    // Worker `worker`'s queue; empty where the port has fewer queues than there are workers.
    std::optional<RxSource> source(std::uint32_t worker) const;

    PortCounts counts();                                                         // reads the kernel's figures too
    void check_link(Notes& notes);                                               // notes a change since the last call
    PortSpread spread() const { return {name_, kind_, queues_, parts_, hash_}; } // after start(): as the port took it
    bool link_up() const { return carrier_; }                                    // as of the last check_link()
    // The same: its interface is another one now, or its device is taken away: nothing will be seen of it.
    bool replaced() const { return replaced_; }
    std::vector<std::pair<std::string, std::uint64_t>> loss_details(); // the driver's own counters of loss, not 0

private:
    std::string probe(const PortConfig& config, const Config& all, std::size_t index, Notes& notes);
    std::string af_packet_arguments(const Config& all, Notes& notes);
    std::string af_xdp_device_arguments(const Config& all, Notes& notes);
    void make_device(const std::string& device, const std::string& arguments);
    void configure(const Config& all, Notes& notes);
    std::uint64_t rx_offloads(const Config& all, std::uint64_t capability);
    void apply(const rte_eth_conf& conf);
    std::uint16_t descriptors_wanted(const CaptureConfig& capture) const;
    void find_port();
    void set_up_queues(const Config& all, const rte_eth_dev_info& info, bool scatter, Notes& notes);
    void make_pool(std::uint32_t mbufs, std::uint32_t room, int socket, Notes& notes);
    void set_up_rss(const Config& all, const rte_eth_dev_info& info, rte_eth_conf& conf);
    void report_rss(Notes& notes);
    void note_own_key(std::uint64_t fields, Notes& notes);
    void note_foreign_key(bool told, int refused, const std::vector<std::uint8_t>& key, std::uint64_t fields,
                          Notes& notes);
    void find_stamps();
    void start_interface(Notes& notes);
    void discard_earlier_packets();
    void read_counts();
    std::vector<std::pair<std::string, std::uint64_t>> read_loss_details() const;
    void note_gone(const InterfaceLink& link, Notes& notes);
    void note_removed(Notes& notes);
    [[noreturn]] void fail(const std::string& what, int error) const;

    std::string name_;
    PortKind kind_ = PortKind::virtual_device;
    std::unique_ptr<InterfaceGuard> interface_;      // kinds interface and af_xdp
    std::optional<RingGeometry> ring_;               // kind interface
    std::optional<PacketSocketStats> kernel_counts_; // kind interface
    std::optional<InterfaceDrops> interface_drops_;  // kinds interface and af_xdp
    std::unique_ptr<DeviceWatch> watch_;             // the other kinds, while started
    struct QueueRing {
        QueueRing(int socket, const RingGeometry& geometry, std::uint16_t burst)
            : mapping(socket, geometry), ring(mapping.data(), geometry, burst) {}
        RingMapping mapping;
        PacketRing ring;
    };
    std::vector<std::unique_ptr<QueueRing>> rings_; // kind interface, one a queue; none where the sockets hide
    std::string device_;                            // DPDK's name of it
    std::string driver_;
    std::string parts_;                 // PortSpread's
    std::string hash_;                  // the same
    std::vector<std::uint8_t> rss_key_; // that was asked for; empty: none
    std::uint64_t rss_fields_ = 0;
    std::uint16_t rss_table_ = 0; // its entries
    bool only_by_ports_ = false;  // the port cannot do without them, though it should
    std::uint16_t port_id_ = 0;
    std::uint16_t queues_ = 0;
    std::uint16_t burst_ = 0;
    bool opened_ = false;
    bool started_ = false;
    bool losses_frozen_ = false;
    PortCounts counts_; // as last read
    std::vector<std::pair<std::string, std::uint64_t>> details_;
    bool replays_file_ = false; // net_pcap from a file: its stamps are of another day
    bool stamp_offload_ = false;
    bool carrier_ = true; // as last noted
    bool gone_ = false;   // its interface; as last noted
    bool replaced_ = false;
    StampSource stamps_;
    PortClock clock_; // where that is in ticks
    rte_mempool* pool_ = nullptr;
};

} // namespace ftpsensor
