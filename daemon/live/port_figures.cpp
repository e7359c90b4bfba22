// Port: what it counts, and what becomes of its link and its device.
#include "daemon/live/port.h"

#include <algorithm>

#include <rte_ethdev.h>

namespace ftpsensor {

PortCounts Port::counts() {
    if (started_) read_counts();
    return counts_;
}

// A port that does not answer (it is reset, or going away) keeps its last figures: counters never go back.
void Port::read_counts() {
    if (watch_ && gone_) return; // registers of a card that is not there read as ones
    counts_.queues.resize(queues_);
    rte_eth_stats stats{};
    const bool told = rte_eth_stats_get(port_id_, &stats) == 0;
    if (told) {
        counts_.received = stats.ipackets;
        counts_.bytes = stats.ibytes;
    }
    if (losses_frozen_) return;
    if (told) {
        counts_.missed = stats.imissed;
        counts_.errors = stats.ierrors;
        counts_.no_mbuf = stats.rx_nombuf;
        for (std::size_t q = 0; q < std::min<std::size_t>(queues_, RTE_ETHDEV_QUEUE_STAT_CNTRS); ++q)
            counts_.queues[q].errors = stats.q_errors[q];
    }
    if (kernel_counts_) {
        kernel_counts_->poll();
        counts_.kernel_drops = kernel_counts_->counts().drops;
        for (std::size_t q = 0; q < queues_; ++q) counts_.queues[q].kernel_drops = kernel_counts_->drops_of(q);
    }
    if (interface_drops_) {
        interface_drops_->poll();
        counts_.interface_drops = interface_drops_->lost();
        counts_.unclaimed = interface_drops_->unclaimed();
    }
}

void Port::freeze_losses() {
    counts();
    loss_details();
    losses_frozen_ = true;
}

void Port::check_link(Notes& notes) {
    if (watch_ && watch_->removed()) return note_removed(notes);
    bool carrier = true; // of a virtual device
    if (interface_) {
        InterfaceLink link = inspect_link(interface_->state().index, name_);
        // Its sockets were taken off it: it went to another network namespace, and may be back since.
        const bool deaf = gone_ || (kernel_counts_ && kernel_counts_->lost_their_interface());
        if (link.exists && deaf) link = {.exists = false, .carrier = false, .replaced = has_carrier(name_)};
        carrier = link.carrier;
        if (!link.exists)
            note_gone(link, notes);
        else if (kind_ == PortKind::interface) // AF_XDP's packets come before gro, which veth switches on for them
            interface_->check_offloads(notes);
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

// Who takes it away waits until it is let go: vfio-pci until this process has closed it.
void Port::note_removed(Notes& notes) {
    if (!replaced_)
        add_note(notes, NoteLevel::problem,
                 name_ +
                     ": the device is being taken away, or has failed for good: the sensor ends, to be started anew",
                 "ftpsensord check; systemctl restart, where nobody starts it anew");
    carrier_ = false;
    gone_ = replaced_ = true;
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
    if (started_ && !losses_frozen_ && !(watch_ && gone_)) details_ = read_loss_details();
    return details_;
}

std::vector<std::pair<std::string, std::uint64_t>> Port::read_loss_details() const {
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

} // namespace ftpsensor
