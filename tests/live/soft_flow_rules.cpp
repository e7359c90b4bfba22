// A DPDK port with flow rules, in software, for tests of capture.shunt: no virtual device has rules that count.
//
// Preloaded (LD_PRELOAD) it stands before DPDK's own rte_flow_*: rules are kept here, and an rx callback of the port
// counts and drops what they match, where a card would. What it takes is what the sensor asks for: Ethernet, tags, IP,
// TCP with addresses, ports and flags. SOFT_FLOW_RULES=no_flags: a port that can't match flags; no_count: none that
// counts; sticky: one that takes a rule that has counted away when asked a second time. Any thread.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>

struct rte_flow { // opaque to whoever calls
    unsigned tags = 0;
    bool v6 = false;
    std::array<std::uint8_t, 16> source{}, destination{}; // IPv4: the first four
    std::uint16_t source_port = 0, destination_port = 0;  // network byte order
    std::uint8_t flags = 0, flags_mask = 0;
    std::uint64_t packets = 0, bytes = 0;
    bool asked_to_go = false;
};

namespace {

std::mutex mutex; // of the rules
std::vector<std::unique_ptr<rte_flow>> rules;
bool attached = false;

bool refuses(std::string_view what) {
    const char* setting = std::getenv("SOFT_FLOW_RULES");
    return setting != nullptr && what == setting;
}

int fail(rte_flow_error* error, int code, const char* message) {
    if (error != nullptr) *error = {RTE_FLOW_ERROR_TYPE_UNSPECIFIED, nullptr, message};
    return -code;
}

// The 5-tuple of a frame as a rule would name it; false: no TCP.
bool parse(const rte_mbuf* mbuf, rte_flow& of) {
    const auto* frame = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
    const std::size_t size = rte_pktmbuf_data_len(mbuf);
    std::size_t at = 12;
    const auto type = [&] { return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]); };
    for (; at + 2 <= size && (type() == 0x8100 || type() == 0x88a8); at += 4) ++of.tags;
    if (at + 2 > size) return false;
    const std::uint16_t ether_type = type();
    const std::uint8_t* ip = frame + at + 2;
    std::size_t left = size - at - 2, header = 0;
    if (ether_type == 0x0800 && left >= 20 && ip[9] == 6 && ((ip[6] & 0x1f) | ip[7]) == 0) {
        header = (ip[0] & 0xfu) * 4;
        std::memcpy(of.source.data(), ip + 12, 4);
        std::memcpy(of.destination.data(), ip + 16, 4);
    } else if (ether_type == 0x86dd && left >= 40 && ip[6] == 6) {
        header = 40;
        of.v6 = true;
        std::memcpy(of.source.data(), ip + 8, 16);
        std::memcpy(of.destination.data(), ip + 24, 16);
    } else {
        return false;
    }
    if (left < header + 20) return false;
    std::memcpy(&of.source_port, ip + header, 2);
    std::memcpy(&of.destination_port, ip + header + 2, 2);
    of.flags = ip[header + 13];
    return true;
}

bool matches(const rte_flow& rule, const rte_flow& packet) {
    return rule.tags == packet.tags && rule.v6 == packet.v6 && rule.source == packet.source &&
           rule.destination == packet.destination && rule.source_port == packet.source_port &&
           rule.destination_port == packet.destination_port && (packet.flags & rule.flags_mask) == rule.flags;
}

std::uint16_t drop_counted(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count, std::uint16_t, void*) {
    const std::lock_guard lock(mutex);
    std::uint16_t kept = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        rte_flow packet;
        rte_flow* hit = nullptr;
        if (!rules.empty() && parse(mbufs[i], packet))
            for (const auto& rule : rules)
                if (matches(*rule, packet)) hit = rule.get();
        if (hit == nullptr) {
            mbufs[kept++] = mbufs[i];
            continue;
        }
        ++hit->packets;
        hit->bytes += rte_pktmbuf_pkt_len(mbufs[i]);
        rte_pktmbuf_free(mbufs[i]);
    }
    return kept;
}

void attach(std::uint16_t port) {
    if (attached) return;
    attached = true;
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(port, &info) != 0) return;
    for (std::uint16_t queue = 0; queue < info.nb_rx_queues; ++queue)
        rte_eth_add_rx_callback(port, queue, drop_counted, nullptr);
}

template <class Item>
const Item* exact(const rte_flow_item& item) {
    return static_cast<const Item*>(item.spec);
}

int read_pattern(const rte_flow_item* items, rte_flow& rule, rte_flow_error* error) {
    for (; items->type != RTE_FLOW_ITEM_TYPE_END; ++items) {
        switch (items->type) {
        case RTE_FLOW_ITEM_TYPE_ETH: break;
        case RTE_FLOW_ITEM_TYPE_VLAN: ++rule.tags; break;
        case RTE_FLOW_ITEM_TYPE_IPV4: {
            const auto* ip = exact<rte_flow_item_ipv4>(*items);
            std::memcpy(rule.source.data(), &ip->hdr.src_addr, 4);
            std::memcpy(rule.destination.data(), &ip->hdr.dst_addr, 4);
            break;
        }
        case RTE_FLOW_ITEM_TYPE_IPV6: {
            const auto* ip = exact<rte_flow_item_ipv6>(*items);
            rule.v6 = true;
            std::memcpy(rule.source.data(), &ip->hdr.src_addr, 16);
            std::memcpy(rule.destination.data(), &ip->hdr.dst_addr, 16);
            break;
        }
        case RTE_FLOW_ITEM_TYPE_TCP: {
            const auto* tcp = exact<rte_flow_item_tcp>(*items);
            rule.source_port = tcp->hdr.src_port;
            rule.destination_port = tcp->hdr.dst_port;
            rule.flags = tcp->hdr.tcp_flags;
            rule.flags_mask = static_cast<const rte_flow_item_tcp*>(items->mask)->hdr.tcp_flags;
            break;
        }
        default: return fail(error, ENOTSUP, "an item that these rules do not know");
        }
    }
    if (rule.flags_mask != 0 && refuses("no_flags")) return fail(error, ENOTSUP, "no match on TCP flags");
    return 0;
}

int read_actions(const rte_flow_action* actions, rte_flow_error* error) {
    bool count = false, drop = false;
    for (; actions->type != RTE_FLOW_ACTION_TYPE_END; ++actions) {
        if (actions->type == RTE_FLOW_ACTION_TYPE_COUNT)
            count = true;
        else if (actions->type == RTE_FLOW_ACTION_TYPE_DROP)
            drop = true;
        else
            return fail(error, ENOTSUP, "an action that these rules do not know");
    }
    if (count && refuses("no_count")) return fail(error, ENOTSUP, "no counters");
    return count && drop ? 0 : fail(error, ENOTSUP, "other actions than count and drop");
}

} // namespace

extern "C" {

int rte_flow_validate(std::uint16_t, const rte_flow_attr* attributes, const rte_flow_item pattern[],
                      const rte_flow_action actions[], rte_flow_error* error) {
    rte_flow rule;
    if (attributes->ingress != 1) return fail(error, ENOTSUP, "only what comes in");
    const int result = read_pattern(pattern, rule, error);
    return result != 0 ? result : read_actions(actions, error);
}

rte_flow* rte_flow_create(std::uint16_t port, const rte_flow_attr* attributes, const rte_flow_item pattern[],
                          const rte_flow_action actions[], rte_flow_error* error) {
    if (rte_flow_validate(port, attributes, pattern, actions, error) != 0) return nullptr;
    auto rule = std::make_unique<rte_flow>();
    read_pattern(pattern, *rule, error);
    const std::lock_guard lock(mutex);
    attach(port);
    rules.push_back(std::move(rule));
    return rules.back().get();
}

int rte_flow_query(std::uint16_t, rte_flow* rule, const rte_flow_action*, void* data, rte_flow_error*) {
    auto* query = static_cast<rte_flow_query_count*>(data);
    const std::lock_guard lock(mutex);
    query->hits_set = query->bytes_set = 1;
    query->hits = rule->packets;
    query->bytes = rule->bytes;
    return 0;
}

int rte_flow_destroy(std::uint16_t, rte_flow* rule, rte_flow_error* error) {
    const std::lock_guard lock(mutex);
    if (refuses("sticky") && rule->packets != 0 && !rule->asked_to_go) {
        rule->asked_to_go = true;
        return fail(error, EBUSY, "not yet");
    }
    std::erase_if(rules, [&](const auto& kept) { return kept.get() == rule; });
    return 0;
}
}
