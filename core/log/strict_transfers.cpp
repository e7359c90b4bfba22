#include "core/log/strict_transfers.h"

#include "core/base/endpoint_hash.h"

namespace ftpsensor {

namespace {
// Zeek has no bound for what it scheduled: this one is reached at 2,667 endpoints a second of the default.
constexpr std::size_t kScheduledPerExpected = 8;
} // namespace

std::size_t StrictTransfers::PlaceHash::operator()(const Place& p) const {
    return static_cast<std::size_t>(endpoint_hash(p.originator, 0, endpoint_hash(p.responder, p.port, secret)));
}

void StrictTransfers::expire(Timestamp now) {
    for (; !scheduled_expiries_.empty() && scheduled_expiries_.front().first <= now; scheduled_expiries_.pop_front()) {
        const Place& place = scheduled_expiries_.front().second;
        const auto s = scheduled_.find(place);
        if (s->second <= now)
            scheduled_.erase(s);
        else
            scheduled_expiries_.emplace_back(s->second, place);
    }
    while (!expiries_.empty() && expiries_.front().until <= now) {
        Expected* const e = expected_of(expiries_.front());
        const Place endpoint = expiries_.front().endpoint;
        expiries_.pop_front();
        if (e == nullptr) continue;
        if (e->until <= now)
            expected_.erase(endpoint);
        else
            queue_expiry(endpoint, *e);
    }
    removed_.expire(now, connections_);
}

void StrictTransfers::queue_expiry(const Place& endpoint, Expected& expected) {
    expected.queued = ++last_expiry_;
    expiries_.push_back({expected.until, expected.queued, endpoint});
    // What was used leaves its entry behind: of so many, half at least are such.
    if (expiries_.size() > 2 * options_.announcements_max)
        std::erase_if(expiries_, [this](const Expiry& expiry) { return expected_of(expiry) == nullptr; });
}

StrictTransfers::Expected* StrictTransfers::expected_of(const Expiry& expiry) {
    const auto e = expected_.find(expiry.endpoint);
    return e != expected_.end() && e->second.queued == expiry.number ? &e->second : nullptr;
}

bool StrictTransfers::schedule(const Place& place, Timestamp now) {
    if (const auto at = scheduled_.find(place); at != scheduled_.end()) {
        at->second = now + kExpectedLifetime;
        return true;
    }
    if (scheduled_.size() >= kScheduledPerExpected * options_.announcements_max) return false;
    scheduled_.emplace(place, now + kExpectedLifetime);
    scheduled_expiries_.emplace_back(now + kExpectedLifetime, place);
    return true;
}

bool StrictTransfers::expect(const Place& endpoint, const Id96& control, Timestamp now) {
    const auto known = expected_.find(endpoint);
    if (known != expected_.end()) {
        known->second.control = control;
        known->second.until = now + kExpectedLifetime;
        return true;
    }
    if (expected_.size() >= options_.announcements_max) return false;
    Expected& made = expected_[endpoint];
    made.control = control;
    made.until = now + kExpectedLifetime;
    queue_expiry(endpoint, made);
    return true;
}

void StrictTransfers::announcement(const FtpRecord& r) {
    const Timestamp now = r.key.time;
    expire(now);
    const DataChannel& channel = r.channel;
    if (!expect({{}, channel.resp_h, channel.resp_p}, r.key.uid, now) ||
        !schedule({channel.orig_h, channel.resp_h, channel.resp_p}, now)) {
        events_.count(Event::FTP_too_many_expected_data_channels);
        return;
    }
    bounded_emplace(sessions_, r.key.uid, options_.sessions_max, events_);
}

StrictTransfers::Expected* StrictTransfers::find_expected(const Connection& c, Timestamp now) {
    const auto e = expected_.find({{}, c.id.resp_h, c.id.resp_p});
    if (e == expected_.end() || e->second.until <= now) return nullptr;
    e->second.until = now + kExpectedLifetime; // each use keeps it
    return &e->second;
}

StrictTransfers::Session* StrictTransfers::find_session(const std::optional<Id96>& control) {
    return control ? sessions_.find(*control) : nullptr;
}

void StrictTransfers::data_open(const FtpRecord& r) {
    expire(r.key.time);
    Connection& c = bounded_emplace(connections_, r.key.uid, options_.connections_max, events_);
    if (c.attached) return;
    c.id = r.id;
    const auto s = scheduled_.find({r.id.orig_h, r.id.resp_h, r.id.resp_p});
    if (s == scheduled_.end() || s->second <= r.key.time) return;
    c.attached = true;
    c.is_transfer = find_expected(c, r.key.time) != nullptr;
}

void StrictTransfers::data_first(const FtpRecord& r) {
    Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr || !c->attached) return;
    const Expected* expected = find_expected(*c, r.key.time);
    if (expected == nullptr) return;
    Session* session = find_session(expected->control);
    if (session == nullptr) return;
    c->file_session[r.from_originator] = expected->control;
    session->fuid = file_uid(options_.id_key, r.key.uid, r.from_originator);
}

void StrictTransfers::data_typed(const FtpRecord& r, std::string_view type) {
    Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr || !c->attached) return;
    std::optional<Id96> control = c->file_session[r.from_originator];
    if (r.mime_stage == MimeStage::transferred) {
        const Expected* expected = find_expected(*c, r.key.time);
        control = expected != nullptr ? std::optional(expected->control) : std::nullopt;
    }
    Session* session = find_session(control);
    if (session != nullptr && !type.empty()) session->mime_type = type;
}

void StrictTransfers::data_removed(const FtpRecord& r) {
    const Connection* const c = connections_.find(r.key.uid);
    if (c == nullptr) return;
    // The announcement has had its connection, unless that was removed for another one at the same endpoint.
    if (c->is_transfer && !r.reused) expected_.erase({{}, c->id.resp_h, c->id.resp_p});
    removed_.push(r.key.time, r.key.uid, connections_, options_.connections_max, events_);
}

void StrictTransfers::session_end(const FtpRecord& r) { sessions_.erase(r.key.uid); }

const TransferJoin::ForEntry& StrictTransfers::message(const FtpRecord& r) {
    for_entry_ = {};
    if (Session* session = find_session(r.key.uid); session != nullptr) {
        for_entry_.fuid = std::exchange(session->fuid, std::nullopt);
        for_entry_.mime_type = std::exchange(session->mime_type, std::nullopt);
    }
    return for_entry_;
}

TransferJoin::ForConnection StrictTransfers::connection(const Id96& uid, bool last) {
    const Connection* const c = connections_.find(uid);
    if (c == nullptr) return {};
    const ForConnection result{c->is_transfer, std::nullopt};
    if (last) connections_.erase(uid);
    return result;
}

} // namespace ftpsensor
