// Ports that count transfers in place of a worker (capture.shunt), played. One thread.
#pragma once

#include "core/conn/connection.h"
#include "core/packet/decode.h"
#include "core/pipeline/shunt_ports.h"

#include <algorithm>
#include <deque>
#include <vector>

namespace ftpsensor::test {

// As ports with flow rules do it: FIN, RST and SYN come through, or (`blind`) nothing does.
class PlayedPorts final : public ShuntPorts {
public:
    EventCounters events;
    Decoder decoder{{.fragment_bytes_max = 64 * 1024, .fragment_datagrams_max = 4}, events};
    bool blind = false;
    bool refuses = false;
    std::uint32_t room = 8;
    std::size_t report_each = 10; // packets counted
    std::size_t queued = 0;       // packets that were received before the rules were there and come through later

    std::uint32_t max() const override { return room; }
    void begin(std::size_t, ShuntTicket ticket, const ShuntFlow& flow) override {
        ++begun;
        if (refuses) {
            reports.push_back({ticket, ShuntReport::What::ended, {}});
            return;
        }
        rules.push_back({ticket, flow, {}});
        reports.push_back({ticket, ShuntReport::What::begun, {}});
    }
    void end(std::size_t, ShuntTicket ticket, bool at_once) override {
        if (at_once)
            finish(ticket);
        else
            ending.push_back(ticket);
    }
    bool next_report(std::size_t, ShuntReport& report) override {
        if (reports.empty()) return false;
        report = reports.front();
        reports.pop_front();
        return true;
    }

    // True: counted, the worker never sees it.
    bool counts(const PacketView& view) {
        DecodedPacket decoded;
        decoder.decode(view, decoded);
        const Layer& layer = decoded.layers[0];
        if (decoded.layer_count == 0 || (!blind && (layer.tcp_flags & (kFin | kSyn | kRst)) != 0)) return false;
        for (Rule& rule : rules) {
            for (unsigned side = 0; side < 2; ++side) {
                if (layer.source != rule.flow.address[side] || layer.source_port != rule.flow.port[side] ||
                    layer.destination != rule.flow.address[side ^ 1] ||
                    layer.destination_port != rule.flow.port[side ^ 1])
                    continue;
                if (queued != 0) {
                    --queued;
                    return false;
                }
                ++rule.counts[side].packets;
                rule.counts[side].bytes += view.length;
                tags = rule.flow.vlan_tags;
                if (++counted % report_each == 0) report(rule, ShuntReport::What::counted);
                return true;
            }
        }
        return false;
    }
    void finish(ShuntTicket ticket) { // the rules are taken away
        const auto rule =
            std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.ticket.place == ticket.place; });
        if (rule == rules.end()) return;
        report(*rule, ShuntReport::What::ended);
        rules.erase(rule);
    }
    void finish_ending() {
        for (const ShuntTicket ticket : ending) finish(ticket);
        ending.clear();
    }
    void finish_all() {
        while (!rules.empty()) finish(rules.front().ticket);
    }

    bool is_ending() const { return !ending.empty(); }

    std::size_t begun = 0;
    std::size_t counted = 0;
    std::uint8_t tags = 0;
    std::deque<ShuntReport> reports;

private:
    struct Rule {
        ShuntTicket ticket;
        ShuntFlow flow;
        ShuntCounts counts[2];
    };
    void report(Rule& rule, ShuntReport::What what) {
        reports.push_back({rule.ticket, what, {rule.counts[0], rule.counts[1]}});
        rule.counts[0] = rule.counts[1] = {};
    }
    std::vector<Rule> rules;
    std::vector<ShuntTicket> ending;
};

} // namespace ftpsensor::test
