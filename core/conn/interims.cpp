#include "core/conn/interims.h"

#include <algorithm>

namespace ftpsensor {

namespace {

// What a figure has grown by. It may have shrunk: a later packet corrects what an odd one made of the sequence numbers.
std::uint64_t growth(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

} // namespace

Interims::Memory::Memory(std::uint32_t connections_max, std::uint32_t told_max) : slots(connections_max) {
    told.reserve(told_max);
    free.reserve(told_max);
}

Interims::Interims(const InterimOptions& options, std::uint32_t connections_max) : options_(options) {
    if (on()) memory_ = Memory(connections_max, options.told_max);
}

bool Interims::change(Duration interval, Memory& memory) {
    if (interval == options_.interval) return false;
    if (!were_on()) std::swap(memory_, memory);
    options_.interval = interval;
    ++round_;
    std::fill(std::begin(lists_), std::end(lists_), List{});
    set_next_due();
    return true;
}

void Interims::join(std::uint32_t index, Timestamp now) {
    if (is_listed(memory_.slots[index])) return;
    append(kJoined, index, now + options_.interval);
    set_next_due();
}

void Interims::opened(std::uint32_t index, Timestamp now) {
    append(kFirst, index, now + options_.interval);
    set_next_due();
}

void Interims::leave(std::uint32_t index) {
    unlink(index);
    set_next_due();
}

void Interims::removed(std::uint32_t index) {
    unlink(index);
    if (memory_.slots[index].told != kNone) memory_.free.push_back(memory_.slots[index].told);
    memory_.slots[index].told = kNone;
    set_next_due();
}

std::uint32_t Interims::take_due(Timestamp now, Timestamp& due) {
    if (next_due_ > now) return kNone;
    const auto is_next = [&](const List& list) {
        return list.first != kNone && memory_.slots[list.first].due == next_due_;
    };
    const std::uint32_t index = std::find_if(std::begin(lists_), std::end(lists_), is_next)->first;
    due = memory_.slots[index].due;
    unlink(index);
    append(kAgain, index, due + options_.interval);
    set_next_due();
    return index;
}

void Interims::append(ListName list, std::uint32_t index, Timestamp due) {
    List& l = lists_[list];
    Slot& slot = memory_.slots[index];
    slot.due = due;
    slot.list = list;
    slot.round = round_;
    slot.next = kNone;
    slot.previous = l.last;
    (l.last == kNone ? l.first : memory_.slots[l.last].next) = index;
    l.last = index;
}

void Interims::unlink(std::uint32_t index) {
    Slot& slot = memory_.slots[index];
    if (!is_listed(slot)) return;
    List& l = lists_[slot.list];
    (slot.previous == kNone ? l.first : memory_.slots[slot.previous].next) = slot.next;
    (slot.next == kNone ? l.last : memory_.slots[slot.next].previous) = slot.previous;
    slot.list = kLists;
}

void Interims::set_next_due() {
    next_due_ = std::numeric_limits<Timestamp>::max();
    for (const List& l : lists_)
        if (l.first != kNone) next_due_ = std::min(next_due_, memory_.slots[l.first].due);
}

void Interims::subtract(std::uint32_t index, unsigned orig_side, ConnRecord& r, std::string& text) const {
    if (memory_.slots[index].told == kNone) return;
    const Told& told = memory_.told[memory_.slots[index].told];
    const Side& orig = told.side[orig_side];
    const Side& resp = told.side[orig_side ^ 1];
    r.missed_bytes = growth(r.missed_bytes, told.missed_bytes);
    r.orig_bytes = growth(r.orig_bytes, orig.bytes);
    r.orig_pkts = growth(r.orig_pkts, orig.packets);
    r.orig_ip_bytes = growth(r.orig_ip_bytes, orig.ip_bytes);
    r.resp_bytes = growth(r.resp_bytes, resp.bytes);
    r.resp_pkts = growth(r.resp_pkts, resp.packets);
    r.resp_ip_bytes = growth(r.resp_ip_bytes, resp.ip_bytes);
    r.interim = InterimPart::rest;
    r.interim_before = true;
    text.append(reinterpret_cast<const char*>(&told.last), sizeof told.last);
}

void Interims::told(std::uint32_t index, unsigned orig_side, const ConnRecord& r) {
    Slot& slot = memory_.slots[index];
    if (slot.told == kNone && !memory_.free.empty()) {
        slot.told = memory_.free.back();
        memory_.free.pop_back();
        memory_.told[slot.told] = {};
    } else if (slot.told == kNone) {
        slot.told = static_cast<std::uint32_t>(memory_.told.size());
        memory_.told.emplace_back();
    }
    Told& told = memory_.told[slot.told];
    Side& orig = told.side[orig_side];
    Side& resp = told.side[orig_side ^ 1];
    told.last = std::max(told.last, r.last);
    told.missed_bytes += r.missed_bytes;
    orig.bytes += r.orig_bytes;
    orig.packets += r.orig_pkts;
    orig.ip_bytes += r.orig_ip_bytes;
    resp.bytes += r.resp_bytes;
    resp.packets += r.resp_pkts;
    resp.ip_bytes += r.resp_ip_bytes;
}

} // namespace ftpsensor
