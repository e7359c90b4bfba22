#include "core/log/extended_transfers.h"

#include "core/base/endpoint_hash.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace ftpsensor {

namespace {
constexpr Duration kLead = kSecond; // how much older than its announcement a connection may be
} // namespace

std::size_t ExtendedTransfers::PlaceHash::operator()(const Place& p) const {
    return static_cast<std::size_t>(endpoint_hash(p.address, p.port, secret)) ^ (p.translated ? 1u : 0u);
}

bool ExtendedTransfers::Announcer::listens_at(const IpAddress& address) const {
    return std::any_of(places.begin(), places.begin() + place_count,
                       [&](const Place& place) { return place.address == address; });
}

// Bytes that had moved before what stands at `key`.
std::uint64_t ExtendedTransfers::Transfer::bytes_before(const StreamKey& key) const {
    if (over) return bytes;
    const auto later = std::partition_point(progress.begin(), progress.end(), [&](const ProgressSample& s) {
        return std::tie(s.time, s.packet) < std::tie(key.time, key.packet);
    });
    return later == progress.begin() ? 0 : std::prev(later)->bytes;
}

void ExtendedTransfers::expire(Timestamp now) {
    while (!expiries_.empty() && expiries_.front().until <= now) {
        Endpoint* const e = endpoint_of(expiries_.front());
        const Place place = expiries_.front().place;
        expiries_.pop_front();
        if (e == nullptr) continue;
        Timestamp until = now;
        for (auto& announcer : e->by_kind) {
            if (announcer && announcer->until <= now) announcer.reset();
            if (announcer) until = std::max(until, announcer->until);
        }
        if (until == now)
            endpoints_.erase(place);
        else
            queue_expiry(place, *e, until);
    }
    recent_.forget_before(now - kLead);
    removed_.expire(now, connections_);
}

void ExtendedTransfers::queue_expiry(const Place& place, Endpoint& endpoint, Timestamp until) {
    endpoint.queued = ++last_expiry_;
    expiries_.push_back({until, endpoint.queued, place});
    // What was used leaves its entry behind: of so many, half at least are such.
    if (expiries_.size() > 4 * options_.announcements_max)
        std::erase_if(expiries_, [this](const Expiry& expiry) { return endpoint_of(expiry) == nullptr; });
}

ExtendedTransfers::Endpoint* ExtendedTransfers::endpoint_of(const Expiry& expiry) {
    Endpoint* const e = endpoints_.find(expiry.place);
    return e != nullptr && e->queued == expiry.number ? e : nullptr;
}

// The place goes that was announced last of all longest ago: who announces without end drives out itself, and a
// connection mostly comes at once.
void ExtendedTransfers::make_room() {
    while (!expiries_.empty()) {
        const Expiry oldest = expiries_.front();
        expiries_.pop_front();
        Endpoint* const e = endpoint_of(oldest);
        if (e == nullptr) continue;
        Timestamp until = 0;
        for (const auto& announcer : e->by_kind)
            if (announcer) until = std::max(until, announcer->until);
        if (until > oldest.until) { // again, since
            queue_expiry(oldest.place, *e, until);
            continue;
        }
        endpoints_.erase(oldest.place);
        return;
    }
}

// False: the bound was reached.
bool ExtendedTransfers::expect(const Place& place, const Announcer& a) {
    Endpoint* const known = endpoints_.find(place);
    if (known == nullptr) {
        const bool full = endpoints_.size() >= 2 * options_.announcements_max;
        if (full) make_room();
        Endpoint& made = *endpoints_.emplace(place).first;
        made.by_kind[a.passive] = a;
        queue_expiry(place, made, a.until);
        return !full;
    }
    auto& other = known->by_kind[!a.passive];
    if (other && other->client != a.client) other.reset(); // no third-party transfer: the latest has the endpoint
    known->by_kind[a.passive] = a;
    return true;
}

void ExtendedTransfers::announcement(const FtpRecord& r) {
    const Timestamp now = r.key.time;
    expire(now);
    Announcer a;
    a.control = r.key.uid;
    a.channel = r.channel_number;
    a.serial = ++last_serial_;
    a.passive = r.channel.passive;
    a.originator = r.channel.orig_h;
    a.client = r.id.orig_h;
    a.since = now;
    a.until = now + kExpectedLifetime;
    a.places[a.place_count++] = {r.channel.resp_h, r.channel.resp_p, false};
    const IpAddress& own = a.passive ? r.id.resp_h : r.id.orig_h;
    if (own != r.channel.resp_h) a.places[a.place_count++] = {own, r.channel.resp_p, true};
    for (std::size_t i = 0; i < a.place_count; ++i) {
        if (!expect(a.places[i], a)) events_.count(Event::FTP_too_many_expected_data_channels);
    }
    bounded_emplace(sessions_, a.control, options_.sessions_max, events_);
    const Endpoint* const announced = find_endpoint(a.places[0], now);
    const bool paired = announced != nullptr && announced->by_kind[0] && announced->by_kind[1];
    for (std::size_t i = 0; i < a.place_count; ++i) reconsider(a.places[i], a.originator, paired, now);
    if (!paired) return;
    // A third-party transfer: who is to connect comes to where the passive side listens, which may be behind NAT.
    const Announcer listening = *announced->by_kind[true];
    const IpAddress connecting = announced->by_kind[false]->originator;
    for (std::size_t i = 0; i < listening.place_count; ++i) reconsider(listening.places[i], connecting, true, now);
}

// Connections that began shortly before they were announced: from whom the announcement awaits, and anyone's. What
// would stay as it is costs no more than a look, since announcements may come by the thousand.
void ExtendedTransfers::reconsider(const Place& place, const IpAddress& originator, bool paired, Timestamp now) {
    candidates_.clear();
    find_candidates(RecentEnds::key(place.address, place.port, originator, options_.hash_secret), now,
                    [&](const Connection& c) { return c.match && c.match->awaited && (c.match->partner || !paired); });
    find_candidates(RecentEnds::key(place.address, place.port, options_.hash_secret), now,
                    [](const Connection& c) { return c.match.has_value(); });
    std::sort(candidates_.begin(), candidates_.end()); // they may have been told in another order
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
    for (const auto& candidate : candidates_) consider(*connections_.find(candidate.second), now);
}

template <class Settled>
void ExtendedTransfers::find_candidates(std::uint64_t key, Timestamp now, const Settled& settled) {
    std::uint32_t looked_at = 0;
    bool open = false; // the last one that was looked at
    recent_.find(key, [&](const Id96& uid) {
        if (looked_at++ == kLookedAtMax) {
            if (open) events_.count(Event::stream_event_dropped); // and so may be those before it
            return false;
        }
        const Connection* const c = connections_.find(uid);
        open = c != nullptr && c->opened + kLead >= now && !settled(*c);
        if (open) candidates_.emplace_back(c->opened, uid);
        return true;
    });
}

ExtendedTransfers::Endpoint* ExtendedTransfers::find_endpoint(const Place& place, Timestamp now) {
    Endpoint* const e = endpoints_.find(place);
    if (e == nullptr) return nullptr;
    for (auto& announcer : e->by_kind)
        if (announcer && announcer->until <= now) announcer.reset();
    return e;
}

// The latest announcement of the place; with an originator, the latest that awaits it.
ExtendedTransfers::Announcer* ExtendedTransfers::find_announcer(const Place& place, const IpAddress* originator,
                                                                Timestamp opened, Timestamp now) {
    Endpoint* const endpoint = find_endpoint(place, now);
    if (endpoint == nullptr) return nullptr;
    Announcer* latest = nullptr;
    for (auto& announcer : endpoint->by_kind) {
        if (!announcer || (originator != nullptr && announcer->originator != *originator)) continue;
        if (announcer->since > opened + kLead) continue; // it was told late (live), and is older than that
        if (latest == nullptr || announcer->serial > latest->serial) latest = &*announcer;
    }
    return latest;
}

// The latest announcement of an endpoint, as announced or (NAT) at the control connection's own address.
ExtendedTransfers::Announcer* ExtendedTransfers::find_latest(const IpAddress& address, std::uint16_t port,
                                                             const IpAddress* originator, Timestamp opened,
                                                             Timestamp now) {
    Announcer* latest = nullptr;
    for (const bool translated : {false, true}) {
        Announcer* const found = find_announcer({address, port, translated}, originator, opened, now);
        if (found != nullptr && (latest == nullptr || found->serial > latest->serial)) latest = found;
    }
    return latest;
}

// In order of preference: who was awaited; the same where the beginning was not seen, and the roles read the wrong way
// round; anyone.
std::optional<ExtendedTransfers::Match> ExtendedTransfers::find_match(const Connection& c, Timestamp now) {
    const EndpointId& id = c.id;
    if (Announcer* const a = find_latest(id.resp_h, id.resp_p, &id.orig_h, c.opened, now); a != nullptr)
        return with_partner(*a, id.orig_h, id.resp_h, now);
    if (Announcer* const a = find_latest(id.orig_h, id.orig_p, &id.resp_h, c.opened, now); a != nullptr)
        return with_partner(*a, id.resp_h, id.orig_h, now);
    if (Announcer* const a = find_latest(id.resp_h, id.resp_p, nullptr, c.opened, now); a != nullptr)
        return with_partner(*a, id.orig_h, id.resp_h, now);
    return std::nullopt;
}

// Of a third-party transfer, both.
std::optional<ExtendedTransfers::Match> ExtendedTransfers::with_partner(const Announcer& found, const IpAddress& from,
                                                                        const IpAddress& to, Timestamp now) {
    Match match{found, std::nullopt, found.originator == from};
    // The server that listens may be behind NAT: the pair stands at the endpoint as it was announced.
    Endpoint* const endpoint = find_endpoint(found.places[0], now);
    if (endpoint == nullptr || !endpoint->by_kind[0] || !endpoint->by_kind[1]) return match;
    const Announcer& active = *endpoint->by_kind[false];
    const Announcer& passive = *endpoint->by_kind[true];
    const bool is_pair = found.serial == (found.passive ? passive : active).serial;
    if (!is_pair || active.originator != from || !passive.listens_at(to)) return match;
    return Match{active, passive, true};
}

void ExtendedTransfers::consider(Connection& c, Timestamp now) {
    const auto match = find_match(c, now);
    if (!match) return;
    if (c.match) {
        const bool better = match->awaited && !c.match->awaited;
        const bool joined = match->partner && !c.match->partner && match->includes(c.match->primary.serial);
        if (!better && !joined) return;
        withdraw(c.match->primary, c);
        if (c.match->partner) withdraw(*c.match->partner, c);
    }
    c.match = match;
    offer(match->primary, match->awaited, c);
    if (match->partner) offer(*match->partner, match->awaited, c);
}

// Who was awaited goes before a stranger, who came after the announcement before who had begun already, and one that
// moved something before one that did not.
int ExtendedTransfers::Slot::rank() const { return 4 * awaited + 2 * !older + transfer->fuid.has_value(); }

void ExtendedTransfers::offer(const Announcer& a, bool awaited, const Connection& c) {
    Session* const session = sessions_.find(a.control);
    if (session == nullptr) return;
    auto& slots = session->slots;
    const auto behind = std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.channel > a.channel; });
    slots.insert(behind, {a.channel, awaited, c.opened < a.since, c.transfer});
    if (slots.size() <= kSlotsMax) return;
    slots.erase(
        std::min_element(slots.begin(), slots.end(), [](const Slot& x, const Slot& y) { return x.rank() < y.rank(); }));
}

void ExtendedTransfers::withdraw(const Announcer& a, const Connection& c) {
    Session* const session = sessions_.find(a.control);
    if (session == nullptr) return;
    std::erase_if(session->slots, [&](const Slot& s) { return s.transfer == c.transfer; });
}

void ExtendedTransfers::keep_recent(const Connection& c, Timestamp now) {
    constexpr std::uint32_t ends = 3;
    if (c.opened + kLead < now) return;       // whose roles changed late
    if (recent_.size() + ends > kRecentMax) { // it reads as not announced, should it be yet
        events_.count(Event::stream_event_dropped);
        for (std::uint32_t i = 0; i < ends; ++i) recent_.forget_oldest();
    }
    const Id96& uid = c.transfer->uid;
    const std::uint64_t secret = options_.hash_secret;
    recent_.push(RecentEnds::key(c.id.resp_h, c.id.resp_p, secret), uid, c.opened);
    recent_.push(RecentEnds::key(c.id.resp_h, c.id.resp_p, c.id.orig_h, secret), uid, c.opened);
    recent_.push(RecentEnds::key(c.id.orig_h, c.id.orig_p, c.id.resp_h, secret), uid, c.opened);
}

void ExtendedTransfers::data_open(const FtpRecord& r) {
    expire(r.key.time);
    Connection& c = bounded_emplace(connections_, r.key.uid, options_.connections_max, events_);
    if (!c.transfer) {
        c.transfer = std::make_shared<Transfer>();
        c.transfer->uid = r.key.uid;
        c.opened = r.key.time;
    }
    c.id = r.id; // again after a flip of roles
    keep_recent(c, r.key.time);
    consider(c, r.key.time);
}

ExtendedTransfers::Transfer* ExtendedTransfers::find_transfer(const Id96& connection) {
    const Connection* const c = connections_.find(connection);
    return c == nullptr ? nullptr : c->transfer.get();
}

void ExtendedTransfers::data_first(const FtpRecord& r) {
    if (Transfer* t = find_transfer(r.key.uid)) t->fuid = file_uid(options_.id_key, r.key.uid, r.from_originator);
}

void ExtendedTransfers::data_typed(const FtpRecord& r, std::string_view type) {
    if (Transfer* t = find_transfer(r.key.uid); t != nullptr && !type.empty()) t->mime_type = type;
}

void ExtendedTransfers::data_progress(const FtpRecord& r, std::string_view samples) {
    Transfer* const t = find_transfer(r.key.uid);
    if (t == nullptr) return;
    t->progress.resize(samples.size() / sizeof(ProgressSample));
    std::memcpy(t->progress.data(), samples.data(), t->progress.size() * sizeof(ProgressSample));
}

void ExtendedTransfers::data_closed(const FtpRecord& r) {
    Transfer* const t = find_transfer(r.key.uid);
    if (t == nullptr) return;
    t->bytes = r.bytes;
    t->complete = r.complete;
    t->over = true;
    t->progress = {};
}

void ExtendedTransfers::data_removed(const FtpRecord& r) {
    const Connection* const found = connections_.find(r.key.uid);
    if (found == nullptr) return;
    const Connection& c = *found;
    if (!c.transfer->over) data_closed(r);
    // The announcement has had its connection, unless that was removed for another one at the same endpoint. Who had
    // begun before it may have been the last one at that port: who comes for it may be yet to come.
    if (c.match && c.match->awaited && !r.reused && c.opened >= c.match->primary.since) {
        forget(c.match->primary);
        if (c.match->partner) forget(*c.match->partner);
    }
    removed_.push(r.key.time, r.key.uid, connections_, options_.connections_max, events_);
}

void ExtendedTransfers::forget(const Announcer& a) {
    for (std::size_t i = 0; i < a.place_count; ++i) {
        Endpoint* const e = endpoints_.find(a.places[i]);
        if (e == nullptr) continue;
        auto& announcer = e->by_kind[a.passive];
        if (announcer && announcer->serial == a.serial) announcer.reset();
        if (!e->by_kind[0] && !e->by_kind[1]) endpoints_.erase(a.places[i]);
    }
}

void ExtendedTransfers::session_end(const FtpRecord& r) { sessions_.erase(r.key.uid); }

const TransferJoin::ForEntry& ExtendedTransfers::message(const FtpRecord& r) {
    for_entry_ = {};
    if (!r.transfers) return for_entry_;
    Session* const session = sessions_.find(r.key.uid);
    if (session == nullptr) return for_entry_;
    auto& slots = session->slots;
    const auto end =
        std::find_if(slots.begin(), slots.end(), [&](const Slot& s) { return s.channel > r.channel_number; });
    const auto own = std::find_if(slots.begin(), end, [&](const Slot& s) { return s.channel == r.channel_number; });
    const auto best = std::max_element(own, end, [](const Slot& x, const Slot& y) { return x.rank() < y.rank(); });
    if (best != end) {
        const Transfer& t = *best->transfer;
        for_entry_.fuid = t.fuid;
        for_entry_.mime_type = t.mime_type;
        for_entry_.data_uid = t.uid;
        for_entry_.data_bytes = t.bytes_before(r.key);
        if (t.over) for_entry_.data_complete = t.complete && t.bytes >= r.least_bytes;
    }
    slots.erase(slots.begin(), end);
    return for_entry_;
}

TransferJoin::ForConnection ExtendedTransfers::connection(const Id96& uid, bool last) {
    const Connection* const c = connections_.find(uid);
    if (c == nullptr) return {};
    ForConnection result;
    result.is_transfer = c->match.has_value();
    if (result.is_transfer) result.control_uid = c->match->primary.control;
    if (last) connections_.erase(uid);
    return result;
}

} // namespace ftpsensor
