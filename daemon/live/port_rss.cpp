// Port: how it spreads over its queues, asked for before it starts and read back after: ixgbe, igb and i40e program key
// and fields only as they start (DPDK 22.11, 24.11).
#include "daemon/live/af_xdp.h"
#include "daemon/live/port.h"
#include "daemon/live/rss.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

namespace ftpsensor {

void Port::set_up_rss(const Config& all, const rte_eth_dev_info& info, rte_eth_conf& conf) {
    const bool ours = kind_ == PortKind::physical || kind_ == PortKind::virtual_device;
    if (!ours || driver_ == kAfXdpDriver || queues_ < 2 || info.flow_type_rss_offloads == 0) return;
    rss_key_ = symmetric_rss_key(info.hash_key_size != 0 ? info.hash_key_size : 40);
    rss_fields_ = rss_hash_fields(all.capture.rss, info.flow_type_rss_offloads);
    rss_table_ = info.reta_size;
    only_by_ports_ = all.capture.rss != ConfigRss::ports && hashes_ports(rss_fields_);
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_key = rss_key_.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(rss_key_.size());
    conf.rx_adv_conf.rss_conf.rss_hf = rss_fields_;
}

// What the port really took. A driver may take a key only once it has started.
void Port::report_rss(Notes& notes) {
    if (queues_ < 2) return;
    if (rss_key_.empty()) {
        parts_ = parts_by_kind(driver_ == kAfXdpDriver ? PortKind::af_xdp : kind_);
        return;
    }
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
    int refused = 0;
    if (told && !is_ours()) {
        rte_eth_rss_conf again{};
        again.rss_key = rss_key_.data();
        again.rss_key_len = static_cast<std::uint8_t>(rss_key_.size());
        again.rss_hf = rss_fields_;
        refused = rte_eth_dev_rss_hash_update(port_id_, &again);
        told = read_back();
    }
    hash_ = fmt::format("{}, {} entries, {:#x}", driver_, rss_table_, taken.rss_hf);
    if (!told || !is_ours())
        note_foreign_key(told, refused, {key.begin(), key.begin() + 4}, taken.rss_hf, notes);
    else
        note_own_key(taken.rss_hf, notes);
}

void Port::note_own_key(std::uint64_t fields, Notes& notes) {
    add_note(notes, NoteLevel::info,
             fmt::format("{}: RSS took the symmetric key ({}...), over {}", name_,
                         rss_key_text({rss_key_.begin(), rss_key_.begin() + 4}), rss_fields_text(fields)));
    if (kind_ == PortKind::physical && !spreads_tcp(fields))
        add_note(notes, NoteLevel::warning, name_ + ": its RSS leaves out TCP over IPv4: one worker receives all of it",
                 "capture.resteer: on");
    if (!only_by_ports_) return;
    parts_ = "it cannot spread TCP and UDP by addresses alone, and by ports fragments and tunnels part";
    add_note(notes, NoteLevel::info, name_ + ": " + parts_,
             "capture.rss: ports, where fragments and tunnels may go to other workers");
}

void Port::note_foreign_key(bool told, int refused, const std::vector<std::uint8_t>& key, std::uint64_t fields,
                            Notes& notes) {
    const std::string remedy = "capture.resteer: auto, or workers.count: 1";
    if (!told) {
        parts_ = "it does not tell its RSS key";
        add_note(notes, NoteLevel::warning,
                 name_ + ": does not tell its RSS key: the two directions of a connection may reach two workers",
                 remedy);
        return;
    }
    parts_ = "its RSS is not symmetric";
    add_note(notes, NoteLevel::warning,
             fmt::format("{}: the port kept its own RSS key ({}...{}), over {}: the two directions of a connection may "
                         "reach two workers",
                         name_, rss_key_text(key),
                         refused == 0 ? "" : fmt::format("; another is refused: {}", rte_strerror(-refused)),
                         rss_fields_text(fields)),
             remedy);
}

} // namespace ftpsensor
