#include "daemon/live/port.h"

#include "daemon/live/af_xdp.h"
#include "daemon/live/pci.h"
#include "daemon/live/rss.h"

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
constexpr std::string_view kAfXdpDriver = "net_af_xdp"; // also where it was given as a vdev
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

// The MTU for frames of `snaplen` bytes as far as the port goes; 0: leave it alone.
std::uint32_t mtu_for(const rte_eth_dev_info& info, std::uint32_t snaplen) {
    const bool own_overhead = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
    const std::uint32_t overhead =
        own_overhead ? info.max_rx_pktlen - info.max_mtu : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
    const std::uint32_t longest = std::min(snaplen, info.max_rx_pktlen);
    if (longest <= overhead) return 0;
    const std::uint32_t mtu = std::min<std::uint32_t>(longest - overhead, info.max_mtu);
    return mtu > RTE_ETHER_MTU ? mtu : 0;
}

} // namespace

Port::Port(const PortConfig& config, const Config& all, std::size_t index, Notes& notes)
    : name_(name_of(config)), kind_(kind_of(config)), burst_(static_cast<std::uint16_t>(all.capture.burst)) {
    device_ = probe(config, all, index, notes);
    if (rte_eth_dev_get_port_by_name(device_.c_str(), &port_id_) != 0)
        throw std::runtime_error(name_ + ": DPDK has no driver for it; see `ftpsensord check`");
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
    offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
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
    apply(conf);
    if (kind_ == PortKind::physical && conf.rxmode.mtu + RTE_ETHER_HDR_LEN < all.capture.snaplen)
        add_note(
            notes, NoteLevel::warning,
            fmt::format("{}: the port takes frames with up to {} bytes behind the Ethernet header, longer ones are "
                        "lost there",
                        name_, conf.rxmode.mtu == 0 ? RTE_ETHER_MTU : conf.rxmode.mtu));
    set_up_queues(all, info, (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0);
    if (queues_ < 2) return;
    if (!rss_key_.empty())
        report_rss(conf, notes);
    else
        parts_ = parts_by_kind(driver_ == kAfXdpDriver ? PortKind::af_xdp : kind_);
}

void Port::set_up_rss(const Config& all, const rte_eth_dev_info& info, rte_eth_conf& conf) {
    const bool ours = kind_ == PortKind::physical || kind_ == PortKind::virtual_device;
    if (!ours || driver_ == kAfXdpDriver || queues_ < 2 || info.flow_type_rss_offloads == 0) return;
    rss_key_ = symmetric_rss_key(info.hash_key_size != 0 ? info.hash_key_size : 40);
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_key = rss_key_.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(rss_key_.size());
    conf.rx_adv_conf.rss_conf.rss_hf = rss_hash_fields(all.capture.rss, info.flow_type_rss_offloads);
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

void Port::set_up_queues(const Config& all, const rte_eth_dev_info& info, bool scatter) {
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
        return queues_ * (held + in_hand * segments + kPoolCache + kPoolCache / 2) + 1;
    };
    const auto bytes_of = [&](std::uint32_t mbufs) {
        return std::uint64_t{mbufs} * (room + sizeof(rte_mbuf) + RTE_CACHE_LINE_SIZE);
    };
    while (steered > kSteeredLeast && bytes_of(mbufs_with(steered)) > all.eal.memory) steered /= 2;
    const std::uint32_t mbufs = mbufs_with(steered);
    const std::uint64_t bytes = bytes_of(mbufs);
    const std::string lacking = fmt::format(
        "{}: {} packet buffers of {} bytes need {} MiB, eal.memory is {} MiB for all ports; raise eal.memory or lower "
        "capture.snaplen, capture.rx_descriptors{} or workers.count",
        name_, mbufs, room, (bytes >> 20) + 1, all.eal.memory >> 20, may_steer ? ", capture.resteer_packets" : "");
    if (bytes > all.eal.memory) throw ConfigError(lacking);
    pool_ = rte_pktmbuf_pool_create((device_ + "_pool").substr(0, 24).c_str(), mbufs, kPoolCache, 0,
                                    static_cast<std::uint16_t>(room), socket);
    if (pool_ == nullptr) throw std::runtime_error(lacking);
    for (std::uint16_t q = 0; q < queues_; ++q)
        if (const int result = rte_eth_rx_queue_setup(port_id_, q, descriptors,
                                                      static_cast<unsigned>(std::max(socket, 0)), nullptr, pool_);
            result != 0)
            fail(fmt::format("rx queue {} cannot be set up", q), result);
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

// What the port really took. A driver may take a key only once it is configured.
void Port::report_rss(const rte_eth_conf& asked, Notes& notes) {
    std::array<std::uint8_t, 256> key{};
    rte_eth_rss_conf taken{};
    const auto read_back = [&] {
        taken = {};
        taken.rss_key = key.data();
        taken.rss_key_len = static_cast<std::uint8_t>(rss_key_.size());
        return rte_eth_dev_rss_hash_conf_get(port_id_, &taken) == 0;
    };
    const auto is_ours = [&] { return std::equal(rss_key_.begin(), rss_key_.end(), key.begin()); };
    bool told = read_back();
    if (told && !is_ours()) {
        rte_eth_rss_conf again = asked.rx_adv_conf.rss_conf;
        rte_eth_dev_rss_hash_update(port_id_, &again);
        told = read_back();
    }
    const std::string remedy = "capture.resteer: auto, or workers.count: 1";
    if (!told) {
        parts_ = "it does not tell its RSS key";
        add_note(notes, NoteLevel::warning,
                 name_ + ": does not tell its RSS key: the two directions of a connection may reach two workers",
                 remedy);
        return;
    }
    const std::string fields = rss_fields_text(taken.rss_hf);
    if (is_ours()) {
        add_note(notes, NoteLevel::info,
                 fmt::format("{}: RSS took the symmetric key ({}...), over {}", name_,
                             rss_key_text({rss_key_.begin(), rss_key_.begin() + 4}), fields));
        return;
    }
    parts_ = "its RSS is not symmetric";
    add_note(
        notes, NoteLevel::warning,
        fmt::format("{}: the port kept its own RSS key ({}...), over {}: the two directions of a connection may reach "
                    "two workers",
                    name_, rss_key_text({key.begin(), key.begin() + 4}), fields),
        remedy);
}

void Port::start(Notes& notes) {
    if (const int result = rte_eth_dev_start(port_id_); result != 0) fail("cannot be started", result);
    started_ = true;
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
    counts(); // the kernel's last figures, while the sockets are open
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

PortCounts Port::counts() {
    rte_eth_stats stats{};
    PortCounts counts;
    if (rte_eth_stats_get(port_id_, &stats) == 0)
        counts = {stats.ipackets, stats.ibytes, stats.imissed, stats.ierrors, stats.rx_nombuf, 0, {}};
    counts.queues.resize(queues_);
    for (std::size_t q = 0; q < std::min<std::size_t>(queues_, RTE_ETHDEV_QUEUE_STAT_CNTRS); ++q)
        counts.queues[q].errors = stats.q_errors[q];
    if (kernel_counts_) {
        if (started_) kernel_counts_->poll();
        counts.kernel_drops = kernel_counts_->counts().drops;
        for (std::size_t q = 0; q < queues_; ++q) counts.queues[q].kernel_drops = kernel_counts_->drops_of(q);
    }
    return counts;
}

void Port::check_link(Notes& notes) {
    bool carrier = true; // of a virtual device
    if (interface_) {
        const InterfaceLink link = inspect_link(interface_->state().index, name_);
        carrier = link.carrier;
        if (!link.exists) note_gone(link, notes);
    } else if (kind_ == PortKind::physical) {
        rte_eth_link link{};
        carrier = rte_eth_link_get_nowait(port_id_, &link) != 0 || link.link_status == RTE_ETH_LINK_UP;
    }
    if (carrier == carrier_) return;
    carrier_ = carrier;
    if (gone_) return;
    if (carrier)
        add_note(notes, NoteLevel::info, name_ + ": the link is up again");
    else
        add_note(notes, NoteLevel::warning, name_ + ": the link is down: nothing is seen until it is up again",
                 interface_ ? "ip link show " + name_ : "look at the cable and the mirror");
}

// The kernel takes sockets off an interface that is removed, for good.
void Port::note_gone(const InterfaceLink& link, Notes& notes) {
    if (!gone_)
        add_note(notes, NoteLevel::warning,
                 name_ +
                     ": the interface was removed: nothing is seen of it; once there is one of that name again, the "
                     "sensor ends, to be started anew",
                 "ip link show " + name_);
    gone_ = true;
    if (link.replaced && !replaced_)
        add_note(notes, NoteLevel::problem,
                 name_ + ": there is an interface of that name again, which can be captured from only from the start: "
                         "the sensor ends",
                 "systemctl restart, where nobody starts it anew");
    replaced_ = replaced_ || link.replaced;
}

std::vector<std::pair<std::string, std::uint64_t>> Port::loss_details() {
    std::vector<std::pair<std::string, std::uint64_t>> details;
    const int size = rte_eth_xstats_get(port_id_, nullptr, 0);
    if (size <= 0) return details;
    std::vector<rte_eth_xstat> values(static_cast<std::size_t>(size));
    std::vector<rte_eth_xstat_name> names(values.size());
    if (rte_eth_xstats_get(port_id_, values.data(), static_cast<unsigned>(size)) != size ||
        rte_eth_xstats_get_names(port_id_, names.data(), static_cast<unsigned>(size)) != size)
        return details;
    for (const auto& value : values) {
        const std::string name = names[value.id].name;
        const bool loss =
            name.starts_with("rx") && (name.find("drop") != name.npos || name.find("miss") != name.npos ||
                                       name.find("err") != name.npos || name.find("discard") != name.npos);
        if (loss && value.value != 0) details.emplace_back(name, value.value);
    }
    return details;
}

void Port::fail(const std::string& what, int error) const {
    throw std::runtime_error(fmt::format("{}: the port {} ({}: {}); see `ftpsensord check`", name_, what,
                                         driver_.empty() ? device_ : driver_, rte_strerror(-error)));
}

} // namespace ftpsensor
