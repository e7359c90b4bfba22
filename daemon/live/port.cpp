#include "daemon/live/port.h"

#include "daemon/live/af_xdp.h"
#include "daemon/live/pci.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <unistd.h>

namespace ftpsensor {
namespace {

constexpr unsigned kPoolCache = 256; // mbufs a worker keeps to itself
constexpr std::uint32_t kSteeredLeast = 256;
constexpr std::uint16_t kVirtualDescriptors = 512;
constexpr auto kAnySocket = static_cast<unsigned>(SOCKET_ID_ANY);

std::string name_of(const PortConfig& config) {
    if (!config.interface.empty()) return config.interface;
    if (!config.af_xdp.empty()) return config.af_xdp;
    if (!config.pci.empty()) return config.pci;
    return config.vdev.substr(0, config.vdev.find(','));
}

PortKind kind_of(const PortConfig& config) {
    if (!config.interface.empty()) return PortKind::interface;
    if (!config.af_xdp.empty()) return PortKind::af_xdp;
    return config.pci.empty() ? PortKind::virtual_device : PortKind::physical;
}

std::uint32_t workers_of(const Config& config) { return config.workers.count; }

// What a frame has beside its MTU, as the port counts.
std::uint32_t overhead_of(const rte_eth_dev_info& info) {
    const bool own = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
    return own ? info.max_rx_pktlen - info.max_mtu : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
}

// The MTU for frames of `snaplen` bytes as far as the port goes; 0: leave it alone. With its overhead it stays within
// `snaplen`: some drivers (mlx5, virtio) refuse a port whose largest frame a packet buffer does not hold.
std::uint32_t mtu_for(const rte_eth_dev_info& info, std::uint32_t snaplen) {
    const std::uint32_t longest = std::min(snaplen, info.max_rx_pktlen);
    if (longest <= overhead_of(info)) return 0;
    const std::uint32_t mtu = std::min<std::uint32_t>(longest - overhead_of(info), info.max_mtu);
    return mtu > RTE_ETHER_MTU ? mtu : 0;
}

} // namespace

Port::Port(const PortConfig& config, const Config& all, std::size_t index, Notes& notes)
    : name_(name_of(config)), kind_(kind_of(config)), burst_(static_cast<std::uint16_t>(all.capture.burst)) {
    device_ = probe(config, all, index, notes);
    find_port();
    opened_ = true;
    try {
        configure(all, notes);
    } catch (...) {
        rte_eth_dev_close(port_id_); // a constructor that throws runs no destructor
        if (pool_ != nullptr) rte_mempool_free(pool_);
        throw;
    }
}

// Makes DPDK know the device; returns its name there.
std::string Port::probe(const PortConfig& config, const Config& all, std::size_t index, Notes& notes) {
    if (kind_ == PortKind::physical) {
        Notes found;
        check_pci(config.pci, inspect_pci(config.pci), found);
        throw_first_problem(found);
        return config.pci; // EAL probed its allow list
    }
    std::string device = name_;
    std::string arguments;
    if (kind_ == PortKind::interface || kind_ == PortKind::af_xdp) {
        interface_ = std::make_unique<InterfaceGuard>(name_, notes);
        const bool xdp = kind_ == PortKind::af_xdp;
        device = fmt::format("{}{}", xdp ? "net_af_xdp" : "net_af_packet", index);
        arguments = xdp ? af_xdp_device_arguments(all, notes) : af_packet_arguments(all, notes);
    } else if (const auto comma = config.vdev.find(','); comma != std::string::npos) {
        arguments = config.vdev.substr(comma + 1);
        replays_file_ = arguments.find("rx_pcap=") != std::string::npos;
    }
    make_device(device, arguments);
    return device;
}

// By its device: some drivers (mlx4, mana) give their ports names of their own.
void Port::find_port() {
    for (std::uint64_t id = rte_eth_find_next(0); id < RTE_MAX_ETHPORTS;
         id = rte_eth_find_next(static_cast<std::uint16_t>(id + 1))) {
        rte_eth_dev_info info{};
        port_id_ = static_cast<std::uint16_t>(id);
        if (rte_eth_dev_info_get(port_id_, &info) == 0 && info.device != nullptr &&
            device_ == rte_dev_name(info.device))
            return;
    }
    throw std::runtime_error(name_ + ": DPDK has no driver for it; see `ftpsensord check`");
}

std::string Port::af_packet_arguments(const Config& all, Notes& notes) {
    // Slots are of one size: those for jumbo frames would make the ring of a usual port last a fifth of the time.
    ring_ = ring_geometry(all.capture.ring_bytes, longest_frame(interface_->state(), all.capture.snaplen),
                          static_cast<std::uint32_t>(getpagesize()));
    add_note(notes, NoteLevel::info,
             fmt::format("{}: {} ring{} of {} frames of up to {} bytes, {} MiB of locked memory", name_,
                         workers_of(all), workers_of(all) == 1 ? "" : "s", ring_->frames, ring_->cut_at,
                         workers_of(all) * ring_->locked_bytes() >> 20));
    return fmt::format("iface={},qpairs={},{}", name_, workers_of(all), ring_->device_arguments());
}

std::string Port::af_xdp_device_arguments(const Config& all, Notes& notes) {
    const AfXdpState state = inspect_af_xdp(name_);
    Notes found;
    check_af_xdp(name_, interface_->state(), state, workers_of(all), found);
    throw_first_problem(found);
    notes.insert(notes.end(), found.begin(), found.end());
    return af_xdp_arguments(name_, state.queues);
}

void Port::make_device(const std::string& device, const std::string& arguments) {
    if (const int result = rte_eal_hotplug_add("vdev", device.c_str(), arguments.c_str()); result != 0)
        throw std::runtime_error(fmt::format(
            "{}: DPDK could not make the device {} with \"{}\" ({}): {}; DPDK's own words: --set messages=debug "
            "--set 'eal.eal_args=[--log-level=pmd:debug]'",
            name_, device, arguments, rte_strerror(-result),
            interface_ ? "locked memory, CAP_NET_RAW or the driver (Debian's librte-net-af-packet, librte-net-af-xdp) "
                         "may be missing, see `ftpsensord check`"
                       : "is there such a driver, and does it take these arguments?"));
}

std::uint64_t Port::rx_offloads(const Config& all, std::uint64_t capability) {
    std::uint64_t offloads = 0; // VLAN tags are left where they are
    if (all.capture.checksums != ConfigChecksums::ignore) offloads |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
    if (kind_ == PortKind::physical && all.capture.snaplen > RTE_MBUF_DEFAULT_DATAROOM)
        offloads |= RTE_ETH_RX_OFFLOAD_SCATTER; // long frames in several small mbufs
    // Stamps in ticks of a clock that cannot be read are of no use, and cost some cards (ice) their vector receive.
    if (driver_ == "net_af_packet" || PortClock::is_readable(port_id_)) offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    offloads &= capability;
    stamp_offload_ = (offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0;
    return offloads;
}

void Port::configure(const Config& all, Notes& notes) {
    rte_eth_dev_info info{};
    if (const int result = rte_eth_dev_info_get(port_id_, &info); result != 0) fail("cannot be asked", result);
    driver_ = info.driver_name;
    queues_ = static_cast<std::uint16_t>(std::min<std::uint32_t>(workers_of(all), info.max_rx_queues));
    const bool shared_by_rings = all.capture.resteer == ConfigResteer::on;
    if (queues_ < workers_of(all) && !shared_by_rings)
        add_note(notes, NoteLevel::warning,
                 fmt::format("{}: has {} rx queue{}, workers beyond get nothing from it", name_, queues_,
                             queues_ == 1 ? "" : "s"),
                 fmt::format("set workers.count: {}, or capture.resteer: on", queues_));

    rte_eth_conf conf{};
    conf.rxmode.offloads = rx_offloads(all, info.rx_offload_capa);
    if (driver_ != kAfXdpDriver) conf.rxmode.mtu = mtu_for(info, all.capture.snaplen);
    set_up_rss(all, info, conf);
    conf.intr_conf.rmv = info.dev_flags != nullptr && (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0 ? 1 : 0;
    apply(conf);
    const std::uint32_t mtu = conf.rxmode.mtu == 0 ? RTE_ETHER_MTU : conf.rxmode.mtu;
    if (kind_ == PortKind::physical && mtu + overhead_of(info) < all.capture.snaplen)
        add_note(notes, NoteLevel::warning,
                 fmt::format("{}: the port takes frames with up to {} bytes behind the Ethernet header, longer ones "
                             "are lost there",
                             name_, mtu));
    set_up_queues(all, info, (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0, notes);
}

void Port::apply(const rte_eth_conf& conf) {
    // Nothing is ever sent; but some drivers do not take a port without a tx queue, one for each rx queue.
    int result = driver_ == kAfXdpDriver ? -EINVAL : rte_eth_dev_configure(port_id_, queues_, 0, &conf);
    if (result != 0 && (kind_ == PortKind::physical || driver_ == kAfXdpDriver)) {
        result = rte_eth_dev_configure(port_id_, queues_, queues_, &conf);
        for (std::uint16_t q = 0; q < queues_ && result == 0; ++q)
            result = rte_eth_tx_queue_setup(port_id_, q, kVirtualDescriptors, kAnySocket, nullptr);
    }
    if (result != 0) fail("cannot be configured", result);
}

std::uint16_t Port::descriptors_wanted(const CaptureConfig& capture) const {
    if (kind_ == PortKind::physical) return static_cast<std::uint16_t>(std::min(capture.rx_descriptors, 65535u));
    return driver_ == kAfXdpDriver ? kAfXdpDescriptors : kVirtualDescriptors;
}

void Port::set_up_queues(const Config& all, const rte_eth_dev_info& info, bool scatter, Notes& notes) {
    const int socket = rte_eth_dev_socket_id(port_id_);
    std::uint16_t descriptors = descriptors_wanted(all.capture);
    std::uint16_t unused = kVirtualDescriptors;
    rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &descriptors, &unused);

    std::uint32_t room = scatter ? RTE_MBUF_DEFAULT_DATAROOM : std::max<std::uint32_t>(all.capture.snaplen, 2048);
    if (ring_) room = ring_->data_room;
    room = std::min<std::uint32_t>(std::max(room, info.min_rx_bufsize) + RTE_PKTMBUF_HEADROOM, UINT16_MAX);
    if (driver_ == kAfXdpDriver) room = kAfXdpDataRoom;
    // Held by the port (net_af_xdp: as many again on their way to the kernel), by a worker between two polls, and in
    // the pool's caches (which may grow to one and a half).
    const std::uint32_t held = descriptors * (driver_ == kAfXdpDriver ? 2 : 1);
    const std::uint32_t segments = scatter ? (all.capture.snaplen / RTE_MBUF_DEFAULT_DATAROOM) + 1 : 1;
    // And on their way between workers; where there is not room for so many, packets wait before the port instead.
    const bool may_steer = all.capture.resteer != ConfigResteer::off && workers_of(all) > 1;
    std::uint32_t steered = may_steer ? all.capture.resteer_packets : 0;
    const auto mbufs_with = [&](std::uint32_t between) {
        const std::uint32_t in_hand = (2 + (may_steer ? 2 * workers_of(all) : 0)) * all.capture.burst + between;
        const std::uint32_t cached = kPoolCache + kPoolCache / 2; // also by the thread that starts the port
        return queues_ * (held + in_hand * segments + cached) + cached + 1;
    };
    const auto bytes_of = [&](std::uint32_t mbufs) {
        return std::uint64_t{mbufs} * (room + sizeof(rte_mbuf) + RTE_CACHE_LINE_SIZE);
    };
    while (steered > kSteeredLeast && bytes_of(mbufs_with(steered)) > all.eal.memory) steered /= 2;
    const std::uint32_t mbufs = mbufs_with(steered);
    const std::uint64_t bytes = bytes_of(mbufs);
    if (bytes > all.eal.memory)
        throw ConfigError(fmt::format(
            "{}: {} packet buffers of {} bytes need {} MiB, eal.memory is {} MiB for all ports; raise eal.memory or "
            "lower capture.snaplen, capture.rx_descriptors{} or workers.count",
            name_, mbufs, room, (bytes >> 20) + 1, all.eal.memory >> 20, may_steer ? ", capture.resteer_packets" : ""));
    make_pool(mbufs, room, socket, notes);
    for (std::uint16_t q = 0; q < queues_; ++q)
        if (const int result = rte_eth_rx_queue_setup(port_id_, q, descriptors,
                                                      static_cast<unsigned>(std::max(socket, 0)), nullptr, pool_);
            result != 0)
            fail(fmt::format("rx queue {} cannot be set up", q), result);
}

// On the port's own NUMA node; where that has no room, anywhere.
void Port::make_pool(std::uint32_t mbufs, std::uint32_t room, int socket, Notes& notes) {
    const std::string name = (device_ + "_pool").substr(0, 24);
    const auto make = [&](int node) {
        return rte_pktmbuf_pool_create(name.c_str(), mbufs, kPoolCache, 0, static_cast<std::uint16_t>(room), node);
    };
    pool_ = make(socket);
    if (pool_ == nullptr && socket != SOCKET_ID_ANY) {
        pool_ = make(SOCKET_ID_ANY);
        if (pool_ != nullptr)
            add_note(
                notes, NoteLevel::warning,
                fmt::format("{}: NUMA node {} has no room for its packet buffers: they are on another one, and each "
                            "packet goes from node to node",
                            name_, socket),
                fmt::format("more huge pages there: /sys/devices/system/node/node{}/hugepages/*/nr_hugepages", socket));
    }
    if (pool_ != nullptr) return;
    const int error = rte_errno;
    throw std::runtime_error(
        fmt::format("{}: the memory for {} packet buffers of {} bytes cannot be had ({}); see `ftpsensord check` for "
                    "huge pages, or lower capture.rx_descriptors, capture.snaplen, capture.resteer_packets or "
                    "workers.count",
                    name_, mbufs, room, rte_strerror(error)));
}

void Port::find_stamps() {
    if (replays_file_) return;
    const bool own = driver_ == "net_pcap"; // stamps without being asked
    if (!stamp_offload_ && !own) return;
    if (driver_ == "net_af_packet")
        stamps_.unit = StampUnit::nanoseconds;
    else if (own)
        stamps_.unit = StampUnit::microseconds;
    else if (clock_.begin(port_id_))
        stamps_.unit = StampUnit::ticks;
    else
        return;
    if (rte_mbuf_dyn_rx_timestamp_register(&stamps_.field_offset, &stamps_.valid_flag) != 0) stamps_ = {};
}

void Port::ask(Notes& notes) {
    if (const int result = rte_eth_dev_start(port_id_); result != 0) fail("cannot be started", result);
    started_ = true;
    report_rss(notes);
}

void Port::start(Notes& notes) {
    ask(notes);
    if (!interface_) watch_ = std::make_unique<DeviceWatch>(port_id_, device_);
    find_stamps();
    if (kind_ != PortKind::interface) {
        if (const int result = rte_eth_promiscuous_enable(port_id_); result != 0 && kind_ == PortKind::physical)
            add_note(notes, NoteLevel::warning,
                     fmt::format("{}: cannot be made promiscuous ({}): only frames to its own address arrive", name_,
                                 rte_strerror(-result)));
        return;
    }
    start_interface(notes);
}

void Port::begin() {
    if (stamps_.unit == StampUnit::ticks) stamps_.base = clock_.end(port_id_);
    if (kind_ == PortKind::interface)
        discard_earlier_packets();
    else
        rte_eth_stats_reset(port_id_);
    if (interface_) interface_drops_.emplace(interface_->state().index);
}

void Port::start_interface(Notes& notes) {
    kernel_counts_.emplace(find_packet_sockets(interface_->state().index));
    const auto& sockets = kernel_counts_->sockets();
    if (sockets.size() == queues_) {
        for (const int socket : sockets) rings_.push_back(std::make_unique<QueueRing>(socket, *ring_, burst_));
    } else {
        add_note(
            notes, NoteLevel::warning,
            fmt::format("{}: found {} of {} AF_PACKET sockets of this DPDK's driver: packets have the time at which "
                        "they were fetched, what the kernel drops is counted only in part, cut frames not at all",
                        name_, sockets.size(), queues_));
    }
    if (interface_->state().loopback)
        for (const int socket : sockets) drop_outgoing(socket);
}

// The driver's sockets receive before they are bound (22.11: from every interface) and, until each has joined the
// fan-out group, all of the interface's packets: a foreign packet or a double one in the log if they were kept.
void Port::discard_earlier_packets() {
    std::array<rte_mbuf*, 64> mbufs{};
    for (std::uint16_t q = 0; q < queues_; ++q) {
        for (std::uint32_t seen = 0; seen < ring_->frames;) { // what arrives meanwhile never ends; the ring does
            const std::uint16_t n = rte_eth_rx_burst(port_id_, q, mbufs.data(), mbufs.size());
            if (n == 0) break;
            rte_pktmbuf_free_bulk(mbufs.data(), n);
            if (!rings_.empty()) rings_[q]->ring.advance(n);
            seen += n;
        }
    }
    kernel_counts_->poll();
    kernel_counts_->forget();
    rte_eth_stats_reset(port_id_);
}

void Port::stop() {
    if (!started_) return;
    counts(); // the last figures, while there is somebody to ask
    loss_details();
    watch_.reset();
    rte_eth_dev_stop(port_id_);
    started_ = false;
}

Port::~Port() {
    stop();
    rings_.clear(); // a mapping would keep its socket, and with it the fan-out group
    if (opened_) rte_eth_dev_close(port_id_);
    if (pool_ != nullptr) rte_mempool_free(pool_);
}

std::optional<RxSource> Port::source(std::uint32_t worker) const {
    if (worker >= queues_) return std::nullopt;
    RxSource source;
    source.port_id = port_id_;
    source.queue_id = static_cast<std::uint16_t>(worker);
    source.stamps = stamps_;
    if (!rings_.empty()) {
        source.ring = &rings_[worker]->ring;
        source.wait_fd = kernel_counts_->sockets()[worker];
    }
    return source;
}

void Port::fail(const std::string& what, int error) const {
    throw std::runtime_error(fmt::format("{}: the port {} ({}: {}); see `ftpsensord check`", name_, what,
                                         driver_.empty() ? device_ : driver_, rte_strerror(-error)));
}

} // namespace ftpsensor
