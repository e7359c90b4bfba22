#include "core/pipeline/shunts.h"

#include <algorithm>

namespace ftpsensor {

namespace {

constexpr std::size_t kTypeAt = 12; // behind the two addresses
constexpr std::size_t kTagBytes = 4;
constexpr std::uint8_t kTagsMax = 2;

std::uint16_t type_at(const PacketView& packet, std::size_t at) {
    return static_cast<std::uint16_t>(packet.data[at] << 8 | packet.data[at + 1]);
}

} // namespace

std::optional<std::uint8_t> vlan_tags_of(const PacketView& packet) {
    constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kTag = 0x8100, kServiceTag = 0x88a8;
    if (packet.link != LinkType::ethernet) return std::nullopt;
    std::uint8_t tags = packet.vlan_stripped ? 1 : 0;
    for (std::size_t at = kTypeAt; at + 2 <= packet.captured; at += kTagBytes) {
        const std::uint16_t type = type_at(packet, at);
        if (type == kIpv4 || type == kIpv6) return tags;
        if ((type != kTag && type != kServiceTag) || tags == kTagsMax) return std::nullopt;
        ++tags;
    }
    return std::nullopt;
}

Shunts::Place* Shunts::find(ShuntTicket ticket) {
    if (ticket.place >= places_.size() || places_[ticket.place].generation != ticket.generation) return nullptr;
    return &places_[ticket.place];
}

ShuntTicket Shunts::begin(std::uint32_t connection, const ShuntFlow& flow, const std::uint16_t (&headers)[2]) {
    if (free_.empty()) {
        if (places_.size() >= ports_->max()) {
            events_.count(Event::shunt_limit);
            return {};
        }
        free_.push_back(static_cast<std::uint32_t>(places_.size()));
        places_.emplace_back();
    }
    const std::uint32_t at = free_.back();
    free_.pop_back();
    Place& place = places_[at];
    place = {.generation = place.generation, .connection = connection, .shunted = {}};
    place.frame_header = static_cast<std::uint16_t>(kTypeAt + 2 + flow.vlan_tags * kTagBytes);
    for (unsigned side = 0; side < 2; ++side)
        if (headers[side] != 0) place.shunted.side[side].headers = headers[side];
    ports_->begin(worker_, {at, place.generation}, flow);
    return {at, place.generation};
}

void Shunts::ask_for_end(ShuntTicket ticket, Place& place, bool at_once) {
    if (place.ending && !at_once) return;
    place.ending = true;
    ports_->end(worker_, ticket, at_once);
}

void Shunts::release(std::uint32_t at) {
    ++places_[at].generation;
    free_.push_back(at);
}

void Shunts::coming_through(Connection& c, ShuntTicket ticket, const Layer& layer, unsigned side) {
    Place* place = find(ticket);
    if (place == nullptr) return;
    catch_up(c, place->shunted, layer, side);
    if ((layer.tcp_flags & (kFin | kRst)) != 0 && !place->ended) ask_for_end(ticket, *place, false);
}

void Shunts::removed(ShuntTicket ticket) {
    Place* place = find(ticket);
    if (place == nullptr) return;
    place->connection = kNone;
    if (place->ended)
        release(ticket.place);
    else
        ask_for_end(ticket, *place, true);
}

Connection* Shunts::take(const ShuntReport& report, Timestamp now) {
    Place* place = find(report.ticket);
    if (place == nullptr) return nullptr;
    const bool counted = report.counts[0].packets + report.counts[1].packets != 0;
    Connection* c = place->connection != kNone ? &connections_[place->connection] : nullptr;
    if (c != nullptr) {
        if (counted || report.what == ShuntReport::What::begun) c->shunted = true;
        place->shunted.counting = report.what != ShuntReport::What::ended;
        for (unsigned side = 0; side < 2; ++side) {
            const ShuntCounts& counts = report.counts[side];
            if (counts.packets == 0) continue;
            const std::uint64_t frame_headers = counts.packets * place->frame_header;
            ConnTracker::add_counted(*c, place->shunted, side, counts.packets,
                                     counts.bytes - std::min(counts.bytes, frame_headers), now);
        }
    } else if (counted) { // its entry has been made without them
        events_.count(Event::shunt_counts_late);
    }
    if (report.what == ShuntReport::What::ended) {
        place->ended = true;
        if (c == nullptr || !c->shunted) release(report.ticket.place); // never begun, or over
    }
    return counted ? c : nullptr;
}

} // namespace ftpsensor
