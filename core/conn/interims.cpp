#include "core/conn/interims.h"

#include <algorithm>

namespace ftpsensor {

namespace {

// What a figure has grown by. It may have shrunk: a later packet corrects what an odd one made of the sequence numbers.
std::uint64_t growth(std::uint64_t now, std::uint64_t before) { return now > before ? now - before : 0; }

} // namespace

Interims::Interims(const InterimOptions& options, std::uint32_t connections_max) : options_(options) {
    if (on()) slots_.resize(connections_max);
}

void Interims::opened(std::uint32_t index, Timestamp now) {
    append(kFirst, index, now + options_.interval);
    set_next_due();
}

void Interims::removed(std::uint32_t index) {
    unlink(index);
    if (slots_[index].told != kNone) free_.push_back(slots_[index].told);
    slots_[index].told = kNone;
    set_next_due();
}

std::uint32_t Interims::take_due(Timestamp now, Timestamp& due) {
    if (next_due_ > now) return kNone;
    const List& list = lists_[kFirst].first != kNone && slots_[lists_[kFirst].first].due == next_due_ ? lists_[kFirst]
                                                                                                      : lists_[kAgain];
    const std::uint32_t index = list.first;
    due = slots_[index].due;
    unlink(index);
    append(kAgain, index, due + options_.interval);
    set_next_due();
    return index;
}

void Interims::append(std::uint32_t list, std::uint32_t index, Timestamp due) {
    List& l = lists_[list];
    Slot& slot = slots_[index];
    slot.due = due;
    slot.list = list;
    slot.next = kNone;
    slot.previous = l.last;
    (l.last == kNone ? l.first : slots_[l.last].next) = index;
    l.last = index;
}

void Interims::unlink(std::uint32_t index) {
    Slot& slot = slots_[index];
    if (slot.list == kNone) return;
    List& l = lists_[slot.list];
    (slot.previous == kNone ? l.first : slots_[slot.previous].next) = slot.next;
    (slot.next == kNone ? l.last : slots_[slot.next].previous) = slot.previous;
    slot.list = kNone;
}

void Interims::set_next_due() {
    next_due_ = std::numeric_limits<Timestamp>::max();
    for (const List& l : lists_)
        if (l.first != kNone) next_due_ = std::min(next_due_, slots_[l.first].due);
}

void Interims::subtract(std::uint32_t index, unsigned orig_side, ConnRecord& r, std::string& text) const {
    if (slots_[index].told == kNone) return;
    const Told& told = told_[slots_[index].told];
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
    Slot& slot = slots_[index];
    if (slot.told == kNone && !free_.empty()) {
        slot.told = free_.back();
        free_.pop_back();
        told_[slot.told] = {};
    } else if (slot.told == kNone) {
        slot.told = static_cast<std::uint32_t>(told_.size());
        told_.emplace_back();
    }
    Told& told = told_[slot.told];
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
