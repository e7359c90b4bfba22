#include "daemon/live/flow_rules.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_flow.h>

namespace ftpsensor {
namespace {

// One rule as rte_flow takes it: Ethernet, tags with any number, IP, TCP; count and drop. It points into itself.
class Pattern {
public:
    explicit Pattern(const FlowRule& rule) {
        attributes_.ingress = 1;
        add(RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr);
        for (std::uint8_t tag = 0; tag < rule.vlan_tags; ++tag) add(RTE_FLOW_ITEM_TYPE_VLAN, nullptr, nullptr);
        rule.source.is_v4() ? add_ipv4(rule) : add_ipv6(rule);
        add_tcp(rule);
        add(RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr);
        actions_[0] = {RTE_FLOW_ACTION_TYPE_COUNT, &count_};
        actions_[1] = {RTE_FLOW_ACTION_TYPE_DROP, nullptr};
        actions_[2] = {RTE_FLOW_ACTION_TYPE_END, nullptr};
    }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    const rte_flow_attr* attributes() const { return &attributes_; }
    const rte_flow_item* items() const { return items_.data(); }
    const rte_flow_action* actions() const { return actions_.data(); }

private:
    static constexpr std::size_t kItemsMax = 8;

    void add(rte_flow_item_type type, const void* spec, const void* mask) {
        items_[count_of_items_++] = {type, spec, nullptr, mask};
    }
    void add_ipv4(const FlowRule& rule) {
        std::memcpy(&ipv4_.hdr.src_addr, rule.source.bytes.data() + 12, 4);
        std::memcpy(&ipv4_.hdr.dst_addr, rule.destination.bytes.data() + 12, 4);
        ipv4_mask_.hdr.src_addr = ipv4_mask_.hdr.dst_addr = UINT32_MAX;
        add(RTE_FLOW_ITEM_TYPE_IPV4, &ipv4_, &ipv4_mask_);
    }
    void add_ipv6(const FlowRule& rule) {
        std::memcpy(&ipv6_.hdr.src_addr, rule.source.bytes.data(), 16);
        std::memcpy(&ipv6_.hdr.dst_addr, rule.destination.bytes.data(), 16);
        std::memset(&ipv6_mask_.hdr.src_addr, 0xff, 16);
        std::memset(&ipv6_mask_.hdr.dst_addr, 0xff, 16);
        add(RTE_FLOW_ITEM_TYPE_IPV6, &ipv6_, &ipv6_mask_);
    }
    void add_tcp(const FlowRule& rule) {
        tcp_.hdr.src_port = rte_cpu_to_be_16(rule.source_port);
        tcp_.hdr.dst_port = rte_cpu_to_be_16(rule.destination_port);
        tcp_mask_.hdr.src_port = tcp_mask_.hdr.dst_port = UINT16_MAX;
        if (rule.without_ends) tcp_mask_.hdr.tcp_flags = RTE_TCP_FIN_FLAG | RTE_TCP_SYN_FLAG | RTE_TCP_RST_FLAG;
        add(RTE_FLOW_ITEM_TYPE_TCP, &tcp_, &tcp_mask_);
    }

    rte_flow_attr attributes_{};
    std::array<rte_flow_item, kItemsMax> items_{};
    std::size_t count_of_items_ = 0;
    std::array<rte_flow_action, 3> actions_{};
    rte_flow_action_count count_{};
    rte_flow_item_ipv4 ipv4_{}, ipv4_mask_{};
    rte_flow_item_ipv6 ipv6_{}, ipv6_mask_{};
    rte_flow_item_tcp tcp_{}, tcp_mask_{};
};

class RteFlowRules final : public FlowRules {
public:
    RteFlowRules(std::uint16_t port_id, const std::string& name) : port_id_(port_id), name_(name) {}

    const std::string& port() const override { return name_; }

    std::string fault(const FlowRule& rule) override {
        const Pattern pattern(rule);
        rte_flow_error error{};
        const int result =
            rte_flow_validate(port_id_, pattern.attributes(), pattern.items(), pattern.actions(), &error);
        if (result == 0) return {};
        return error.message != nullptr ? error.message : rte_strerror(-result);
    }

    Handle add(const FlowRule& rule) override {
        const Pattern pattern(rule);
        rte_flow_error error{};
        return rte_flow_create(port_id_, pattern.attributes(), pattern.items(), pattern.actions(), &error);
    }

    std::optional<FlowCounts> counts(Handle handle) override {
        rte_flow_query_count query{};
        rte_flow_error error{};
        const rte_flow_action_count unused{};
        const rte_flow_action count[] = {{RTE_FLOW_ACTION_TYPE_COUNT, &unused}, {RTE_FLOW_ACTION_TYPE_END, nullptr}};
        if (rte_flow_query(port_id_, static_cast<rte_flow*>(handle), count, &query, &error) != 0) return std::nullopt;
        if (query.hits_set == 0 || query.bytes_set == 0) return std::nullopt;
        return FlowCounts{query.hits, query.bytes};
    }

    bool remove(Handle handle) override {
        rte_flow_error error{};
        return rte_flow_destroy(port_id_, static_cast<rte_flow*>(handle), &error) == 0;
    }

private:
    std::uint16_t port_id_;
    std::string name_;
};

} // namespace

std::unique_ptr<FlowRules> rte_flow_rules(std::uint16_t port_id, const std::string& name) {
    return std::make_unique<RteFlowRules>(port_id, name);
}

} // namespace ftpsensor
