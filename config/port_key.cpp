#include "config/port_key.h"

#include "config/key_factory.h"
#include "config/nearest.h"

#include <array>
#include <tuple>
#include <utility>

namespace ftpsensor {
namespace {

constexpr std::size_t kPortsMax = 32; // RTE_MAX_ETHPORTS of Debian's DPDK
constexpr std::string_view kPortItem = "one of interface, af_xdp, pci or vdev";

struct PortMember {
    std::string_view name;
    std::string PortConfig::*value;
    Codec<std::string> codec;
};

const std::array<PortMember, 4>& port_members() {
    static const std::array<PortMember, 4> members{{
        {"interface", &PortConfig::interface,
         text("the name of a network interface, at most 15 characters, such as eth1", interface_fault)},
        {"af_xdp", &PortConfig::af_xdp,
         text("the name of a network interface, at most 15 characters, such as eth1", interface_fault)},
        {"pci", &PortConfig::pci, text("a PCI address such as 0000:3b:00.0", pci_fault)},
        {"vdev", &PortConfig::vdev,
         text("a virtual device as EAL takes it, such as net_pcap0,rx_pcap=x.pcap", not_empty_fault)},
    }};
    return members;
}

const PortMember& port_member(const YamlNode& value, const std::string& item) {
    std::vector<std::string_view> names;
    for (const PortMember& member : port_members()) {
        if (member.name == value.key) return member;
        names.push_back(member.name);
    }
    const auto near = nearest_name(value.key, names);
    throw ValueFault(value.key_at, item + "." + value.key, "unknown key",
                     near.empty() ? give(kPortItem) : fmt::format("did you mean {}?", near));
}

PortConfig read_port(const YamlNode& node, const std::string& item) {
    if (node.kind != YamlNode::Kind::map)
        throw ValueFault(node.at, item, "is not a map", "give " + std::string(kPortItem) + ", such as interface: eth1");
    PortConfig port;
    for (const YamlNode& value : node.items) {
        const PortMember& member = port_member(value, item);
        port.*member.value = read_scalar(value, member.codec, item + "." + value.key);
    }
    if (node.items.size() != 1) throw ValueFault(node.at, item, "names not exactly one device", give(kPortItem));
    return port;
}

// `node`: where the ports were read from; nullptr where they were set by code.
void check_ports(const std::vector<PortConfig>& ports, const YamlNode* node) {
    if (ports.size() > kPortsMax)
        throw ValueFault(node != nullptr ? node->at : YamlPosition{}, "", "names too many ports",
                         fmt::format("give at most {}", kPortsMax));
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const YamlPosition at = node != nullptr ? node->items[i].at : YamlPosition{};
        std::size_t given = 0;
        for (const PortMember& member : port_members()) {
            const std::string& value = ports[i].*member.value;
            if (value.empty()) continue;
            ++given;
            if (const auto fault = member.codec.fault(value); !fault.empty())
                throw ValueFault(at, fmt::format("{}.{}", item_path(i), member.name), fault, give(member.codec));
        }
        if (given != 1) throw ValueFault(at, item_path(i), "names not exactly one device", give(kPortItem));
        const auto as_tuple = [](const PortConfig& p) { return std::tie(p.interface, p.af_xdp, p.pci, p.vdev); };
        for (std::size_t j = 0; j < i; ++j)
            if (as_tuple(ports[i]) == as_tuple(ports[j]))
                throw ValueFault(at, item_path(i), fmt::format("is the same port as {}", item_path(j)), "keep one");
    }
}

std::string write_ports(const std::vector<PortConfig>& ports) {
    std::string text = "[";
    for (const PortConfig& port : ports)
        for (const PortMember& member : port_members())
            if (const std::string& value = port.*member.value; !value.empty())
                text += fmt::format("{}{{{}: {}}}", text.size() > 1 ? ", " : "", member.name, quoted(value));
    return text + "]";
}

} // namespace

Key ports_key(std::string_view path, std::string_view help, std::string_view sample) {
    Key made;
    made.path = path;
    made.help = help;
    made.expects = "a list in which each item has " + std::string(kPortItem);
    made.sample = sample;
    made.read = [expects = made.expects](const YamlNode& node, Config& config) {
        require_list(node, expects);
        std::vector<PortConfig> ports;
        for (const YamlNode& item : node.items) ports.push_back(read_port(item, item_path(ports.size())));
        check_ports(ports, &node);
        config.capture.ports = std::move(ports);
    };
    made.write = [](const Config& config) { return write_ports(config.capture.ports); };
    made.check = [](const Config& config) { check_ports(config.capture.ports, nullptr); };
    return made;
}

} // namespace ftpsensor
