// What a port's own flow rules can do for a sensor: count the packets of one direction of a connection, and drop them.
//
// RteFlowRules asks a DPDK port (rte_flow); tests play their own. The port is started before the first rule and stopped
// after the last. One thread at a time.
#pragma once

#include "core/base/ip_address.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace ftpsensor {

struct FlowRule { // TCP from one end to the other
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t vlan_tags = 0;
    bool without_ends = true; // packets with SYN, FIN or RST do not match
};

struct FlowCounts { // since the rule was made
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0; // of frames
};

class FlowRules {
public:
    using Handle = void*;

    virtual ~FlowRules() = default;
    virtual const std::string& port() const = 0; // its name in the config
    // Why the port would not take such a rule; "": it would.
    virtual std::string fault(const FlowRule& rule) = 0;
    virtual Handle add(const FlowRule& rule) = 0;                // null: refused
    virtual std::optional<FlowCounts> counts(Handle handle) = 0; // none: the port does not say
    virtual bool remove(Handle handle) = 0;                      // false: it stands, and may be tried again
};

std::unique_ptr<FlowRules> rte_flow_rules(std::uint16_t port_id, const std::string& name);

} // namespace ftpsensor
